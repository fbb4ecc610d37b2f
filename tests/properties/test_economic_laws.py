"""Laws that prices and demand must obey, whatever the numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_core.guardrails import NO_GUARDRAILS, Guardrails
from pricing_core.optimize.posterior import maximize_posterior_profit, posterior_profit
from pricing_core.optimize.settings import STRATEGIES, SegmentSettings, StrategySettings
from pricing_core.optimize.strategies import price_strategy
from pricing_core.response import PriceResponse
from pricing_core.response.willingness import consumer_surplus, willingness_to_pay
from pricing_core.simulate import simulate_strategies
from tests.pricing_cases import make_response, make_rows

EXACT = settings(max_examples=25, deadline=None)


@EXACT
@given(seed=st.integers(0, 10_000), low=st.floats(0.01, 3), step=st.floats(0.001, 2))
def test_demand_falls_with_its_own_price(seed: int, low: float, step: float) -> None:
    response = make_response(20, 4, seed=seed, disagreement=0.5)
    cheap, dear = low * response.reference_price, (low + step) * response.reference_price
    assert (response.probability(dear) < response.probability(cheap)).all()
    assert (response.elasticity(cheap) < 0).all()
    assert (consumer_surplus(response, dear) < consumer_surplus(response, cheap)).all()


@EXACT
@given(
    seed=st.integers(0, 10_000),
    margin=st.floats(0, 0.4),
    extra=st.floats(0, 0.2),
    change=st.floats(0.05, 0.5),
    shrink=st.floats(0.3, 1.0),
)
def test_a_tighter_guardrail_never_raises_the_predicted_optimum(
    seed: int, margin: float, extra: float, change: float, shrink: float
) -> None:
    rows = make_rows(24, seed=seed)
    loose = Guardrails(margin_floor=margin, max_change_rate=change)
    tight = Guardrails(margin_floor=margin + extra, max_change_rate=change * shrink)
    wide, narrow = price_strategy("personalized", rows, loose), price_strategy("personalized", rows, tight)
    both = ~wide.held & ~narrow.held
    more = posterior_profit(rows.response, wide.price, rows.unit_cost)
    less = posterior_profit(rows.response, narrow.price, rows.unit_cost)
    assert (less[both] <= more[both] * (1 + 1e-9) + 1e-12).all()
    assert not (wide.held & ~narrow.held).any()


@EXACT
@given(seed=st.integers(0, 10_000), name=st.sampled_from(STRATEGIES))
def test_permuting_rows_permutes_prices(seed: int, name: str) -> None:
    labels = {"customers: tier": np.array(["gold", "", "blue"], dtype=object)[np.arange(30) % 7 % 3]}
    rows = make_rows(30, seed=seed, stock=np.full(30, 9.0), labels=labels)
    order = np.random.default_rng(seed).permutation(rows.n)
    rules = Guardrails(max_change_rate=0.3, endings=(49, 99))
    settings = StrategySettings(segments=SegmentSettings(min_leaf_rows=3))
    straight = price_strategy(name, rows, rules, settings=settings)
    mixed = price_strategy(name, rows.take(order), rules, settings=settings)
    np.testing.assert_allclose(mixed.price, straight.price[order], atol=1e-9)
    assert mixed.status.tolist() == straight.status[order].tolist()


@EXACT
@given(seed=st.integers(0, 10_000), rate=st.floats(0.01, 200))
def test_another_currency_rescales_prices_and_leaves_elasticities(seed: int, rate: float) -> None:
    response = make_response(20, 6, seed=seed)
    other = replace(response, reference_price=rate * response.reference_price)
    cost, low, high = (share * response.reference_price for share in (0.5, 0.6, 1.6))
    price = maximize_posterior_profit(response, cost, low, high)
    converted = maximize_posterior_profit(other, rate * cost, rate * low, rate * high)
    np.testing.assert_allclose(converted, rate * price, rtol=1e-9)
    np.testing.assert_allclose(other.elasticity(converted), response.elasticity(price), rtol=1e-7)


@EXACT
@given(seed=st.integers(0, 10_000))
def test_without_cost_the_optimum_maximizes_revenue(seed: int) -> None:
    response = make_response(20, 4, seed=seed)
    low, high = 0.05 * response.reference_price, 5 * response.reference_price
    price = maximize_posterior_profit(response, np.zeros(20), low, high)
    revenue = price * response.probability(price)
    for share in np.linspace(0.05, 5, 400):
        other = share * response.reference_price
        assert (revenue >= other * response.probability(other) * (1 - 1e-6)).all()


@EXACT
@given(seed=st.integers(0, 10_000), rise=st.floats(0.01, 0.5))
def test_a_dearer_product_is_priced_no_lower(seed: int, rise: float) -> None:
    response = make_response(20, 4, seed=seed)
    cost, low, high = (share * response.reference_price for share in (0.4, 0.01, 9.0))
    before = maximize_posterior_profit(response, cost, low, high)
    after = maximize_posterior_profit(response, cost * (1 + rise), low, high)
    assert (after >= before - 1e-6 * before).all()


@EXACT
@given(seed=st.integers(0, 10_000), chance=st.floats(0.02, 0.6))
def test_at_the_willingness_to_pay_the_chance_is_the_stated_one(seed: int, chance: float) -> None:
    response = make_response(20, 4, seed=seed)
    price = willingness_to_pay(response, chance)
    reached = response.probability(price)
    never = response.probability(np.zeros(20)) < chance
    np.testing.assert_allclose(reached[~never], chance, rtol=1e-6)
    assert (price[never] == 0).all()


def test_personal_prices_earn_at_least_what_coarser_ones_do_by_the_same_model() -> None:
    """Prices per row can copy a price per product, and that can copy one change for all."""
    current = np.round(make_rows(240).list_price, 2)
    rows = make_rows(240, current_price=current)
    table = simulate_strategies(rows, ["status_quo", "uniform", "product", "personalized"]).table
    claimed = table.set_index("strategy")["profit_uncorrected"]
    assert claimed["personalized"] >= claimed["product"] >= claimed["uniform"] * (1 - 1e-4)
    assert claimed["uniform"] >= claimed["status_quo"] * (1 - 1e-4)


def test_consumer_surplus_is_the_area_under_the_demand_curve() -> None:
    response = make_response(5, 3)
    price = 0.9 * response.reference_price
    grid = np.linspace(0, 30, 60_001)[None, :] * response.reference_price[:, None] + price[:, None]
    area = np.zeros((5, 3))
    for d in range(3):
        one = response.with_draws(np.array([d]))
        area[:, d] = np.trapezoid(one.probability(grid), grid, axis=1)
    np.testing.assert_allclose(consumer_surplus(response, price), area, rtol=1e-5)


def test_a_sure_buyer_is_priced_at_the_end_of_the_supported_range() -> None:
    response = PriceResponse(np.array([10.0]), np.array([[30.0]]), np.array([[5.0]]))
    rows = make_rows(1, 1, products=1, response=response, support_low=np.array([8.0]), support_high=np.array([12.0]))
    found = price_strategy("personalized", rows, NO_GUARDRAILS)
    assert found.price[0] == pytest.approx(12.0)
    assert found.binding[0] == "supported prices"
