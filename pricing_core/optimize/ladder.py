r"""One point of a price ladder per product under rules that tie products together, with a proven gap.

Maximize :math:`\sum_{jk} v_{jk} x_{jk}` over :math:`x_{jk} \in \{0, 1\}, \sum_k x_{jk} = 1`, under limits
:math:`\sum a_{jk} x_{jk} \le b`, price orders and numbers of changes. A linear program relaxes x to [0, 1]; few
products then lie between two points. A small integer program chooses for them, the others stay. The linear program's
value bounds every choice, so that the gap is proven; where it is too wide, more products are set free.

An order of *l* below *h* is written point by point: no point of *l* above *t − gap* beside a point of *h* at or
below *t*, which is tighter than one sum of prices.

References
----------
Huangfu & Hall (2018), Parallelizing the dual revised simplex method, Mathematical Programming Computation 10 (HiGHS).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

WANTED_GAP: Final = 0.005
_INTEGRAL: Final = 1e-6
_FREED: Final = (60, 400, 2_000)  # products set free beside the fractional ones, round by round
_SECONDS: Final = 20.0  # of each integer program


@dataclass(frozen=True, eq=False)
class SumRow:
    r"""A limit :math:`\sum a_{jk} x_{jk} \le b`, with coefficients (J, K) and its name."""

    name: str
    coefficient: Floats
    bound: float


@dataclass(frozen=True)
class OrderPair:
    """Product ``lower`` plus ``gap`` costs no more than product ``higher`` (indices)."""

    name: str
    lower: int
    higher: int
    gap: float = 0.0


@dataclass(frozen=True, eq=False)
class LadderProblem:
    """What to choose from.

    Attributes
    ----------
    price
        (J, K) money, ascending along a row; the points of each product.
    value
        (J, K) objective of each point; −inf where the point does not exist or is not allowed.
    sums
        Limits, numbers of changes among them.
    orders
        Price orders.
    """

    price: Floats
    value: Floats
    sums: Sequence[SumRow] = ()
    orders: Sequence[OrderPair] = ()


@dataclass(frozen=True, eq=False)
class LadderSolution:
    """Chosen point (J,) of each product; its value, the proven bound, duals by name, and whether rules hold.

    ``feasible`` is False where no choice keeps all rules; then ``point`` is the best choice without them.
    """

    point: Ints
    value: float
    bound: float
    duals: dict[str, float]
    feasible: bool

    @property
    def gap_rate(self) -> float:
        """How far the value may lie below the best choice, as a share of its size."""
        if not self.feasible:
            return float("nan")
        return max(0.0, self.bound - self.value) / max(abs(self.value), 1e-12)


def solve_ladder(problem: LadderProblem, *, wanted_gap: float = WANTED_GAP) -> LadderSolution:
    """Choose a point per product.

    Parameters
    ----------
    problem
        Points, values and rules.
    wanted_gap
        Share at which the search stops.
    """
    program = _Program(problem)
    relaxed = program.relax()
    if relaxed is None:
        return LadderSolution(np.argmax(problem.value, axis=1), -np.inf, np.inf, {}, False)
    share, bound, duals, reduced = relaxed
    settled = share.max(axis=1) > 1.0 - _INTEGRAL
    best = share.argmax(axis=1) if settled.all() else None
    regret = _regret(reduced)
    for extra in (0, *_FREED):
        if best is not None and bound - program.total(best) <= wanted_gap * abs(program.total(best)):
            break
        loose = ~settled
        loose[np.argsort(regret, kind="stable")[:extra]] = True
        found = program.choose(share.argmax(axis=1), loose, wanted_gap)
        if found is not None and (best is None or program.total(found) > program.total(best)):
            best = found
        if loose.all():
            break
    if best is None:
        best = program.choose(share.argmax(axis=1), np.ones(len(share), dtype=bool), wanted_gap)
    if best is None:
        return LadderSolution(np.argmax(problem.value, axis=1), -np.inf, bound, duals, False)
    return LadderSolution(best, program.total(best), bound, duals, True)


def _regret(reduced: Floats) -> Floats:
    """How little worse the second best point of each product is, (J,)."""
    if reduced.shape[1] < 2:
        return np.full(len(reduced), np.inf)
    ordered = np.sort(reduced, axis=1)
    return np.asarray(ordered[:, 1] - ordered[:, 0])


class _Program:
    """The choice as a matrix: a variable per existing point."""

    def __init__(self, problem: LadderProblem) -> None:
        from scipy import sparse

        self.problem = problem
        self.exists = np.isfinite(problem.value)
        self.product, self.column = np.nonzero(self.exists)
        self.value = problem.value[self.exists]
        self.scale = float(np.abs(self.value).max(initial=0.0)) or 1.0
        count = len(self.value)
        self.one = sparse.csr_matrix(
            (np.ones(count), (self.product, np.arange(count))), shape=(len(problem.value), count)
        )
        rows = [each.coefficient[self.exists] for each in problem.sums]
        size = [float(np.abs(row).max(initial=0.0)) or 1.0 for row in rows]
        self.row_scale = np.array(size)
        sums = sparse.csr_matrix(np.stack(rows) / self.row_scale[:, None]) if rows else sparse.csr_matrix((0, count))
        bounds = np.array([each.bound for each in problem.sums]) / self.row_scale if rows else np.zeros(0)
        orders = self._orders()
        self.matrix: Any = sparse.vstack([sums, orders]).tocsr()
        self.bounds = np.concatenate([bounds, np.ones(orders.shape[0])])

    def total(self, point: Ints) -> float:
        """Objective of a choice."""
        return float(self.problem.value[np.arange(len(point)), point].sum())

    def relax(self) -> tuple[Floats, float, dict[str, float], Floats] | None:
        """Shares (J, K), bound, duals and how much worse each point is, (J, K); None if nothing keeps the rules."""
        from scipy.optimize import linprog

        has_rows = self.matrix.shape[0] > 0
        found = linprog(
            -self.value / self.scale, A_ub=self.matrix if has_rows else None, b_ub=self.bounds if has_rows else None,
            A_eq=self.one, b_eq=np.ones(self.one.shape[0]), bounds=(0.0, 1.0), method="highs",
        )  # fmt: skip
        if found.status != 0:
            return None
        share = np.zeros(self.exists.shape)
        share[self.exists] = found.x
        marginals = -found.ineqlin.marginals if has_rows else np.zeros(0)
        charge = marginals @ self.matrix if has_rows else 0.0
        lagrangian = np.full(self.exists.shape, -np.inf)
        lagrangian[self.exists] = self.value - self.scale * np.asarray(charge)
        names = [each.name for each in self.problem.sums]
        duals: dict[str, float] = {}
        for name, dual, size in zip(names, marginals, self.row_scale, strict=False):
            duals[name] = max(duals.get(name, 0.0), float(dual * self.scale / size))
        # The bound is taken from the duals, not from the solver's word: any duals at or above zero prove one.
        dual = np.maximum(marginals, 0.0)
        proven = lagrangian.max(axis=1).sum() + self.scale * float(dual @ self.bounds)
        worse = lagrangian.max(axis=1, keepdims=True) - lagrangian
        return share, float(proven), duals, np.where(self.exists, worse, np.inf)

    def choose(self, point: Ints, loose: Mask, gap: float) -> Ints | None:
        """Best choice for the loose products while the others stay at their point; None if none keeps the rules."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        free = loose[self.product]
        stays = ~free & (self.column == point[self.product])
        spent = np.asarray(self.matrix[:, stays].sum(axis=1)).ravel()
        columns = np.flatnonzero(free)
        if not columns.size:
            return point if (spent <= self.bounds + 1e-9).all() else None
        needed = [LinearConstraint(self.one[loose][:, columns], 1.0, 1.0)]
        if self.matrix.shape[0]:
            part = self.matrix[:, columns]
            used = np.diff(part.tocsr().indptr) > 0
            if (spent[~used] > self.bounds[~used] + 1e-9).any():
                return None
            needed.append(LinearConstraint(part[used], -np.inf, self.bounds[used] - spent[used]))
        found = milp(
            -self.value[columns] / self.scale, integrality=np.ones(len(columns)), bounds=Bounds(0.0, 1.0),
            constraints=needed, options={"mip_rel_gap": min(gap, 1e-3), "time_limit": _SECONDS},
        )  # fmt: skip
        if found.x is None:
            return None
        out = point.copy()
        taken = columns[found.x > 0.5]
        out[self.product[taken]] = self.column[taken]
        return out

    def _orders(self) -> Any:
        from scipy import sparse

        place = np.full(self.exists.shape, -1)
        place[self.exists] = np.arange(len(self.value))
        entries: list[tuple[int, int]] = []
        count = 0
        for pair in self.problem.orders:
            low, high = (np.flatnonzero(self.exists[j]) for j in (pair.lower, pair.higher))
            for at in high:
                limit = self.problem.price[pair.higher, at] - pair.gap
                above = low[self.problem.price[pair.lower, low] > limit + 1e-9]
                if above.size:
                    cheap = high[self.problem.price[pair.higher, high] <= self.problem.price[pair.higher, at] + 1e-12]
                    entries += [(count, int(place[pair.lower, k])) for k in above]
                    entries += [(count, int(place[pair.higher, k])) for k in cheap]
                    count += 1
        row, column = np.array(entries, dtype=int).reshape(-1, 2).T
        return sparse.csr_matrix((np.ones(len(row)), (row, column)), shape=(count, len(self.value)))
