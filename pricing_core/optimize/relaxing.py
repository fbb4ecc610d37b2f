"""The smallest step back of one rule after which prices are possible again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import Guardrails, Rule, with_rule, without_rule
from pricing_core.guardrails.kinds import COMPETITOR_BAND, MARGIN_FLOOR, MIN_CONVERSION, PRICE_ORDER
from pricing_core.guardrails.ranges import plain
from pricing_core.guardrails.selection import all_rules

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_RATE_STEP: Final = 0.001
_FINE_RATE_STEP: Final = 0.0001
_LOWEST_MARGIN: Final = -9.0
_MOST_DOUBLINGS: Final = 48


@dataclass(frozen=True)
class Change:
    """One change of one rule.

    Attributes
    ----------
    rule
        Name of the rule.
    field
        Which of its numbers changes; empty: the rule is left out.
    value
        The new number; None if the rule is left out.
    words
        What to do, as in ``lowering the margin floor to 31.2%``.
    """

    rule: str
    field: str
    value: float | None
    words: str

    def apply(self, guardrails: Guardrails) -> Guardrails:
        """Return the guardrails with the change made.

        Raises
        ------
        ConfigError
            If there is no rule of this name.
        """
        if not self.field:
            return without_rule(guardrails, self.rule)
        return with_rule(guardrails, self.rule, **{self.field: self.value})


@dataclass(frozen=True)
class Relaxation:
    """Changes of rules that together are enough; usually one."""

    changes: tuple[Change, ...]

    @property
    def words(self) -> str:
        """What to do."""
        return " together with ".join(change.words for change in self.changes)

    def apply(self, guardrails: Guardrails) -> Guardrails:
        """Return the guardrails with all changes made.

        Raises
        ------
        ConfigError
            If there is no rule of a name.
        """
        for change in self.changes:
            guardrails = change.apply(guardrails)
        return guardrails


def rule_called(guardrails: Guardrails, name: str) -> Rule | None:
    """Return the rule of a name; None if there is none (supported prices, or a strategy's own discount rule)."""
    return next((rule for rule in all_rules(guardrails) if rule.label == name), None)


def leaving_out(rule: Rule) -> Change:
    """Return the change that drops a rule."""
    return Change(rule.label, "", None, f"leaving out “{_name(rule)}”")


def moved_to(rule: Rule, value: float, decimals: int, *, field: str = "value") -> Change:
    """Return the change that gives a rule another number, rounded to the side that is more permissive."""
    loosen = _direction(rule, field)
    step = step_of(rule, decimals)
    grid = np.ceil(value / step - 1e-7) if loosen > 0 else np.floor(value / step + 1e-7)
    return _change(rule, field, float(np.round(grid * step, 10)), decimals)


def smallest_change(
    guardrails: Guardrails, rule: Rule, field: str, rows: Ints, fits: Callable[[Guardrails, Ints], Mask]
) -> Change | None:
    """Find the smallest change of a rule's number after which all given rows have a price.

    Parameters
    ----------
    field
        Which number: ``value``, or ``low_rate`` and ``high_rate`` of a competitor band; empty to leave the rule out.
    rows
        Indices of the rows.
    fits
        Guardrails, row indices → flag of the rows that have a price.

    Returns
    -------
    The change, on a grid of 0.1 percentage points or one minor unit; None if even without the rule some row has
    no price.
    """
    if not fits(without_rule(guardrails, rule.label), rows).all():
        return None
    if not field:
        return leaving_out(rule)
    loosen, step = _direction(rule, field), step_of(rule, guardrails.decimals)
    start = float(getattr(rule, field))
    first = np.floor(start / step + 1e-7) + 1 if loosen > 0 else np.ceil(start / step - 1e-7) - 1

    def value_at(moves: int) -> float:
        return float(np.round((first + loosen * (moves - 1)) * step, 10))

    def stuck(moves: int, among: Ints) -> Ints:
        changed = with_rule(guardrails, rule.label, **{field: value_at(moves)})
        return among[~fits(changed, among)]

    low, high, among = 0, 1, rows
    limit = _limit(rule, field)
    for _ in range(_MOST_DOUBLINGS):
        if loosen < 0 and value_at(high) < limit:
            high = round(first - limit / step) + 1
            if high <= low:
                return leaving_out(rule)
        left = stuck(high, among)
        if not left.size:
            break
        if loosen < 0 and value_at(high) <= limit + step / 2:
            return leaving_out(rule)
        low, high, among = high, 2 * high, left
    while high - low > 1:
        middle = (low + high) // 2
        left = stuck(middle, among)
        if left.size:
            low, among = middle, left
        else:
            high = middle
    return _change(rule, field, value_at(high), guardrails.decimals)


def step_of(rule: Rule, decimals: int) -> float:
    """Grid on which a rule's number is relaxed."""
    if rule.kind == MIN_CONVERSION:
        return _FINE_RATE_STEP
    if rule.about.unit == "rate" or rule.kind == COMPETITOR_BAND:
        return _RATE_STEP
    if rule.about.unit == "money":
        return float(10.0**-decimals)
    return 1.0 if rule.about.unit == "count" else 0.01


def _direction(rule: Rule, field: str) -> int:
    return {"low_rate": -1, "high_rate": 1}.get(field, rule.about.loosen)


def _limit(rule: Rule, field: str) -> float:
    return _LOWEST_MARGIN if rule.kind == MARGIN_FLOOR else 0.0


def _change(rule: Rule, field: str, value: float, decimals: int) -> Change:
    verb = "raising" if _direction(rule, field) > 0 else "lowering"
    end = {"low_rate": "the lower end of ", "high_rate": "the upper end of "}.get(field, "")
    end = "the gap of " if rule.kind == PRICE_ORDER else end
    number = number_words(rule, value, decimals)
    return Change(rule.label, field, value, f"{verb} {end}the {_name(rule)} to {number}")


def number_words(rule: Rule, value: float, decimals: int) -> str:
    """Write a rule's number with its unit: ``31.2%``, ``11.49``, ``12``."""
    if rule.about.unit == "rate" or rule.kind == COMPETITOR_BAND:
        return f"{100 * value:.10g}%"
    if rule.about.unit == "money":
        return f"{value:,.{decimals}f}"
    return plain(value)


def _name(rule: Rule) -> str:
    """Kind and scope of the rule, without its number."""
    where = f" for {rule.scope.words}" if rule.scope.words else ""
    return rule.name if rule.name and rule.name != rule.about.words else f"{rule.about.words}{where}"
