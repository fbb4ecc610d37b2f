"""Prices under rules that tie rows together, with duals, what moved, and how far from the best they may be.

Row by row: one dual per limit on a sum (:mod:`~pricing_core.optimize.duals`), windows for equal prices, spreads,
orders and parity (:mod:`~pricing_core.optimize.windows`), the best changes first where their number is limited.
One price per product: a price ladder (:mod:`~pricing_core.optimize.ladder`). Soft rules that contradict more important
ones give way, the least important first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.guardrails import AllowedRange, Guardrails, coupled_rules
from pricing_core.guardrails.coupled import Measure, measures
from pricing_core.guardrails.kinds import KINDS
from pricing_core.guardrails.rule import Rule
from pricing_core.optimize.objectives import DEFAULT_OBJECTIVE, Objective
from pricing_core.response import PriceResponse, PricingRows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEVELS: Final = ("row", "product")


@dataclass(frozen=True, eq=False)
class CoupledSolution:
    """Prices that keep the rules.

    Attributes
    ----------
    price
        (n,) money, chargeable wherever ``fits``.
    duals
        Rule → what one more unit of it would be worth: money per unit sold, per money of discount, or per change. Of
        a rule for many products the largest.
    gap_rate
        Proven: no prices within the rules reach a larger objective by more than this share. With rules whose cost the
        bound leaves out (a note says so) it contains that cost.
    moved
        (n,) flag: the price is not the one without these rules.
    notes, infeasible
        Sentences: what the user should know; which rules cannot be kept, and the smallest relaxation that works.
    fits
        (n,) flag: a chargeable price was found.
    """

    price: Floats
    duals: dict[str, float]
    gap_rate: float
    moved: Mask
    notes: tuple[str, ...] = ()
    infeasible: tuple[str, ...] = ()
    fits: Mask = field(default_factory=lambda: np.empty(0, dtype=bool))


@dataclass(frozen=True, eq=False)
class CoupledTask:
    """What is to be solved: rows with their ranges (held rows stay at today's price), and the rules that count."""

    rows: PricingRows
    response: PriceResponse
    guardrails: Guardrails
    bounds: AllowedRange
    start: Floats
    objective: Objective
    rules: tuple[Rule, ...]
    learn: Mask | None = None

    @property
    def open(self) -> Mask:
        """(n,) flag: rows that have an allowed price."""
        return self.bounds.feasible

    @property
    def low(self) -> Floats:
        """Lower end of each row's range, (n,); today's price where held."""
        return np.where(self.open, self.bounds.low, self.rows.current_price)

    @property
    def high(self) -> Floats:
        """Upper end of each row's range, (n,); today's price where held."""
        return np.where(self.open, self.bounds.high, self.rows.current_price)


def solve_coupled(
    rows: PricingRows,
    response: PriceResponse,
    guardrails: Guardrails,
    bounds: AllowedRange,
    price: Floats,
    *,
    objective: Objective = DEFAULT_OBJECTIVE,
    level: str = "row",
    learn: Mask | None = None,
) -> CoupledSolution:
    """Prices that keep the coupled rules at the least cost of the objective.

    Parameters
    ----------
    rows, response, guardrails
        What is to be priced, the draws to use, and the rules.
    bounds
        Range of each row; rows that are not ``feasible`` stay at today's price and count with it.
    price
        (n,) best prices without these rules.
    level
        ``row``: each row has a price. ``product``: all rows of a product have one.
    learn
        (n,) flag: rows whose objective counts for prices of products (all rows of a product without any). Limits
        count every row.

    Raises
    ------
    ConfigError
        If there is no such level.
    """
    if level not in LEVELS:
        raise ConfigError(f"The level is {level!r}.", fix="It must be row or product.")
    rules = coupled_rules(guardrails)
    start = np.where(bounds.feasible, price, rows.current_price)
    if not rules or not bounds.feasible.any():
        still = np.zeros(rows.n, dtype=bool)
        return CoupledSolution(start, {}, 0.0, still, fits=np.ones(rows.n, dtype=bool))
    gave_way: list[str] = []
    while True:
        task = CoupledTask(rows, response, guardrails, bounds, start, objective, rules, learn)
        found = _SOLVERS[level](task)
        failing = _failing(task, found.price)
        soft = [rule for rule in rules if not rule.hard and (failing or found.infeasible)]
        if not soft:
            return _with_words(found, failing, gave_way)
        least = _first_to_go(soft, failing, found.infeasible)
        rules = tuple(rule for rule in rules if rule is not least)
        gave_way.append(f"{least.label} gave way to more important rules")
        if not rules:
            still = np.zeros(rows.n, dtype=bool)
            return CoupledSolution(start, {}, 0.0, still, tuple(gave_way), fits=np.ones(rows.n, dtype=bool))


def _failing(task: CoupledTask, price: Floats) -> tuple[Measure, ...]:
    rules = replace(task.guardrails, rules=task.rules)
    return tuple(each for each in measures(task.rows, rules, price, task.response) if not each.kept and _notable(each))


def _notable(measure: Measure) -> bool:
    return abs(measure.value - measure.limit) > 1e-6 * max(1.0, abs(measure.limit))


def _first_to_go(soft: Sequence[Rule], failing: Sequence[Measure], words: Sequence[str]) -> Rule:
    """The least important soft rule that fails, or the least important one at all."""
    names = {each.rule.label for each in failing}
    stuck = [rule for rule in soft if rule.label in names or any(text.startswith(rule.label) for text in words)]
    return (stuck or list(soft))[-1]


def _with_words(found: CoupledSolution, failing: Sequence[Measure], gave_way: Sequence[str]) -> CoupledSolution:
    told = found.infeasible
    more = [
        f"{each.rule.label}{f' ({each.part})' if each.part else ''}: {_number(each, each.value)} is reached where "
        f"{_number(each, each.limit)} is asked"
        for each in failing
        if not any(text.startswith(each.rule.label) for text in told)
    ]
    return replace(found, notes=(*found.notes, *gave_way), infeasible=(*told, *dict.fromkeys(more)))


def _number(measure: Measure, value: float) -> str:
    return f"{100 * value:.2f}%" if KINDS[measure.rule.kind].unit == "rate" else f"{value:,.2f}"


def _by_row(task: CoupledTask) -> CoupledSolution:
    from pricing_core.optimize.coupled_rows import solve_rows

    return solve_rows(task)


def _by_product(task: CoupledTask) -> CoupledSolution:
    from pricing_core.optimize.coupled_products import solve_products

    return solve_products(task)


_SOLVERS: Final = {"row": _by_row, "product": _by_product}
