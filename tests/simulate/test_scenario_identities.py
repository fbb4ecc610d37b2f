"""What scenarios must do to totals, whatever the numbers: identities, stock, churn, reach, and sharp differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pricing_core.simulate import Scenario, simulate_strategies
from tests.pricing_cases import make_rows

SAME = ("profit", "profit_low", "profit_high", "revenue", "units", "consumer_surplus", "profit_outcome_low")


def test_dearer_costs_equal_rows_with_dearer_costs() -> None:
    rows = make_rows(60)
    moved = simulate_strategies(rows, ["personalized"], scenario=Scenario(cost_change_rate=0.15))
    recomputed = simulate_strategies(replace(rows, unit_cost=1.15 * rows.unit_cost), ["personalized"])
    for name in SAME:
        assert moved.row("personalized")[name] == pytest.approx(recomputed.row("personalized")[name])


def test_demand_of_a_category_moves_its_products_only() -> None:
    rows = make_rows(60)
    plain = simulate_strategies(rows, ["status_quo"]).products("status_quo")
    moved = simulate_strategies(rows, ["status_quo"], scenario=Scenario(demand_by_category={"k1": 0.5}))
    ratio = moved.products("status_quo")["units"] / plain["units"]
    odd = plain["product_id"].isin({"P1", "P3", "P5"})
    assert (ratio[odd] > 1.3).all()
    np.testing.assert_allclose(ratio[~odd], 1.0)


def test_overall_and_season_shifts_multiply_the_odds() -> None:
    rows = make_rows(30)
    both = Scenario(demand_shift_rate=0.2, season_demand_rate=-0.1).apply(rows)
    one = Scenario(demand_shift_rate=1.2 * 0.9 - 1).apply(rows)
    np.testing.assert_allclose(both.response.intercept, one.response.intercept)


def test_identical_strategies_differ_by_exactly_nothing() -> None:
    """Uniform and status quo are the same where every other price is ruled out; luck is shared, so nothing is left."""
    rows = make_rows(40)
    held = replace(rows, support_low=rows.current_price.copy(), support_high=rows.current_price.copy())
    row = simulate_strategies(held, ["uniform", "status_quo"]).row("uniform")
    assert row["profit_uplift"] == 0.0
    assert row["profit_uplift_outcome_low"] == row["profit_uplift_outcome_high"] == 0.0
    assert row["probability_loss"] == row["probability_loss_outcome"] == 0.0


def test_outcome_ranges_contain_the_ranges_of_the_expectation_and_narrow_in_relation_with_scale() -> None:
    rows = make_rows(60)
    small, large = (
        simulate_strategies(rows, ["personalized"], scenario=Scenario(occasions_per_week=pace)).row("personalized")
        for pace in (20.0, 2_000_000.0)
    )
    for row in (small, large):
        assert row["profit_outcome_low"] < row["profit"] < row["profit_outcome_high"]
    width = [(r["profit_outcome_high"] - r["profit_outcome_low"]) / r["profit"] for r in (small, large)]
    sure = (large["profit_high"] - large["profit_low"]) / large["profit"]
    assert width[0] > 2 * width[1]
    assert width[1] == pytest.approx(sure, rel=0.05)


@pytest.mark.parametrize("share", [0.0, 0.05, 1.0])
def test_units_never_exceed_the_stock_and_stock_is_never_negative(share: float) -> None:
    stock = np.array([40.0, 7.0, 100.0, 0.0, 3.0, np.nan])[np.arange(60) % 6]
    rows = replace(make_rows(60), stock=stock)
    scenario = Scenario(occasions_per_week=2_000.0, stock_share=share)
    result = simulate_strategies(rows, ["personalized"], scenario=scenario)
    limit = np.floor(share * np.array([40, 7, 100, 0, 3, np.inf])) if share else np.array([0, 0, 0, 0, 0, np.inf])
    np.testing.assert_array_equal(result.stock, limit)
    for name in ("personalized", "status_quo"):
        played = result.played[name]
        assert (played.sold.units <= limit[:, None] + 1e-9).all() and (played.sold.units >= 0).all()
        assert (played.sales.units <= limit[:, None]).all() and (played.sales.units >= 0).all()
    row = result.row("personalized")
    assert 0 < row["stock_outs"] <= 5
    demand = result.played["personalized"].demand.units.sum(axis=0).mean()
    assert row["units"] + row["units_missed"] == pytest.approx(demand)


def test_stock_in_weeks_of_sales_covers_that_many_weeks() -> None:
    rows = make_rows(60)
    usual = simulate_strategies(rows, ["status_quo"], scenario=Scenario(occasions_per_week=9_000.0, horizon_weeks=1))
    weekly = usual.products("status_quo")["units"].to_numpy()
    scenario = Scenario(occasions_per_week=9_000.0, horizon_weeks=8, stock_cover_weeks=2.0)
    result = simulate_strategies(rows, ["status_quo"], scenario=scenario)
    np.testing.assert_array_equal(result.stock, np.floor(2 * weekly))
    sold = result.products("status_quo")["units"].to_numpy()
    np.testing.assert_allclose(sold, result.stock, rtol=0.01)


def test_without_a_limit_nothing_runs_out() -> None:
    row = simulate_strategies(replace(make_rows(60), stock=np.zeros(60)), ["uniform"]).row("uniform")
    assert row["stock_outs"] == 0.0 and row["units_missed"] == 0.0 and row["units"] > 0


def test_churn_follows_its_formula_and_cuts_cost_nobody() -> None:
    scenario = Scenario(churn_rate=0.02, horizon_weeks=6)
    price, today = np.array([9.0, 10.0, 11.0, 12.0]), np.full(4, 10.0)
    left = scenario.retention(price, today)
    weekly = -np.log(0.98) * np.array([1.0, 2.0])
    steps = np.linspace(0, 6, 60_001)
    by_integral = [float(np.trapezoid(np.exp(-w * steps), steps)) / 6 for w in weekly]
    np.testing.assert_allclose(left, [1.0, 1.0, *by_integral], rtol=1e-8)


def test_churn_lowers_sales_of_raised_prices_and_says_how_many_occasions_are_lost() -> None:
    rows = make_rows(60)
    plain, lossy = (
        simulate_strategies(rows, ["personalized"], scenario=Scenario(churn_rate=rate, occasions_per_week=500.0))
        for rate in (0.0, 0.1)
    )
    assert plain.row("personalized")["share_lost"] == pytest.approx(0.0, abs=1e-12)
    assert 0 < lossy.row("personalized")["share_lost"] < 1
    assert lossy.row("personalized")["units"] < plain.row("personalized")["units"]


def test_half_the_customers_reached_give_half_the_uplift() -> None:
    rows = make_rows(60)
    whole, half = (
        simulate_strategies(rows, ["personalized"], scenario=Scenario(reach_rate=rate)).row("personalized")
        for rate in (1.0, 0.5)
    )
    for name in ("profit_uplift", "profit_uplift_low", "profit_uplift_rate", "share_paying_less"):
        assert half[name] == pytest.approx(0.5 * whole[name])


def test_products_add_up_to_the_table() -> None:
    result = simulate_strategies(make_rows(60), ["product"], scenario=Scenario(occasions_per_week=700.0))
    products, row = result.products("product"), result.row("product")
    for name in ("units", "revenue", "profit"):
        assert products[name].sum() == pytest.approx(row[name])
