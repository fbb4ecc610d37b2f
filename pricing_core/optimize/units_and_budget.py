r"""How many units a budget for discounts can buy at most, and which budget a number of units needs at least.

With units *u* and discounts *d* of row *i* at price *p*, weak duality bounds what is possible: for any
:math:`\lambda > 0`

.. math:: \sum u \le \lambda B + h(\lambda), \qquad h(\lambda) = \sum_i \max_p \{u_i(p) - \lambda\, d_i(p)\}

so that units *U* need a budget of at least :math:`\max_\lambda (U - h(\lambda)) / \lambda`. With many rows the bounds
are nearly reached. Prices are tried on a grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.guardrails import Rule
from pricing_core.guardrails.coupled import horizon_scale, public_price
from pricing_core.guardrails.kinds import DISCOUNT_BUDGET, MIN_CONVERSION, MIN_UNITS
from pricing_core.optimize.relaxing import moved_to

if TYPE_CHECKING:
    from pricing_core.optimize.infeasible import Conflict
    from pricing_core.optimize.infeasible_coupled import Ends

Floats = NDArray[np.float64]

_POINTS: Final = 49
_STEPS: Final = 30
_MOST_ROWS: Final = 200_000  # above, the solver finds out
_SLACK: Final = 1e-3  # of the units: what the grid may miss


def units_budget_conflict(ends: Ends, wish: Rule, budget: Rule) -> Conflict | None:
    """Find out whether a budget for discounts is too small for the units or the conversion wanted."""
    if wish.kind not in (MIN_UNITS, MIN_CONVERSION) or budget.kind != DISCOUNT_BUDGET or ends.rows.n > _MOST_ROWS:
        return None
    inside, paid = wish.scope.mask(ends.rows), budget.scope.mask(ends.rows)
    both = inside & paid
    if not both.any():
        return None
    per = 1.0
    if wish.kind == MIN_CONVERSION:
        per = float(ends.rows.weight[inside].sum()) * horizon_scale(ends.rows, ends.guardrails)
    elsewhere = float(ends.most_units[inside & ~paid].sum())
    wanted = float(wish.value or 0.0) * per - elsewhere
    allowed = float(budget.value or 0.0) - float(ends.least_discount[paid & ~inside].sum())
    curve = _Curve.of(ends, np.flatnonzero(both))
    most = curve.most_units(allowed)
    if most >= wanted * (1 - _SLACK):
        return None
    decimals = ends.guardrails.decimals
    changes = [
        moved_to(wish, (most + elsewhere) / per, decimals),
        moved_to(budget, float(budget.value or 0.0) + curve.least_budget(wanted) - allowed, decimals),
    ]
    text = f"{wish.words} and {budget.words} contradict each other"
    return ends.conflict([wish, budget], text, changes, np.flatnonzero(inside))


@dataclass(frozen=True, eq=False)
class _Curve:
    """Units and discounts of rows at prices of a grid, (points, rows)."""

    units: Floats
    discounts: Floats

    @classmethod
    def of(cls, ends: Ends, index: NDArray[np.int64]) -> _Curve:
        rows = ends.rows.take(index)
        weight = rows.weight * horizon_scale(ends.rows, ends.guardrails)
        low, high = ends.reach.low[index], ends.reach.high[index]
        share = np.linspace(0.0, 1.0, _POINTS)
        price = low[:, None] + share * (high - low)[:, None]
        units = weight[:, None] * rows.response.probability(price)
        depth = np.maximum(public_price(rows)[:, None] - price, 0.0)
        return cls(units, units * depth)

    def value(self, dual: float) -> float:
        """Return h, at λ = ``dual``."""
        return float((self.units - dual * self.discounts).max(axis=1).sum())

    def most_units(self, budget: float) -> float:
        """Smallest bound on the units that a budget buys: convex in log λ up to its least point."""
        return _least(lambda dual: dual * budget + self.value(dual))

    def least_budget(self, units: float) -> float:
        """Largest bound on the budget that units need."""
        return -_least(lambda dual: (self.value(dual) - units) / dual)


def _least(function: Callable[[float], float]) -> float:
    """Smallest value over λ from 1e-6 to 1e6: a scan in equal ratios, then golden sections around the best."""
    grid = np.logspace(-6, 6, 49)
    values = [function(float(dual)) for dual in grid]
    at = int(np.argmin(values))
    left, right = np.log(grid[max(at - 1, 0)]), np.log(grid[min(at + 1, len(grid) - 1)])
    ratio = (np.sqrt(5.0) - 1.0) / 2.0
    for _ in range(_STEPS):
        one, two = right - ratio * (right - left), left + ratio * (right - left)
        if function(float(np.exp(one))) < function(float(np.exp(two))):
            right = two
        else:
            left = one
    return min(min(values), function(float(np.exp(0.5 * (left + right)))))
