"""Who gets the new prices, and when: a random assignment that anyone with the seed can repeat.

The random number of a unit is the first 64 bits of SHA-256 over ``seed:unit``, divided by 2⁶⁴. Units are sorted into
strata of similar past profit; within a stratum the units with the smallest numbers go into test, and what is left over
by rounding is carried to the next stratum, so that the planned share holds over all. Whoever turns up later is not
part of the test. In a switchback each pair of blocks has one block in test; its order follows from the number of the
pair, and with several groups half of them begin with test.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from pricing_core.errors import ConfigError, DataError
from pricing_core.evaluate.arms import CONTROL, TEST
from pricing_core.evaluate.sales import WEEK, monday
from pricing_core.evaluate.test_design import DesignConfig, units_of

Floats = NDArray[np.float64]

_STRATA: Final = 10
_FIGURES: Final = {
    "offers_per_week": "Offers per week",
    "profit_per_offer": "Profit per offer",
    "conversion_rate": "Conversion",
    "average_price": "Average price offered",
}


@dataclass(frozen=True)
class Assignment:
    """Who is in test and who in control.

    Attributes
    ----------
    frame
        Parallel designs: ``unit, arm, stratum``. Switchbacks: ``unit, block, week_start, week_end, arm,
        counted_from`` (after the washout).
    balance
        How alike the arms were before the test: ``figure, test, control, difference`` (standardized), ``p_value``.
        Empty for switchbacks, whose units are in both arms.
    p_value
        A/A check: chance of a difference in past profit per offer at least this large between arms that get the same
        prices; NaN where it cannot be computed.
    starts_on, seed
        First day (a Monday) and the seed.
    """

    config: DesignConfig
    frame: pd.DataFrame
    balance: pd.DataFrame
    p_value: float
    starts_on: pd.Timestamp
    seed: int

    def to_frame(self) -> pd.DataFrame:
        """Units (or units and weeks) and their arms."""
        return self.frame.copy()


def unit_numbers(units: pd.Series, seed: int) -> Floats:
    """Number in [0, 1) of each unit, the same wherever and whenever it is computed."""
    codes, names = pd.factorize(units.astype(str))
    numbers = [int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big") for name in names]
    return (np.array(numbers, dtype=np.float64) / 2.0**64)[codes]


def assign(
    sales: pd.DataFrame,
    config: DesignConfig,
    *,
    starts_on: pd.Timestamp,
    groups: pd.Series | None = None,
    seed: int = 0,
) -> Assignment:
    """Split the shop's customers, groups or weeks into test and control.

    Parameters
    ----------
    sales
        Past offers; those before ``starts_on`` stratify and balance the arms.
    starts_on
        First day of the test; a Monday follows if it is none.
    groups
        Group of each offer, for the label designs.
    seed
        Number that decides every coin toss.

    Raises
    ------
    DataError
        If there are no past offers, or fewer than two units.
    """
    first = first_monday(starts_on)
    unit = units_of(sales, config, groups)
    past = sales.assign(unit=unit.to_numpy())
    past = past[past["offered_at"] < first].dropna(subset=["unit"])
    if past.empty:
        raise DataError(f"There are no offers before {first:%Y-%m-%d}.", fix="Import past offers, or start later.")
    units = _summed(past)
    if units["profit"].isna().any():
        raise DataError("The profit of some past purchases is unknown.", fix="Give unit costs or a margin assumption.")
    if config.switches:
        frame = _schedule(units["unit"], config, first, seed)
        return Assignment(config, frame, pd.DataFrame(columns=["figure", TEST, CONTROL]), float("nan"), first, seed)
    if len(units) < 2:
        raise DataError(f"There is only {len(units)} unit to split.", fix="Choose another design.")
    frame = _split(units, config, seed)
    balance = balance_table(past, frame)
    profit = balance.loc[balance["figure"] == _FIGURES["profit_per_offer"], "p_value"]
    return Assignment(config, frame, balance, float(profit.iloc[0]), first, seed)


def first_monday(day: pd.Timestamp) -> pd.Timestamp:
    """Midnight (UTC) of the Monday on or after a day."""
    day = pd.Timestamp(day)
    day = (day.tz_localize("UTC") if day.tzinfo is None else day.tz_convert("UTC")).floor("D")
    return day + pd.Timedelta(days=(7 - day.day_of_week) % 7)


def balance_table(past: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """How the arms compared before the test.

    Each figure is a ratio over the units of an arm; its error is that of the linearized unit values, and the difference
    is divided by their standard deviation between units (a standardized difference; below 0.1 is small).

    Parameters
    ----------
    past
        Past offers with their ``unit``.
    frame
        ``unit, arm``.
    """
    sums = _summed(past).merge(frame[["unit", "arm"]], on="unit", how="inner")
    weeks = max((past["week"].max() - past["week"].min()) / WEEK + 1, 1.0)
    parts = {
        "offers_per_week": (sums["offers"] / weeks, pd.Series(1.0, index=sums.index)),
        "profit_per_offer": (sums["profit"], sums["offers"]),
        "conversion_rate": (sums["purchased"], sums["offers"]),
        "average_price": (sums["price"], sums["offers"]),
    }
    test = (sums["arm"] == TEST).to_numpy()
    rows = []
    for name, (top, below) in parts.items():
        values = [_linear(top[mask], below[mask]) for mask in (test, ~test)]
        means = [float(each.mean()) if len(each) else float("nan") for each in values]
        spread = float(np.sqrt(np.mean([np.var(each, ddof=1) if len(each) > 1 else np.nan for each in values])))
        rows.append((_FIGURES[name], *means, (means[0] - means[1]) / spread if spread > 0 else 0.0, _p_value(*values)))
    return pd.DataFrame(rows, columns=["figure", TEST, CONTROL, "difference", "p_value"])


def _summed(past: pd.DataFrame) -> pd.DataFrame:
    columns = ["offers", "purchased", "price", "profit"]
    return past.groupby("unit", sort=True)[columns].sum(skipna=False).reset_index()


def _split(units: pd.DataFrame, config: DesignConfig, seed: int) -> pd.DataFrame:
    """Test and control within strata of similar past profit; groups are split in neighboring pairs."""
    value = units["profit"].to_numpy(dtype=float)
    if config.measure == "profit_per_offer":  # what a unit adds to the ratio, as in its linearization
        value = value - units["profit"].sum() / units["offers"].sum() * units["offers"].to_numpy(dtype=float)
    rank = np.argsort(np.argsort(value, kind="stable"), kind="stable")
    strata = _STRATA if config.design == "customer" else max(len(units) // 2, 1)
    stratum = rank * strata // len(units)
    number = unit_numbers(units["unit"], seed)
    order = np.lexsort((number, stratum))
    wanted = np.round(np.cumsum(np.bincount(stratum, minlength=strata)) * config.test_share)
    starts = np.concatenate([[0], np.cumsum(np.bincount(stratum, minlength=strata))])
    quota = np.diff(np.concatenate([[0.0], wanted]))
    in_test = np.zeros(len(units), dtype=bool)
    for k in range(strata):
        in_test[order[starts[k] : starts[k] + int(quota[k])]] = True
    arm = np.where(in_test, TEST, CONTROL)
    return pd.DataFrame({"unit": units["unit"], "arm": arm, "stratum": stratum + 1})


def _schedule(units: pd.Series, config: DesignConfig, first: pd.Timestamp, seed: int) -> pd.DataFrame:
    """Blocks of each unit: in every pair of blocks one is in test."""
    pairs = config.weeks // (2 * config.block_weeks)
    if pairs < 1:
        raise ConfigError(
            f"{config.weeks} weeks hold no pair of blocks of {config.block_weeks} weeks.",
            fix=f"Plan at least {2 * config.block_weeks} weeks.",
        )
    names = units.astype(str).tolist()
    length, rows = config.block_weeks * WEEK, []
    for pair in range(pairs):
        number = unit_numbers(pd.Series([f"{name}:pair {pair}" for name in names]), seed)
        leads = np.argsort(np.argsort(number)) < len(names) / 2 if len(names) > 1 else number < 0.5
        for name, test_first in zip(names, leads, strict=True):
            for place in range(2):
                start = first + (2 * pair + place) * length
                arm = TEST if test_first == (place == 0) else CONTROL
                rows.append((name, 2 * pair + place + 1, start, start + length - pd.Timedelta(days=1), arm,
                             start + pd.Timedelta(days=config.washout_days)))  # fmt: skip
    return pd.DataFrame(rows, columns=["unit", "block", "week_start", "week_end", "arm", "counted_from"])


def _linear(top: pd.Series, below: pd.Series) -> Floats:
    """Linearized values of a ratio: their mean is the ratio, their variance that of its delta method."""
    if not len(top) or below.sum() == 0:
        return np.empty(0)
    ratio = float(top.sum() / below.sum())
    return np.asarray(ratio + (top - ratio * below) / below.mean(), dtype=float)


def _p_value(test: Floats, control: Floats) -> float:
    """Two-sided p of Welch's test; NaN where an arm has fewer than two units."""
    if min(len(test), len(control)) < 2:
        return float("nan")
    parts = [np.var(each, ddof=1) / len(each) for each in (test, control)]
    if sum(parts) == 0:
        return 1.0
    df = sum(parts) ** 2 / sum(part**2 / (len(each) - 1) for part, each in zip(parts, (test, control), strict=True))
    return float(2 * stdtr(df, -abs(test.mean() - control.mean()) / np.sqrt(sum(parts))))


