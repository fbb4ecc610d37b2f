r"""The best price of each row when sales and discounts have a price of their own.

For fixed rows and many pairs of duals :math:`(\nu, \mu)`, the maximum over the allowed range of

.. math:: f(p) - \nu \bar P(p) - \mu \max(l - p, 0) \bar P(p)

with the objective *f*, the dual *ν* of a unit sold and the dual *μ* of the money given off the public price *l*.
Where *f* is profit with an effective cost, so is the whole, below *l* with cost
:math:`(c + \nu + \mu l) / (1 + \mu)` and above it with :math:`c + \nu`; Newton steps start from the last answer.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pricing_core.optimize.blocks import for_blocks
from pricing_core.optimize.cautious import scan
from pricing_core.optimize.objectives import Objective, objective_function
from pricing_core.optimize.posterior import (
    ProfitFunction,
    climb,
    disagreeing,
    maximize_posterior_profit,
    posterior_profit,
)
from pricing_core.response import PriceResponse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK: Final = 1024


class Responder(Protocol):
    """Rows that answer duals with prices."""

    low: Floats
    high: Floats

    def best(self, unit_dual: Floats, discount_dual: Floats) -> Floats:
        """Return the best price of each row, (n,) money."""
        ...

    def value(self, price: Floats, unit_dual: Floats, discount_dual: Floats) -> Floats:
        """Return the objective minus what the duals charge, (n,) per occasion."""
        ...

    def chance(self, price: Floats) -> Floats:
        """Return the mean chance of a purchase, (n,)."""
        ...

    def take(self, rows: Ints) -> Responder:
        """Return the rows of an index."""
        ...


class RowCurves:
    """Rows that are priced one by one.

    Parameters
    ----------
    response
        Demand curves.
    cost, low, high
        (n,) money.
    public
        (n,) money: the price from which discounts count.
    objective
        What is maximized.
    start
        (n,) money: prices near the optimum, such as those without any dual.
    """

    def __init__(
        self,
        response: PriceResponse,
        cost: Floats,
        low: Floats,
        high: Floats,
        public: Floats,
        objective: Objective,
        start: Floats | None = None,
    ) -> None:
        self.low, self.high, self.public = low, high, public
        self._given = response, cost, objective
        self._cautious = objective.cautious
        self._cost = objective.effective_cost(cost)
        self._chance = ProfitFunction(response, np.zeros(response.n))
        self._objective = objective_function(response, cost, objective) if self._cautious else self._chance
        self._start = np.clip(0.5 * (low + high) if start is None else start, low, high)
        self._below = self._start
        self._at: Floats | None = None
        self._apart = np.zeros(0, dtype=np.int64) if self._cautious else disagreeing(response, self._cost, low, high)
        self._hard = response.take(self._apart) if self._apart.size else None

    def take(self, rows: Ints) -> RowCurves:
        """Rows by index."""
        response, cost, objective = self._given
        low, high, public = self.low[rows], self.high[rows], self.public[rows]
        return RowCurves(response.take(rows), cost[rows], low, high, public, objective, self._start[rows])

    def chance(self, price: Floats) -> Floats:
        """Return the mean chance of a purchase, (n,)."""
        return self._chance(price) / price

    def base(self, price: Floats) -> Floats:
        """Return the objective alone, (n,), up to a factor and a constant."""
        if self._cautious:
            return self._objective(price)
        return np.asarray((price - self._cost) * self.chance(price))

    def value(self, price: Floats, unit_dual: Floats, discount_dual: Floats) -> Floats:
        """Return the objective minus what the duals charge, (n,)."""
        charge = unit_dual + discount_dual * np.maximum(self.public - price, 0.0)
        if self._cautious:
            return np.asarray(self._objective(price) - charge * self.chance(price))
        return np.asarray((price - self._cost - charge) * self.chance(price))

    def best(self, unit_dual: Floats, discount_dual: Floats) -> Floats:
        """Return the best price of each row, (n,)."""
        if self._cautious:
            return scan(lambda price: self.value(price, unit_dual, discount_dual), self.low, self.high)
        free = self._free(unit_dual)
        if not discount_dual.any():
            return free
        # A charge on discounts only draws prices up to the public one: those above it stay where they are.
        ceiling = np.clip(self.public, self.low, self.high)
        cost = (self._cost + unit_dual + discount_dual * self.public) / (1.0 + discount_dual)
        price = np.where(free >= ceiling, free, self._climb(cost, self._below, self.low, ceiling))
        self._below = price
        if self._hard is not None:
            at = self._apart
            charge = unit_dual[at], discount_dual[at]
            better = self._worth_apart(free[at], *charge) > self._worth_apart(price[at], *charge)
            price[at] = np.where(better, free[at], price[at])
        return price

    def _worth_apart(self, price: Floats, unit_dual: Floats, discount_dual: Floats) -> Floats:
        """Value of the rows whose draws disagree, in their order."""
        at = self._apart
        cost = self._cost[at] + unit_dual + discount_dual * np.maximum(self.public[at] - price, 0.0)
        return posterior_profit(self._hard, price, cost) if self._hard is not None else price

    def _free(self, unit_dual: Floats) -> Floats:
        """Best prices without a charge on discounts; those of the last call are kept."""
        if self._at is None or not np.array_equal(self._at, unit_dual):
            self._start = self._climb(self._cost + unit_dual, self._start, self.low, self.high)
            self._at = unit_dual.copy()
        return self._start

    def _climb(self, cost: Floats, start: Floats, low: Floats, high: Floats) -> Floats:
        out = np.empty(len(cost))
        alpha, slope, start = self._chance.alpha, self._chance.slope, np.clip(start, low, high)

        def work(rows: slice) -> None:
            found = climb(alpha[:, rows], slope[:, rows], cost[rows], low[rows], start[rows], high[rows])
            out[rows] = np.clip(found, low[rows], high[rows])

        for_blocks(len(cost), _BLOCK, work)
        if self._hard is not None:
            at = self._apart
            out[at] = maximize_posterior_profit(self._hard, cost[at], low[at], high[at])
        return out
