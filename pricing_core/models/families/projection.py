r"""From probabilities at several prices to a demand curve: for models that know no curve of their own.

For each row the curve :math:`\sigma(\alpha - \beta x)` is fitted to the probabilities :math:`p_g` at G prices by the
binomial likelihood, :math:`\max_{\alpha, \beta} \sum_g p_g \ln \sigma_g + (1 - p_g) \ln (1 - \sigma_g)`, which weighs a
price by how much its probability matters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Floats = NDArray[Any]

LEVELS = (0.02, 0.12, 0.3, 0.5, 0.7, 0.88, 0.98)
_STEPS = 12
_WEAKEST = 1e-3  # a little weight of its own, so that probabilities near zero or one still give a curve


def price_offsets(x: Floats, expected: Floats, weight: Floats) -> Floats:
    """Distances from the expected price at which curves are read off: quantiles of the logged ones, (G,)."""
    found = np.quantile(x - expected, LEVELS, weights=weight, method="inverted_cdf")
    width = max(float(found[-1] - found[0]), 1e-4)
    # Prices that the log repeats are spread out, or there would be no slope to see.
    even = np.linspace(found[0], found[0] + width, len(LEVELS))
    return np.asarray(0.5 * found + 0.5 * even)


def project(chance: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Curves nearest to probabilities.

    Parameters
    ----------
    chance
        Probabilities, (n, G).
    x
        Relative prices at which they hold, (n, G).

    Returns
    -------
    tuple
        Intercept and sensitivity (n,); the sensitivity may have either sign.
    """
    p = np.clip(chance, 1e-6, 1 - 1e-6)
    center = x.mean(axis=1, keepdims=True)
    u = x - center
    unit = np.maximum(np.sqrt((u**2).mean(axis=1, keepdims=True)), 1e-9)
    u = u / unit
    start = logit(p)
    level = start.mean(axis=1)
    slope = -(start * u).mean(axis=1)
    for _ in range(_STEPS):
        fitted = expit(level[:, None] - slope[:, None] * u)
        steep = fitted * (1 - fitted) + _WEAKEST
        missed = p - fitted
        a, b, c = steep.sum(axis=1), -(steep * u).sum(axis=1), (steep * u**2).sum(axis=1)
        g, h = missed.sum(axis=1), -(missed * u).sum(axis=1)
        determinant = a * c - b * b
        move_level = np.clip((c * g - b * h) / determinant, -2, 2)
        move_slope = np.clip((a * h - b * g) / determinant, -2, 2)
        level, slope = level + move_level, slope + move_slope
        if max(np.abs(move_level).max(), np.abs(move_slope).max()) < 1e-6:
            break
    beta = slope / unit[:, 0]
    return level + beta * center[:, 0], beta


def projection_error(chance: Floats, x: Floats, intercept: Floats, sensitivity: Floats) -> float:
    """Mean absolute difference between the probabilities (n, G) and the curves."""
    return float(np.abs(chance - expit(intercept[:, None] - sensitivity[:, None] * x)).mean())
