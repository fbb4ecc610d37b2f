"""How to find out whether new prices earn more: which design, how long, and what it can see.

Four designs. *customer*: customers are split at random and keep their arm. *label*: whole regions, stores or segments
are split. *switchback*: the whole shop alternates between test and control in blocks of weeks. *label_switchback*: each
region alternates on its own schedule, so that half of them are in test at any time.

For parallel arms the standard error of the difference after T weeks is

    s² = σ² (1 + (T − 1) ρ) / T · (1 − r²) · (1 / (q U) + 1 / ((1 − q) U))

with U units, the share q of them in test, weekly variance σ² and intra-cluster correlation ρ of the units, and r² the
part explained by the weeks before the test (:mod:`pricing_core.evaluate.variance`). Where these are used, the readout
has to estimate how much they explain, which costs a factor (U − 2) / (U − 4) of s²: much with ten groups, nothing with
hundreds of customers. For switchbacks it is
s² = V / m with V the variance of the difference between two successive blocks and m the number of pairs of blocks.
All of them come from the shop's own log.

References
----------
Bojinov, Simchi-Levi and Zhao (2023), Design and analysis of switchback experiments. Deng, Xu, Kohavi and Walker (2013),
Improving the sensitivity of online controlled experiments by utilizing pre-experiment data (CUPED).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from pricing_core.errors import ConfigError, DataError
from pricing_core.evaluate.power import detectable_effect, power_of
from pricing_core.evaluate.variance import Measure, UnitVariance, switch_variance, unit_variance, weekly_sums

Design = Literal["customer", "label", "switchback", "label_switchback"]

DESIGNS: Final = ("customer", "label", "switchback", "label_switchback")
MEASURES: Final = ("profit_per_offer", "profit_per_customer")
LONGEST: Final = 104
_FEWEST_GROUPS: Final = 4


@dataclass(frozen=True)
class DesignConfig:
    """What a test looks like.

    Parameters
    ----------
    design
        ``customer``, ``label``, ``switchback`` or ``label_switchback``.
    weeks
        Planned duration.
    label
        Group by which the label designs are randomized, such as ``customers: region``.
    test_share
        Share of units with the new prices (parallel designs).
    block_weeks, washout_days
        Length of a switchback block, and the days at its start that are left out because the old prices still echo.
    before_weeks
        Weeks before the test that the readout uses to take out what was different already; 0 for none.
    confidence, power
        Two-sided confidence of the range, and the wanted chance of seeing a true effect.
    measure
        ``profit_per_offer``, or ``profit_per_customer`` (per customer and week, so that coming back counts too; only
        where customers are split).
    """

    design: Design = "customer"
    weeks: int = 6
    label: str | None = None
    test_share: float = 0.5
    block_weeks: int = 1
    washout_days: int = 0
    before_weeks: int = 8
    confidence: float = 0.9
    power: float = 0.8
    measure: Measure = "profit_per_offer"

    def __post_init__(self) -> None:
        for name, allowed in (("design", DESIGNS), ("measure", MEASURES)):
            if getattr(self, name) not in allowed:
                raise ConfigError(f"The {name} is {getattr(self, name)!r}.", fix=f"Allowed are {', '.join(allowed)}.")
        for name, least, most in (("weeks", 1, LONGEST), ("block_weeks", 1, 8), ("before_weeks", 0, 52)):
            if not least <= getattr(self, name) <= most:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be from {least} to {most}.")
        for name in ("test_share", "confidence", "power"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must be above 0 and below 1.")
        if not 0 <= self.washout_days < 7 * self.block_weeks:
            raise ConfigError(f"washout_days is {self.washout_days}; a block has {7 * self.block_weeks} days.")
        if self.by_label and not self.label:
            raise ConfigError(f"The design {self.design} needs a label.", fix="Name a group such as customers: region.")
        if self.measure == "profit_per_customer" and self.design != "customer":
            raise ConfigError("Profit per customer is measured only where customers are split.")

    @property
    def switches(self) -> bool:
        """Whether units change arms over time."""
        return self.design in ("switchback", "label_switchback")

    @property
    def by_label(self) -> bool:
        """Whether groups are randomized."""
        return self.design in ("label", "label_switchback")


@dataclass(frozen=True)
class DesignResult:
    """What a test can see.

    Attributes
    ----------
    config
        The design.
    curve
        One row per duration: ``weeks, standard_error`` (money), ``df, detectable_rate`` (minimum detectable effect as a
        share of today's measure), ``power`` for the promised effect (NaN where none is given).
    mean
        Today's measure, in money.
    n_units
        Customers, groups, or 1 for the whole shop.
    correlation
        Intra-cluster correlation ρ; NaN for switchbacks.
    detectable_rate, power
        At the planned duration; infinite where the duration holds too few blocks.
    promised_rate
        What the plan promises, relative to today; None if unknown.
    weeks_needed
        First duration at which the promise is seen with the wanted power; None if not within :data:`LONGEST` weeks.
    """

    config: DesignConfig
    curve: pd.DataFrame
    mean: float
    n_units: int
    correlation: float
    detectable_rate: float
    power: float
    promised_rate: float | None
    weeks_needed: int | None

    def to_frame(self) -> pd.DataFrame:
        """Durations and what each can see."""
        return self.curve.copy()

    @property
    def sentence(self) -> str:
        """The recommendation in one sentence."""
        config = self.config
        weeks = f"In {config.weeks} week{'' if config.weeks == 1 else 's'}"
        if not math.isfinite(self.detectable_rate):
            pair = 2 * config.block_weeks
            start = f"{weeks} there are too few blocks to compare; plan at least {2 * pair} weeks"
        else:
            seen = f"±{_percent(self.detectable_rate)} or more with {config.power:.0%} power"
            start = f"{weeks} you can see a profit change of {seen}"
        if self.promised_rate is None or self.promised_rate == 0:
            return start + "."
        promise = f"your plan promises {_signed(self.promised_rate)}"
        if self.weeks_needed is None:
            return f"{start}; {promise}, too small to be seen within {LONGEST} weeks by this design."
        if self.weeks_needed <= config.weeks:
            return f"{start}; {promise}, which shows after {_weeks(self.weeks_needed)}."
        return f"{start}; {promise}, too small to be seen before {_weeks(self.weeks_needed)}."


def design_test(
    sales: pd.DataFrame, config: DesignConfig, *, groups: pd.Series | None = None, promised_rate: float | None = None
) -> DesignResult:
    """Work out what a test of the shop's prices can see, from the variation in its own log.

    Parameters
    ----------
    sales
        Past offers as :func:`~pricing_core.evaluate.sales.sales_log` gives them.
    groups
        Group of each offer for the label designs, aligned with ``sales``.
    promised_rate
        Profit change that the plan promises, as a share of today's profit.

    Raises
    ------
    DataError
        If the log is too short, has too few groups, earns no profit, or does not know its costs.
    """
    unit = units_of(sales, config, groups)
    sums = weekly_sums(sales, unit)
    if config.switches:
        n_units, mean, correlation = int(sums["unit"].nunique()), _ratio(sums), float("nan")
        errors, dfs = _switching(sums, config, n_units)
    else:
        found = unit_variance(sums, measure=config.measure)
        n_units, mean, correlation = found.n_units, found.mean, found.correlation
        errors, dfs = _parallel(found, config)
    if config.by_label and n_units < _FEWEST_GROUPS:
        raise DataError(
            f"{config.label} has {n_units} groups with offers; a test by group needs at least {_FEWEST_GROUPS}.",
            fix="Split customers, or alternate the whole shop by week.",
        )
    if not mean > 0:
        raise DataError("The shop earned no profit in these weeks, so that there is no percentage to plan for.")
    curve = _curve(errors, dfs, mean, config, promised_rate)
    now = curve.iloc[config.weeks - 1]
    return DesignResult(
        config=config,
        curve=curve,
        mean=mean,
        n_units=n_units,
        correlation=correlation,
        detectable_rate=float(now["detectable_rate"]),
        power=float(now["power"]),
        promised_rate=promised_rate,
        weeks_needed=_needed(curve, promised_rate),
    )


def units_of(sales: pd.DataFrame, config: DesignConfig, groups: pd.Series | None) -> pd.Series:
    """What the design randomizes, row by row of the sales: customers, the shop as a whole, or groups.

    Raises
    ------
    DataError
        If the design is by groups and none are given.
    """
    if config.design == "customer":
        return sales["customer_id"]
    if config.design == "switchback":
        return pd.Series("all", index=sales.index)
    if groups is None:
        raise DataError(f"The groups of {config.label} were not given.")
    return groups


def _parallel(found: UnitVariance, config: DesignConfig) -> tuple[list[float], list[float]]:
    per_arm = 1 / (config.test_share * found.n_units) + 1 / ((1 - config.test_share) * found.n_units)
    if config.before_weeks:
        per_arm *= _cost_of_slope(found.n_units)
    errors = []
    for weeks in range(1, LONGEST + 1):
        left = 1 - found.explained(weeks, config.before_weeks)
        errors.append(math.sqrt(found.of_mean(weeks) * left * per_arm))
    df = float(found.n_units - 2 - (1 if config.before_weeks else 0))
    return errors, [df] * LONGEST


def _cost_of_slope(n_units: int) -> float:
    """Expected rise of the variance from estimating one slope: (U − 2) / (U − 3) for the degree of freedom, times
    1 + 1 / (U − 4) for arms that differ by chance before the test.
    """
    return (n_units - 2) / max(n_units - 4, 0.5)


def _switching(sums: pd.DataFrame, config: DesignConfig, n_units: int) -> tuple[list[float], list[float]]:
    variance = switch_variance(sums, config.block_weeks, washout_days=config.washout_days)
    errors, dfs = [], []
    for weeks in range(1, LONGEST + 1):
        pairs = weeks // (2 * config.block_weeks)
        # With several groups, one degree of freedom per pair goes to what the weeks do to all of them.
        df = n_units * pairs - 1 - (pairs if n_units > 1 else 0)
        errors.append(math.sqrt(variance / (n_units * pairs)) if pairs else float("inf"))
        dfs.append(float(df))
    return errors, dfs


def _curve(
    errors: list[float], dfs: list[float], mean: float, config: DesignConfig, promised: float | None
) -> pd.DataFrame:
    rows = []
    for weeks, (error, df) in enumerate(zip(errors, dfs, strict=True), start=1):
        seen = detectable_effect(error, df=df, confidence=config.confidence, power=config.power)
        power = float("nan")
        if promised is not None:
            power = power_of(promised * mean, error, df=df, confidence=config.confidence)
        rows.append((weeks, error, df, seen / mean, power))
    return pd.DataFrame(rows, columns=["weeks", "standard_error", "df", "detectable_rate", "power"])


def _needed(curve: pd.DataFrame, promised: float | None) -> int | None:
    if not promised:
        return None
    enough = curve[curve["detectable_rate"] <= abs(promised)]
    return None if enough.empty else int(enough["weeks"].iloc[0])


def _ratio(sums: pd.DataFrame) -> float:
    return float(sums["profit"].sum() / sums["offers"].sum())


def _weeks(count: int) -> str:
    return f"{count} week{'' if count == 1 else 's'}"


def _percent(rate: float) -> str:
    return f"{rate:.1%}" if np.isfinite(rate) else "any size"


def _signed(rate: float) -> str:
    return f"{rate:+.1%}".replace("-", "\u2212")
