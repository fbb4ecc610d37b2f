"""The rule receipt: what each guardrail costs, which prices it binds, and what one more unit of it would be worth.

The cost of a rule is the predicted objective without it minus the one with it, by the same posterior draws. Prices
that keep all rules also keep all rules but one, so that the optimum without a rule is never below the one with it: of
the two solutions the better one counts as the optimum without it, price by price where a strategy sets each price by
itself, product by product where it sets one per product, and as a whole where rules tie prices together. A rule of
thumb (a markup, the competitor's price) does not maximize anything; a rule that happens to improve on it costs nothing.

Costs of single rules do not add up to the cost of all: where two rules stop the same price, leaving out one of them
changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails import Guardrails, Rule, allowed_range, coupled_rules, without_rule
from pricing_core.guardrails.coupled import TOTALS
from pricing_core.guardrails.kinds import POINT_KINDS
from pricing_core.guardrails.scope import codes_of
from pricing_core.guardrails.selection import all_rules
from pricing_core.optimize.objectives import DEFAULT_OBJECTIVE, Objective, objective_value
from pricing_core.optimize.registry import is_personal
from pricing_core.optimize.settings import PERSONALIZED, PERSONALIZED_DISCOUNT, PRODUCT, StrategySettings
from pricing_core.optimize.strategies import StrategyPrices, price_strategy
from pricing_core.progress import Progress, SilentProgress
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

ALL_RULES: Final = "all rules together"
_BY_ROW: Final = (PERSONALIZED, PERSONALIZED_DISCOUNT)


@dataclass(frozen=True, eq=False)
class Receipt:
    """What one rule costs.

    Attributes
    ----------
    rule
        Its name; :data:`ALL_RULES` for all of them.
    words
        Kind, number and scope.
    cost
        Objective that the rule costs over the rows' occasions, at least 0: money, or purchases if the objective
        counts units.
    dual
        What one more unit of the rule's number would be worth, where the solver knows it; else None.
    rows_bound
        Number of rows whose price would change without the rule.
    bound
        (n,) flag of these rows.
    hard
        Whether the rule is hard.
    """

    rule: str
    words: str
    cost: float
    dual: float | None
    rows_bound: int
    bound: Mask = field(repr=False)
    hard: bool = True


def rule_receipts(
    strategy: str,
    rows: PricingRows,
    guardrails: Guardrails,
    *,
    objective: Objective | None = None,
    settings: StrategySettings | None = None,
    prices: StrategyPrices | None = None,
    progress: Progress | None = None,
) -> tuple[Receipt, ...]:
    """Price without each rule in turn, and compare.

    Parameters
    ----------
    strategy
        Name of the pricing strategy.
    rows
        What is priced.
    guardrails
        The rules.
    objective, settings
        As given to the strategy.
    prices
        What the strategy asks for under all rules, if it is already known.

    Returns
    -------
    One receipt per rule, the dearest first, then one for all rules together; empty without rules.
    """
    rules = all_rules(guardrails)
    if not rules or not rows.n:
        return ()
    chosen, progress = objective or DEFAULT_OBJECTIVE, progress or SilentProgress()
    if prices is None:
        prices = price_strategy(strategy, rows, guardrails, objective=chosen, settings=settings, with_reasons=False)
    case = _Case(strategy, rows, guardrails, chosen, settings, prices)
    found = []
    for k, rule in enumerate(rules):
        progress.stage("Rule receipt", k / (len(rules) + 1), f"Without the {rule.label}")
        found.append(case.receipt(rule))
    found.sort(key=lambda receipt: -receipt.cost)
    progress.stage("Rule receipt", len(rules) / (len(rules) + 1), "Without any rule")
    return (*found, case.total(len(rules)))


def receipts_data(receipts: Sequence[Receipt]) -> pd.DataFrame:
    """Return one row per receipt: ``rule, words, hard, cost, dual, rows_bound, share_bound``; NaN for no dual."""
    return pd.DataFrame(
        {
            "rule": [each.rule for each in receipts],
            "words": [each.words for each in receipts],
            "hard": [each.hard for each in receipts],
            "cost": np.array([each.cost for each in receipts], dtype=float),
            "dual": np.array([np.nan if each.dual is None else each.dual for each in receipts], dtype=float),
            "rows_bound": np.array([each.rows_bound for each in receipts], dtype=np.int64),
            "share_bound": np.array([each.bound.mean() for each in receipts], dtype=float),
        }
    )


def bound_rows_data(rows: PricingRows, prices: StrategyPrices, receipts: Sequence[Receipt]) -> pd.DataFrame:
    """Return the rows that rules bind, one line per row and rule: ``rule, product_id, customer_id, …, new_price``."""
    parts = []
    for receipt in receipts:
        if receipt.rule != ALL_RULES and receipt.rows_bound:
            at = receipt.bound
            parts.append(
                pd.DataFrame(
                    {
                        "rule": receipt.words,
                        "row": np.flatnonzero(at) + 1,
                        "product_id": rows.product_id[at],
                        "customer_id": rows.customer_id[at],
                        "current_price": rows.current_price[at],
                        "new_price": prices.price[at],
                    }
                )
            )
    columns = ["rule", "row", "product_id", "customer_id", "current_price", "new_price"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


class _Case:
    """A strategy under all rules, and its best prices found so far without some of them."""

    def __init__(
        self, strategy: str, rows: PricingRows, guardrails: Guardrails, objective: Objective,
        settings: StrategySettings | None, prices: StrategyPrices,
    ) -> None:  # fmt: skip
        self.strategy, self.rows, self.guardrails = strategy, rows, guardrails
        self.objective, self.settings, self.prices = objective, settings, prices
        self.value = self._value(rows, prices.price)
        self.unit = self._units()
        self.best_price, self.best_value = prices.price.copy(), self.value.copy()

    def receipt(self, rule: Rule) -> Receipt:
        """Compare with the optimum without one rule."""
        without = without_rule(self.guardrails, rule.label)
        price, value = self._optimum(without, self._affected(rule, without))
        self._remember(price, value)
        bound = self._moved(price)
        cost = float((value - self.value).sum())
        return Receipt(
            rule.label, rule.words, cost, self.prices.duals.get(rule.label), int(bound.sum()), bound, rule.hard
        )

    def total(self, rules: int) -> Receipt:
        """Compare with the optimum without any rule; the best prices found on the way count as well."""
        free = self.guardrails.with_changes(
            margin_floor=None, price_floor=None, price_ceiling=None, max_change_rate=None, discount_only=False,
            endings=None, rules=(),
        )  # fmt: skip
        self._remember(*self._optimum(free, np.ones(self.rows.n, dtype=bool)))
        bound = self._moved(self.best_price)
        cost = float((self.best_value - self.value).sum())
        words = "the one rule" if rules == 1 else f"all {rules} rules together"
        return Receipt(ALL_RULES, words, cost, None, int(bound.sum()), bound)

    def _units(self) -> Ints:
        """Code (n,) of what is priced by itself."""
        n = self.rows.n
        if coupled_rules(self.guardrails) or not (is_personal(self.strategy) or self.strategy == PRODUCT):
            return np.zeros(n, dtype=np.int64)
        if self.strategy == PRODUCT:
            return codes_of(self.rows.product_id)[0]
        return np.arange(n) if self.strategy in _BY_ROW else np.zeros(n, dtype=np.int64)

    def _affected(self, rule: Rule, without: Guardrails) -> Mask:
        """Rows whose allowed prices a rule changes; all of them where prices depend on each other."""
        if rule.coupled:
            idle = rule.kind in TOTALS and self.prices.duals.get(rule.label) == 0.0
            return np.full(self.rows.n, not idle)
        if rule.kind in POINT_KINDS:
            mask = rule.scope.mask(self.rows)
        else:
            ends = [allowed_range(self.rows, rules, self.strategy) for rules in (self.guardrails, without)]
            same = (ends[0].low == ends[1].low) & (ends[0].high == ends[1].high)
            mask = np.asarray(~(same & (ends[0].feasible == ends[1].feasible)))
        return mask if self.unit.any() else np.full(self.rows.n, bool(mask.any()))

    def _optimum(self, guardrails: Guardrails, affected: Mask) -> tuple[Floats, Floats]:
        """Prices and values (n,) without some rules: of what the strategy asks for then and now, the better by unit."""
        units = int(self.unit.max()) + 1
        touched = np.zeros(units, dtype=bool)
        touched[self.unit[affected]] = True
        index = np.flatnonzero(touched[self.unit])
        price, value = self.prices.price.copy(), self.value.copy()
        if not index.size:
            return price, value
        part = self.rows.take(index)
        asked = price_strategy(
            self.strategy, part, guardrails, objective=self.objective, settings=self.settings, with_reasons=False
        )
        new = self._value(part, asked.price)
        code = self.unit[index]
        better = np.bincount(code, new - value[index], units) > 0
        chosen = index[better[code]]
        price[chosen], value[chosen] = asked.price[better[code]], new[better[code]]
        return price, value

    def _remember(self, price: Floats, value: Floats) -> None:
        units = int(self.unit.max()) + 1
        better = (np.bincount(self.unit, value - self.best_value, units) > 0)[self.unit]
        self.best_price, self.best_value = (
            np.where(better, price, self.best_price),
            np.where(better, value, self.best_value),
        )

    def _moved(self, price: Floats) -> Mask:
        half = 0.5 * 10.0**-self.guardrails.decimals
        return np.asarray(np.abs(price - self.prices.price) > half)

    def _value(self, rows: PricingRows, price: Floats) -> Floats:
        return np.asarray(rows.sales_weight * objective_value(rows.response, price, rows.unit_cost, self.objective))
