r"""Prices for a limited stock while demand is still being learned: Thompson sampling with a linear program.

In each of *T* periods one customer arrives and one price vector *k* of *K* is charged. Product *n* is then bought with
an unknown chance :math:`d_{kn}` and uses :math:`a_{nm}` units of resource *m*. Each period draws the chances from their
posterior :math:`\theta_{kn} \sim \mathrm{Beta}(1 + \text{bought}, 1 + \text{refused})` and the program

.. math:: \max_x \sum_k x_k \sum_n p_{kn} \theta_{kn} \quad \text{s.t.}\quad
          \sum_k x_k \sum_n a_{nm} \theta_{kn} \le c_m, \; \sum_k x_k \le 1, \; x \ge 0

says how often each vector should be charged; *k* is drawn with these frequencies (none: nothing is offered).
:math:`c_m` is the stock left over periods left, so that luck is made up for.

References
----------
Ferreira, Simchi-Levi & Wang (2018), Online Network Revenue Management Using Thompson Sampling, Operations Research
66(6), TS-update.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError

Floats = NDArray[np.float64]

_SLACK: Final = 1e-12


class StockLearner:
    """Charges price vectors for a stock and learns their demand.

    Parameters
    ----------
    prices
        (K,) or (K, N) money: price vectors for *N* products.
    stock
        (M,) units of each resource, or one number.
    periods
        Customers to come.
    usage
        (N, M) units of each resource that a sold product uses. Default: each product is its own resource.
    random_state
        Seed of the draws.

    Attributes
    ----------
    bought_, refused_
        (K, N) customers by vector and product.
    stock_
        (M,) units left.
    periods_
        Customers left.

    Raises
    ------
    ConfigError
        If shapes disagree or a number is not allowed.
    """

    def __init__(
        self,
        prices: Floats,
        stock: Floats | float,
        periods: int,
        *,
        usage: Floats | None = None,
        random_state: int = 0,
    ) -> None:
        prices = np.asarray(prices, dtype=float)
        self.prices = prices[:, None] if prices.ndim == 1 else prices
        n = self.prices.shape[1]
        self.usage = np.eye(n) if usage is None else np.asarray(usage, dtype=float)
        self.random_state = random_state
        self.stock_ = np.array(np.broadcast_to(stock, (self.usage.shape[1],)), dtype=float)
        self.periods_ = int(periods)
        if self.usage.shape[0] != n or not (self.usage >= 0).all():
            raise ConfigError(f"usage has the shape {self.usage.shape}.", fix=f"Give {n} rows of numbers from 0 up.")
        if not (self.stock_ >= 0).all() or self.periods_ < 1 or not (self.prices > 0).all():
            raise ConfigError("Stock below 0, no customers to come, or a price of 0 or less.", fix="Correct it.")
        self.bought_ = np.zeros(self.prices.shape)
        self.refused_ = np.zeros(self.prices.shape)
        self._rng = np.random.default_rng(random_state)

    def choose(self) -> int | None:
        """Vector to charge the next customer; None where nothing can or should be offered."""
        if self.periods_ < 1:
            raise ConfigError("All customers have come.", fix="Start a learner for the next period.")
        chance = self._rng.beta(1.0 + self.bought_, 1.0 + self.refused_)
        shares = charge_shares(self.prices, chance, self.usage, self.stock_ / self.periods_)
        ends = np.cumsum(shares)
        k = int(np.searchsorted(ends, self._rng.random(), side="right"))
        return k if k < len(ends) and self._in_stock(k) else None

    def observe(self, vector: int | None, bought: NDArray[np.bool_] | bool = False) -> None:
        """Record what the customer did who was charged ``vector``; ``bought`` (N,) says which products were bought."""
        self.periods_ -= 1
        if vector is None:
            return
        sold = np.broadcast_to(np.asarray(bought, dtype=float), (self.prices.shape[1],))
        self.bought_[vector] += sold
        self.refused_[vector] += 1.0 - sold
        self.stock_ = np.maximum(self.stock_ - sold @ self.usage, 0.0)

    def _in_stock(self, vector: int) -> bool:
        """Whether all that one customer may take is there."""
        return bool((self.stock_ + _SLACK >= self.usage.max(axis=0)).all())


def charge_shares(prices: Floats, chance: Floats, usage: Floats, rate: Floats) -> Floats:
    """Share of customers to charge each price vector, (K,), summing to at most 1.

    Parameters
    ----------
    prices, chance
        (K, N) money, and chance of a purchase.
    usage
        (N, M) units that a sold product uses.
    rate
        (M,) units that may be used per customer.
    """
    revenue, need = (prices * chance).sum(axis=1), chance @ usage
    if usage.shape[1] == 1:
        return _one_resource(revenue, need[:, 0], float(rate[0]))
    from scipy.optimize import linprog

    k = len(revenue)
    limits = np.vstack([need.T, np.ones((1, k))])
    found = linprog(-revenue, A_ub=limits, b_ub=np.append(rate, 1.0), bounds=(0, None), method="highs")
    return np.clip(found.x, 0.0, 1.0)


def _one_resource(revenue: Floats, need: Floats, rate: float) -> Floats:
    """With one resource the best mix has at most two vectors: the concave hull of revenue over need."""
    need, revenue = np.append(need, 0.0), np.append(revenue, 0.0)  # the last is to offer nothing
    best, top = np.zeros(len(need)), -np.inf
    for i in range(len(need)):
        for j in range(len(need)):
            if need[i] <= rate + _SLACK and (need[j] > rate or i == j):
                share = 1.0 if i == j else (rate - need[i]) / (need[j] - need[i])
                value = revenue[i] if i == j else (1 - share) * revenue[i] + share * revenue[j]
                if value > top:
                    top, best = value, np.zeros(len(need))
                    best[i] = 1.0 if i == j else 1.0 - share
                    if i != j:
                        best[j] = share
    return best[:-1]


def fluid_optimum(prices: Floats, chance: Floats, stock: Floats | float, periods: int) -> float:
    """Most that anyone who knows the chances (K,) of one product can expect: the program's value times the periods."""
    prices, chance = np.asarray(prices, dtype=float)[:, None], np.asarray(chance, dtype=float)[:, None]
    shares = charge_shares(prices, chance, np.ones((1, 1)), np.array([float(stock) / periods]))
    return float(periods * shares @ (prices * chance).sum(axis=1))


def informed_optimum(prices: Floats, chance: Floats, stock: int, periods: int) -> float:
    """Expected revenue of the best policy for one product that knows the chances (K,), by dynamic programming."""
    value = np.zeros(stock + 1)
    prices, chance = np.asarray(prices, dtype=float)[:, None], np.asarray(chance, dtype=float)[:, None]
    for _ in range(periods):
        gain = chance * (prices + value[:-1] - value[1:])
        value[1:] += np.maximum(gain.max(axis=0), 0.0)
    return float(value[-1])
