"""Learning while selling: the program against brute force, and what is earned against who knows the demand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from pricing_core.errors import ConfigError
from pricing_core.optimize.stock_learning import StockLearner, charge_shares, fluid_optimum, informed_optimum

PRICES, DEMAND = np.array([29.9, 34.9, 39.9, 44.9]), np.array([0.8, 0.6, 0.3, 0.1])


@pytest.mark.parametrize("seed", range(20))
def test_shares_for_one_resource_are_those_of_a_solver(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prices, chance = rng.uniform(5, 50, 5), rng.uniform(0, 1, 5)
    rate = rng.uniform(0.01, 1.1)
    found = charge_shares(prices[:, None], chance[:, None], np.ones((1, 1)), np.array([rate]))
    wanted = linprog(-prices * chance, A_ub=[chance, np.ones(5)], b_ub=[rate, 1.0], bounds=(0, None))
    assert found @ (prices * chance) == pytest.approx(-wanted.fun, rel=1e-7)
    assert found @ chance <= rate + 1e-9 and found.sum() <= 1 + 1e-9 and (found >= 0).all()


def test_the_programs_optimum_is_the_known_one() -> None:
    """A quarter of the customers can be served: 3 of 4 at 39.9 and 1 of 4 at 44.9 sell just that."""
    assert fluid_optimum(PRICES, DEMAND, 250, 1_000) == pytest.approx(1_000 * (0.75 * 0.3 * 39.9 + 0.25 * 0.1 * 44.9))
    assert fluid_optimum(PRICES, DEMAND, 900, 1_000) == pytest.approx(1_000 * 0.8 * 29.9)


def test_knowing_demand_earns_less_than_the_program_promises_and_what_recursion_says() -> None:
    def value(periods: int, stock: int) -> float:
        if periods == 0 or stock == 0:
            return 0.0
        rest, sold = value(periods - 1, stock), value(periods - 1, stock - 1)
        return max(rest, max(d * (p + sold) + (1 - d) * rest for p, d in zip(PRICES, DEMAND, strict=True)))

    assert informed_optimum(PRICES, DEMAND, 3, 7) == pytest.approx(value(7, 3))
    assert informed_optimum(PRICES, DEMAND, 250, 1_000) < fluid_optimum(PRICES, DEMAND, 250, 1_000)


def test_learning_reaches_the_optimum_and_never_sells_more_than_there_is() -> None:
    earned = []
    for seed in range(8):
        learner = StockLearner(PRICES, 250, 1_000, random_state=seed)
        rng = np.random.default_rng([seed, 1])
        total, sold = 0.0, 0
        for _ in range(1_000):
            k = learner.choose()
            bought = k is not None and bool(rng.random() < DEMAND[k])
            total, sold = total + (PRICES[k] if bought else 0.0), sold + bought
            learner.observe(k, bought)
        assert sold <= 250 and learner.stock_[0] == 250 - sold
        earned.append(total / fluid_optimum(PRICES, DEMAND, 250, 1_000))
    assert np.mean(earned) > 0.985
    fixed = DEMAND.min() * PRICES.max() * 1_000 / fluid_optimum(PRICES, DEMAND, 250, 1_000)
    assert min(earned) > 2 * fixed


def test_the_same_seed_charges_the_same_prices() -> None:
    charged = []
    for _ in range(2):
        learner = StockLearner(PRICES, 10, 50, random_state=4)
        mine = []
        for t in range(50):
            mine.append(learner.choose())
            learner.observe(mine[-1], t % 3 == 0)
        charged.append(mine)
    assert charged[0] == charged[1]
    assert charged[0][-1] is None  # sold out


def test_two_products_that_share_a_resource() -> None:
    prices = np.array([[10.0, 20.0], [12.0, 25.0]])
    chance = np.array([[0.5, 0.4], [0.3, 0.3]])
    usage = np.array([[1.0, 0.0], [1.0, 2.0]])
    found = charge_shares(prices, chance, usage, np.array([0.7, 0.5]))
    best = max(
        (a * (prices[0] @ chance[0]) + b * (prices[1] @ chance[1]))
        for a in np.linspace(0, 1, 401)
        for b in np.linspace(0, 1 - a, 201)
        if (a * (chance[0] @ usage) + b * (chance[1] @ usage) <= np.array([0.7, 0.5]) + 1e-12).all()
    )
    assert found @ (prices * chance).sum(axis=1) >= best - 1e-9
    assert (found @ (chance @ usage) <= np.array([0.7, 0.5]) + 1e-9).all()


def test_what_cannot_be_sold_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"usage has the shape \(2, 2\)"):
        StockLearner(PRICES, 5, 10, usage=np.ones((2, 2)))
    with pytest.raises(ConfigError, match="Stock below 0"):
        StockLearner(PRICES, -1, 10)
    learner = StockLearner(PRICES, 5, 1)
    learner.observe(learner.choose())
    with pytest.raises(ConfigError, match="All customers have come"):
        learner.choose()
