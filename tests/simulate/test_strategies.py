"""Simulation: totals by hand, fairness of the comparison, and honesty against a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.guardrails import NO_GUARDRAILS
from pricing_core.optimize.strategies import price_strategy
from pricing_core.response import PriceResponse
from pricing_core.simulate import Scenario, simulate_strategies
from pricing_core.simulate.effects import row_effects
from tests.pricing_cases import make_rows


def test_status_quo_totals_are_sums_over_rows_of_draw_averages() -> None:
    rows = make_rows(30, weight=np.linspace(1, 2, 30))
    row = simulate_strategies(rows, ["status_quo"]).row("status_quo")
    chance = rows.response.probability(rows.current_price)
    units = (rows.weight * chance).sum()
    assert row["units"] == pytest.approx(units)
    assert row["revenue"] == pytest.approx((rows.weight * chance * rows.current_price).sum())
    assert row["profit"] == pytest.approx((rows.weight * chance * (rows.current_price - rows.unit_cost)).sum())
    assert row["conversion_rate"] == pytest.approx(units / rows.weight.sum())
    assert row["average_price"] == pytest.approx(row["revenue"] / units)
    assert row["margin_rate"] == pytest.approx(row["profit"] / row["revenue"])
    assert row["profit_uplift_rate"] == 0.0
    assert row["probability_loss"] == 0.0


def test_uniform_is_always_among_the_strategies_and_order_is_kept() -> None:
    rows = make_rows(30)
    assert simulate_strategies(rows, ["personalized", "status_quo"]).table["strategy"].tolist() == [
        "personalized",
        "status_quo",
        "uniform",
    ]
    assert simulate_strategies(rows, ["uniform", "product"]).table["strategy"].tolist() == ["uniform", "product"]


def test_prices_are_judged_by_draws_that_did_not_choose_them() -> None:
    """Changing the draws of one fold changes the prices that the other fold judges, and nothing else."""
    rows = make_rows(60)
    first = rows.response.draw_fold == 0
    expected = []
    for judge in (first, ~first):
        price = price_strategy("personalized", rows, NO_GUARDRAILS, draws=~judge).price
        chance = rows.response.with_draws(judge).probability(price)
        expected.append(((price - rows.unit_cost) * chance).sum())
    row = simulate_strategies(rows, ["personalized"]).row("personalized")
    assert row["profit"] == pytest.approx(np.mean(expected))
    assert row["cross_fitted"]


def test_shared_prices_are_chosen_on_other_customers_than_they_are_judged_on() -> None:
    rows = make_rows(60)
    side, fold = rows.customer_fold, rows.response.draw_fold
    expected = []
    for judge in (0, 1):
        price = np.empty(rows.n)
        for s in (0, 1):
            chosen = price_strategy("product", rows, NO_GUARDRAILS, learn_rows=side != s, draws=fold != judge).price
            price[side == s] = chosen[side == s]
        chance = rows.response.with_draws(fold == judge).probability(price)
        expected.append(((price - rows.unit_cost) * chance).sum())
    assert simulate_strategies(rows, ["product"]).row("product")["profit"] == pytest.approx(np.mean(expected))


def test_with_one_fold_all_draws_do_both_and_it_is_said() -> None:
    rows = make_rows(30)
    response = PriceResponse(
        rows.response.reference_price, rows.response.intercept, rows.response.sensitivity, draw_member=np.arange(8) // 2
    )
    row = simulate_strategies(make_rows(30, response=response), ["personalized"]).row("personalized")
    assert not row["cross_fitted"]
    assert row["profit"] == pytest.approx(row["profit_uncorrected"])


def _noisy_response(truth: PriceResponse, rng: np.random.Generator, spread: float) -> PriceResponse:
    """Draws around estimates of two halves of the customers; every row errs independently."""
    parts = []
    for _ in range(2):
        error = rng.normal(0, spread, (2, truth.n, 1))
        draw = rng.normal(0, spread, (2, truth.n, 4)).repeat(2, axis=2)
        level = truth.intercept - truth.sensitivity + error[0] + draw[0]
        slope = truth.sensitivity * np.exp(error[1] + draw[1])
        parts.append((level + slope, slope))
    return PriceResponse(
        truth.reference_price,
        np.hstack([p[0] for p in parts]),
        np.hstack([p[1] for p in parts]),
        np.repeat([0, 1], 8),
        np.arange(16) // 2,
    )


def test_cross_fitting_removes_the_optimism_of_prices_chosen_by_a_noisy_model() -> None:
    """Against the truth of the prices judged, the honest figure is far nearer than the model's own claim."""
    honest, own = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        known = make_rows(600, 1, seed=seed, products=12)
        response = _noisy_response(known.response, rng, 0.45)
        rows = make_rows(600, 16, seed=seed, products=12, response=response)
        row = simulate_strategies(rows, ["personalized"]).row("personalized")
        base = simulate_strategies(rows, ["status_quo"]).row("status_quo")["profit"]
        truth = []
        for fold in (0, 1):
            price = price_strategy("personalized", rows, NO_GUARDRAILS, draws=response.draw_fold == fold).price
            truth.append(((price - known.unit_cost) * known.response.probability(price)).sum())
        at_current = ((known.current_price - known.unit_cost) * known.response.probability(known.current_price)).sum()
        level = at_current / base  # noise in the curves shifts all strategies alike; compare gains
        honest.append(row["profit"] * level / np.mean(truth) - 1)
        own.append(row["profit_uncorrected"] * level / np.mean(truth) - 1)
    assert abs(np.mean(honest)) < 0.5 * abs(np.mean(own))
    assert np.mean(own) > 0.03


