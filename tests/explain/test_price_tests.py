"""The cheapest price test: its size against simulated tests."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.explain.price_test import cheapest_test
from pricing_core.optimize.posterior import maximize_posterior_profit
from tests.pricing_cases import make_rows

ROWS = make_rows(40, products=1, seed=5)
BEST = maximize_posterior_profit(ROWS.response, ROWS.unit_cost, ROWS.support_low, ROWS.support_high)


def test_a_simulated_test_of_that_size_sees_the_gain_four_times_in_five() -> None:
    test = cheapest_test(ROWS, BEST)
    assert test is not None
    rng = np.random.default_rng(0)
    n, times, seen = test.offers_each, 400, 0
    for _ in range(times):
        profit = []
        for price in (ROWS.current_price, test.price):
            row = rng.integers(0, ROWS.n, n)
            bought = rng.random(n) < ROWS.response.probability(price)[row]
            profit.append(bought * (price - ROWS.unit_cost)[row])
        gap = profit[1].mean() - profit[0].mean()
        seen += gap / np.sqrt(profit[0].var() / n + profit[1].var() / n) > 1.96
    assert 0.8 - 0.07 < seen / times < 0.8 + 0.07


def test_the_cheapest_share_needs_no_more_offers_than_the_recommended_prices() -> None:
    test = cheapest_test(ROWS, BEST, offers_per_week=100.0)
    assert test is not None and test.weeks == pytest.approx(2 * test.offers_each / 100)
    change = ROWS.current_price + test.share * (BEST - ROWS.current_price)
    assert test.price == pytest.approx(np.clip(change, ROWS.support_low, ROWS.support_high), abs=0.006)
    chance = (ROWS.response.probability(test.price) * (test.price - ROWS.unit_cost)).mean()
    today = (ROWS.response.probability(ROWS.current_price) * (ROWS.current_price - ROWS.unit_cost)).mean()
    assert test.gain == pytest.approx(chance - today)
    assert test.needed == (test.chance_of_gain < 0.975)


def test_where_nothing_is_to_be_gained_there_is_no_test() -> None:
    worse = np.where(ROWS.current_price < BEST, ROWS.support_low, ROWS.support_high)
    assert cheapest_test(ROWS, worse) is None


def test_a_test_without_offers_or_power_is_refused() -> None:
    with pytest.raises(DataError, match="0 offers and 0 prices"):
        cheapest_test(ROWS.take(np.zeros(ROWS.n, dtype=bool)), np.empty(0))
    with pytest.raises(ConfigError, match=r"power is 1\.2"):
        cheapest_test(ROWS, BEST, power=1.2)
