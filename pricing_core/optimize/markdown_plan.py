r"""Selling off a stock by a date: a weekly price that never rises again, by dynamic programming.

With *s* units left and price *k* of a falling ladder in force, week *t* of *T* is worth

.. math:: V_t(s, k) = \max_{j \ge k} \; E\left[p_j \min(D_{tj}, s) + V_{t+1}(s - \min(D_{tj}, s),\, j)\right],
          \qquad V_T(s, \cdot) = v s

where :math:`D_{tj}` is the number of buyers, Poisson with the expected demand of that week and price, and *v* what a
unit that is left over still brings. What the units once cost plays no part: they are bought already.

References
----------
Gallego & van Ryzin (1994), Optimal Dynamic Pricing of Inventories with Stochastic Demand over Finite Horizons,
Management Science 40(8); Bitran & Mondschein (1997), Periodic Pricing of Seasonal Products in Retailing, for prices
that only fall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_LEVELS: Final = 200  # stock is counted in lots beyond as many units
_TIE: Final = 1e-12


@dataclass(frozen=True, eq=False)
class MarkdownPlan:
    """Weekly prices of one product until the end date.

    Attributes
    ----------
    price
        (T,) money: the price of each week if sales go as expected; it never rises.
    expected_price
        (T,) money: average price of the week over all that may happen, as the plan reacts to what was sold.
    expected_units
        (T,) units sold in the week, on average.
    expected_stock
        (T + 1,) units left before each week and at the end, on average.
    value
        Expected revenue plus what left-over units bring, money.
    sold_out
        Chance that nothing is left at the end.
    constant_price, constant_value, constant_leftover
        The best single price for all weeks, its value, and the units that it leaves over on average.
    """

    price: Floats
    expected_price: Floats
    expected_units: Floats
    expected_stock: Floats
    value: float
    sold_out: float
    constant_price: float
    constant_value: float
    constant_leftover: float

    @property
    def leftover(self) -> float:
        """Units left at the end, on average."""
        return float(self.expected_stock[-1])

    def to_frame(self) -> pd.DataFrame:
        """One row per week: ``week, price, expected_price, expected_units, expected_stock`` (at its start)."""
        return pd.DataFrame(
            {
                "week": np.arange(1, len(self.price) + 1),
                "price": self.price,
                "expected_price": self.expected_price,
                "expected_units": self.expected_units,
                "expected_stock": self.expected_stock[:-1],
            }
        )


def plan_markdown(prices: Floats, demand: Floats, stock: int, *, salvage_value: float = 0.0) -> MarkdownPlan:
    """Best falling prices for a stock.

    Parameters
    ----------
    prices
        (K,) money, falling: the ladder.
    demand
        (T, K): units that would be asked for in each week at each price, expected; at least zero.
    stock
        Units, at least 1. Beyond 200 they are counted in lots, which moves the value by a small part of a lot.
    salvage_value
        What a left-over unit brings, money.

    Raises
    ------
    ConfigError
        If prices do not fall, demand is negative, or there is no stock.
    """
    prices, demand = np.asarray(prices, dtype=float), np.asarray(demand, dtype=float)
    if prices.ndim != 1 or not len(prices) or not (np.diff(prices) < 0).all() or not (prices > 0).all():
        raise ConfigError("The prices of a markdown do not fall.", fix="Give a ladder from the highest to the lowest.")
    if demand.ndim != 2 or demand.shape[1:] != prices.shape or not len(demand) or not (demand >= 0).all():
        raise ConfigError(f"Demand has the shape {demand.shape}.", fix="Give one number per week and price, from 0 up.")
    if int(stock) != stock or stock < 1:
        raise ConfigError(f"The stock is {stock}.", fix="It must be a whole number of units from 1 up.")
    return _Program(prices, demand, int(stock), float(salvage_value)).solve()


class _Program:
    def __init__(self, prices: Floats, demand: Floats, stock: int, salvage: float) -> None:
        self.prices, self.demand, self.salvage = prices, demand, salvage
        self.weeks, self.rungs = demand.shape
        self.lot = -(-stock // MOST_LEVELS)
        self.levels = round(stock / self.lot)
        self.scale = stock / self.levels  # units in a lot, so that all lots together are the stock
        self._sales: dict[float, tuple[Floats, Floats, Floats]] = {}

    def solve(self) -> MarkdownPlan:
        policy, value = self._backward()
        start = np.zeros((self.rungs, self.levels + 1))
        start[0, -1] = 1.0
        price, units, left, end = self._forward(policy, start)
        constant = [self._constant(k) for k in range(self.rungs)]
        values = np.array([each[0] for each in constant])
        best = int(np.flatnonzero(values >= values.max() - _TIE * abs(values.max()))[0])
        return MarkdownPlan(
            self._path(policy),
            price,
            units,
            left,
            value,
            float(end),
            float(self.prices[best]),
            float(values[best]),
            constant[best][1],
        )

    def _buyers(self, mean: float) -> tuple[Floats, Floats, Floats]:
        """Chance of each number of lots asked for, that of more than it, and expected units sold by lots in stock."""
        if mean not in self._sales:
            from scipy.special import pdtr

            lots = np.arange(self.levels + 1)
            ends = np.floor((lots + 0.5) * self.scale) if self.lot > 1 else lots.astype(float)
            below = pdtr(ends, mean)
            chance = np.diff(below, prepend=0.0)
            more = np.maximum(1.0 - below, 0.0)
            sold = np.concatenate([[0.0], np.cumsum(1.0 - below[:-1])])  # E min(D, s) = sum of P(D > d), d < s
            self._sales[mean] = chance, more, sold * self.scale
        return self._sales[mean]

    def _worth(self, week: int, rung: int, following: Floats) -> Floats:
        """Value of charging a rung for a week, by lots in stock, if the rest is worth ``following``."""
        chance, more, sold = self._buyers(float(self.demand[week, rung]))
        rest = np.convolve(chance, following)[: self.levels + 1] + more * following[0]
        return np.asarray(self.prices[rung] * sold + rest)

    def _backward(self) -> tuple[Ints, float]:
        """Rung to charge by week, last rung and stock, and the value at the start."""
        policy = np.zeros((self.weeks, self.rungs, self.levels + 1), dtype=np.int64)
        value = np.tile(self.salvage * self.scale * np.arange(self.levels + 1), (self.rungs, 1))
        for week in range(self.weeks - 1, -1, -1):
            worth = np.stack([self._worth(week, j, value[j]) for j in range(self.rungs)])
            value = np.maximum.accumulate(worth[::-1], axis=0)[::-1]
            slack = _TIE * np.abs(value)
            for k in range(self.rungs):
                policy[week, k] = k + np.argmax(worth[k:] >= value[k] - slack[k], axis=0)
        return policy, float(value[0, -1])

    def _forward(self, policy: Ints, mass: Floats) -> tuple[Floats, Floats, Floats, float]:
        """Average price and units by week, stock before each and at the end, and the chance of selling out."""
        count = self.scale * np.arange(self.levels + 1)
        price, units, left = np.empty(self.weeks), np.empty(self.weeks), np.empty(self.weeks + 1)
        for week in range(self.weeks):
            left[week] = (mass @ count).sum()
            charged = np.stack([np.where(policy[week] == j, mass, 0.0).sum(axis=0) for j in range(self.rungs)])
            price[week] = self.prices @ charged.sum(axis=1)
            mass = np.zeros_like(mass)
            units[week] = 0.0
            for j in range(self.rungs):
                chance, _, sold = self._buyers(float(self.demand[week, j]))
                units[week] += charged[j] @ sold
                mass[j] = self._after(charged[j], chance)
        left[-1] = (mass @ count).sum()
        return price, units, left, float(mass[:, 0].sum())

    def _after(self, before: Floats, chance: Floats) -> Floats:
        """Distribution of the stock after sales."""
        rest = np.convolve(before[::-1], chance)[: self.levels + 1][::-1]
        rest[0] = max(0.0, before.sum() - rest[1:].sum())
        return np.asarray(rest)

    def _constant(self, rung: int) -> tuple[float, float]:
        """Value and units left over of one price for all weeks."""
        left: Floats = self.scale * np.arange(self.levels + 1.0)
        value: Floats = self.salvage * left
        for week in range(self.weeks - 1, -1, -1):
            chance, more, _ = self._buyers(float(self.demand[week, rung]))
            value = self._worth(week, rung, value)
            left = np.convolve(chance, left)[: self.levels + 1] + more * left[0]
        return float(value[-1]), float(left[-1])

    def _path(self, policy: Ints) -> Floats:
        """Prices week by week if sales are what is expected."""
        stock, rung = float(self.levels), 0
        out = np.empty(self.weeks)
        for week in range(self.weeks):
            rung = int(policy[week, rung, round(stock)])
            _, _, sold = self._buyers(float(self.demand[week, rung]))
            stock = max(0.0, stock - float(np.interp(stock, np.arange(self.levels + 1), sold)) / self.scale)
            out[week] = self.prices[rung]
        return out
