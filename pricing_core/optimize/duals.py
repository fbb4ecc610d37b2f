r"""Prices under limits on sums, by one dual per limit.

With duals :math:`\lambda \ge 0` every row is priced by itself, as if a unit cost λ more (or a discount weighed more);
each dual is the smallest one at which its limit holds, found between a dual that breaks the limit and one that keeps
it. By weak duality

.. math:: \max \le D(\lambda) = \sum_i w_i \max_p \{f_i(p) - \lambda a_i(p) \bar P_i(p)\} + \lambda b

for any duals, so that :math:`D(\lambda)` minus what the prices reach bounds what they leave behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.optimize.curves import Responder
from pricing_core.optimize.limits import Limit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_GROWTH: Final = 4.0
_EXPANSIONS: Final = 10
_STEPS: Final = 40
_CYCLES: Final = 6
_SETTLED: Final = 1e-5  # of the largest dual: change between cycles
_NEAR: Final = 0.02
_FIRST: Final = 0.02
_MANY: Final = 200_000  # rows from which a sample gives the first guess
_SAMPLE: Final = 20_000
_MOST_AT_ONCE: Final = 500  # duals
_DESCENTS: Final = 50
_TIGHT: Final = 1e-5  # of the bound: unused share at which a limit counts as reached


@dataclass(frozen=True, eq=False)
class DualSolution:
    """Prices (n,), duals per limit (groups,), and the bound on the objective that they prove.

    ``proven`` is the largest objective that any prices within the limits can reach, summed by weight. ``unreachable``
    names groups of limits that no prices keep, in words.
    """

    price: Floats
    duals: list[Floats]
    unit_dual: Floats
    discount_dual: Floats
    limits: list[Limit]
    proven: float
    unreachable: tuple[str, ...]

    @property
    def binding(self) -> bool:
        """Whether some limit costs anything."""
        return any(bool((dual > 0).any()) for dual in self.duals)


def solve_duals(
    responder: Responder,
    limits: Sequence[Limit],
    weight: Floats,
    public: Floats,
    spare: Sequence[Floats] | None = None,
) -> DualSolution:
    """Find the smallest duals at which all limits hold.

    Parameters
    ----------
    responder
        Rows that answer duals with prices.
    limits
        What must hold.
    weight, public
        (n,) occasions, and money from which discounts count.
    spare
        Per limit (groups,): how far below its bound to stay, so that rounding prices does not break it.
    """
    search = _Search(responder, limits, weight, public)
    if spare is not None:
        search.spare = list(spare)
    search.relax_unreachable()
    search.start_from_sample()
    for cycle in range(_CYCLES if len(limits) > 1 else 1):
        before = [each.copy() for each in search.duals]
        for k in range(len(limits)):
            search.solve(k)
        steps = [float(np.abs(a - b).max(initial=0.0)) for a, b in zip(search.duals, before, strict=True)]
        if cycle and max(steps) <= _SETTLED * max(float(each.max(initial=0.0)) for each in search.duals):
            break
    else:
        search.descend()
    return search.finish()


class _Search:
    def __init__(self, responder: Responder, limits: Sequence[Limit], weight: Floats, public: Floats) -> None:
        self.rows, self.weight, self.public = responder, weight, public
        self.limits = [replace(limit, bound=limit.bound.copy()) for limit in limits]
        self.duals = [np.zeros(len(limit.bound)) for limit in limits]
        self.scale = float(np.average(public, weights=weight))
        self.spare = [np.zeros(len(limit.bound)) for limit in limits]
        self.unreachable: list[str] = []

    def charges(self) -> tuple[Floats, Floats]:
        """Duals of units and of discounts by row."""
        unit, discount = np.zeros(len(self.weight)), np.zeros(len(self.weight))
        for limit, dual in zip(self.limits, self.duals, strict=True):
            if limit.discount:
                discount += limit.spread(dual)
            else:
                unit += limit.sign * limit.spread(dual)
        return unit, discount

    def excess(self, k: int) -> Floats:
        """What limit *k* uses above its bound under the present duals, (groups,)."""
        price = self.rows.best(*self.charges())
        used = self.limits[k].used(price, self.rows.chance(price), self.weight, self.public)
        return used - self.limits[k].bound + self.spare[k]

    def relax_unreachable(self) -> None:
        """Set bounds that no prices keep to what can be reached, and remember them in words."""
        for limit in self.limits:
            price = self.rows.low if limit.sign < 0 else self.rows.high
            least = limit.used(price, self.rows.chance(price), self.weight, self.public)
            lost = np.flatnonzero(least > limit.bound + 1e-9 * np.maximum(np.abs(limit.bound), 1e-12))
            self._relax(limit, lost, least)

    def _relax(self, limit: Limit, lost: Ints, least: Floats) -> None:
        self.unreachable += [limit.words(int(g), float(least[g])) for g in lost]
        limit.bound[lost] = least[lost] + _TIGHT * np.abs(least[lost])

    def start_from_sample(self) -> None:
        """Take the duals of an even sample of very many rows as a first guess."""
        n = len(self.weight)
        if n < _MANY or any(len(limit.bound) > 1 for limit in self.limits):
            return
        part = np.arange(0, n, n // _SAMPLE)
        mass = float(self.weight[part].sum() / self.weight.sum())
        limits = [replace(each, code=each.code[part], bound=each.bound * mass) for each in self.limits]
        self.duals = solve_duals(self.rows.take(part), limits, self.weight[part], self.public[part]).duals

    def solve(self, k: int) -> None:
        """Smallest dual of each group of limit *k* at which it holds, given the other duals."""
        limit, start = self.limits[k], self.duals[k].copy()
        low = self.duals[k] = (1.0 - _NEAR) * start
        at_low = self.excess(k)
        for share in (1.0 - 5 * _NEAR, 0.0):
            if not ((at_low <= 0) & (low > 0)).any():
                break
            low = self.duals[k] = np.where(at_low > 0, low, share * start)
            at_low = self.excess(k)
        slack = np.where(np.isfinite(limit.bound), _TIGHT * np.maximum(np.abs(limit.bound), 1e-9), np.inf)
        broken = at_low > 0
        if not broken.any():
            return
        least = _FIRST * (1.0 if limit.discount else self.scale)
        high = np.where(broken, np.where(low > 0, (1.0 + _NEAR) * start, least), 0.0)
        found = self._bracket(k, broken, low, at_low, high)
        lost = np.flatnonzero(broken & (found[3] > 0))
        if lost.size and len(self.limits) == 1:
            self._relax(limit, lost, found[3] + limit.bound)
            found[3][lost] = -_TIGHT * np.abs(limit.bound[lost])
        self.duals[k] = self._narrow(k, broken, found, slack)

    def _bracket(
        self, k: int, wanted: NDArray[np.bool_], low: Floats, at_low: Floats, high: Floats
    ) -> tuple[Floats, Floats, Floats, Floats]:
        for _ in range(_EXPANSIONS):
            self.duals[k] = high
            at_high = self.excess(k)
            broken = wanted & (at_high > 0)
            if not broken.any():
                break
            wider = high + _GROWTH * (high - low)
            low, at_low = np.where(broken, high, low), np.where(broken, at_high, at_low)
            high = np.where(broken, wider, high)
        return low, at_low, high, at_high

    def _narrow(
        self, k: int, wanted: NDArray[np.bool_], bracket: tuple[Floats, Floats, Floats, Floats], slack: Floats
    ) -> Floats:
        """False position that halves the weight of an end that stays (Illinois), every third step a bisection."""
        low, at_low, high, at_high = bracket
        pull_low, pull_high = at_low.copy(), at_high.copy()
        for step in range(_STEPS):
            going = wanted & (-at_high > slack) & (high - low > 1e-12 * high)
            if not going.any():
                break
            with np.errstate(invalid="ignore", divide="ignore"):
                tried = (low * pull_high - high * pull_low) / (pull_high - pull_low)
            middle = 0.5 * (low + high)
            safe = np.isfinite(tried) & (tried > low) & (tried < high) & (step % 3 != 2)
            tried = np.where(going, np.where(safe, tried, middle), high)
            self.duals[k] = tried
            reached = self.excess(k)
            broken = going & (reached > 0)
            kept = going & ~broken
            low, at_low = np.where(broken, tried, low), np.where(broken, reached, at_low)
            pull_high = np.where(broken, 0.5 * pull_high, np.where(kept, reached, pull_high))
            pull_low = np.where(kept, 0.5 * pull_low, np.where(broken, reached, pull_low))
            high, at_high = np.where(kept, tried, high), np.where(kept, reached, at_high)
        return high

    def descend(self) -> None:
        """Lower the bound over all duals at once, where one by one takes too long."""
        sizes = [len(limit.bound) for limit in self.limits]
        if len(sizes) < 2 or sum(sizes) > _MOST_AT_ONCE:
            return
        from scipy.optimize import minimize

        cuts = np.cumsum(sizes)[:-1]
        unit = np.concatenate([np.full(len(e.bound), 1.0 if e.discount else self.scale) for e in self.limits])
        price = self.rows.best(*self.charges())
        worth = max(1e-12, abs(float(self.weight @ self.rows.value(price, *_none(self.weight)))))

        def bound_and_slope(tried: Floats) -> tuple[float, Floats]:
            self.duals = np.split(np.maximum(tried, 0.0) * unit, cuts)
            charges = self.charges()
            price = self.rows.best(*charges)
            chance = self.rows.chance(price)
            total, slopes = float(self.weight @ self.rows.value(price, *charges)), []
            for limit, dual, spare in zip(self.limits, self.duals, self.spare, strict=True):
                room = np.where(np.isfinite(limit.bound), limit.bound - spare, 0.0)
                total += float(dual @ room)
                slopes.append(room - limit.used(price, chance, self.weight, self.public))
            return total / worth, np.concatenate(slopes) * unit / worth

        start = np.concatenate(self.duals) / unit
        found = minimize(
            bound_and_slope, start, jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(start),
            options={"maxiter": _DESCENTS, "ftol": 1e-13, "gtol": 1e-9},
        )  # fmt: skip
        self.duals = np.split(np.maximum(found.x, 0.0) * unit, cuts)

    def finish(self) -> DualSolution:
        """Prices under the duals, and the bound."""
        unit, discount = self.charges()
        price = self.rows.best(unit, discount)
        proven = float(self.weight @ self.rows.value(price, unit, discount))
        for limit, dual in zip(self.limits, self.duals, strict=True):
            bound = limit.bound[dual > 0]
            proven += float(dual[dual > 0] @ bound)
        return DualSolution(price, self.duals, unit, discount, self.limits, proven, tuple(self.unreachable))


def _none(weight: Floats) -> tuple[Floats, Floats]:
    return np.zeros(len(weight)), np.zeros(len(weight))
