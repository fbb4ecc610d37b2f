"""What a price list promised beside what came of it: conversion and profit per offer, product by product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from pricing_core.evaluate.calibration import wilson_interval

Floats = NDArray[np.float64]

SAME_PRICE: Final = 0.005
"""A price within half a percent of the list's counts as the list's."""
PRODUCT_PRECISION: Final = 0.2
LIST_PRECISION: Final = 0.1
"""Half width of the 90% range, as a share of the predicted conversion, from which a product (the list) is judged."""
AS_PROMISED: Final = "as promised"
MORE: Final = "more than promised"
LESS: Final = "less than promised"
_Z90: Final = float(ndtri(0.95))


@dataclass(frozen=True)
class Ledger:
    """One price list, judged by what happened after it took effect.

    Attributes
    ----------
    table
        One row per product: ``product_id, offers, predicted_rate, realized_rate, realized_low, realized_high,
        predicted_profit, realized_profit, profit_low, profit_high, needed`` (more offers until it can be judged),
        ``status`` of the profit and ``rate_status`` of the conversion.
    weeks
        ``week, offers, predicted_rate, realized_rate, realized_low, realized_high``.
    total
        The same figures for the whole list, as name → value.
    n_offers, n_applied
        Offers of the list's products (and customers) since it took effect, and those made at its prices.
    effective_from, effective_to
        The list's time; ``effective_to`` is None while it is open.
    """

    table: pd.DataFrame
    weeks: pd.DataFrame
    total: dict[str, Any]
    n_offers: int
    n_applied: int
    effective_from: pd.Timestamp
    effective_to: pd.Timestamp | None

    def to_frame(self) -> pd.DataFrame:
        """One row per product."""
        return self.table.copy()

    @property
    def measurable(self) -> bool:
        """Whether there are enough offers to judge the whole list."""
        return bool(self.total["needed"] == 0)


def needed_offers(rate: float, precision: float) -> int:
    """Offers until the 90% range of a conversion rate is ± ``precision`` of it: z² (1 − p) / (p h²)."""
    if not 0 < rate < 1:
        return 0 if rate >= 1 else int(np.ceil(_Z90**2 / precision**2))
    return int(np.ceil(_Z90**2 * (1 - rate) / (rate * precision**2)))


def realized_against_predicted(
    prices: pd.DataFrame, outcomes: pd.DataFrame, *, now: pd.Timestamp | None = None, count_units: bool = False
) -> Ledger:
    """Compare a price list's predictions with later outcomes at its prices.

    There is a verdict on profit and one on conversion: a promise is broken when it differs from what came by more than
    1.645 √(s² + d²), s being the standard error of the realized mean (rows of one customer belong together) and d the
    prediction's own standard deviation; that of conversion is the same share of it as that of profit, since a price's
    unit margin is fixed. Profit counts one unit per purchase, unless ``count_units``.

    Parameters
    ----------
    prices
        Native price list: ``product_id, customer_id`` (missing: for everyone), ``new_price, unit_cost,
        expected_conversion_rate, expected_profit, profit_low, profit_high, effective_from, effective_to``.
    outcomes
        Offers as :func:`~pricing_core.evaluate.sales.sales_log` gives them.
    now
        End of the time looked at; default: the last outcome.
    count_units
        Whether the predictions count the units of a purchase, so that outcomes have to.
    """
    start, end = _time(prices)
    within = outcomes["offered_at"] >= start
    if end is not None:
        within &= outcomes["offered_at"] < end
    if now is not None:
        within &= outcomes["offered_at"] <= now
    single = (outcomes["price"] - outcomes["unit_cost"]) * outcomes["purchased"]
    matched = _matched(prices, outcomes.assign(earned=outcomes["profit"] if count_units else single)[within])
    applied = (matched["price"] - matched["new_price"]).abs() <= SAME_PRICE * matched["new_price"]
    at_list = matched[applied]
    table = _by_product(prices, at_list)
    return Ledger(
        table=table,
        weeks=_by_week(at_list),
        total=_judged(_predicted_mean(prices, at_list), at_list, LIST_PRECISION),
        n_offers=len(matched),
        n_applied=len(at_list),
        effective_from=start,
        effective_to=end,
    )


def _time(prices: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp | None]:
    start = pd.to_datetime(prices["effective_from"], utc=True).min()
    ends = pd.to_datetime(prices["effective_to"], utc=True)
    return pd.Timestamp(start), None if ends.isna().any() else pd.Timestamp(ends.max())


def _matched(prices: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Outcomes with the list's row for their product and customer; others drop out."""
    columns = ["product_id", "customer_id", "new_price", "expected_conversion_rate", "expected_profit",
               "profit_low", "profit_high"]  # fmt: skip
    listed = prices[columns].assign(product_id=prices["product_id"].astype(str))
    personal = listed["customer_id"].notna()
    taken = outcomes[["customer_id", "product_id", "week", "price", "purchased", "earned"]]
    for_all = taken.merge(listed[~personal].drop(columns="customer_id"), on="product_id")
    if not personal.any():
        return for_all
    own = listed[personal].assign(customer_id=listed["customer_id"].astype(str))
    return pd.concat([taken.merge(own, on=["product_id", "customer_id"]), for_all], ignore_index=True)


