"""What each price point of each cell is worth and uses: the numbers of a price ladder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails.coupled import changed, parity_groups, public_price
from pricing_core.guardrails.kinds import MAX_CHANGES, PARITY, PRICE_ORDER
from pricing_core.guardrails.price_points import PricePoints
from pricing_core.guardrails.rule import Rule
from pricing_core.optimize.changes import CHANGE_KINDS, units_of
from pricing_core.optimize.coupled import CoupledTask
from pricing_core.optimize.ladder import LadderProblem, LadderSolution, OrderPair, SumRow, solve_ladder
from pricing_core.optimize.limits import Limit, limits_of
from pricing_core.optimize.objectives import group_total
from pricing_core.optimize.posterior import ProfitFunction

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows by the price that they share.

    ``code`` (n,) is −1 for held rows; ``low, high`` (J,) are common ranges; ``today`` (J,) says whether the cell may
    be left alone, each row at its own price of today.
    """

    code: Ints
    low: Floats
    high: Floats
    points: PricePoints
    today: Mask

    @property
    def count(self) -> int:
        """Number of cells."""
        return len(self.low)


@dataclass(frozen=True, eq=False)
class Found:
    """A choice: the solution, the price (J,) of each cell, which are left alone (J,), and the points (J, K)."""

    solution: LadderSolution
    price: Floats
    left_alone: Mask
    table: Floats


