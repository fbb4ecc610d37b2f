"""One attempt at a price per row under rules that tie rows together: ranges, cells, duals, chargeable prices."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails.coupled import group_codes, order_rows, parity_groups, public_price
from pricing_core.guardrails.kinds import (
    EQUAL_PRICE,
    MAX_DISPERSION,
    PARITY,
    PRICE_ORDER,
)
from pricing_core.guardrails.price_points import price_points
from pricing_core.guardrails.scope import codes_of
from pricing_core.optimize.cells import CellRows, joined_cells, shared_range
from pricing_core.optimize.coupled import CoupledTask
from pricing_core.optimize.curves import Responder, RowCurves
from pricing_core.optimize.duals import DualSolution, solve_duals
from pricing_core.optimize.limits import Limit
from pricing_core.optimize.parity import Parity, level_out
from pricing_core.optimize.repair import Chargeable, make_chargeable
from pricing_core.optimize.windows import Order, Spread, WindowedRows, WindowRules

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_PARITY_TRIES: Final = 4
_TRIES: Final = 4


@dataclass(eq=False)
class Setting:
    """Ranges, cells and fixed rows of one attempt."""

    task: CoupledTask
    low: Floats
    high: Floats
    fixed: Mask
    code: Ints
    words: list[str] = field(default_factory=list)

    def fixing(self, staying: Mask) -> Setting:
        """Return the setting with more rows fixed at today's price."""
        now = self.task.rows.current_price
        low, high = np.where(staying, now, self.low), np.where(staying, now, self.high)
        found = replace(self, low=low, high=high, fixed=self.fixed | staying, words=list(self.words))
        found.words += dissolve_empty_cells(found)
        return found


@dataclass(frozen=True, eq=False)
class Attempt:
    """Demand curves, duals, chargeable prices (n,) and where there are such, and the window rules."""

    curves: RowCurves
    solution: DualSolution
    price: Floats
    fits: Mask
    how: Chargeable
    rules: WindowRules


def attempt(setting: Setting, limits: list[Limit]) -> Attempt:
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


def _excess(attempt: Attempt, limits: list[Limit], task: CoupledTask) -> list[Floats]:
    """By how much chargeable prices break each limit (groups,), as far as it can be kept."""
    rows, chance = task.rows, attempt.curves.chance(attempt.price)
    over = []
    for limit in attempt.solution.limits:
        used = limit.used(attempt.price, chance, rows.weight, attempt.how.public)
        over.append(np.where(used > limit.bound * (1 + 1e-9 * np.sign(limit.bound)), used - limit.bound, 0.0))
    return over


def _total(over: list[Floats], limits: list[Limit]) -> float:
    return sum(float((o / np.maximum(np.abs(e.bound), 1e-9)).sum()) for o, e in zip(over, limits, strict=True))


def _try(setting: Setting, limits: list[Limit], spare: list[Floats]) -> Attempt:
    task, rows = setting.task, setting.task.rows
    public = public_price(rows)
    curves = RowCurves(task.response, rows.unit_cost, setting.low, setting.high, public, task.objective, task.start)
    responder: Responder = curves
    if int(setting.code.max()) + 1 < rows.n:
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
    return Attempt(curves, solution, price, fits, how, rules)


def _chargeable(
    setting: Setting, curves: RowCurves, solution: DualSolution, window: tuple[Floats, Floats]
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
        outer=(setting.low, setting.high),
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


def cells_of(task: CoupledTask) -> Ints:
    """Cells (n,) of rows that must have equal prices; most rows are cells of their own."""
    equal = [group_codes(rule, task.rows) for rule in task.rules if rule.kind == EQUAL_PRICE]
    return joined_cells(task.rows.n, equal) if equal else np.arange(task.rows.n)


def dissolve_empty_cells(setting: Setting) -> list[str]:
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