def _by_product(prices: pd.DataFrame, at_list: pd.DataFrame) -> pd.DataFrame:
    parts = dict(tuple(at_list.groupby("product_id"))) if len(at_list) else {}
    promised = prices.assign(product_id=prices["product_id"].astype(str)).groupby("product_id", sort=True)
    rows = []
    for product, listed in promised:
        mine = parts.get(str(product), at_list.iloc[:0])
        rows.append({"product_id": product, **_judged(_predicted_mean(listed, mine), mine, PRODUCT_PRECISION)})
    return pd.DataFrame(rows).sort_values("offers", ascending=False, kind="stable", ignore_index=True)


def _by_week(at_list: pd.DataFrame) -> pd.DataFrame:
    sums = at_list.groupby("week").agg(
        offers=("purchased", "size"),
        predicted_rate=("expected_conversion_rate", "mean"),
        realized_rate=("purchased", "mean"),
    )
    low, high = wilson_interval(sums["realized_rate"], sums["offers"])
    return sums.assign(realized_low=low, realized_high=high).reset_index()


def _predicted_mean(prices: pd.DataFrame, at_list: pd.DataFrame) -> dict[str, float]:
    """Predictions over the offers that came, or over the list while none has."""
    source = at_list if len(at_list) else prices
    spread = (source["profit_high"] - source["profit_low"]).mean() / (2 * _Z90)
    return {
        "predicted_rate": float(source["expected_conversion_rate"].mean()),
        "predicted_profit": float(source["expected_profit"].mean()),
        "spread": float(spread) if np.isfinite(spread) else 0.0,
    }


def _judged(predicted: dict[str, float], at_list: pd.DataFrame, precision: float) -> dict[str, Any]:
    rate, n = predicted["predicted_rate"], len(at_list)
    needed = max(needed_offers(rate, precision) - n, 0)
    blank = float("nan")
    found = dict.fromkeys(("realized_rate", "realized_low", "realized_high", "realized_profit", "profit_low",
                           "profit_high"), blank)  # fmt: skip
    status = rate_status = f"not yet measurable: needs {needed:,} more offers"
    if n:
        found["realized_rate"] = float(at_list["purchased"].mean())
        low, high = wilson_interval(found["realized_rate"], n)
        found |= {"realized_low": float(low), "realized_high": float(high)}
        earned = at_list["earned"]
        mean, error = float(earned.mean()), _error(earned, at_list["customer_id"])
        found |= {
            "realized_profit": mean, "profit_low": mean - _Z90 * error, "profit_high": mean + _Z90 * error,
        }  # fmt: skip
        if not needed:
            status = _verdict(mean - predicted["predicted_profit"], error, predicted["spread"])
            rate_status = _verdict(
                found["realized_rate"] - rate, _error(at_list["purchased"], at_list["customer_id"]),
                _rate_spread(predicted),
            )  # fmt: skip
    return {
        "offers": n, "predicted_rate": rate, "predicted_profit": predicted["predicted_profit"], **found,
        "needed": needed, "status": status, "rate_status": rate_status,
    }  # fmt: skip


def _verdict(gap: float, error: float, spread: float) -> str:
    return AS_PROMISED if abs(gap) <= _Z90 * float(np.hypot(error, spread)) else MORE if gap > 0 else LESS


def _rate_spread(predicted: dict[str, float]) -> float:
    """Standard deviation of the predicted conversion; 0 where no profit is promised that would tell it."""
    profit = predicted["predicted_profit"]
    return predicted["spread"] * predicted["predicted_rate"] / profit if profit > 0 else 0.0


def _error(earned: pd.Series, customer_id: pd.Series) -> float:
    """Standard error of a mean whose rows of one customer belong together."""
    sums = (earned - earned.mean()).groupby(customer_id).sum()
    return float(np.sqrt((sums**2).sum()) / len(earned))
