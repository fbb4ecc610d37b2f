"""Did it work: what the new prices earned beside the old ones, with its range and what may be wrong with the test."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.evaluate.arms import CONTROL, TEST, early_warnings, size_mismatch, size_warnings
from pricing_core.evaluate.assignment import arm_of_offers
from pricing_core.evaluate.estimates import ArmDifference, compare_arms, compare_pairs
from pricing_core.evaluate.test_design import DesignConfig

Floats = NDArray[np.float64]

_FIGURES: Final = {
    "profit": "Profit per offer",
    "revenue": "Revenue per offer",
    "purchased": "Conversion",
    "price": "Average price offered",
}


@dataclass(frozen=True)
class Readout:
    """Result of a test.

    Attributes
    ----------
    config
        The design as planned.
    table
        ``figure, test, control, difference, low, high, rate, rate_low, rate_high``: profit first, then what moved it.
    profit, unadjusted
        The profit comparison, with and without what was known before the test.
    n_units, n_offers
        Units (for switchbacks: pairs of blocks) and offers counted, by arm.
    left_out
        Reason → offers that were not counted.
    mismatch_p_value
        Sample ratio mismatch: chance of arm sizes this far from the plan; NaN where it has no meaning.
    warnings
        Sentences on what may be wrong.
    first_day, last_day
        First and last day with counted offers.
    """

    config: DesignConfig
    table: pd.DataFrame
    profit: ArmDifference
    unadjusted: ArmDifference
    n_units: dict[str, int]
    n_offers: dict[str, int]
    left_out: dict[str, int]
    mismatch_p_value: float
    warnings: tuple[str, ...]
    first_day: pd.Timestamp
    last_day: pd.Timestamp

    def to_frame(self) -> pd.DataFrame:
        """Figures of both arms."""
        return self.table.copy()

    @property
    def sentence(self) -> str:
        """The result in one sentence that a manager can repeat."""
        low, high = self.profit.rate_interval(self.config.confidence)
        what = "profit per customer" if self.config.measure == "profit_per_customer" else "profit per offer"
        loss = _chance(self.profit.probability_loss)
        if not math.isfinite(self.profit.rate):
            return f"The control arm earned nothing, so that there is no percentage; the chance of a loss is {loss}."
        span = f"{self.config.confidence:.0%} range {_signed(low)} to {_signed(high)}"
        verdict = (
            "they earn more" if low > 0 else "they earn less" if high < 0 else "the test cannot tell it from no change"
        )
        moved = f"The new prices moved {what} by {_signed(self.profit.rate)} ({span})"
        return f"{moved}: {verdict}; chance of a loss {loss}."

    def to_dict(self) -> dict[str, Any]:
        """Figures that are kept with the workspace; JSON values."""
        low, high = self.profit.rate_interval(self.config.confidence)
        return {
            "sentence": self.sentence, "rate": self.profit.rate, "rate_low": low, "rate_high": high,
            "test": self.profit.test, "control": self.profit.control, "difference": self.profit.difference,
            "probability_loss": self.profit.probability_loss, "confidence": self.config.confidence,
            "variance_reduction": self.profit.variance_reduction, "mismatch_p_value": self.mismatch_p_value,
            "n_units": self.n_units, "n_offers": self.n_offers, "left_out": self.left_out,
            "warnings": list(self.warnings), "first_day": f"{self.first_day:%Y-%m-%d}",
            "last_day": f"{self.last_day:%Y-%m-%d}",
        }  # fmt: skip


def read_test(
    outcomes: pd.DataFrame,
    config: DesignConfig,
    *,
    assignment: pd.DataFrame | None = None,
    unit: pd.Series | None = None,
    before: pd.DataFrame | None = None,
    before_unit: pd.Series | None = None,
    starts_on: pd.Timestamp | None = None,
) -> Readout:
    """Compare the arms of a finished (or running) test.

    Parameters
    ----------
    outcomes
        Offers made during the test as :func:`~pricing_core.evaluate.sales.sales_log` gives them, with a column ``arm``
        where no assignment is given.
    assignment
        Frame of :class:`~pricing_core.evaluate.assignment.Assignment`.
    unit, before_unit
        Group of each row of ``outcomes`` and ``before``, for the label designs; customers otherwise.
    before
        Offers before the test, for CUPED; only the last ``config.before_weeks`` weeks are used.
    starts_on
        First day of the test; earlier outcomes are left out and counted.

    Raises
    ------
    DataError
        If no offer has an arm, profit is unknown, or too few units are left.
    """
    units = _units(outcomes, config, unit)
    table = outcomes.assign(unit=units.to_numpy())
    if assignment is not None:
        table = table.assign(**arm_of_offers(assignment, units, outcomes["offered_at"]))
    early = table["offered_at"] < starts_on if starts_on is not None else pd.Series(False, index=table.index)
    counted, left_out = _counted(table[~early], config, assignment)
    if early.any():
        left_out["before the test began"] = int(early.sum())
    days = 7 * config.weeks if starts_on is None else (counted["offered_at"].max() - starts_on).days + 1
    if config.switches and assignment is None:
        raise DataError("A switchback is read with its schedule.", fix="Choose the design saved for this test.")
    if config.switches:
        found = _read_switchback(counted, config, left_out)
    else:
        found = _read_parallel(counted, config, left_out, assignment, _past(before, before_unit, config, counted))
    return replace(found, warnings=(*found.warnings, *early_warnings(days, 7 * config.weeks)))


def _units(table: pd.DataFrame, config: DesignConfig, groups: pd.Series | None) -> pd.Series:
    if config.design == "switchback":
        return pd.Series("all", index=table.index)
    if config.by_label:
        if groups is None:
            raise DataError(f"The groups of {config.label} were not given.")
        return groups.astype(object)
    return table["customer_id"]


def _counted(
    table: pd.DataFrame, config: DesignConfig, assignment: pd.DataFrame | None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Offers that belong to an arm; the others by reason."""
    if "arm" not in table.columns:
        raise DataError("The outcomes have no arm.", fix="Choose the design, or add a column with test and control.")
    left_out: dict[str, int] = {}
    known = table["arm"].isin((TEST, CONTROL)).to_numpy()
    where = "not in the assignment (or in a washout)" if assignment is not None else "without an arm"
    if (~known).any():
        left_out[where] = int((~known).sum())
    counted = table[known]
    if counted.empty:
        raise DataError(
            f"None of {len(table):,} offers belongs to test or control.",
            fix="Check that the design is that of this test and that customer ids are written as in the import.",
        )
    if not config.switches:
        arms = counted.groupby("unit")["arm"].nunique()
        crossed = counted["unit"].isin(arms.index[arms > 1])
        if crossed.mean() > 0.5:
            raise DataError(
                f"{crossed.mean():.0%} of the offers are of customers who were in both arms.",
                fix="If whole weeks were switched, choose the design by which they were.",
            )
        if crossed.any():
            left_out["of customers in both arms"] = int(crossed.sum())
        counted = counted[~crossed]
    unknown = int(counted["profit"].isna().sum())
    if unknown:
        raise DataError(f"The profit of {unknown:,} offers is unknown.", fix="Give unit costs or a margin assumption.")
    return counted, left_out


