"""Contradictions between rules that tie rows together, from what the lowest and the highest prices left would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import AllowedRange, Guardrails, Rule, coupled_rules
from pricing_core.guardrails.coupled import capacity_limits, horizon_scale, price_levels, public_price
from pricing_core.guardrails.kinds import (
    CAPACITY,
    DISCOUNT_BUDGET,
    EQUAL_PRICE,
    MAX_DISPERSION,
    MIN_CONVERSION,
    MIN_UNITS,
    PARITY,
)
from pricing_core.optimize.change_counts import change_conflicts
from pricing_core.optimize.infeasible import Conflict, relaxation_words
from pricing_core.optimize.reach import Clash, Reach, reach
from pricing_core.optimize.relaxing import Change, Relaxation, leaving_out, moved_to, number_words
from pricing_core.optimize.units_and_budget import units_budget_conflict
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SLACK: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Ends:
    """The rows, their rules, and what the lowest and the highest prices left would do."""

    rows: PricingRows
    guardrails: Guardrails
    reach: Reach

    @cached_property
    def most_units(self) -> Floats:
        """Expected units (n,) over the horizon at the lowest prices."""
        return self._units(self.reach.low)

    @cached_property
    def least_units(self) -> Floats:
        """Expected units (n,) over the horizon at the highest prices."""
        return self._units(self.reach.high)

    @cached_property
    def least_discount(self) -> Floats:
        """Expected cost (n,) of discounts over the horizon at the highest prices: it falls as the price rises."""
        return self.least_units * np.maximum(public_price(self.rows) - self.reach.high, 0.0)

    def _units(self, price: Floats) -> Floats:
        scale = horizon_scale(self.rows, self.guardrails)
        return np.asarray(self.rows.weight * self.rows.response.probability(price) * scale)

    def conflict(self, rules: Sequence[Rule], text: str, changes: Sequence[Change], index: Ints) -> Conflict:
        """Contradiction in words: what is wrong, then what is enough."""
        relaxations = [Relaxation((change,)) for change in changes]
        products = tuple(dict.fromkeys(str(name) for name in self.rows.product_id[index]))
        return Conflict(
            tuple(rule.label for rule in rules), f"{text}: {relaxation_words(relaxations)}.", tuple(relaxations), index,
            products, holds_rows=False,
        )  # fmt: skip

    def words(self, rule: Rule, value: float) -> str:
        """Write a number of a rule with its unit."""
        return number_words(rule, value, self.guardrails.decimals)

    def to(self, rule: Rule, value: float) -> Change:
        """Return the change of a rule to another number."""
        return moved_to(rule, value, self.guardrails.decimals)


def coupled_conflicts(rows: PricingRows, guardrails: Guardrails, strategy: str, bounds: AllowedRange) -> list[Conflict]:
    """Find contradictions between coupled rules, and between them and the allowed ranges.

    Every test is a necessary condition: what is reported cannot be kept by any prices. Combinations of three and more
    rules that only fail together are left to the solver.
    """
    rules = coupled_rules(guardrails)
    if not rules or not rows.n:
        return []
    ends = Ends(rows, guardrails, reach(rows, guardrails, bounds))
    found = [_clash(ends, clash) for clash in ends.reach.clashes]
    failing: set[str] = set()
    for rule in rules:
        if rule.kind in _SINGLE and (conflict := _SINGLE[rule.kind](ends, rule)) is not None:
            found.append(conflict)
            failing.add(rule.label)
    sound = [rule for rule in rules if rule.label not in failing]
    for rule in sound:
        for other in sound if rule.kind in (MIN_UNITS, MIN_CONVERSION) else ():
            pair = _units_capacity(ends, rule, other) or units_budget_conflict(ends, rule, other)
            found += [pair] if pair is not None else []
    return found + change_conflicts(ends, sound)


def _clash(ends: Ends, clash: Clash) -> Conflict:
    rule, rows = clash.rule, ends.rows
    products = len(set(rows.product_id[clash.rows].tolist()))
    where = f"{products:,} product{'' if products == 1 else 's'}"
    if rule.kind == EQUAL_PRICE:
        text = f"{rule.words}: other rules and the supported prices leave no common price in groups with {where}"
    elif rule.kind == MAX_DISPERSION:
        spread = f"{100 * clash.needed:.1f}%"
        text = f"{rule.words}: other rules and the supported prices force a spread of {spread} in {where}"
    else:
        text = f"{rule.words}: other rules and the supported prices force another order"
    helped = np.isfinite(clash.needed) and rule.kind != EQUAL_PRICE
    change = ends.to(rule, clash.needed) if helped else leaving_out(rule)
    return ends.conflict([rule], text, [change], clash.rows)


def _units(ends: Ends, rule: Rule) -> Conflict | None:
    inside = np.flatnonzero(rule.scope.mask(ends.rows))
    most, wanted = float(ends.most_units[inside].sum()), float(rule.value or 0.0)
    if most >= wanted * (1 - _SLACK):
        return None
    text = f"{rule.words}: even the lowest allowed prices sell only {ends.words(rule, _down(most))}"
    return ends.conflict([rule], text, [ends.to(rule, most)], inside)


def _conversion(ends: Ends, rule: Rule) -> Conflict | None:
    inside = np.flatnonzero(rule.scope.mask(ends.rows))
    if not inside.size:
        return None
    weight = float(ends.rows.weight[inside].sum()) * horizon_scale(ends.rows, ends.guardrails)
    most = float(ends.most_units[inside].sum()) / weight
    if most >= float(rule.value or 0.0) * (1 - _SLACK):
        return None
    text = f"{rule.words}: even the lowest allowed prices convert only {ends.words(rule, _down(most, 4))}"
    return ends.conflict([rule], text, [ends.to(rule, most)], inside)


def _budget(ends: Ends, rule: Rule) -> Conflict | None:
    inside = np.flatnonzero(rule.scope.mask(ends.rows))
    least, allowed = float(ends.least_discount[inside].sum()), float(rule.value or 0.0)
    if least <= allowed * (1 + _SLACK) + _SLACK:
        return None
    change = ends.to(rule, least)
    text = f"{rule.words}: even the highest allowed prices give away {ends.words(rule, change.value or 0.0)}"
    return ends.conflict([rule], text, [change], inside)


def _capacity(ends: Ends, rule: Rule) -> Conflict | None:
    over = [
        (part, limit, least, index)
        for part, limit, index in capacity_limits(rule, ends.rows)
        if (least := float(ends.least_units[index].sum())) > limit * (1 + _SLACK) + _SLACK
    ]
    if not over:
        return None
    rows = np.concatenate([index for *_, index in over])
    part, limit, least, _ = max(over, key=lambda each: each[2] - each[1])
    if rule.value is None:
        others = f", and likewise {len(over) - 1:,} more products" if len(over) > 1 else ""
        text = (
            f"{rule.words}: even at its highest allowed prices {part} sells {least:,.1f} units, while {limit:,.1f} are "
            f"in stock{others}"
        )
        return ends.conflict([rule], text, [leaving_out(rule)], rows)
    change = ends.to(rule, least)
    text = f"{rule.words}: even the highest allowed prices sell {ends.words(rule, change.value or 0.0)}"
    return ends.conflict([rule], text, [change], rows)


def _parity(ends: Ends, rule: Rule) -> Conflict | None:
    least, names, code = price_levels(rule, ends.rows, ends.reach.low)
    most, _, _ = price_levels(rule, ends.rows, ends.reach.high)
    if np.isfinite(least).sum() < 2:
        return None
    dear, cheap = int(np.nanargmax(least)), int(np.nanargmin(most))
    spread = float(least[dear] / most[cheap] - 1)
    if spread <= float(rule.value or 0.0) * (1 + _SLACK) + _SLACK:
        return None
    text = (
        f"{rule.words}: other rules and the supported prices force the price level of {names[dear]} at least "
        f"{100 * spread:.1f}% above that of {names[cheap]}"
    )
    return ends.conflict([rule], text, [ends.to(rule, spread)], np.flatnonzero((code == dear) | (code == cheap)))


def _units_capacity(ends: Ends, wish: Rule, cap: Rule) -> Conflict | None:
    """Find out whether a capacity is below the units wanted of what it limits."""
    if cap.kind != CAPACITY or wish.kind != MIN_UNITS:
        return None
    inside = wish.scope.mask(ends.rows)
    free, most, lost = inside.copy(), 0.0, 0.0
    for _, limit, index in capacity_limits(cap, ends.rows):
        mine, outside = index[inside[index]], index[~inside[index]]
        free[mine] = False
        able = float(ends.most_units[mine].sum())
        most += min(able, max(limit - float(ends.least_units[outside].sum()), 0.0))
        lost = max(lost, able - limit)
    most += float(ends.most_units[free].sum())
    wanted = float(wish.value or 0.0)
    if most >= wanted * (1 - _SLACK):
        return None
    changes = [ends.to(wish, most)]
    if cap.value is not None:
        changes.append(ends.to(cap, cap.value + wanted - most))
    text = f"{wish.words} and {cap.words} contradict each other: at most {ends.words(wish, _down(most))} can be sold"
    return ends.conflict([wish, cap], text, changes, np.flatnonzero(inside))


def _down(value: float, digits: int = 2) -> float:
    scale = 10.0**digits
    return float(np.floor(value * scale + 1e-7) / scale)


_SINGLE: Final[dict[str, Callable[[Ends, Rule], Conflict | None]]] = {
    MIN_UNITS: _units,
    MIN_CONVERSION: _conversion,
    DISCOUNT_BUDGET: _budget,
    CAPACITY: _capacity,
    PARITY: _parity,
}
