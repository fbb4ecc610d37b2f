"""The lowest and highest price that one rule allows each row in its scope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails.kinds import (
    COMPETITOR_BAND,
    DISCOUNT_ONLY,
    MARGIN_FLOOR,
    MAX_CHANGE,
    MAX_LIST_CHANGE,
    PRICE_CEILING,
    PRICE_FLOOR,
)
from pricing_core.guardrails.rule import Rule
from pricing_core.guardrails.scope import ALL
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Pair = tuple[Floats | float | None, Floats | float | None]

UNKNOWN: Final = {COMPETITOR_BAND: "competitor price", MAX_LIST_CHANGE: "list price"}
"""Kinds that leave a row alone where the price that they compare with is unknown, and what that is called."""


@dataclass(frozen=True, eq=False)
class RowBound:
    """Bounds of one rule.

    Attributes
    ----------
    rule
        The rule.
    index
        Rows of its scope; None for all.
    low, high
        Money, one number or one per row of the scope; None where the rule sets no such end. NaN where unknown.
    missing
        Rows of the scope that the rule leaves alone, because what it compares with is unknown.
    """

    rule: Rule
    index: Ints | None
    low: Floats | float | None
    high: Floats | float | None
    missing: int = 0


def row_bound(rule: Rule, rows: PricingRows) -> RowBound:
    """Compute the bounds of a row rule.

    Raises
    ------
    DataError
        If the rows do not carry the label of its scope.
    """
    index = None if rule.scope.by == ALL else np.flatnonzero(rule.scope.mask(rows))
    low, high = _BOUNDS[rule.kind](rule, rows, slice(None) if index is None else index)
    missing = 0
    if rule.kind in UNKNOWN:
        missing = int(np.isnan(np.asarray(low)).sum())
    return RowBound(rule, index, low, high, missing)


Rows = Ints | slice


def _margin(rule: Rule, rows: PricingRows, at: Rows) -> Pair:
    return rows.unit_cost[at] / (1.0 - _number(rule)), None


def _floor(rule: Rule, rows: PricingRows, at: Rows) -> Pair:
    return _number(rule), None


def _ceiling(rule: Rule, rows: PricingRows, at: Rows) -> Pair:
    return None, _number(rule)


def _change(rule: Rule, rows: PricingRows, at: Rows) -> Pair:
    price = rows.current_price[at]
    return price * (1.0 - _number(rule)), price * (1.0 + _number(rule))


def _list_change(rule: Rule, rows: PricingRows, at: Rows) -> Pair:
    price = rows.list_price[at]
    return price * (1.0 - _number(rule)), price * (1.0 + _number(rule))


def _band(rule: Rule, rows: PricingRows, at: Rows) -> Pair:
    price = rows.competitor_price[at]
    return price * float(rule.low_rate or 0.0), price * float(rule.high_rate or 0.0)


def _discount(rule: Rule, rows: PricingRows, at: Rows) -> Pair:
    listed = rows.list_price[at]
    return None, np.where(np.isfinite(listed), listed, rows.current_price[at])


def _number(rule: Rule) -> float:
    return float(rule.value or 0.0)


_BOUNDS: Final[dict[str, Callable[[Rule, PricingRows, Rows], Pair]]] = {
    MARGIN_FLOOR: _margin,
    PRICE_FLOOR: _floor,
    PRICE_CEILING: _ceiling,
    MAX_CHANGE: _change,
    MAX_LIST_CHANGE: _list_change,
    COMPETITOR_BAND: _band,
    DISCOUNT_ONLY: _discount,
}
