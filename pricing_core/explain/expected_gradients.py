r"""Expected gradients: Shapley-like shares of a smooth model's answer, from its slopes.

On the straight line from a background row :math:`x'` to the row :math:`x`, each feature is credited with its part of
the change of the answer,

.. math:: \phi_j = E_{x'} \int_0^1 (x_j - x'_j)\, \partial_j f\bigl(x' + t (x - x')\bigr)\, dt,

so that the credits add up to the answer minus the average answer over the background. The integral is computed at a few
Gauss–Legendre points of every line, the expectation over all background rows; what the sum lacks of the exact
difference is the additivity error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, DataError
from pricing_core.explain.mixing import FeatureBatch, Floats, checked_pair
from pricing_core.explain.shapley import ShapResult

Inputs = dict[str, NDArray[Any]]
Parts = Sequence[tuple[str, Sequence[int]]]

_BLOCK: Final = 2_048


class Differentiable(Protocol):
    """A model whose answers have slopes, such as :class:`~pricing_core.models.surface.DemandSurface`."""

    outcomes: tuple[str, ...]

    def inputs(self, batch: Any, /) -> Inputs:
        """Return the numbers that the model computes with, by name, each (n, …)."""
        ...

    def parts(self, batch: Any, /) -> Sequence[Parts]:
        """Return for each feature the inputs and the columns of their last axis that it owns; no columns: all."""
        ...

    def answers(self, batch: Any, /) -> Floats:
        """Return the outcomes of the rows, (n, K)."""
        ...

    def slopes(self, inputs: Inputs, /) -> list[Inputs]:
        """Return the derivative of each outcome by each input, K mappings."""
        ...


def expected_gradients(
    model: Differentiable,
    batch: FeatureBatch,
    background: FeatureBatch,
    *,
    n_points: int = 4,
    displayed: pd.DataFrame | None = None,
) -> dict[str, ShapResult]:
    """Share out every outcome of the model over the features.

    Parameters
    ----------
    model
        Its answers and slopes.
    batch
        Rows to explain.
    background
        Rows that stand for "a typical offer"; each line starts at one of them.
    n_points
        Points on each line; the model is asked for n · background · n_points slopes.
    displayed
        Readable values of ``batch``, a column per feature.

    Returns
    -------
    dict
        A :class:`~pricing_core.explain.shapley.ShapResult` by outcome, whose standard errors say how much the credits
        would change with other background rows.

    Raises
    ------
    ConfigError
        If there is no point on the lines.
    DataError
        If the batches do not match or an answer is not finite.

    References
    ----------
    Erion, Janizek, Sturmfels, Lundberg and Lee (2021), "Improving performance of deep learning models with axiomatic
    attribution priors and expected gradients"; Sundararajan, Taly and Yan (2017).
    """
    names = checked_pair(batch, background)
    if n_points < 1:
        raise ConfigError(f"n_points is {n_points}; it must be at least 1.")
    prediction, typical = model.answers(batch), model.answers(background)
    if not (np.isfinite(prediction).all() and np.isfinite(typical).all()):
        raise DataError("The model gave answers that are not finite.")
    total = np.zeros((len(model.outcomes), batch.n, len(names)))
    squares = np.zeros_like(total)
    place, weight = np.polynomial.legendre.leggauss(n_points)
    nodes = [((t + 1) / 2, w / 2) for t, w in zip(place, weight, strict=True)]
    parts = model.parts(batch)
    starts = model.inputs(background)
    step = max(1, _BLOCK // background.n)
    for first in range(0, batch.n, step):
        rows = np.arange(first, min(first + step, batch.n))
        ends = model.inputs(batch.take(np.repeat(rows, background.n)))
        begins = {name: np.tile(value, (len(rows), *[1] * (value.ndim - 1))) for name, value in starts.items()}
        credit = _credits(model, ends, begins, nodes, parts)
        credit = credit.reshape(len(total), len(rows), background.n, -1)
        total[:, rows], squares[:, rows] = credit.sum(axis=2), (credit**2).sum(axis=2)
    values = total / background.n
    spread = np.maximum(squares / background.n - values**2, 0.0)
    error = np.sqrt(spread / max(background.n - 1, 1))
    return {
        name: _result(names, values[k], error[k], prediction[:, k], float(typical[:, k].mean()), displayed)
        for k, name in enumerate(model.outcomes)
    }


def _credits(
    model: Differentiable,
    ends: Inputs,
    start: Inputs,
    nodes: Sequence[tuple[float, float]],
    parts: Sequence[Parts],
) -> Floats:
    """Credit of each feature on the lines from start to end, (K, lines, G)."""
    way = {name: value - start[name] for name, value in ends.items()}
    n = len(next(iter(ends.values())))
    mean: list[Inputs] = []
    for t, share in nodes:
        slopes = model.slopes({name: start[name] + np.float32(t) * delta for name, delta in way.items()})
        if not mean:
            mean = [{name: np.zeros_like(way[name]) for name in way} for _ in slopes]
        for sums, found in zip(mean, slopes, strict=True):
            for name, value in found.items():
                sums[name] += np.float32(share) * value
    return np.stack([_by_feature(sums, way, parts, n) for sums in mean])


def _by_feature(slopes: Inputs, way: Inputs, parts: Sequence[Parts], n: int) -> Floats:
    """Add up slope · way over what each feature owns, (n, G)."""
    credit = {name: (slopes[name] * way[name]).reshape(n, -1) for name in way}
    out = np.zeros((n, len(parts)))
    for g, owned in enumerate(parts):
        for name, columns in owned:
            whole = credit[name]
            out[:, g] += (whole[:, list(columns)] if len(columns) else whole).sum(axis=1)
    return out


def _result(
    names: tuple[str, ...],
    values: Floats,
    error: Floats,
    prediction: Floats,
    base: float,
    displayed: pd.DataFrame | None,
) -> ShapResult:
    return ShapResult(
        feature_names=names,
        values=values,
        base_value=base,
        prediction=prediction,
        additivity_error=float(np.abs(base + values.sum(axis=1) - prediction).max()),
        standard_error=error,
        displayed=displayed,
    )


def additivity_share(result: ShapResult) -> float:
    """Additivity error as a share of the range of the predictions; NaN where all predictions are equal."""
    width = float(np.ptp(result.prediction))
    return result.additivity_error / width if width > 0 else float("nan")
