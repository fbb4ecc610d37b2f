"""Posterior mean optimum against a dense grid, from agreeing draws to draws that contradict each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_core.errors import DataError
from pricing_core.optimize.closed_form import optimal_relative_price
from pricing_core.optimize.posterior import maximize_posterior_profit, posterior_profit
from pricing_core.response import PriceResponse
from tests.pricing_cases import grid_best, make_response


@pytest.mark.parametrize("disagreement", [0.0, 0.1, 0.3, 0.6, 1.0])
@pytest.mark.parametrize(("below", "above"), [(0.7, 1.3), (0.05, 8.0)])
def test_profit_is_within_a_millionth_of_a_dense_grid(disagreement: float, below: float, above: float) -> None:
    response = make_response(1500, 16, seed=5, disagreement=disagreement)
    cost = response.reference_price * np.random.default_rng(6).uniform(0, 0.7, 1500)
    low, high = below * response.reference_price, above * response.reference_price
    price = maximize_posterior_profit(response, cost, low, high)
    assert (price >= low).all() and (price <= high).all()
    best = grid_best(response, cost, low, high)
    assert (posterior_profit(response, price, cost) >= best * (1 - 1e-6)).all()


@settings(max_examples=60, deadline=None)
@given(
    alpha=st.lists(st.floats(-4, 8), min_size=1, max_size=5),
    beta=st.lists(st.floats(0.5, 15), min_size=5, max_size=5),
    cost=st.floats(0, 1.2),
    low=st.floats(0.1, 1.2),
    width=st.floats(0, 3),
)
def test_any_mixture_of_curves_is_maximized(
    alpha: list[float], beta: list[float], cost: float, low: float, width: float
) -> None:
    response = PriceResponse(np.array([10.0]), np.array([alpha]), np.array([beta[: len(alpha)]]))
    unit, bottom, top = np.array([10 * cost]), np.array([10 * low]), np.array([10 * (low + width)])
    price = maximize_posterior_profit(response, unit, bottom, top)
    best = grid_best(response, unit, bottom, top)
    reached = posterior_profit(response, price, unit)
    assert reached[0] >= best[0] - 1e-6 * abs(best[0])


def test_one_draw_gives_the_closed_form() -> None:
    response = make_response(300, 1, seed=7)
    cost = 0.5 * response.reference_price
    expected = response.reference_price * optimal_relative_price(
        response.intercept[:, 0], response.sensitivity[:, 0], np.full(300, 0.5)
    )
    found = maximize_posterior_profit(response, cost, 0.01 * expected, 10 * expected)
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_two_peaks_are_told_apart() -> None:
    """Half of the draws say that buyers pay up to 1, the other half up to 3: the better peak is the far one."""
    response = PriceResponse(np.array([1.0]), np.array([[40.0, 60.0]]), np.array([[40.0, 20.0]]))
    price = maximize_posterior_profit(response, np.zeros(1), np.array([0.1]), np.array([5.0]))
    assert price[0] == pytest.approx(2.8, abs=0.1)
    cheap = PriceResponse(np.array([1.0]), np.array([[40.0, 30.0]]), np.array([[40.0, 20.0]]))
    assert maximize_posterior_profit(cheap, np.zeros(1), np.array([0.1]), np.array([5.0]))[0] < 1.0


def test_posterior_profit_is_margin_times_mean_chance() -> None:
    response = make_response(3000, 6, seed=8)
    price, cost = 1.1 * response.reference_price, 0.4 * response.reference_price
    np.testing.assert_allclose(
        posterior_profit(response, price, cost), (price - cost) * response.probability(price), rtol=1e-12
    )


def test_an_empty_range_is_refused() -> None:
    response = make_response(2, 2)
    with pytest.raises(DataError, match="empty or unknown in 1 of 2 rows"):
        maximize_posterior_profit(response, np.zeros(2), np.array([1.0, 3.0]), np.array([2.0, 2.0]))