def test_share_paying_less_is_measured_against_the_uniform_price() -> None:
    rows = make_rows(60)
    result = simulate_strategies(rows, ["personalized"])
    less = result.prices["personalized"].price < result.prices["uniform"].price - 0.005
    assert result.row("personalized")["share_paying_less"] == pytest.approx(less.mean())
    assert result.row("uniform")["share_paying_less"] == 0.0


def test_horizon_scales_totals_and_leaves_rates() -> None:
    rows = make_rows(30)
    plain = simulate_strategies(rows, ["personalized"]).row("personalized")
    scaled = simulate_strategies(
        rows, ["personalized"], scenario=Scenario(horizon_weeks=2, occasions_per_week=150)
    ).row("personalized")
    for name in ("profit", "profit_low", "revenue_high", "units", "consumer_surplus"):
        assert scaled[name] == pytest.approx(10 * plain[name])
    for name in ("conversion_rate", "average_price", "margin_rate", "profit_uplift_rate"):
        assert scaled[name] == pytest.approx(plain[name])


def test_dearer_costs_lower_profit_and_raise_prices() -> None:
    rows = make_rows(60)
    base = simulate_strategies(rows, ["personalized"])
    dear = simulate_strategies(rows, ["personalized"], scenario=Scenario(cost_change_rate=0.2))
    assert dear.row("personalized")["profit"] < base.row("personalized")["profit"]
    assert (dear.prices["personalized"].price >= base.prices["personalized"].price - 0.011).all()


def test_cost_plus_keeps_its_markup_when_costs_move() -> None:
    wide = {"support_low": np.full(30, 1.0), "support_high": np.full(30, 90.0)}
    rows = make_rows(30, **wide)
    result = simulate_strategies(rows, ["cost_plus"], scenario=Scenario(cost_change_rate=0.1))
    usual = np.sort(rows.current_price / rows.unit_cost)[14]
    np.testing.assert_allclose(result.prices["cost_plus"].price, 1.1 * rows.unit_cost * usual, atol=0.00501)


def test_rows_in_one_customer_fold_still_simulate() -> None:
    rows = make_rows(30, customer_fold=np.zeros(30, dtype=int))
    row = simulate_strategies(rows, ["uniform"]).row("uniform")
    assert np.isfinite(row[["profit", "profit_low", "profit_high"]].astype(float)).all()


def test_strategies_that_do_not_exist_and_empty_rows_are_refused() -> None:
    rows = make_rows(12)
    with pytest.raises(ConfigError, match="There is no strategy 'cheap'"):
        simulate_strategies(rows, ["cheap"])
    with pytest.raises(DataError, match="There are no rows to simulate"):
        simulate_strategies(rows.take(np.zeros(0, dtype=int)), ["uniform"])
    with pytest.raises(DataError, match=r"'product' was not simulated\. Simulated: uniform"):
        simulate_strategies(rows, ["uniform"]).row("product")


def test_row_effects_are_margin_times_chance_with_a_range_around() -> None:
    rows = make_rows(20)
    price = rows.current_price
    effects = row_effects(rows, price)
    np.testing.assert_allclose(effects.profit, (price - rows.unit_cost) * rows.response.probability(price))
    assert (effects.profit_low <= effects.profit).all() and (effects.profit <= effects.profit_high).all()
    assert (effects.profit_high <= price - rows.unit_cost + 1e-12).all()
    below_cost = row_effects(rows, 0.5 * rows.unit_cost)
    assert (below_cost.profit_low <= below_cost.profit).all() and (below_cost.profit_high <= 0).all()
