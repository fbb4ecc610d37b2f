"""A price per row under rules that tie rows together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails.coupled import changed, group_codes, order_rows, parity_groups, public_price
from pricing_core.guardrails.kinds import (
    EQUAL_PRICE,
    MAX_CHANGES,
    MAX_DISPERSION,
    MIN_CHANGES,
    PARITY,
    PRICE_ORDER,
)
from pricing_core.guardrails.price_points import price_points
from pricing_core.guardrails.rule import Rule
from pricing_core.guardrails.scope import codes_of
from pricing_core.optimize.cells import CellRows, joined_cells, shared_range
from pricing_core.optimize.changes import CHANGE_KINDS, add_changes, keep_the_best_changes, may_stay
from pricing_core.optimize.coupled import CoupledSolution, CoupledTask
from pricing_core.optimize.coupled_products import solve_on_ladder
from pricing_core.optimize.curves import Responder, RowCurves
from pricing_core.optimize.duals import DualSolution, solve_duals
from pricing_core.optimize.limits import Limit, limits_of
from pricing_core.optimize.parity import Parity, level_out
from pricing_core.optimize.repair import Chargeable, make_chargeable
from pricing_core.optimize.windows import Order, Spread, WindowedRows, WindowRules

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_PARITY_TRIES: Final = 4
_TRIES: Final = 4
_WORTH_A_LADDER: Final = 1e-3  # gap
_MOST_ROWS: Final = 4_000
_LEFT_OUT: Final = "the bound leaves out what {} cost, so that the gap contains it"


@dataclass(eq=False)
class _Setting:
    """Ranges, cells and fixed rows of one attempt."""

    task: CoupledTask
    low: Floats
    high: Floats
    fixed: Mask
    code: Ints
    words: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class _Attempt:
    curves: RowCurves
    solution: DualSolution
    price: Floats
    fits: Mask
    how: Chargeable
    rules: WindowRules


def solve_rows(task: CoupledTask) -> CoupledSolution:
    """Solve row by row; see :func:`~pricing_core.optimize.coupled.solve_coupled`."""
    setting = _Setting(task, task.low, task.high, ~task.open, _cells(task))
    setting.words += _dissolve_empty_cells(setting)
    limits = limits_of(task.rules, task.rows, task.guardrails)
    attempt = _attempt(setting, limits)
    proven = _proven(attempt, task)
    duals = _named_duals(attempt.solution)
    for rule in task.rules:
        if rule.kind != MAX_CHANGES:
            continue
        staying = _fix_best(setting, attempt, rule)
        if staying is not None:
            given_up, dual = staying
            proven -= given_up
            duals[rule.label] = dual
            attempt = _attempt(setting, limits)
            duals |= {name: dual for name, dual in _named_duals(attempt.solution).items()}
        else:
            duals[rule.label] = 0.0
    price = _with_enough_changes(attempt, setting)
    value = float(task.rows.weight @ attempt.curves.base(price))
    gap = max(0.0, proven - value) / max(abs(value), 1e-12)
    tied = attempt.rules.spreads or attempt.rules.orders
    if gap > _WORTH_A_LADDER and not tied and _few(task):
        on_ladder = solve_on_ladder(task, np.arange(task.rows.n))
        if not on_ladder.infeasible and on_ladder.gap_rate < gap:
            return replace(on_ladder, duals=duals | on_ladder.duals)
    notes = _left_out(attempt.rules)
    told = tuple(dict.fromkeys([*setting.words, *attempt.rules.impossible, *attempt.solution.unreachable]))
    half = 0.5 * 10.0**-task.guardrails.decimals
    moved = np.abs(price - task.start) >= half
    return CoupledSolution(price, duals, gap, moved & task.open, notes, told, attempt.fits)


def _few(task: CoupledTask) -> bool:
    """Whether endings or ladders leave so few amounts that all of them can be weighed at once."""
    if task.rows.n > _MOST_ROWS or any(r.kind in CHANGE_KINDS and r.level == "product" for r in task.rules):
        return False
    return bool(price_points(task.rows, task.guardrails, task.bounds).restricted.all())


def _attempt(setting: _Setting, limits: list[Limit]) -> _Attempt:
    """Solve, and stay further below the limits that rounding to chargeable prices breaks."""
    spare = [np.zeros(len(limit.bound)) for limit in limits]
    best = _try(setting, limits, spare)
    for _ in range(_TRIES):
        over = _excess(best, limits, setting.task)
        if not any(each.any() for each in over):
            break
        spare = [old + 1.3 * new for old, new in zip(spare, over, strict=True)]
        again = _try(setting, limits, spare)
        if _total(_excess(again, limits, setting.task), limits) > 0.9 * _total(over, limits):
            break
        best = again
    return best


def _excess(attempt: _Attempt, limits: list[Limit], task: CoupledTask) -> list[Floats]:
    """By how much chargeable prices break each limit (groups,), as far as it can be kept."""
    rows, chance = task.rows, attempt.curves.chance(attempt.price)
    over = []
    for limit in attempt.solution.limits:
        used = limit.used(attempt.price, chance, rows.weight, attempt.how.public)
        over.append(np.where(used > limit.bound * (1 + 1e-9 * np.sign(limit.bound)), used - limit.bound, 0.0))
    return over


def _total(over: list[Floats], limits: list[Limit]) -> float:
    return sum(float((o / np.maximum(np.abs(e.bound), 1e-9)).sum()) for o, e in zip(over, limits, strict=True))


def _try(setting: _Setting, limits: list[Limit], spare: list[Floats]) -> _Attempt:
    task, rows = setting.task, setting.task.rows
    public = public_price(rows)
    curves = RowCurves(task.response, rows.unit_cost, setting.low, setting.high, public, task.objective, task.start)
    responder: Responder = curves
    if len(np.unique(setting.code)) < rows.n:
        responder = CellRows(curves, setting.code, rows.weight)
    rules = _window_rules(task)
    rules.check(*shared_range(setting.code, setting.low, setting.high))
    windowed = bool(rules.spreads or rules.orders or rules.parities)
    if windowed:
        responder = WindowedRows(responder, rules, rows.weight)
    solution = solve_duals(responder, limits, rows.weight, public, spare)
    low, high = setting.low, setting.high
    if isinstance(responder, WindowedRows):
        low, high = responder.last.low, responder.last.high
    how = _chargeable(setting, curves, solution, (low, high))
    price, fits = make_chargeable(solution.price, solution.limits, how, setting.fixed)
    price, fits = _keep_parity(rules, (price, fits), solution, how, setting.fixed)
    return _Attempt(curves, solution, price, fits, how, rules)


def _chargeable(
    setting: _Setting, curves: RowCurves, solution: DualSolution, window: tuple[Floats, Floats]
) -> Chargeable:
    task, rows = setting.task, setting.task.rows
    points = price_points(rows, task.guardrails, task.bounds)
    cells = int(setting.code.max()) + 1
    unit, discount = solution.unit_dual, solution.discount_dual
    return Chargeable(
        code=setting.code,
        points=points if cells == rows.n else points.by_group(setting.code, cells),
        low=window[0],
        high=window[1],
        worth=lambda price: rows.weight * curves.value(price, unit, discount),
        chance=curves.chance,
        weight=rows.weight,
        public=public_price(rows),
    )


def _keep_parity(
    rules: WindowRules, found: tuple[Floats, Mask], solution: DualSolution, how: Chargeable, fixed: Mask
) -> tuple[Floats, Mask]:
    """Level groups out a little further where rounding to chargeable prices has set them apart again."""
    price, fits = found
    for parity in rules.parities:
        target = parity.rate
        for _ in range(_PARITY_TRIES):
            over = parity.difference(price) - parity.rate
            if over <= 0:
                break
            target = max(0.0, target - 1.5 * over)
            shifted = level_out(parity.with_rate(target), solution.price, how.low, how.high, how.worth)
            price, fits = make_chargeable(shifted, solution.limits, how, fixed)
    return price, fits


def _cells(task: CoupledTask) -> Ints:
    equal = [group_codes(rule, task.rows) for rule in task.rules if rule.kind == EQUAL_PRICE]
    return joined_cells(task.rows.n, equal) if equal else np.arange(task.rows.n)


def _dissolve_empty_cells(setting: _Setting) -> list[str]:
    """Take apart the cells whose rows have no allowed price in common; name them by their products."""
    low, high = shared_range(setting.code, setting.low, setting.high)
    empty = low > high + 1e-9
    if not empty.any():
        return []
    first = np.flatnonzero(empty)[0]
    count = len(np.unique(setting.code[empty]))
    code = setting.code.copy()
    code[empty] = int(code.max()) + 1 + np.arange(int(empty.sum()))
    setting.code = np.unique(code, return_inverse=True)[1]
    names = [rule.label for rule in setting.task.rules if rule.kind == EQUAL_PRICE]
    return [
        f"{' and '.join(names)}: {count} groups have no allowed price in common, such as that of "
        f"{setting.task.rows.product_id[first]}, whose ranges lie {low[first] - high[first]:.2f} apart"
    ]


def _window_rules(task: CoupledTask) -> WindowRules:
    rows, spreads, orders, parities = task.rows, [], [], []
    points = price_points(rows, task.guardrails, task.bounds)
    for rule in task.rules:
        if rule.kind == MAX_DISPERSION:
            code, names = codes_of(rows.product_id)
            code = np.where(rule.scope.mask(rows), code, -1)
            own = points.take(code >= 0).by_group(code[code >= 0], len(names))
            rate = np.full(len(names), float(rule.value or 0.0))
            spreads.append(Spread(rule.label, code, rate, tuple(names), own))
        elif rule.kind == PRICE_ORDER:
            lower, higher = order_rows(rule, rows)
            if lower.size and higher.size:
                pair = (rule.lower, rule.higher)
                own = points.take(lower).by_group(np.zeros(len(lower), dtype=np.int64), 1)
                orders.append(Order(rule.label, lower, higher, float(rule.value or 0.0), pair, own))
        elif rule.kind == PARITY:
            code, names, base = parity_groups(rule, rows)
            parities.append(Parity(rule.label, code, rows.weight, base, float(rule.value or 0.0), tuple(names)))
    return WindowRules(spreads, orders, parities)


def _proven(attempt: _Attempt, task: CoupledTask) -> float:
    """Bound on the objective: exact for limits, equal prices and spreads; orders that meet and parity are left out."""
    if not _left_out(attempt.rules):
        return attempt.solution.proven
    weight, solution = task.rows.weight, attempt.solution
    free = attempt.curves.best(solution.unit_dual, solution.discount_dual)
    proven = float(weight @ attempt.curves.value(free, solution.unit_dual, solution.discount_dual))
    for limit, dual in zip(solution.limits, solution.duals, strict=True):
        proven += float(dual[dual > 0] @ limit.bound[dual > 0])
    return proven


def _left_out(rules: WindowRules) -> tuple[str, ...]:
    parts = ["price orders"] if len(rules.orders) > 1 or (rules.orders and rules.spreads) else []
    parts += ["price parity"] if rules.parities else []
    return (_LEFT_OUT.format(" and ".join(parts)),) if parts else ()


def _named_duals(solution: DualSolution) -> dict[str, float]:
    """Largest dual of each rule on a sum."""
    pairs = zip(solution.limits, solution.duals, strict=True)
    return {limit.name: float(dual.max(initial=0.0)) for limit, dual in pairs}


def _fix_best(setting: _Setting, attempt: _Attempt, rule: Rule) -> tuple[float, float] | None:
    """Fix the rows whose change is worth least at today's price; return what that gives up, and the rule's dual."""
    task, rows = setting.task, setting.task.rows
    gain = attempt.how.worth(attempt.solution.price) - attempt.how.worth(rows.current_price)
    staying = keep_the_best_changes(
        rule, rows, attempt.price, gain, may_stay(rows, task.guardrails), task.guardrails.decimals
    )
    if staying is None:
        return None
    now = rows.current_price
    setting.low = np.where(staying.rows, now, setting.low)
    setting.high = np.where(staying.rows, now, setting.high)
    setting.fixed = setting.fixed | staying.rows
    setting.words += _dissolve_empty_cells(setting)
    return staying.given_up, staying.dual


def _with_enough_changes(attempt: _Attempt, setting: _Setting) -> Floats:
    """Move the prices that lose least where more changes are asked for than pay."""
    price, task = attempt.price, setting.task
    for rule in task.rules:
        if rule.kind == MIN_CHANGES and (~changed(task.rows, price, task.guardrails.decimals)).any():
            step = 0.01 * price
            slope = (attempt.how.worth(price + step) - attempt.how.worth(price - step)) / (2.0 * step)
            points = price_points(task.rows, task.guardrails, task.bounds)
            ends = np.where(setting.fixed, price, attempt.how.low), np.where(setting.fixed, price, attempt.how.high)
            price = add_changes(rule, task.rows, price, (*ends, slope), points)
    return price