class Tables:
    """Value of every point, and what it uses of every limit."""

    def __init__(self, task: CoupledTask, cells: Cells) -> None:
        self.task, self.cells = task, cells
        self.rows = np.flatnonzero(cells.code >= 0)
        self.code = cells.code[self.rows]
        self.mine = task.rows.take(self.rows)
        response = task.response.take(self.rows)
        own = np.arange(len(self.rows))
        weight = self.mine.weight * self._counts()
        self.total = group_total(response, self.mine.unit_cost, weight, own, len(own), task.objective)
        self.grouped = group_total(response, self.mine.unit_cost, weight, self.code, cells.count, task.objective)
        self._chance = ProfitFunction(response, np.zeros(len(self.rows)))
        self.public = public_price(task.rows)
        self.limits = limits_of(task.rules, task.rows, task.guardrails)
        self.impossible: list[str] = []

    def _counts(self) -> Floats:
        """1 for rows whose objective counts: those to learn from, and all rows of cells without any; else 0."""
        if self.task.learn is None:
            return np.ones(len(self.rows))
        learn = self.task.learn[self.rows]
        learned = np.bincount(self.code, learn, self.cells.count) > 0
        return np.asarray(learn | ~learned[self.code], dtype=float)

    def solve(self, price: Floats) -> Found:
        """Best choice among price points (J, K)."""
        cells = self.cells
        filled = np.where(np.isfinite(price), price, cells.low[:, None])
        columns = [filled[:, k][self.code] for k in range(price.shape[1])]
        allowed = np.isfinite(price)
        if cells.today.any():
            columns.append(self.mine.current_price)
            allowed = np.column_stack([allowed, cells.today])
        value = [self.grouped(filled[:, k]) for k in range(price.shape[1])]
        if cells.today.any():
            today = self.total(self.mine.current_price)
            value.append(np.asarray(np.bincount(self.code, today, cells.count), dtype=float))
        table = np.where(allowed, np.column_stack(value), -np.inf)
        sums = self._sums(columns, table)
        shown = np.column_stack([filled, self._typical()]) if cells.today.any() else filled
        solution = solve_ladder(LadderProblem(shown, table, sums, self._orders()))
        last = solution.point == price.shape[1]
        chosen = filled[np.arange(cells.count), np.minimum(solution.point, price.shape[1] - 1)]
        return Found(solution, chosen, last, filled)

    def _typical(self) -> Floats:
        weight = np.bincount(self.code, self.mine.weight, self.cells.count)
        return np.bincount(self.code, self.mine.weight * self.mine.current_price, self.cells.count) / weight

    def _sums(self, columns: list[Floats], table: Floats) -> list[SumRow]:
        chances = [self._chance(price) / price for price in columns]
        out: list[SumRow] = []
        for limit in self.limits:
            out += self._limit(limit, columns, chances, table)
        for rule in self.task.rules:
            if rule.kind in CHANGE_KINDS:
                out.append(self._changes(rule, columns))
            elif rule.kind == PARITY:
                out += self._parity(rule, columns)
        return out

    def _limit(self, limit: Limit, columns: list[Floats], chances: list[Floats], table: Floats) -> list[SumRow]:
        bound = limit.bound - self._held(limit)
        code, public = limit.code[self.rows], self.public[self.rows]
        part = Limit(limit.name, limit.sign, limit.discount, code, limit.bound, limit.groups, limit.per)
        used = [self.mine.weight * part.amount(p, public) * c for p, c in zip(columns, chances, strict=True)]
        if len(limit.bound) == 1:
            mask = code >= 0
            table_of = np.column_stack([self._by_cell(np.where(mask, each, 0.0)) for each in used])
            return [SumRow(limit.name, table_of, float(bound[0]))]
        self._prune(limit, code, bound, used, table)
        return []

    def _prune(self, limit: Limit, code: Ints, bound: Floats, used: list[Floats], table: Floats) -> None:
        """Take out points that exceed a limit for one product; where all do, the one that exceeds it least stays."""
        for g in range(len(bound)):
            mask = code == g
            for j in np.unique(self.code[mask]):
                mine = mask & (self.code == j)
                amounts = np.array([each[mine].sum() for each in used])
                good = (amounts <= bound[g] + 1e-9) & np.isfinite(table[j])
                if not good.any():
                    amounts[~np.isfinite(table[j])] = np.inf
                    good = amounts == amounts.min()
                    self.impossible.append(limit.words(g, float(amounts.min() + limit.bound[g] - bound[g])))
                table[j, ~good] = -np.inf

    def _held(self, limit: Limit) -> Floats:
        """What rows that are held use of a limit, (groups,)."""
        held = np.flatnonzero(self.cells.code < 0)
        if not held.size:
            return np.zeros(len(limit.bound))
        rows, demand = self.task.rows, self.task.response.take(held)
        price = rows.current_price[held]
        part = Limit(limit.name, limit.sign, limit.discount, limit.code[held], limit.bound, limit.groups, limit.per)
        return part.used(price, demand.probability(price), rows.weight[held], self.public[held])

    def _changes(self, rule: Rule, columns: list[Floats]) -> SumRow:
        unit = units_of(rule, self.task.rows)[self.rows]
        moved = []
        for price in columns:
            mask = (unit >= 0) & changed(self.mine, price, self.task.guardrails.decimals)
            pairs = np.unique(np.column_stack([self.code[mask], unit[mask]]), axis=0)[:, 0]
            moved.append(np.bincount(pairs, minlength=self.cells.count))
        sign = 1.0 if rule.kind == MAX_CHANGES else -1.0
        return SumRow(rule.label, sign * np.column_stack(moved).astype(float), sign * float(rule.value or 0.0))

    def _parity(self, rule: Rule, columns: list[Floats]) -> list[SumRow]:
        code, names, base = parity_groups(rule, self.task.rows)
        weight = self.task.rows.weight
        usual = np.bincount(code[code >= 0], (weight * base)[code >= 0], len(names))
        held = (self.cells.code < 0) & (code >= 0)
        paid = np.bincount(code[held], (weight * self.task.rows.current_price)[held], len(names))
        mine = code[self.rows]
        there = [g for g in range(len(names)) if usual[g] > 0]
        level = {
            g: np.column_stack(
                [self._by_cell(np.where(mine == g, self.mine.weight * p, 0.0)) / usual[g] for p in columns]
            )
            for g in there
        }
        rate = 1.0 + float(rule.value or 0.0)
        return [
            SumRow(rule.label, level[g] - rate * level[h], float(rate * paid[h] / usual[h] - paid[g] / usual[g]))
            for g in there
            for h in there
            if g != h
        ]

    def _orders(self) -> list[OrderPair]:
        product, out = self.mine.product_id, []
        for rule in self.task.rules:
            if rule.kind != PRICE_ORDER:
                continue
            mask = rule.scope.mask(self.mine)
            lower, higher = (np.unique(self.code[mask & (product == name)]) for name in (rule.lower, rule.higher))
            gap = float(rule.value or 0.0)
            out += [OrderPair(rule.label, int(a), int(b), gap) for a in lower for b in higher if a != b]
        return out

    def _by_cell(self, values: Floats) -> Floats:
        return np.asarray(np.bincount(self.code, values, self.cells.count), dtype=float)
