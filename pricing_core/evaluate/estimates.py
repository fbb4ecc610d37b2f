"""Differences between two arms with honest ranges: parallel arms with CUPED, and pairs of switchback blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from pricing_core.errors import DataError
from pricing_core.evaluate.power import critical_value

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ArmDifference:
    """Test against control in one ratio, such as profit per offer.

    Attributes
    ----------
    test, control
        The ratio in each arm, after what was different before has been taken out.
    difference, standard_error, df
        Test minus control, its standard error and degrees of freedom.
    rate, rate_standard_error
        Difference as a share of control; NaN where control is not above zero.
    variance_reduction
        Share of the variance that the weeks before the test took away.
    """

    test: float
    control: float
    difference: float
    standard_error: float
    df: float
    rate: float
    rate_standard_error: float
    variance_reduction: float = 0.0

    def interval(self, confidence: float = 0.9) -> tuple[float, float]:
        """Range of the difference."""
        margin = critical_value(confidence, self.df) * self.standard_error
        return self.difference - margin, self.difference + margin

    def rate_interval(self, confidence: float = 0.9) -> tuple[float, float]:
        """Range of the relative difference."""
        margin = critical_value(confidence, self.df) * self.rate_standard_error
        return self.rate - margin, self.rate + margin

    @property
    def probability_loss(self) -> float:
        """Chance that the true difference is below zero, when nothing was believed about it before."""
        if not self.standard_error > 0:
            return 0.5 if self.difference == 0 else float(self.difference < 0)
        return float(stdtr(self.df, -self.difference / self.standard_error))


def compare_arms(
    top: Floats, below: Floats, in_test: Mask, *, before: tuple[Floats, Floats] | None = None
) -> ArmDifference:
    """Compare a ratio Σ top / Σ below between arms; each row is one randomized unit.

    The ratio of an arm a is linearized: l_u = R_a + (top_u − R_a below_u) / mean(below), whose mean is R_a and whose
    variance over units is that of the delta method. With the same figures from before the test, x_u is their linearized
    value over all units, θ = Σ cov(l, x) / Σ var(x) within arms, and A_a = l̄_a − θ (x̄_a − x̄). Since x is from before
    the test, this changes the variance and not what is estimated. The variance of the difference is the sum over arms
    of var(l − θ x) / n, that of the relative difference A_t / A_c − 1 is var(A_t) / A_c² + A_t² var(A_c) / A_c⁴.

    Parameters
    ----------
    top, below
        (n,) sums of each unit; ``below`` is 1 for means over units.
    in_test
        (n,) flag.
    before
        ``top, below`` of the same units before the test; zeros for units not seen then.

    References
    ----------
    Deng, Xu, Kohavi and Walker (2013), CUPED. Deng, Knoblich and Lu (2018), Applying the delta method in metric
    analytics: a practical guide with novel ideas.

    Raises
    ------
    DataError
        If an arm has fewer than two units, or nothing to divide by.
    """
    arms = (in_test, ~in_test)
    for mask, name in zip(arms, ("test", "control"), strict=True):
        if mask.sum() < 2 or not below[mask].sum() > 0:
            raise DataError(
                f"The {name} arm has {int(mask.sum())} units with outcomes; at least 2 are needed.",
                fix="Check that the file covers both arms.",
            )
    values = np.empty(len(top))
    for mask in arms:
        values[mask] = _linear(top[mask], below[mask])
    theta, past, cost = 0.0, np.zeros(len(top)), 1.0
    if before is not None and np.sum(before[1]) > 0:
        past = _linear(*before)
        past = past - past.mean()
        within = past - np.where(in_test, past[in_test].mean(), past[~in_test].mean())
        centered = values - np.where(in_test, values[in_test].mean(), values[~in_test].mean())
        spread = float(within @ within)
        theta = float(within @ centered) / spread if spread > 0 else 0.0
        cost = _cost_of_slope(past, in_test, spread) if spread > 0 else 1.0
    left = values - theta * past
    means = [float(left[mask].mean()) for mask in arms]
    parts = [cost * float(np.var(left[mask], ddof=1) / mask.sum()) for mask in arms]
    raw = sum(float(np.var(values[mask], ddof=1) / mask.sum()) for mask in arms)
    total = sum(parts)
    sizes = [int(mask.sum()) for mask in arms]
    df = total**2 / sum(p**2 / (n - 1) for p, n in zip(parts, sizes, strict=True)) if total > 0 else sum(sizes) - 2.0
    test, control = means
    rate, rate_error = float("nan"), float("nan")
    if control > 0:
        rate = test / control - 1
        rate_error = float(np.sqrt(parts[0] / control**2 + test**2 * parts[1] / control**4))
    return ArmDifference(
        test=test, control=control, difference=test - control, standard_error=float(np.sqrt(total)),
        df=max(df - (1 if theta else 0), 1.0), rate=rate, rate_standard_error=rate_error,
        variance_reduction=1 - total / raw if raw > 0 else 0.0,
    )  # fmt: skip


def _cost_of_slope(past: Floats, in_test: Mask, spread: float) -> float:
    """What estimating θ adds to the variance (analysis of covariance).

    (N − 2) / (N − 3) for the degree of freedom, times 1 + d² / (Σ var(x) (1 / n_t + 1 / n_c)) for arms whose past
    differs by d.
    """
    n, n_test = len(past), int(in_test.sum())
    if n <= 3:
        return 1.0
    apart = float(past[in_test].mean() - past[~in_test].mean())
    return (n - 2) / (n - 3) * (1 + apart**2 / (spread * (1 / n_test + 1 / (n - n_test))))


def compare_pairs(test: Floats, control: Floats, pair: Ints, test_first: Mask) -> ArmDifference:
    """Compare switchback blocks: each row is one unit and one pair of blocks, one of them in test.

    The estimate is the mean of the differences within pairs. Where several units share the calendar of a pair, what the
    second block did to all of them enters with opposite signs and is taken out by least squares:
    d_uj = τ + s_uj δ_j + ε, with s = +1 where the unit began with test.

    Parameters
    ----------
    test, control
        (n,) the ratio of each unit in its test and its control block of a pair.
    pair
        (n,) number of the pair.
    test_first
        (n,) whether the unit began with test.

    References
    ----------
    Bojinov, Simchi-Levi and Zhao (2023), Design and analysis of switchback experiments.

    Raises
    ------
    DataError
        If the pairs leave no degree of freedom.
    """
    code, pairs = np.unique(pair, return_inverse=True)[1], len(np.unique(pair))
    columns = [np.ones(len(test))]
    if len(test) > pairs:
        sign = np.where(test_first, 1.0, -1.0)
        columns += [sign * (code == k) for k in range(pairs)]
    design = np.column_stack(columns)
    df = len(test) - int(np.linalg.matrix_rank(design))
    if df < 1:
        raise DataError(
            f"The outcomes hold {len(test)} complete pairs of blocks; at least 2 are needed.",
            fix="Let the test run longer.",
        )
    level, difference = float(control.mean()), test - control
    tau, error = _least_squares(design, difference, df)
    rate, rate_error = float("nan"), float("nan")
    if level > 0:
        rate = tau / level
        rate_error = _least_squares(design, (difference - rate * control) / level, df)[1]
    return ArmDifference(level + tau, level, tau, error, float(df), rate, rate_error)


def _least_squares(design: Floats, values: Floats, df: int) -> tuple[float, float]:
    """First coefficient and its standard error."""
    found = np.linalg.lstsq(design, values, rcond=None)[0]
    rest = values - design @ found
    scale = float(np.linalg.pinv(design.T @ design)[0, 0])
    return float(found[0]), float(np.sqrt(scale * (rest @ rest) / df))


def _linear(top: Floats, below: Floats) -> Floats:
    ratio = top.sum() / below.sum()
    return np.asarray(ratio + (top - ratio * below) / below.mean(), dtype=float)
