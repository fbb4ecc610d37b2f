"""A price per row under rules that tie rows together."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails.coupled import changed
from pricing_core.guardrails.kinds import (
    MAX_CHANGES,
    MIN_CHANGES,
)
from pricing_core.guardrails.price_points import price_points
from pricing_core.guardrails.rule import Rule
from pricing_core.optimize.changes import CHANGE_KINDS, add_changes, keep_the_best_changes, may_stay
from pricing_core.optimize.coupled import CoupledSolution, CoupledTask
from pricing_core.optimize.coupled_products import solve_on_ladder
from pricing_core.optimize.duals import DualSolution
from pricing_core.optimize.limits import Limit, limits_of
from pricing_core.optimize.row_attempts import Attempt, Setting, attempt, cells_of, dissolve_empty_cells
from pricing_core.optimize.windows import WindowRules

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_WORTH_A_LADDER: Final = 1e-3  # gap
_MOST_ROWS: Final = 4_000
_FACTORS: Final = (1.0, 2.0, 6.0)
_MOST_TRIED: Final = 100_000  # rows
_LEFT_OUT: Final = "the distance to the best possible prices also contains what {} cost"


def solve_rows(task: CoupledTask) -> CoupledSolution:
    """Solve row by row; see :func:`~pricing_core.optimize.coupled.solve_coupled`."""
    setting = Setting(task, task.low, task.high, ~task.open, cells_of(task))
    setting.words += dissolve_empty_cells(setting)
    limits = limits_of(task.rules, task.rows, task.guardrails)
    found = attempt(setting, limits)
    proven, duals = _proven(found, task), _named_duals(found.solution)
    for rule in task.rules:
        if rule.kind == MAX_CHANGES:
            setting, found, given_up, duals[rule.label] = _with_few_changes(rule, setting, found, limits)
            proven -= given_up
            duals |= _named_duals(found.solution)
    price = _with_enough_changes(found, setting)
    value = float(task.rows.weight @ found.curves.base(price))
    lost = found.solution.unreachable
    gap = float("nan") if lost else max(0.0, proven - value) / max(abs(value), 1e-12)
    duals = {name: dual for name, dual in duals.items() if not any(text.startswith(name) for text in lost)}
    tied = found.rules.spreads or found.rules.orders
    if gap > _WORTH_A_LADDER and not tied and _few(task):
        on_ladder = solve_on_ladder(task, np.arange(task.rows.n))
        if not on_ladder.infeasible and on_ladder.gap_rate < gap:
            return replace(on_ladder, duals=duals | on_ladder.duals)
    told = tuple(dict.fromkeys([*setting.words, *found.rules.impossible, *lost]))
    moved = np.abs(price - task.start) >= 0.5 * 10.0**-task.guardrails.decimals
    return CoupledSolution(price, duals, gap, moved & task.open, _left_out(found), told, found.fits)


def _few(task: CoupledTask) -> bool:
    """Whether endings or ladders leave so few amounts that all of them can be weighed at once."""
    if task.rows.n > _MOST_ROWS or any(r.kind in CHANGE_KINDS and r.level == "product" for r in task.rules):
        return False
    return bool(price_points(task.rows, task.guardrails, task.bounds).restricted.all())


def _proven(found: Attempt, task: CoupledTask) -> float:
    """Bound on the objective: exact for limits, equal prices and spreads; orders that meet and parity are left out."""
    if not _unproven(found.rules):
        return found.solution.proven
    weight, solution = task.rows.weight, found.solution
    free = found.curves.best(solution.unit_dual, solution.discount_dual)
    proven = float(weight @ found.curves.value(free, solution.unit_dual, solution.discount_dual))
    for limit, dual in zip(solution.limits, solution.duals, strict=True):
        proven += float(dual[dual > 0] @ limit.bound[dual > 0])
    return proven


def _left_out(found: Attempt) -> tuple[str, ...]:
    """Say which rules the bound does not know."""
    parts = _unproven(found.rules)
    parts += ["price endings"] if found.how.points.restricted.any() else []
    return (_LEFT_OUT.format(" and ".join(parts)),) if parts else ()


def _unproven(rules: WindowRules) -> list[str]:
    parts = ["price orders"] if len(rules.orders) > 1 or (rules.orders and rules.spreads) else []
    return parts + (["price parity"] if rules.parities else [])


def _named_duals(solution: DualSolution) -> dict[str, float]:
    """Largest dual of each rule on a sum."""
    pairs = zip(solution.limits, solution.duals, strict=True)
    return {limit.name: float(dual.max(initial=0.0)) for limit, dual in pairs}


def _with_few_changes(
    rule: Rule, setting: Setting, first: Attempt, limits: list[Limit]
) -> tuple[Setting, Attempt, float, float]:
    """Leave the prices alone whose change is worth least; also return what that gives up, and the rule's dual.

    Fewer changes make limits on sums harder to keep. Changes are therefore also chosen with these limits weighed more,
    and the attempt that keeps the limits and is worth most is taken.
    """
    task, rows = setting.task, setting.task.rows
    stay = may_stay(rows, task.guardrails)
    best: tuple[Setting, Attempt, float, float] | None = None
    price, given_up, dual = first.price, 0.0, 0.0
    factors = _FACTORS if first.solution.binding and rows.n <= _MOST_TRIED else _FACTORS[:1]
    for factor in factors:
        unit, discount = factor * first.solution.unit_dual, factor * first.solution.discount_dual
        wanted = first.solution.price if factor == 1.0 else first.curves.best(unit, discount)
        gain = rows.weight * (
            first.curves.value(wanted, unit, discount) - first.curves.value(rows.current_price, unit, discount)
        )
        staying = keep_the_best_changes(rule, rows, price, gain, stay, task.guardrails.decimals)
        if staying is None:
            return setting, first, 0.0, 0.0
        if factor == 1.0:
            given_up, dual = staying.given_up, staying.dual
        fixed = setting.fixing(staying.rows)
        tried = attempt(fixed, limits)
        if best is None or _rank(tried, task) > _rank(best[1], task):
            best = fixed, tried, given_up, dual
    assert best is not None
    return best


def _rank(tried: Attempt, task: CoupledTask) -> tuple[int, float]:
    """Attempts that keep all limits first, then by objective."""
    return -len(tried.solution.unreachable), float(task.rows.weight @ tried.curves.base(tried.price))


def _with_enough_changes(found: Attempt, setting: Setting) -> Floats:
    """Move the prices that lose least where more changes are asked for than pay."""
    price, task = found.price, setting.task
    for rule in task.rules:
        if rule.kind == MIN_CHANGES and (~changed(task.rows, price, task.guardrails.decimals)).any():
            step = 0.01 * price
            slope = (found.how.worth(price + step) - found.how.worth(price - step)) / (2.0 * step)
            points = price_points(task.rows, task.guardrails, task.bounds)
            ends = np.where(setting.fixed, price, found.how.low), np.where(setting.fixed, price, found.how.high)
            price = add_changes(rule, task.rows, price, (*ends, slope), points)
    return price
