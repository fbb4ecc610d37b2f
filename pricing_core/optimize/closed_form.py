r"""The price that maximizes profit under one logistic demand curve, in closed form.

With relative price *x* and relative cost *c*, profit :math:`(x - c)\,\sigma(\alpha - \beta x)` has its only maximum at

.. math:: x^* = c + \frac{1 + W(e^{\alpha - \beta c - 1})}{\beta}

where *W* is Lambert's function. The exponential overflows long before the price does, therefore
:math:`w = W(e^a)` is found from :math:`w + \ln w = a` instead.

References
----------
Fritsch, Shafer & Crowley (1973), Algorithm 443, Communications of the ACM 16(2): the fourth-order step.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.optimize.blocks import for_blocks

Floats = NDArray[Any]

_BLOCK: Final = 8192
_LEAST: Final = -80.0  # e^-80 adds nothing to 1 + W
_STEPS: Final = 2


def lambert_of_exp(a: Floats) -> Floats:
    """Lambert's W of ``exp(a)``: the solution w > 0 of ``w + ln w = a``.

    Parameters
    ----------
    a
        Any shape, float32 or float64, finite.

    Returns
    -------
    Same shape and precision; relative error below 1e-6 in float32 and 1e-14 in float64. Arguments below −80 are
    taken as −80.
    """
    a = np.maximum(a, _LEAST)
    w = np.minimum(a, 30.0)
    np.exp(w, out=w)
    np.log1p(w, out=w)
    np.maximum(w, a, out=w)
    for _ in range(_STEPS):
        one = 1.0 + w
        z = a - w
        z -= np.log(w)
        q = z * (2.0 / 3.0)
        q += one
        q *= one
        q *= 2.0
        top = q - z
        top *= z
        q -= z
        q -= z
        q *= one
        top /= q
        top += 1.0
        w *= top
    return np.asarray(w)


def optimal_relative_price(alpha: Floats, beta: Floats, cost: Floats) -> Floats:
    r"""Price over reference price that maximizes :math:`(x - c)\,\sigma(\alpha - \beta x)`.

    Parameters
    ----------
    alpha
        Log odds of a purchase at a price of zero; any shape.
    beta
        Price sensitivity, above zero; same shape.
    cost
        Unit cost over reference price (0 maximizes revenue); same shape.

    Returns
    -------
    Same shape; float32 if all inputs are float32, else float64.
    """
    inputs = np.broadcast_arrays(alpha, beta, cost)
    shape = inputs[0].shape
    kind = np.result_type(np.float32, *(i.dtype for i in inputs))
    flat = [np.ascontiguousarray(i, dtype=kind).reshape(-1) for i in inputs]
    out = np.empty(flat[0].size, dtype=kind)

    def work(rows: slice) -> None:
        a, b, c = (values[rows] for values in flat)
        best = lambert_of_exp(a - b * c - kind.type(1.0))
        best += 1.0
        best /= b
        np.add(best, c, out=out[rows])

    for_blocks(out.size, _BLOCK, work)
    return out.reshape(shape)
