"""Cross-fitted calibration of demand curves: level and slope corrected on customers that the network never saw.

For one draw with intercept α and sensitivity β, write the logit as its value at the expected price, ``m = α − β ê``,
and the price term ``v = −β (x − ê)``. On the customers of the other fold a logistic regression

    logit P = δ + τ m + κ v

finds what an overfitted (τ, κ < 1), shy (> 1) or shifted (δ) network lacks. Since ``x − ê`` is price variation that
no feature explains, κ also removes what confounding left in the slope. The calibrated curve is again of the form
intercept − sensitivity · x: sensitivity κβ and intercept δ + τ (α − β ê) + κ β ê. With an instrument the residual of
the first stage is a fourth term, see :mod:`pricing_core.models.control`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PRIOR_MEAN = np.array([0.0, 1.0, 1.0])  # nothing to correct
_PRIOR_SD = np.array([0.5, 0.4, 0.4])  # how far off a network may be before the rows have said anything
_CONTROL_SD = 0.5  # the same of the coefficient of the first stage's residual, per standard deviation of it


@dataclass(frozen=True)
class CurveCalibration:
    """Corrections of *D* draws: ``shift`` δ, ``stretch`` τ, ``slope`` κ, each (D,).

    ``control`` (D,) is the coefficient of the first stage's residual; None without an instrument.
    """

    shift: Floats
    stretch: Floats
    slope: Floats
    control: Floats | None = None

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
    residual: Floats | None = None,
    control: Floats | None = None,
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
    residual, control
        With an instrument: the first stage's residual (n,), and the coefficient that each draw learned for it (D,).
    """
    found = []
    controlled = residual is not None and control is not None
    noise = _member_noise(intercept.shape[1], random_state, heads, 4 if controlled else 3)
    for d in range(intercept.shape[1]):
        level = intercept[:, d] - sensitivity[:, d] * expected
        columns = [np.ones_like(level), level, -sensitivity[:, d] * (x - expected)]
        mean, sd = _PRIOR_MEAN, _PRIOR_SD
        if residual is not None and control is not None:
            columns.append(residual)
            mean, sd = np.append(mean, control[d]), np.append(sd, _CONTROL_SD)
        theta, curvature = _logistic(np.column_stack(columns), y, weight, mean, sd)
        found.append(theta + np.linalg.solve(np.linalg.cholesky(curvature).T, noise[d]))
    shift, stretch, slope, *rest = np.array(found).T
    learned = rest[0] if rest else None
    return CurveCalibration(shift, np.clip(stretch, 0.3, 3.0), np.clip(slope, 0.3, 3.0), learned)


def _member_noise(draws: int, random_state: int | None, heads: int, width: int) -> Floats:
    """Standard normal noise (D, width), equal for all heads of a member, with mean zero over the members."""
    if random_state is None:
        return np.zeros((draws, width))
    members = (draws + heads - 1) // heads
    noise = np.random.default_rng([random_state, 29]).standard_normal((members, width))
    if members > 1:
        noise = (noise - noise.mean(axis=0)) / noise.std(axis=0, ddof=1)
    return np.repeat(noise, heads, axis=0)[:draws]


def _logistic(design: Floats, y: Floats, weight: Floats, mean: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """Weighted logistic regression by Newton with a normal prior; coefficients and curvature at them."""
    theta = mean.copy()
    ridge = np.diag(1 / sd**2)
    curvature = ridge
    for _ in range(15):
        p = 1 / (1 + np.exp(-np.clip(design @ theta, -30, 30)))
        gradient = design.T @ (weight * (y - p)) - ridge @ (theta - mean)
        curvature = (design * (weight * p * (1 - p))[:, None]).T @ design + ridge
        step = np.linalg.solve(curvature, gradient)
        theta = theta + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    return np.asarray(theta), curvature
