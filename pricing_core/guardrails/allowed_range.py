"""The range of prices that rules and past data leave to each row, and which of them sets each end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails.kinds import DISCOUNT_ONLY, SHOP_WIDE
from pricing_core.guardrails.money import round_down, round_up
from pricing_core.guardrails.price_points import PricePoints, price_points
from pricing_core.guardrails.row_bounds import UNKNOWN, RowBound, row_bound
from pricing_core.guardrails.rule import Rule
from pricing_core.guardrails.rules import Guardrails
from pricing_core.guardrails.selection import all_rules, row_rules
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
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
_NO_TEXTS: Final[Texts] = np.empty(0, dtype=object)


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
        (n,) flag: some price satisfies supported prices and all hard rules (ladders and endings are not looked at).
    conflict
        (n,) text: which rules contradict each other; empty where feasible.
    relaxed
        (n,) text: soft rules that gave way, as far as needed, because of more important ones; empty where none did.
    notes
        Rules that leave rows alone, and why.
    """

    low: Floats
    high: Floats
    low_rule: Texts
    high_rule: Texts
    feasible: Mask
    conflict: Texts
    relaxed: Texts = field(default_factory=lambda: _NO_TEXTS)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.relaxed) != len(self.low):
            object.__setattr__(self, "relaxed", np.full(len(self.low), "", dtype=object))


def allowed_range(rows: PricingRows, guardrails: Guardrails, strategy: str) -> AllowedRange:
    """Combine supported prices and row rules, row by row.

    Hard rules count in full. Soft rules follow by priority; each narrows the range as far as the more important ones
    let it: a soft floor above the highest price left leaves just that price.

    Parameters
    ----------
    rows
        What is to be priced.
    guardrails
        The shop's rules.
    strategy
        Name of the pricing strategy; ``personalized_discount`` adds the discount-only rule by itself.

    Raises
    ------
    DataError
        If the rows do not carry the label of a rule's scope.
    """
    rules = row_rules(guardrails)
    if strategy == DISCOUNT_STRATEGY and not guardrails.discount_only:
        rules = (Rule(DISCOUNT_ONLY, name=SHOP_WIDE[DISCOUNT_ONLY]), *rules)
    ends = _Ends(rows.support_low.copy(), rows.support_high.copy())
    notes = _notes(rows, guardrails)
    soft = []
    for rule in rules:
        bound = row_bound(rule, rows)
        if bound.missing:
            notes.append(
                f"{rule.label}: the {UNKNOWN[rule.kind]} is unknown in {bound.missing:,} of {rows.n:,} rows, "
                "which the rule leaves alone."
            )
        if rule.hard:
            ends.tighten(bound)
        else:
            soft.append(bound)
    raw_low, raw_high = ends.low, ends.high
    ends.low, ends.high = round_up(raw_low, guardrails.decimals), round_down(raw_high, guardrails.decimals)
    feasible = (ends.low <= ends.high) & (ends.high > 0)
    low_rule, high_rule = ends.rules(rows)
    conflict = np.full(rows.n, "", dtype=object)
    for i in np.flatnonzero(~feasible):
        conflict[i] = _conflict(raw_low[i], raw_high[i], low_rule[i], high_rule[i], guardrails.decimals)
    relaxed = np.full(rows.n, "", dtype=object)
    if soft:
        points = price_points(rows, guardrails).hard()
        for bound in soft:
            _narrow(ends, bound, feasible, points, relaxed, guardrails.decimals)
        low_rule, high_rule = ends.rules(rows)
    return AllowedRange(ends.low, ends.high, low_rule, high_rule, feasible, conflict, relaxed, tuple(notes))


@dataclass(frozen=True, eq=False)
class CommonRange:
    """Range (groups,) of prices that many rows share, and the rule that sets each end."""

    low: Floats
    high: Floats
    low_rule: Texts
    high_rule: Texts


def narrow_common_range(common: CommonRange, rows: PricingRows, guardrails: Guardrails, code: Ints) -> CommonRange:
    """Narrow ranges that the rows of a group share by soft rules, each as far as the range lets it.

    What a soft rule asks of a group is what it asks of the group's typical row (median): one price cannot follow every
    row's competitor. Groups without a range (``low`` above ``high``, or NaN) stay as they are.

    Parameters
    ----------
    common
        Under supported prices and hard rules.
    code
        (n,) group of each row.
    """
    groups = len(common.low)
    ends = _Ends(common.low.copy(), common.high.copy())
    points = price_points(rows, guardrails).hard().by_group(code, groups)
    open_groups, relaxed = common.low <= common.high, np.full(groups, "", dtype=object)
    for rule in row_rules(guardrails):
        if not rule.hard:
            bound = row_bound(rule, rows)
            index = np.arange(rows.n) if bound.index is None else bound.index
            low, high = (_typical(end, code[index], groups) for end in (bound.low, bound.high))
            _narrow(ends, RowBound(rule, None, low, high), open_groups, points, relaxed, guardrails.decimals)
    names = np.array(ends.names, dtype=object)
    low_rule = np.where(ends.low_code > 0, names[ends.low_code], common.low_rule)
    return CommonRange(
        ends.low, ends.high, low_rule, np.where(ends.high_code > 0, names[ends.high_code], common.high_rule)
    )


