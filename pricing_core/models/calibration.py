"""Cross-fitted calibration of demand curves: level and slope corrected on customers that the network never saw.

For one draw with intercept α and sensitivity β, write the logit as its value at the expected price, ``m = α − β ê``,
and the price term ``v = −β (x − ê)``. On the customers of the other fold a logistic regression

    logit P = δ + τ m + κ v

finds what an overfitted (τ, κ < 1), shy (> 1) or shifted (δ) network lacks. Since ``x − ê`` is price variation that
no feature explains, κ also removes what confounding left in the slope. The calibrated curve is again of the form
intercept − sensitivity · x: sensitivity κβ and intercept δ + τ (α − β ê) + κ β ê.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PRIOR_MEAN = np.array([0.0, 1.0, 1.0])  # nothing to correct
_PRIOR_SD = np.array([0.5, 0.4, 0.4])  # how far off a network may be before the rows have said anything


@dataclass(frozen=True)
class CurveCalibration:
    """Corrections of *D* draws: ``shift`` δ, ``stretch`` τ, ``slope`` κ, each (D,)."""

    shift: Floats
    stretch: Floats
    slope: Floats

    def apply(self, intercept: Floats, sensitivity: Floats, expected: Floats) -> tuple[Floats, Floats]:
        """Calibrated intercept and sensitivity (n, D), given the expected relative price (n,)."""
        priced = sensitivity * expected[:, None]
        return self.shift + self.stretch * (intercept - priced) + self.slope * priced, self.slope * sensitivity

    @classmethod
    def none(cls, draws: int) -> CurveCalibration:
        """Leave the curves as they are."""
        return cls(np.zeros(draws), np.ones(draws), np.ones(draws))


def fit_calibration(
    intercept: Floats,
    sensitivity: Floats,
    expected: Floats,
    x: Floats,
    y: Floats,
    weight: Floats,
    *,
    random_state: int | None = None,
    heads: int = 2,
) -> CurveCalibration:
    """Fit δ, τ, κ per draw on rows whose customers the draw did not learn from.

    A weak prior centered at (0, 1, 1) keeps the correction small where the rows say little; τ and κ stay within [0.3,
    3].

    Parameters
    ----------
    intercept, sensitivity
        (n, D); the heads of a member stand side by side.
    random_state
        Seed of the correction's own uncertainty: each member gets one draw of the (Laplace) posterior of its
        corrections instead of the most likely one, so that the ensemble is as unsure of level and slope as the rows
        leave it. None takes the most likely correction.
    heads
        Draws of each member; they get the same uncertainty.
    """
    found = []
    noise = _member_noise(intercept.shape[1], random_state, heads)
    for d in range(intercept.shape[1]):
        level = intercept[:, d] - sensitivity[:, d] * expected
        design = np.column_stack([np.ones_like(level), level, -sensitivity[:, d] * (x - expected)])
        theta, curvature = _logistic(design, y, weight)
        found.append(theta + np.linalg.solve(np.linalg.cholesky(curvature).T, noise[d]))
    shift, stretch, slope = np.array(found).T
    return CurveCalibration(shift, np.clip(stretch, 0.3, 3.0), np.clip(slope, 0.3, 3.0))


def _member_noise(draws: int, random_state: int | None, heads: int) -> Floats:
    """Standard normal noise (D, 3), equal for all heads of a member, with mean zero over the members."""
    if random_state is None:
        return np.zeros((draws, 3))
    members = (draws + heads - 1) // heads
    noise = np.random.default_rng([random_state, 29]).standard_normal((members, 3))
    if members > 1:
        noise = (noise - noise.mean(axis=0)) / noise.std(axis=0, ddof=1)
    return np.repeat(noise, heads, axis=0)[:draws]


def _logistic(design: Floats, y: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weighted logistic regression by Newton with a prior at (0, 1, 1); coefficients and curvature at them."""
    theta = _PRIOR_MEAN.copy()
    ridge = np.diag(1 / _PRIOR_SD**2)
    curvature = ridge
    for _ in range(15):
        p = 1 / (1 + np.exp(-np.clip(design @ theta, -30, 30)))
        gradient = design.T @ (weight * (y - p)) - ridge @ (theta - _PRIOR_MEAN)
        curvature = (design * (weight * p * (1 - p))[:, None]).T @ design + ridge
        step = np.linalg.solve(curvature, gradient)
        theta = theta + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(theta), curvature