def arm_of_offers(assignment: pd.DataFrame, unit: pd.Series, offered_at: pd.Series) -> pd.DataFrame:
    """``arm`` and ``block`` (0 for parallel designs) of each offer under an assignment, in the order of the offers.

    The arm is missing where the offer has none: an unknown unit, a time outside the test, or a washout.
    """
    if "week_start" not in assignment.columns:
        arm = unit.map(assignment.set_index("unit")["arm"])
        return pd.DataFrame({"arm": arm.to_numpy(), "block": 0}, index=unit.index)
    keys = pd.DataFrame({"unit": unit.astype(str).to_numpy(), "week": monday(offered_at).to_numpy()})
    length = (assignment["week_end"] - assignment["week_start"]).dt.days // 7 + 1
    weeks = assignment.loc[assignment.index.repeat(length)]
    place = pd.to_timedelta(7 * weeks.groupby(level=0).cumcount(), unit="D")
    weeks = weeks.assign(week=weeks["week_start"] + place)[["unit", "week", "arm", "block", "counted_from"]]
    weeks["week"] = weeks["week"].astype(keys["week"].dtype)
    found = keys.merge(weeks, on=["unit", "week"], how="left")
    counted = offered_at.to_numpy() >= found["counted_from"].to_numpy()
    arm = found["arm"].where(counted)
    return pd.DataFrame({"arm": arm.to_numpy(), "block": found["block"].to_numpy()}, index=unit.index)