def _typical(value: Floats | float | None, code: Ints, groups: int) -> Floats | None:
    """Median of a bound over the rows of each group, (groups,); NaN where no row has it."""
    if value is None:
        return None
    asked = pd.Series(np.broadcast_to(np.asarray(value, dtype=float), code.shape))
    return asked.groupby(code).median().reindex(range(groups)).to_numpy(dtype=float)


class _Ends:
    """Both ends of each row's range, and the number of the rule that sets each."""

    def __init__(self, low: Floats, high: Floats) -> None:
        self.low, self.high = low, high
        self.low_code, self.high_code = np.zeros(len(low), dtype=np.int16), np.zeros(len(low), dtype=np.int16)
        self.names = [SUPPORTED]

    def tighten(self, bound: RowBound) -> None:
        code = self.name(bound.rule)
        at = slice(None) if bound.index is None else bound.index
        if bound.low is not None:
            above = np.asarray(bound.low > self.low[at])
            self.low[at] = np.where(above, bound.low, self.low[at])
            self.low_code[at] = np.where(above, code, self.low_code[at])
        if bound.high is not None:
            below = np.asarray(bound.high < self.high[at])
            self.high[at] = np.where(below, bound.high, self.high[at])
            self.high_code[at] = np.where(below, code, self.high_code[at])

    def name(self, rule: Rule) -> int:
        """Return the number of the rule, new."""
        self.names.append(BELOW_LIST if rule.label == SHOP_WIDE[DISCOUNT_ONLY] else rule.label)
        return len(self.names) - 1

    def rules(self, rows: PricingRows) -> tuple[Texts, Texts]:
        names = np.array(self.names, dtype=object)
        low, high = names[self.low_code], names[self.high_code]
        if BELOW_LIST in self.names:
            unlisted = (self.high_code == self.names.index(BELOW_LIST)) & ~np.isfinite(rows.list_price)
            high[unlisted] = BELOW_CURRENT
        return low, high


def _narrow(ends: _Ends, bound: RowBound, feasible: Mask, points: PricePoints, relaxed: Texts, decimals: int) -> None:
    """Narrow feasible rows by a soft rule, as far as their range and hard ladders let it."""
    code = ends.name(bound.rule)
    index = np.arange(len(feasible)) if bound.index is None else bound.index
    wish_low = _wish(bound.low, -np.inf, len(index), decimals, round_up)
    wish_high = _wish(bound.high, np.inf, len(index), decimals, round_down)
    touched = feasible[index] & ((wish_low > ends.low[index]) | (wish_high < ends.high[index]))
    index, wish_low, wish_high = index[touched], wish_low[touched], wish_high[touched]
    low, high = ends.low[index], ends.high[index]
    new_low, new_high = np.maximum(low, wish_low), np.minimum(high, wish_high)
    mine = points.take(index) if points.rules else None
    fits = (new_low <= new_high) & (mine.fits(new_low, new_high) if mine else True)
    stuck = np.flatnonzero(~fits)
    if stuck.size:
        held = points.take(index[stuck])
        new_low[stuck], new_high[stuck], gives = _nearest(
            held, low[stuck], high[stuck], wish_low[stuck], wish_high[stuck]
        )
        at, label = index[stuck[gives]], bound.rule.label
        relaxed[at] = [f"{old}; {label}" if old else label for old in relaxed[at]]
    ends.low_code[index] = np.where(new_low > low, code, ends.low_code[index])
    ends.high_code[index] = np.where(new_high < high, code, ends.high_code[index])
    ends.low[index], ends.high[index] = new_low, new_high


def _nearest(
    points: PricePoints, low: Floats, high: Floats, wish_low: Floats, wish_high: Floats
) -> tuple[Floats, Floats, Mask]:
    """Range within ``low`` and ``high`` that comes as near to the wish as allowed amounts do, and where that is short.

    Where no amount is allowed at all, the range stays.
    """
    top, _ = points.neighbors(high)
    _, bottom = points.neighbors(low)
    below, _ = points.neighbors(np.clip(wish_low, low, high))
    _, above = points.neighbors(np.clip(wish_high, low, high))
    below, above = np.where(below >= low, below, low), np.where(above <= high, above, high)
    new_low = np.where(wish_low > high, top, np.where(wish_high < low, low, below))
    new_high = np.where(wish_high < low, bottom, np.where(wish_low > high, high, above))
    open_rows = points.fits(low, high)
    return np.where(open_rows, new_low, low), np.where(open_rows, new_high, high), open_rows


def _wish(
    value: Floats | float | None, free: float, n: int, digits: int, rounded: Callable[[Floats, int], Floats]
) -> Floats:
    """Bound (n,) in whole minor units; ``free`` where there is none."""
    if value is None:
        return np.full(n, free)
    amount = rounded(np.asarray(value, dtype=float), digits)
    return np.broadcast_to(np.where(np.isnan(amount), free, amount), (n,))


def _notes(rows: PricingRows, guardrails: Guardrails) -> list[str]:
    """Scopes that name something that no row has."""
    out = []
    for rule in all_rules(guardrails):
        for value in rule.scope.missing(rows):
            out.append(f"{rule.label}: no row has the {rule.scope.by} {value!r}.")
    return out


def _conflict(low: float, high: float, low_rule: str, high_rule: str, digits: int) -> str:
    if low <= high:
        wide = digits + 2
        return f"{low_rule} and {high_rule} leave no chargeable amount between {low:.{wide}f} and {high:.{wide}f}"
    return f"{low_rule} ({low:.{digits}f}) is above {high_rule} ({high:.{digits}f})"
