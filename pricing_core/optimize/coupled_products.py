"""Prices under rules that tie them together, on a ladder of price points: one per product, or per row."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails.coupled import group_codes
from pricing_core.guardrails.kinds import EQUAL_PRICE, MAX_CHANGES
from pricing_core.guardrails.price_points import price_points
from pricing_core.optimize.cells import joined_cells, shared_range
from pricing_core.optimize.changes import CHANGE_KINDS, may_stay
from pricing_core.optimize.coupled import CoupledSolution, CoupledTask
from pricing_core.optimize.ladder_tables import Cells, Found, Tables

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

POINTS: Final = 15
_ALL_POINTS: Final = 30  # so many allowed amounts are all looked at
_ROUNDS: Final = 3
_SHARES: Final = np.linspace(0.0, 1.0, POINTS - 2)


def solve_products(task: CoupledTask) -> CoupledSolution:
    """Solve with one price per product; see :func:`~pricing_core.optimize.coupled.solve_coupled`."""
    return solve_on_ladder(task, np.asarray(pd.factorize(pd.Series(task.rows.product_id), sort=True)[0]))


def solve_on_ladder(task: CoupledTask, code: Ints) -> CoupledSolution:
    """Solve with one price per cell.

    Where more than 30 amounts are allowed, 15 are tried at first, and then twice 15 around the best; the gap is proven
    among the points of the last round.
    """
    cells, words = _cells(task, code)
    tables = Tables(task, cells)
    first = np.unique(cells.code[cells.code >= 0], return_index=True)[1]
    wanted = task.start[cells.code >= 0][first]
    price, complete = _first_points(cells, wanted)
    found = tables.solve(price)
    for _ in range(_ROUNDS - 1):
        if complete or not found.solution.feasible:
            break
        price = _finer_points(cells, found.price, found.table)
        finer = tables.solve(price)
        if finer.solution.feasible and finer.solution.value >= found.solution.value - 1e-9:
            found = finer
    return _result(task, cells, tables, found, words, complete)


def _result(
    task: CoupledTask, cells: Cells, tables: Tables, found: Found, words: list[str], complete: bool
) -> CoupledSolution:
    rows = task.rows
    if not found.solution.feasible:
        told = (*words, *tables.impossible, "no prices keep all rules that tie them together")
        return CoupledSolution(
            task.start, {}, float("nan"), np.zeros(rows.n, dtype=bool), (), told, np.ones(rows.n, dtype=bool)
        )
    at = np.maximum(cells.code, 0)
    price = np.where(cells.code >= 0, found.price[at], rows.current_price)
    price = np.where((cells.code >= 0) & found.left_alone[at], rows.current_price, price)
    half = 0.5 * 10.0**-task.guardrails.decimals
    note = "" if complete else f"the gap is proven among {POINTS} price points around each price"
    return CoupledSolution(
        price,
        {**{rule.label: 0.0 for rule in task.rules if rule.kind in CHANGE_KINDS}, **found.solution.duals},
        found.solution.gap_rate,
        (np.abs(price - task.start) >= half) & task.open,
        (note,) if note else (),
        tuple(dict.fromkeys([*words, *tables.impossible])),
        np.ones(rows.n, dtype=bool),
    )


def _cells(task: CoupledTask, code: Ints) -> tuple[Cells, list[str]]:
    rows = task.rows
    equal = [group_codes(rule, rows) for rule in task.rules if rule.kind == EQUAL_PRICE]
    code = joined_cells(rows.n, [code, *equal])
    words = []
    code = np.where(task.open, code, -1)
    open_rows = np.flatnonzero(task.open)
    inside = pd.factorize(code[open_rows])[0].astype(np.int64)
    low, high = shared_range(inside, task.low[open_rows], task.high[open_rows])
    empty = low > high + 1e-9
    if empty.any():
        words.append(f"{len(np.unique(inside[empty]))} groups of equal prices have no allowed price in common")
        inside[empty] = inside.max() + 1 + pd.factorize(pd.Series(rows.product_id[open_rows][empty]))[0]
        inside = pd.factorize(inside)[0].astype(np.int64)
        low, high = shared_range(inside, task.low[open_rows], task.high[open_rows])
    first = np.unique(inside, return_index=True)[1]
    full = np.full(rows.n, -1, dtype=np.int64)
    full[open_rows] = inside
    points = price_points(rows, task.guardrails, task.bounds).take(open_rows).by_group(inside, len(first))
    stay = may_stay(rows, task.guardrails)[open_rows]
    today = np.bincount(inside, ~stay, len(first)) == 0
    today &= any(rule.kind == MAX_CHANGES for rule in task.rules)
    return Cells(full, low[first], np.maximum(low, high)[first], points, today), words


def _first_points(cells: Cells, wanted: Floats) -> tuple[Floats, bool]:
    """Price points (J, K), NaN where there are fewer, and whether they are all that are allowed."""
    unit = 10.0**-cells.points.decimals
    lists = []
    complete = True
    for j in range(cells.count):
        few = cells.high[j] - cells.low[j] <= _ALL_POINTS * 100 * unit
        every = cells.points.between(float(cells.low[j]), float(cells.high[j]), j) if few else np.empty(0)
        if few and len(every) <= _ALL_POINTS:
            lists.append(every)
        else:
            complete = False
            lists.append(cells.low[j] * (cells.high[j] / cells.low[j]) ** _SHARES)
    table = _padded(lists)
    return (table if complete else _on_points(cells, np.column_stack([table, wanted]))), complete


def _finer_points(cells: Cells, price: Floats, table: Floats) -> Floats:
    """Points between the chosen one's neighbors, and the chosen one."""
    ordered = np.sort(table, axis=1)
    below = np.where(ordered < price[:, None] - 1e-9, ordered, -np.inf).max(axis=1)
    above = np.where(ordered > price[:, None] + 1e-9, ordered, np.inf).min(axis=1)
    below, above = np.where(np.isfinite(below), below, price), np.where(np.isfinite(above), above, price)
    between = below[:, None] + (above - below)[:, None] * _SHARES
    return _on_points(cells, np.column_stack([between, price]))


def _on_points(cells: Cells, table: Floats) -> Floats:
    """Move every price to an allowed amount within its cell's range; NaN for repeats and where there is none."""
    out = np.full(table.shape, np.nan)
    for k, price in enumerate(table.T):
        start = np.where(np.isfinite(price), np.clip(price, cells.low, cells.high), cells.low)
        below, above = cells.points.neighbors(start)
        good = below >= cells.low - 1e-9
        moved = np.where(good, below, above)
        out[:, k] = np.where(np.isfinite(price) & (moved <= cells.high + 1e-9), moved, np.nan)
    out.sort(axis=1)
    out[:, 1:][np.abs(np.diff(out, axis=1)) < 1e-9] = np.nan
    out.sort(axis=1)
    return out[:, np.isfinite(out).any(axis=0)]


def _padded(lists: list[Floats]) -> Floats:
    out = np.full((len(lists), max(map(len, lists), default=0)), np.nan)
    for row, values in zip(out, lists, strict=True):
        row[: len(values)] = values
    return out
