"""How much the shop's own figures vary between units and weeks: what decides how long a test must run.

The measure is a ratio, profit per offer, R = Σ S / Σ N over units u (customers, regions) and weeks t. Its error is that
of a mean of linearized values z_ut = (S_ut − R N_ut) / n̄, with n̄ the mean number of offers of a unit and week. Where
the measure is profit per customer and week, z_ut = S_ut. Weeks without offers count as z = 0: a unit that stays away
earns nothing and has no offers.

References
----------
Deng, Knoblich and Lu (2018), Applying the delta method in metric analytics. Donner and Klar (2000), Design and
analysis of cluster randomization trials in health research, chapter 5 (design effect 1 + (m − 1) ρ).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.evaluate.sales import WEEK, complete_weeks

Floats = NDArray[np.float64]
Measure = Literal["profit_per_offer", "profit_per_customer"]

RECENT_WEEKS: Final = 26


@dataclass(frozen=True)
class UnitVariance:
    """Weekly variation of the measure between and within units.

    Attributes
    ----------
    n_units
        Units seen in the weeks looked at.
    n_weeks
        Weeks looked at.
    mean
        The measure itself, in money per offer, or per customer and week.
    variance
        Variance of one unit in one week, after taking out what the week does to all units, in the measure squared.
    correlation
        Intra-cluster correlation ρ in [0, 1): how alike two weeks of one unit are.
    offers_per_week
        The shop's pace.
    """

    n_units: int
    n_weeks: int
    mean: float
    variance: float
    correlation: float
    offers_per_week: float

    def of_mean(self, weeks: float) -> float:
        """Variance of a unit's mean over some weeks: σ² (1 + (T − 1) ρ) / T."""
        return self.variance * (1 + (weeks - 1) * self.correlation) / weeks

    def explained(self, weeks: float, before: float) -> float:
        """Share of that variance that the weeks before the test explain (CUPED).

        r² = T P ρ² / ((1 + (T − 1) ρ)(1 + (P − 1) ρ)) for T weeks in the test and P before it, the squared
        correlation of two sums under a constant ρ between weeks.
        """
        if before <= 0:
            return 0.0
        spread = (1 + (weeks - 1) * self.correlation) * (1 + (before - 1) * self.correlation)
        return weeks * before * self.correlation**2 / spread


def weekly_sums(sales: pd.DataFrame, unit: pd.Series, *, weeks: int = RECENT_WEEKS) -> pd.DataFrame:
    """``offers, profit`` by ``unit`` and ``week`` over the latest complete weeks; rows without a unit are left out."""
    recent = recent_weeks(sales.assign(unit=unit.to_numpy()), weeks)
    grouped = recent.dropna(subset=["unit"]).groupby(["unit", "week"], sort=True)[["offers", "profit"]]
    return grouped.sum(skipna=False).reset_index()


def recent_weeks(sales: pd.DataFrame, weeks: int = RECENT_WEEKS) -> pd.DataFrame:
    """Rows of the latest complete weeks, those from which a design learns the shop's variation."""
    recent = complete_weeks(sales)
    return recent[recent["week"] > recent["week"].max() - weeks * WEEK]


