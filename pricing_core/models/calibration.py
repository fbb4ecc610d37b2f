"""Cross-fitted calibration of demand curves: level and slope corrected on customers that the draws never saw.

For a draw with intercept α and sensitivity β, write the logit as its value at the expected price, ``m = α − β ê``, and
the price term ``v = −β (x − ê)``. The draws of a fold answer together, with the mean of their chances, so they are
corrected together: on the customers of the other fold the corrections with the highest likelihood of

    P = mean over draws of σ(δ + τ m + κ v − ρ (x − ê)),    ρ ≥ 0

make good what overfitted (τ, κ < 1), shy (> 1) or shifted (δ) draws lack. Corrected one by one, draws would be shrunk
for noise that their mean has already lost, and prices would come out too high. ρ gives back to every customer alike
what κ < 1 takes from the mean sensitivity along with its false differences between customers. Since ``x − ê`` is price
variation that no feature explains, κ and ρ also remove what confounding left in the slope. A calibrated curve is again
of the form intercept − sensitivity · x: sensitivity κβ + ρ and intercept δ + τ (α − β ê) + (κβ + ρ) ê. With an
instrument the residual of the first stage is one more term, see :mod:`pricing_core.models.control`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

_PRIOR_MEAN = np.array([0.0, 1.0, 1.0, 0.0])  # nothing to correct
# How far off draws may be before the rows speak; the last of the mean β. Slopes are held closer than levels: a few
# hundred rows say little about them, and what they say by chance would move every price.
_PRIOR_SD = np.array([0.5, 0.4, 0.1, 0.1])
_DOUBT_SD = np.array([0.5, 0.4, 0.4, 0.4])  # the same where the question is how unsure the rows leave the correction
_CONTROL_SD = 0.5  # the same of the coefficient of the first stage's residual, per standard deviation of it
_LOWEST, _HIGHEST = np.array([-np.inf, 0.3, 0.3, 0.0]), np.array([np.inf, 3.0, 3.0, np.inf])
_COMMON = 3  # place of ρ among the corrections
_STEPS = 30


@dataclass(frozen=True)
class CurveCalibration:
    """Corrections of *D* draws: ``shift`` δ, ``stretch`` τ, ``slope`` κ, each (D,).

    ``control`` (D,) is the coefficient of the first stage's residual; None without an instrument. ``common`` is ρ,
    (D,); None stands for zero.
    """

    shift: Floats
    stretch: Floats
    slope: Floats
    control: Floats | None = None
    common: Floats | None = None

    def apply(self, intercept: Floats, sensitivity: Floats, expected: Floats) -> tuple[Floats, Floats]:
        """Calibrated intercept and sensitivity (n, D), given the expected relative price (n,)."""
        usual = expected[:, None]
        corrected = self.slope * sensitivity
        if self.common is not None:
            corrected = corrected + self.common
        return self.shift + self.stretch * (intercept - sensitivity * usual) + corrected * usual, corrected

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
    """Fit δ, τ, κ, ρ of a fold's draws on rows whose customers the draws did not learn from.

    A prior centered at (0, 1, 1, 0) keeps the correction small where the rows say little; τ and κ stay within [0.3, 3].

    Parameters
    ----------
    intercept, sensitivity
        (n, D); the heads of a member stand side by side.
    random_state
        Seed of the correction's own uncertainty: each member gets one draw of the (Laplace) posterior of δ, τ and κ
        instead of the most likely values, so that the ensemble is as unsure of level and slope as the rows leave it.
        None takes the most likely correction.
    heads
        Draws of each member; they get the same uncertainty.
    residual, control
        With an instrument: the first stage's residual (n,), and the coefficient that each draw learned for it (D,);
        all of them are corrected by one number.
    """
    draws = _Draws(intercept, sensitivity, expected, x, y, weight, residual, control)
    free = np.ones(len(draws.mean), dtype=bool)
    start = draws.mean
    for _ in range(4):  # what leaves its bounds is held at them, and the others are found anew
        theta, curvature = draws.most_likely(start, free)
        beyond = free[:4] & ((theta[:4] < _LOWEST) | (theta[:4] > _HIGHEST))
        if not beyond.any():
            break
        free[:4] &= ~beyond
        start = np.append(np.clip(theta[:4], _LOWEST, _HIGHEST), theta[4:])
    free[_COMMON] = False
    doubt = curvature + np.diag(draws.doubt - draws.precision)
    noise = _member_noise(intercept.shape[1], random_state, heads, int(free.sum()))
    found = np.repeat(theta[None, :], intercept.shape[1], axis=0)
    found[:, free] += np.linalg.solve(np.linalg.cholesky(doubt[np.ix_(free, free)]).T, noise.T).T
    learned = found[:, -1] + control if residual is not None and control is not None else None
    return CurveCalibration(
        found[:, 0], np.clip(found[:, 1], 0.3, 3.0), np.clip(found[:, 2], 0.3, 3.0), learned, found[:, _COMMON]
    )


def _member_noise(draws: int, random_state: int | None, heads: int, width: int) -> Floats:
    """Standard normal noise (D, width), equal for all heads of a member, with mean zero over the members."""
    if random_state is None:
        return np.zeros((draws, width))
    members = (draws + heads - 1) // heads
    noise = np.random.default_rng([random_state, 29]).standard_normal((members, width))
    if members > 1:
        noise = (noise - noise.mean(axis=0)) / noise.std(axis=0, ddof=1)
    return np.repeat(noise, heads, axis=0)[:draws]


class _Draws:
    """Likelihood of the mean chance of all draws, and the prior of the corrections."""

    def __init__(
        self,
        intercept: Floats,
        sensitivity: Floats,
        expected: Floats,
        x: Floats,
        y: Floats,
        weight: Floats,
        residual: Floats | None,
        control: Floats | None,
    ) -> None:
        self.level = intercept - sensitivity * expected[:, None]
        self.gap = -(x - expected)
        self.priced = sensitivity * self.gap[:, None]
        self.y, self.weight = y, weight
        self.mean = _PRIOR_MEAN.copy()
        typical = float(np.average(np.abs(sensitivity).mean(axis=1), weights=weight))
        unit = np.array([1.0, 1.0, 1.0, max(typical, 1e-6)])
        sd, doubt = _PRIOR_SD * unit, _DOUBT_SD * unit
        self.residual = residual if control is not None else None
        self.offset: Floats | float = 0.0
        if residual is not None and control is not None:
            self.mean = np.append(self.mean, 0.0)
            sd, doubt = np.append(sd, _CONTROL_SD), np.append(doubt, _CONTROL_SD)
            self.offset = residual[:, None] * control
        self.precision, self.doubt = 1 / sd**2, 1 / doubt**2

    def most_likely(self, start: Floats, free: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Corrections by Fisher scoring, those that are not free as they start; and the curvature at them."""
        theta = start.copy()
        value, gradient, curvature = self._at(theta)
        for _ in range(_STEPS):
            step = np.zeros(len(theta))
            step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
            step *= min(1.0, 1.0 / max(float(np.abs(step[:3]).max()), 1e-12))
            for _ in range(8):  # a step that overshoots is halved
                after = self._at(theta + step)
                if after[0] >= value - 1e-9 * abs(value):
                    break
                step /= 2
            theta, (value, gradient, curvature) = theta + step, after
            if np.abs(step).max() < 1e-9:
                break
        return theta, curvature

    def _at(self, theta: Floats) -> tuple[float, Floats, Floats]:
        """Log posterior, its gradient and the expected curvature."""
        z = theta[0] + theta[1] * self.level + theta[2] * self.priced + theta[_COMMON] * self.gap[:, None] + self.offset
        if self.residual is not None:
            z = z + theta[4] * self.residual[:, None]
        chance = expit(z)
        steep = chance * (1 - chance)
        p = np.clip(chance.mean(axis=1), 1e-12, 1 - 1e-12)
        each = steep.mean(axis=1)
        columns = [each, (steep * self.level).mean(axis=1), (steep * self.priced).mean(axis=1), each * self.gap]
        if self.residual is not None:
            columns.append(each * self.residual)
        slopes = np.column_stack(columns)
        certain = p * (1 - p)
        off = theta - self.mean
        value = self.weight @ (self.y * np.log(p) + (1 - self.y) * np.log1p(-p)) - 0.5 * self.precision @ off**2
        gradient = slopes.T @ (self.weight * (self.y - p) / certain) - self.precision * off
        curvature = (slopes * (self.weight / certain)[:, None]).T @ slopes + np.diag(self.precision)
        return float(value), gradient, curvature
