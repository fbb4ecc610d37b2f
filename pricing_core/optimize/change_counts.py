"""Contradictions of rules that count changed prices: with each other, with allowed ranges, and with totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import Rule
from pricing_core.guardrails.coupled import capacity_limits, horizon_scale, public_price
from pricing_core.guardrails.kinds import (
    CAPACITY,
    DISCOUNT_BUDGET,
    MAX_CHANGES,
    MIN_CHANGES,
    MIN_CONVERSION,
    MIN_UNITS,
)
from pricing_core.guardrails.scope import codes_of
from pricing_core.optimize.relaxing import leaving_out

if TYPE_CHECKING:
    from pricing_core.optimize.infeasible import Conflict
    from pricing_core.optimize.infeasible_coupled import Ends

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_TOTALS: Final = (MIN_UNITS, MIN_CONVERSION, DISCOUNT_BUDGET, CAPACITY)


def change_conflicts(ends: Ends, rules: Sequence[Rule]) -> list[Conflict]:
    """Find contradictions that speak of the number of changed prices."""
    counts = [rule for rule in rules if rule.kind in (MIN_CHANGES, MAX_CHANGES)]
    found, sound = [], []
    for rule in counts:
        conflict = _too_few(ends, rule) if rule.kind == MIN_CHANGES else _too_many(ends, rule)
        if conflict is None:
            sound.append(rule)
        else:
            found.append(conflict)
    least = [rule for rule in sound if rule.kind == MIN_CHANGES]
    most = [rule for rule in sound if rule.kind == MAX_CHANGES]
    found += [each for low in least for high in most if (each := _crossed(ends, low, high)) is not None]
    totals = [rule for rule in rules if rule.kind in _TOTALS]
    return found + [each for high in most for total in totals if (each := _with_total(ends, high, total)) is not None]


@dataclass(frozen=True, eq=False)
class _Units:
    """What a rule counts: the unit (product or row) of each row of its scope, which can change, and which must."""

    index: Ints
    code: Ints
    can: Mask
    must: Mask

    @property
    def count(self) -> int:
        """Number of units."""
        return len(self.can)


def _units_of(ends: Ends, rule: Rule) -> _Units:
    rows, reach = ends.rows, ends.reach
    index = np.flatnonzero(rule.scope.mask(rows))
    code = np.arange(len(index)) if rule.level == "row" else codes_of(rows.product_id[index])[0]
    half = 0.5 * 10.0**-ends.guardrails.decimals * (1 - 1e-9)
    current, low, high = rows.current_price[index], reach.low[index], reach.high[index]
    count = int(code.max(initial=-1)) + 1
    can, must = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    can[code[(current - low >= half) | (high - current >= half)]] = True
    must[code[(low - current >= half) | (current - high >= half)]] = True
    return _Units(index, code, can, must)


def _noun(rule: Rule, number: float) -> str:
    noun = "product" if rule.level == "product" else "row"
    return f"{number:,.0f} {noun}" + ("" if number == 1 else "s")


def _too_few(ends: Ends, rule: Rule) -> Conflict | None:
    units = _units_of(ends, rule)
    able = int(units.can.sum())
    if able >= float(rule.value or 0.0):
        return None
    text = f"{rule.words}: only {_noun(rule, able)} can change at all"
    return ends.conflict([rule], text, [ends.to(rule, able)], units.index)


def _too_many(ends: Ends, rule: Rule) -> Conflict | None:
    units = _units_of(ends, rule)
    forced = int(units.must.sum())
    if forced <= float(rule.value or 0.0):
        return None
    verb = "has" if forced == 1 else "have"
    text = (
        f"{rule.words}: {_noun(rule, forced)} {verb} to change, as today's price breaks other rules or is not supported"
    )
    return ends.conflict([rule], text, [ends.to(rule, forced)], units.index[units.must[units.code]])


def _crossed(ends: Ends, least: Rule, most: Rule) -> Conflict | None:
    """Find out whether more changes are wanted than allowed; counts of products and rows compare where they can."""
    small, large = least.scope.mask(ends.rows), most.scope.mask(ends.rows)
    if (small & ~large).any() or (least.level == "row" and most.level == "product"):
        return None
    low, high = float(least.value or 0.0), float(most.value or 0.0)
    if low <= high:
        return None
    text = f"{least.words} and {most.words} contradict each other"
    return ends.conflict([least, most], text, [ends.to(least, high), ends.to(most, low)], np.flatnonzero(large))


def _with_total(ends: Ends, most: Rule, total: Rule) -> Conflict | None:
    """Find out whether a total needs more changed prices than allowed: the forced ones, then the best."""
    if total.kind == CAPACITY and total.value is None:
        return None
    units = _units_of(ends, most)
    best, now, wanted = _contributions(ends, total)
    fixed = best.copy()
    fixed[units.index] = 0.0
    gain = np.bincount(units.code, (best - now)[units.index], units.count)
    reached = float(fixed.sum() + now[units.index].sum() + gain[units.must].sum())
    spare = np.sort(gain[units.can & ~units.must])[::-1]
    path = reached + np.concatenate([[0.0], np.cumsum(np.maximum(spare, 0.0))])
    forced, allowed = int(units.must.sum()), int(most.value or 0)
    able = float(path[min(max(allowed - forced, 0), len(spare))])
    if able >= wanted - 1e-9 * max(abs(wanted), 1.0):
        return None
    enough = np.flatnonzero(path >= wanted - 1e-9 * max(abs(wanted), 1.0))
    changes = [ends.to(most, float(forced + enough[0]))] if enough.size else []
    changes.append(ends.to(total, _number(ends, total, able)))
    text = f"{most.words} and {total.words} contradict each other"
    return ends.conflict([most, total], text, changes or [leaving_out(most)], units.index)


def _contributions(ends: Ends, total: Rule) -> tuple[Floats, Floats, float]:
    """What each row (n,) adds at its best end and at today's price, and the sum that is needed; more is better."""
    rows = ends.rows
    inside = total.scope.mask(rows)
    chance = rows.response.probability(rows.current_price) * horizon_scale(rows, ends.guardrails) * rows.weight
    if total.kind == DISCOUNT_BUDGET:
        today = chance * np.maximum(public_price(rows) - rows.current_price, 0.0)
        return -ends.least_discount * inside, -today * inside, -float(total.value or 0.0)
    if total.kind == CAPACITY:
        [(_, limit, _)] = capacity_limits(total, rows)
        return -ends.least_units * inside, -chance * inside, -limit
    wanted = float(total.value or 0.0)
    if total.kind == MIN_CONVERSION:
        wanted *= float(rows.weight[inside].sum()) * horizon_scale(rows, ends.guardrails)
    return ends.most_units * inside, chance * inside, wanted


def _number(ends: Ends, total: Rule, able: float) -> float:
    """Sum that can be reached, as the rule's own number."""
    if total.kind == MIN_CONVERSION:
        inside = total.scope.mask(ends.rows)
        return able / (float(ends.rows.weight[inside].sum()) * horizon_scale(ends.rows, ends.guardrails))
    return abs(able) if total.kind in (DISCOUNT_BUDGET, CAPACITY) else able
