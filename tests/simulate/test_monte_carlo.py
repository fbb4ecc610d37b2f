"""Sales that vary: against Poisson tables, analytic means, exhaustive enumeration with stock, and shared luck."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from pricing_core.errors import ConfigError
from pricing_core.simulate.intervals import Interval
from pricing_core.simulate.monte_carlo import MonteCarloConfig, Worlds, outcomes, poisson_quantile, simulate_sales
from pricing_core.simulate.stock import expected_sales, served_share, turned_away

UNLIMITED = np.array([np.inf])


def poisson(k: int, mean: float) -> float:
    return math.exp(-mean) * mean**k / math.factorial(k)


def test_poisson_quantiles_equal_the_distribution_function_of_small_means() -> None:
    rng = np.random.default_rng(0)
    chance, mean = rng.random(3_000), np.exp(rng.uniform(-4, np.log(9.9), 3_000))
    np.testing.assert_array_equal(poisson_quantile(chance, mean), stats.poisson.ppf(chance, mean))


def test_poisson_quantiles_of_large_means_have_no_bias() -> None:
    rng = np.random.default_rng(1)
    chance, mean = rng.random(40_000), np.exp(rng.uniform(np.log(10), 7, 40_000))
    away = poisson_quantile(chance, mean) - stats.poisson.ppf(chance, mean)
    assert np.abs(away).max() <= 1
    assert abs(away.mean()) < 0.002


@pytest.mark.parametrize("stock", [0, 1, 2, 5])
@pytest.mark.parametrize("mean", [0.3, 1.7, 4.0])
def test_expected_sales_equal_the_sum_over_all_numbers_of_buyers(mean: float, stock: int) -> None:
    by_hand = sum(min(k, stock) * poisson(k, mean) for k in range(60))
    assert expected_sales(np.array([[mean]]), np.array([float(stock)]))[0, 0] == pytest.approx(by_hand, abs=1e-12)
    more = 1 - sum(poisson(k, mean) for k in range(stock + 1))
    assert turned_away(np.array([[mean]]), np.array([float(stock)]))[0, 0] == pytest.approx(more, abs=1e-12)


def test_buyers_at_two_prices_share_the_stock_as_in_every_order_of_their_arrival() -> None:
    """All counts of buyers at 3 and at 5 and all orders in which they come; the first two find stock."""
    means, prices, stock = (1.2, 0.7), (3.0, 5.0), 2
    money = 0.0
    for low, high in itertools.product(range(9), range(9)):
        chance = poisson(low, means[0]) * poisson(high, means[1])
        orders = set(itertools.permutations([0] * min(low, 4) + [1] * min(high, 4))) if low + high <= 4 else None
        if orders is None:  # the first two of a random order
            total = low + high
            served = stock * (low * prices[0] + high * prices[1]) / total
        else:
            served = float(np.mean([sum(prices[kind] for kind in order[:stock]) for order in orders]))
        money += chance * served
    demand = np.array([[sum(means)]])
    per_unit = (means[0] * prices[0] + means[1] * prices[1]) / sum(means)
    share = served_share(demand, np.array([float(stock)]))[0, 0]
    assert share * demand[0, 0] * per_unit == pytest.approx(money, abs=2e-4)


def test_without_stock_the_average_over_worlds_is_the_expectation() -> None:
    worlds = Worlds.of(2, 1, MonteCarloConfig(worlds=4_000))
    mean = np.array([[3.0], [250.0]])
    sales = simulate_sales(mean, {"units": np.ones((2, 1))}, np.array([np.inf, np.inf]), worlds)
    np.testing.assert_allclose(sales.units.mean(axis=1), mean[:, 0], rtol=2e-3)
    np.testing.assert_allclose(sales.units.var(axis=1), mean[:, 0], rtol=0.03)
    assert abs(sales.stray["units"].mean()) < 0.2


@pytest.mark.parametrize(("mean", "stock"), [(2.5, 2.0), (40.0, 38.0)])
def test_with_stock_the_average_over_worlds_is_the_exact_expectation(mean: float, stock: float) -> None:
    worlds = Worlds.of(1, 1, MonteCarloConfig(worlds=4_000))
    sales = simulate_sales(np.array([[mean]]), {"units": np.ones((1, 1))}, np.array([stock]), worlds)
    exact = sum(min(k, stock) * stats.poisson.pmf(k, mean) for k in range(200))
    assert sales.units.mean() == pytest.approx(exact, rel=2e-3)
    assert sales.units.min() >= 0 and sales.units.max() <= stock


def test_shared_luck_makes_the_difference_of_strategies_sharp() -> None:
    worlds = Worlds.of(1, 1)
    sold = [simulate_sales(np.array([[m]]), {}, UNLIMITED, worlds).units for m in (100.0, 95.0, 100.0)]
    np.testing.assert_array_equal(sold[0], sold[2])
    shared, independent = (sold[0] - sold[1]).std(), np.sqrt(100.0 + 95.0)
    assert shared < 0.1 * independent
    assert (sold[0] >= sold[1]).all()


def test_worlds_are_the_same_for_the_same_seed_and_spread_evenly() -> None:
    first, again, other = (Worlds.of(3, 4, MonteCarloConfig(random_state=seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.luck, again.luck)
    assert not np.array_equal(first.luck, other.luck)
    counts = np.histogram(first.luck[0], bins=40, range=(0, 1))[0]
    assert set(counts) == {10}


def test_outcomes_join_the_range_of_the_expectation_and_the_luck_of_sales() -> None:
    worlds = Worlds.of(1, 1, MonteCarloConfig(worlds=20_000))
    luck = stats.norm.ppf(worlds.luck[0]) * 3.0
    found = outcomes(Interval(50.0, 0, 0, 4.0, 10_000), luck, worlds)
    assert found.mean() == pytest.approx(50.0, abs=0.02)
    assert found.std() == pytest.approx(5.0, rel=0.02)
    assert np.isnan(outcomes(Interval(50.0, 0, 0, np.nan, 0), luck, worlds)).all()


def test_too_few_worlds_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"worlds is 5\. It must be at least 20"):
        MonteCarloConfig(worlds=5)
