r"""Limits on sums over rows: stock, capacity, a budget for discounts, least units and conversion.

Each is, per group of rows, :math:`\sum_i w_i\, a_i(p_i)\, \bar P_i(p_i) \le b` with :math:`a = 1` for units sold,
:math:`a = -1` for units that must be sold at least, and :math:`a = \max(l - p, 0)` for money given off the public
price *l*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import Guardrails, Rule
from pricing_core.guardrails.coupled import capacity_limits, horizon_scale
from pricing_core.guardrails.kinds import CAPACITY, DISCOUNT_BUDGET, MIN_CONVERSION, MIN_UNITS
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SUM_KINDS: Final = (CAPACITY, DISCOUNT_BUDGET, MIN_CONVERSION, MIN_UNITS)


@dataclass(frozen=True, eq=False)
class Limit:
    """One rule as a limit per group of rows.

    Attributes
    ----------
    name
        Of the rule.
    sign
        +1 if at most ``bound`` units may be sold, −1 if at least ``−bound`` must be; +1 for discounts.
    discount
        Whether money given off counts, not units.
    code
        (n,) group of each row, −1 outside the rule.
    bound
        (groups,) in occasions of the rows: units or money.
    groups
        Name of each group in words; empty for a limit on the whole scope.
    per
        The rule's own number for one unit of ``bound``: offers of the horizon per occasion of the rows, or one over
        occasions for a rate.
    hard, priority
        Of the rule.
    """

    name: str
    sign: float
    discount: bool
    code: Ints
    bound: Floats
    groups: tuple[str, ...]
    per: float
    hard: bool = True
    priority: int = 100

    def amount(self, price: Floats, public: Floats) -> Floats:
        """What a sale of each row counts, (n,)."""
        if self.discount:
            return np.maximum(public - price, 0.0)
        return np.full(len(price), self.sign)

    def used(self, price: Floats, chance: Floats, weight: Floats, public: Floats) -> Floats:
        """What each group uses of its bound, (groups,)."""
        mine = self.code >= 0
        amount = (weight * self.amount(price, public) * chance)[mine]
        return np.asarray(np.bincount(self.code[mine], amount, len(self.bound)), dtype=float)

    def spread(self, dual: Floats) -> Floats:
        """Duals of groups (groups,) by row (n,), zero outside the rule."""
        return np.where(self.code >= 0, dual[np.maximum(self.code, 0)], 0.0)

    def words(self, group: int, reached: float) -> str:
        """Say which bound cannot be kept, and the smallest relaxation that works."""
        where = f" of {self.groups[group]}" if self.groups else ""
        value, least = self.sign * self.per * self.bound[group], self.sign * self.per * reached
        side = "at most" if self.sign > 0 or self.discount else "at least"
        return (
            f"{self.name}{where}: no allowed prices reach {side} {value:,.4g}; "
            f"{least:,.4g} can be reached, set it there or loosen other rules"
        )


def limits_of(rules: tuple[Rule, ...], rows: PricingRows, guardrails: Guardrails) -> list[Limit]:
    """Rules on sums as limits for the rows.

    Numbers over the horizon are scaled to the occasions that the rows stand for. Capacity without a number is each
    product's stock; products of unknown stock have no limit.
    """
    per = horizon_scale(rows, guardrails)
    found = []
    for rule in rules:
        mask = rule.scope.mask(rows)
        if rule.kind not in SUM_KINDS or not mask.any():
            continue
        value, strict = float(rule.value or 0.0), (rule.hard, rule.priority)
        code = np.where(mask, 0, -1).astype(np.int64)
        if rule.kind == CAPACITY and rule.value is None:
            found.append(_stock(rule, rows, per))
        elif rule.kind == MIN_CONVERSION:
            occasions = float(rows.weight[mask].sum())
            found.append(
                Limit(rule.label, -1.0, False, code, np.array([-value * occasions]), (), 1.0 / occasions, *strict)
            )
        else:
            sign, discount = -1.0 if rule.kind == MIN_UNITS else 1.0, rule.kind == DISCOUNT_BUDGET
            found.append(Limit(rule.label, sign, discount, code, np.array([sign * value / per]), (), per, *strict))
    return [limit for limit in found if len(limit.bound)]


def _stock(rule: Rule, rows: PricingRows, per: float) -> Limit:
    parts = capacity_limits(rule, rows)
    code = np.full(rows.n, -1, dtype=np.int64)
    for k, (_, _, members) in enumerate(parts):
        code[members] = k
    bound = np.array([units for _, units, _ in parts]) / per
    names = tuple(name for name, _, _ in parts)
    return Limit(rule.label, 1.0, False, code, bound, names, per, rule.hard, rule.priority)