def _past(
    before: pd.DataFrame | None, groups: pd.Series | None, config: DesignConfig, counted: pd.DataFrame
) -> pd.DataFrame | None:
    """Sums of the units before the test; None where there is nothing to compare with."""
    if before is None or not config.before_weeks:
        return None
    start = counted["offered_at"].min().floor("D")
    table = before.assign(unit=_units(before, config, groups).to_numpy())
    near = (table["offered_at"] < start) & (table["offered_at"] >= start - pd.Timedelta(weeks=config.before_weeks))
    sums = table[near].groupby("unit")[["offers", *_FIGURES]].sum(skipna=False)
    return None if sums.empty or sums["profit"].isna().any() else sums


def _read_parallel(
    counted: pd.DataFrame,
    config: DesignConfig,
    left_out: dict[str, int],
    assignment: pd.DataFrame | None,
    past: pd.DataFrame | None,
) -> Readout:
    sums = counted.groupby("unit")[["offers", *_FIGURES]].sum()
    arms = counted.groupby("unit")["arm"].first()
    if config.measure == "profit_per_customer" and assignment is not None:
        everyone = assignment.set_index("unit")["arm"]
        sums, arms = sums.reindex(everyone.index, fill_value=0.0), everyone
    in_test = (arms.reindex(sums.index) == TEST).to_numpy()
    former = None if past is None else past.reindex(sums.index, fill_value=0.0)
    found = {name: _compare(sums, name, in_test, former, config) for name in _FIGURES}
    unadjusted = _compare(sums, "profit", in_test, None, config)
    seen = {str(arm): int(count) for arm, count in counted.groupby("arm")["unit"].nunique().items()}
    mismatch = size_mismatch(seen, _planned_share(assignment, config)) if config.design == "customer" else float("nan")
    return _result(counted, config, found, unadjusted, left_out, seen, mismatch)


