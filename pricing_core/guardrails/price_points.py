"""Which amounts ladders and endings allow each row to charge, and where the nearest ones are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.guardrails.point_sets import PointSet
from pricing_core.guardrails.rule import Rule
from pricing_core.guardrails.rules import Guardrails
from pricing_core.guardrails.selection import point_rules
from pricing_core.response import PricingRows

if TYPE_CHECKING:
    from pricing_core.guardrails.allowed_range import AllowedRange

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]

_SLACK: Final = 1e-6  # minor units
_MOST_POINTS: Final = 200_000


@dataclass(frozen=True, eq=False)
class PricePoints:
    """Amounts that each of *n* rows may charge: all of them in whole minor units, those of its ladders and endings.

    Attributes
    ----------
    rules
        (k,) ladders and endings, hard ones first, then soft ones by priority.
    applies
        (k, n) flag: the rule holds for the row.
    decimals
        Digits after the decimal point.
    relaxed
        (n,) text: soft rules that gave way; empty where none did.
    rounding
        Direction where no rule sets one: ``nearest`` or ``down``.
    """

    rules: tuple[Rule, ...]
    applies: Mask
    decimals: int
    relaxed: Texts
    rounding: str = "nearest"

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.applies.shape[1])

    @cached_property
    def restricted(self) -> Mask:
        """(n,) flag: some ladder or ending holds for the row."""
        return np.asarray(self.applies.any(axis=0))

    def take(self, rows: Ints | Mask) -> PricePoints:
        """Rows by index or mask."""
        return replace(self, applies=self.applies[:, rows], relaxed=self.relaxed[rows])

    def hard(self) -> PricePoints:
        """Only the hard ladders and endings."""
        kept = [k for k, rule in enumerate(self.rules) if rule.hard]
        return replace(self, rules=tuple(self.rules[k] for k in kept), applies=self.applies[kept])

    def by_group(self, code: Ints, groups: int) -> PricePoints:
        """Points that suit every row of a group, (groups,): the rules of all of them hold. ``code`` (n,) from 0."""
        applies = np.zeros((len(self.rules), groups), dtype=bool)
        for own, rule in zip(applies, self.applies, strict=True):
            own[code[rule]] = True
        relaxed = np.full(groups, "", dtype=object)
        given_up = self.relaxed != ""
        relaxed[code[given_up]] = self.relaxed[given_up]
        return replace(self, applies=applies, relaxed=relaxed)

    def neighbors(self, price: Floats) -> tuple[Floats, Floats]:
        """Nearest allowed amounts at or below, and at or above, each price (n,).

        ``below`` is NaN where no allowed amount above zero is at or below; ``above`` is NaN where none is at or above.
        """
        unit = 10.0**self.decimals
        minor = np.asarray(price, dtype=float) * unit
        below, above = np.floor(minor + _SLACK), np.ceil(minor - _SLACK)
        for members, allowed in self._patterns:
            below[members] = allowed.below(below[members])
            above[members] = allowed.above(above[members])
        below = np.where(below >= 1, below, np.nan)
        return np.asarray(below / unit), np.asarray(above / unit)

    def direction(self, price: Floats) -> Ints:
        """Rounding direction of each price (n,): −1 down, +1 up, 0 to the more profitable neighbor.

        Of several rules for a row, the first that sets a direction for this price decides.
        """
        minor = np.asarray(price, dtype=float) * 10.0**self.decimals
        out = np.full(self.n, -1 if self.rounding == "down" else 0, dtype=np.int64)
        open_rows = np.ones(self.n, dtype=bool)
        for rule, holds in zip(self._sets, self.applies, strict=True):
            members = np.flatnonzero(holds & open_rows)
            found = rule.direction(minor[members])
            members, found = members[found != 0], found[found != 0]
            out[members] = found
            open_rows[members] = False
        return out

    def between(self, low: float, high: float, row: int = 0) -> Floats:
        """All allowed amounts of one row from ``low`` to ``high``, ascending.

        Raises
        ------
        ConfigError
            If there are more than 200,000.
        """
        unit = 10.0**self.decimals
        start, stop = int(np.ceil(low * unit - _SLACK)), int(np.floor(high * unit + _SLACK))
        if stop - start > _MOST_POINTS:
            raise ConfigError(
                f"There are {stop - start + 1:,} amounts between {low:g} and {high:g}.", fix="Narrow the range."
            )
        amounts = np.arange(max(start, 1), stop + 1, dtype=float)
        for k, each in enumerate(self._sets):
            if self.applies[k, row]:
                amounts = amounts[each.contains(amounts)]
        return np.asarray(amounts / unit)

    def fits(self, low: Floats, high: Floats) -> Mask:
        """(n,) flag: some allowed amount lies from ``low`` to ``high``."""
        unit = 10.0**self.decimals
        above = np.ceil(np.asarray(low, dtype=float) * unit - _SLACK)
        for members, allowed in self._patterns:
            above[members] = allowed.above(above[members])
        above /= unit
        return np.asarray(above <= np.asarray(high) + 1e-9)

    def giving_way(self, low: Floats, high: Floats) -> PricePoints:
        """Drop soft rules, the least important first, where no allowed amount lies from ``low`` to ``high``, (n,)."""
        applies, relaxed = self.applies.copy(), self.relaxed.copy()
        for k in reversed(range(len(self.rules))):
            if self.rules[k].hard:
                break
            stuck = np.flatnonzero(applies[k] & ~replace(self, applies=applies).fits(low, high))
            applies[k, stuck] = False
            label = self.rules[k].label
            relaxed[stuck] = [f"{old}; {label}" if old else label for old in relaxed[stuck]]
        return replace(self, applies=applies, relaxed=relaxed)

    @cached_property
    def _sets(self) -> tuple[PointSet, ...]:
        return tuple(PointSet.of(rule.ranges, self.decimals) for rule in self.rules)

    @cached_property
    def _patterns(self) -> list[tuple[Ints, PointSet]]:
        """Rows by which rules hold for them, with the amounts that these allow; rows without any are left out."""
        if not self.rules or not self.n:
            return []
        powers = 2 ** np.arange(len(self.rules), dtype=np.int64)
        pattern = powers @ self.applies.astype(np.int64)
        out = []
        for value in np.unique(pattern[pattern > 0]):
            sets = [each for each, power in zip(self._sets, powers, strict=True) if value & power]
            out.append((np.flatnonzero(pattern == value), PointSet.common(sets)))
        return out


def price_points(rows: PricingRows, guardrails: Guardrails, bounds: AllowedRange | None = None) -> PricePoints:
    """Amounts that ladders and endings allow.

    Parameters
    ----------
    rows
        What is to be priced.
    guardrails
        The rules.
    bounds
        Range of each row. If given, soft ladders and endings that leave no amount in a row's range give way there, the
        least important first.
    """
    rules = point_rules(guardrails)
    applies = np.zeros((len(rules), rows.n), dtype=bool)
    for own, rule in zip(applies, rules, strict=True):
        own[:] = rule.scope.mask(rows)
    points = PricePoints(rules, applies, guardrails.decimals, np.full(rows.n, "", dtype=object), guardrails.rounding)
    if bounds is None or all(rule.hard for rule in rules):
        return points
    return points.giving_way(bounds.low, bounds.high)