def unit_variance(sums: pd.DataFrame, *, measure: Measure = "profit_per_offer") -> UnitVariance:
    """Estimate how units vary from week to week.

    Moment estimators of a one-way layout: with A = Σ z², B = Σ_u (Σ_t z)² after subtracting each week's mean over all
    units, σ² = A / ((U − 1) W) and σ²ρ = (B / ((U − 1) W) − σ²) / (W − 1); a negative ρ is taken as 0.

    Parameters
    ----------
    sums
        ``unit, week, offers, profit`` as :func:`weekly_sums` gives them.

    Raises
    ------
    DataError
        If there are fewer than two units or two weeks, or the profit is unknown somewhere.
    """
    _check(sums)
    week = pd.DatetimeIndex(sums["week"])
    n_weeks = int((week.max() - week.min()) / WEEK) + 1
    code, names = pd.factorize(sums["unit"])
    n_units = len(names)
    if n_units < 2 or n_weeks < 2:
        raise DataError(
            f"The log has {n_units} units and {n_weeks} complete weeks; variation needs two of each.",
            fix="Import a longer period, or test by another group.",
        )
    profit, offers = sums["profit"].to_numpy(dtype=float), sums["offers"].to_numpy(dtype=float)
    mean, z = _linearized(profit, offers, n_units * n_weeks, measure)
    when = ((week - week.min()) // WEEK).to_numpy(dtype=np.int64)
    week_mean = np.bincount(when, z, n_weeks) / n_units
    within = float(z @ z - n_units * week_mean @ week_mean)
    totals = np.bincount(code, z, n_units)
    between = float(totals @ totals - n_units * week_mean.sum() ** 2)
    variance = within / ((n_units - 1) * n_weeks)
    shared = (between / ((n_units - 1) * n_weeks) - variance) / (n_weeks - 1)
    return UnitVariance(
        n_units=n_units,
        n_weeks=n_weeks,
        mean=mean,
        variance=variance,
        correlation=min(max(shared / variance, 0.0), 0.999) if variance > 0 else 0.0,
        offers_per_week=float(offers.sum() / n_weeks),
    )


def switch_variance(sums: pd.DataFrame, block_weeks: int, *, washout_days: int = 0) -> float:
    """Variance of the difference in profit per offer between two successive blocks of weeks, without any test.

    Where there are several units, what a week does to all of them is taken out first, since half of them are in test
    in every block. Second moment over all places where two blocks fit; days of washout at the start of a block cost
    offers, and the variance is raised by 7B / (7B − d) for them.

    Raises
    ------
    DataError
        If the log does not hold two blocks.
    """
    _check(sums)
    grid = sums.pivot_table(index="week", columns="unit", values=["profit", "offers"], aggfunc="sum", fill_value=0.0)
    grid = grid.reindex(pd.date_range(grid.index.min(), grid.index.max(), freq="7D"), fill_value=0.0)
    profit, offers = grid["profit"].to_numpy(dtype=float), grid["offers"].to_numpy(dtype=float)
    places = len(profit) - 2 * block_weeks + 1
    if places < 1:
        raise DataError(
            f"The log has {len(profit)} complete weeks; two blocks of {block_weeks} weeks do not fit into it.",
            fix="Choose shorter blocks or import a longer period.",
        )
    blocks = _moving(profit, block_weeks) / np.where((sold := _moving(offers, block_weeks)) > 0, sold, np.nan)
    units = blocks.shape[1]
    if units > 1:
        blocks = (blocks - np.nanmean(blocks, axis=1, keepdims=True)) * np.sqrt(units / (units - 1))
    steps = blocks[block_weeks:] - blocks[:-block_weeks]
    days = 7 * block_weeks
    return float(np.nanmean(steps**2)) * days / (days - washout_days)


def _moving(values: Floats, size: int) -> Floats:
    """Sums over windows of ``size`` rows."""
    sums = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return np.asarray(sums[size:] - sums[:-size])


def _linearized(profit: Floats, offers: Floats, cells: int, measure: Measure) -> tuple[float, Floats]:
    if measure == "profit_per_customer":
        return float(profit.sum() / cells), profit
    ratio = float(profit.sum() / offers.sum())
    return ratio, (profit - ratio * offers) / (offers.sum() / cells)


def _check(sums: pd.DataFrame) -> None:
    if sums.empty:
        raise DataError("There are no offers to learn the variation from.", fix="Import offers of some weeks.")
    unknown = int(sums["profit"].isna().sum())
    if unknown:
        raise DataError(
            f"The profit of some purchases is unknown ({unknown} weeks of customers or groups).",
            fix="Give unit costs or a margin assumption.",
        )