def _compare(
    sums: pd.DataFrame, name: str, in_test: NDArray[np.bool_], past: pd.DataFrame | None, config: DesignConfig
) -> ArmDifference:
    per_customer = name == "profit" and config.measure == "profit_per_customer"
    below = np.ones(len(sums)) if per_customer else sums["offers"].to_numpy(dtype=float)
    before = None
    if past is not None:
        former = np.ones(len(past)) if per_customer else past["offers"].to_numpy(dtype=float)
        before = (past[name].to_numpy(dtype=float), former)
    return compare_arms(sums[name].to_numpy(dtype=float), below, in_test, before=before)


def _read_switchback(counted: pd.DataFrame, config: DesignConfig, left_out: dict[str, int]) -> Readout:
    block = counted["block"].to_numpy(dtype=np.int64) - 1
    table = counted.assign(pair=block // 2, place=block % 2)
    keys = ["unit", "pair"]
    parts = {
        arm: table[table["arm"] == arm].groupby(keys)[["offers", *_FIGURES, "place"]].sum() for arm in (TEST, CONTROL)
    }
    both = parts[TEST].index.intersection(parts[CONTROL].index)
    test, control = parts[TEST].loc[both], parts[CONTROL].loc[both]
    lonely = len(counted) - int(test["offers"].sum() + control["offers"].sum())
    if lonely:
        left_out = {**left_out, "in pairs of blocks of which only one was seen": lonely}
    if len(both) < 2:
        raise DataError(
            f"The outcomes hold {len(both)} complete pairs of blocks; at least 2 are needed.",
            fix="Let the test run longer, or check its start.",
        )
    pair = both.get_level_values("pair").to_numpy(dtype=np.int64)
    test_first = (test["place"] == 0).to_numpy()
    found = {}
    for name in _FIGURES:
        ratio = [(part[name] / part["offers"]).to_numpy(dtype=float) for part in (test, control)]
        found[name] = compare_pairs(ratio[0], ratio[1], pair, test_first)
    seen = {TEST: len(both), CONTROL: len(both)}
    return _result(counted, config, found, found["profit"], left_out, seen, float("nan"))


def _result(
    counted: pd.DataFrame,
    config: DesignConfig,
    found: dict[str, ArmDifference],
    unadjusted: ArmDifference,
    left_out: dict[str, int],
    seen: dict[str, int],
    mismatch: float,
) -> Readout:
    offers = {str(arm): int(count) for arm, count in counted["arm"].value_counts().items()}
    names = dict(_FIGURES)
    if config.measure == "profit_per_customer":
        names["profit"] = "Profit per customer"
    rows = []
    for name, each in found.items():
        span, rates = each.interval(config.confidence), each.rate_interval(config.confidence)
        rows.append((names[name], each.test, each.control, each.difference, *span, each.rate, *rates))
    columns = ["figure", "test", "control", "difference", "low", "high", "rate", "rate_low", "rate_high"]
    return Readout(
        config=config, table=pd.DataFrame(rows, columns=columns), profit=found["profit"], unadjusted=unadjusted,
        n_units=seen, n_offers=offers, left_out=left_out, mismatch_p_value=mismatch,
        warnings=size_warnings(mismatch, seen, left_out, len(counted)),
        first_day=counted["offered_at"].min().floor("D"), last_day=counted["offered_at"].max().floor("D"),
    )  # fmt: skip


def _planned_share(assignment: pd.DataFrame | None, config: DesignConfig) -> float:
    return config.test_share if assignment is None else float((assignment["arm"] == TEST).mean())


def _chance(probability: float) -> str:
    return "<1%" if probability < 0.01 else ">99%" if probability > 0.99 else f"{probability:.0%}"


def _signed(rate: float) -> str:
    text = f"{rate:+.1%}"
    return "0.0%" if text in ("+0.0%", "-0.0%") else text.replace("-", "\u2212")
