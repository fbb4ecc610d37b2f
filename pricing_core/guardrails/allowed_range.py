"""The range of prices that rules and past data leave to each row, and which of them sets each end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails.money import round_down, round_up
from pricing_core.guardrails.rules import Guardrails
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]

SUPPORTED: Final = "supported prices"
MARGIN_FLOOR: Final = "margin floor"
PRICE_FLOOR: Final = "price floor"
PRICE_CEILING: Final = "price ceiling"
MAXIMUM_CHANGE: Final = "maximum change"
BELOW_LIST: Final = "list price (discount only)"
BELOW_CURRENT: Final = "current price (discount only)"
DISCOUNT_STRATEGY: Final = "personalized_discount"


@dataclass(frozen=True, eq=False)
class AllowedRange:
    """Lowest and highest chargeable price of each row.

    Attributes
    ----------
    low, high
        (n,) money in whole minor units.
    low_rule, high_rule
        (n,) text: the rule that sets each end.
    feasible
        (n,) flag: some price satisfies all rules.
    conflict
        (n,) text: which rules contradict each other; empty where feasible.
    """

    low: Floats
    high: Floats
    low_rule: Texts
    high_rule: Texts
    feasible: Mask
    conflict: Texts


def allowed_range(rows: PricingRows, guardrails: Guardrails, strategy: str) -> AllowedRange:
    """Combine supported prices and rules, row by row.

    Parameters
    ----------
    rows
        What is to be priced.
    guardrails
        The shop's rules.
    strategy
        Name of the pricing strategy; ``personalized_discount`` adds the discount-only rule by itself.
    """
    lows = {name: np.broadcast_to(value, (rows.n,)) for name, value in _lower_bounds(rows, guardrails).items()}
    highs = {
        name: np.broadcast_to(value, (rows.n,)) for name, value in _upper_bounds(rows, guardrails, strategy).items()
    }
    low, low_rule = _tightest(lows, np.max, np.argmax)
    high, high_rule = _tightest(highs, np.min, np.argmin)
    if guardrails.discount_only or strategy == DISCOUNT_STRATEGY:
        unlisted = (high_rule == BELOW_LIST) & ~np.isfinite(rows.list_price)
        high_rule[unlisted] = BELOW_CURRENT
    low_amount, high_amount = round_up(low, guardrails.decimals), round_down(high, guardrails.decimals)
    feasible = (low_amount <= high_amount) & (high_amount > 0)
    conflict = np.full(rows.n, "", dtype=object)
    for i in np.flatnonzero(~feasible):
        conflict[i] = _conflict(low[i], high[i], low_rule[i], high_rule[i], guardrails.decimals)
    return AllowedRange(low_amount, high_amount, low_rule, high_rule, feasible, conflict)


def _lower_bounds(rows: PricingRows, rules: Guardrails) -> dict[str, Any]:
    bounds: dict[str, Any] = {SUPPORTED: rows.support_low}
    if rules.margin_floor is not None:
        bounds[MARGIN_FLOOR] = rows.unit_cost / (1.0 - rules.margin_floor)
    if rules.price_floor is not None:
        bounds[PRICE_FLOOR] = rules.price_floor
    if rules.max_change_rate is not None:
        bounds[MAXIMUM_CHANGE] = rows.current_price * (1.0 - rules.max_change_rate)
    return bounds


def _upper_bounds(rows: PricingRows, rules: Guardrails, strategy: str) -> dict[str, Any]:
    bounds: dict[str, Any] = {SUPPORTED: rows.support_high}
    if rules.discount_only or strategy == DISCOUNT_STRATEGY:
        bounds[BELOW_LIST] = np.where(np.isfinite(rows.list_price), rows.list_price, rows.current_price)
    if rules.price_ceiling is not None:
        bounds[PRICE_CEILING] = rules.price_ceiling
    if rules.max_change_rate is not None:
        bounds[MAXIMUM_CHANGE] = rows.current_price * (1.0 + rules.max_change_rate)
    return bounds


def _tightest(bounds: dict[str, Floats], best: Any, which: Any) -> tuple[Floats, Texts]:
    table = np.stack(list(bounds.values()))
    names = np.array(list(bounds), dtype=object)
    return np.asarray(best(table, axis=0)), names[which(table, axis=0)]


def _conflict(low: float, high: float, low_rule: str, high_rule: str, digits: int) -> str:
    if low <= high:
        wide = digits + 2
        return f"{low_rule} and {high_rule} leave no chargeable amount between {low:.{wide}f} and {high:.{wide}f}"
    return f"{low_rule} ({low:.{digits}f}) is above {high_rule} ({high:.{digits}f})"
