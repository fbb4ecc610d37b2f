"""The fast answer against the full simulation of the same scenario."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.errors import DataError
from pricing_core.guardrails import Guardrails
from pricing_core.simulate import Scenario, simulate_strategies
from pricing_core.simulate.response_surface import prepare, sample_rows, weighted
from tests.pricing_cases import make_rows

STRATEGIES = ("status_quo", "uniform", "product", "personalized_discount")
BASE = Scenario(occasions_per_week=900.0)
SCENARIOS = (
    BASE,
    Scenario(occasions_per_week=900.0, cost_change_rate=0.2, horizon_weeks=9),
    Scenario(occasions_per_week=900.0, cost_change_rate=-0.3, demand_shift_rate=0.3),
    Scenario(occasions_per_week=900.0, stock_cover_weeks=2.0, demand_by_category={"k1": -0.4}),
    Scenario(occasions_per_week=900.0, churn_rate=0.05, reach_rate=0.6),
)
TOTALS = ("profit", "revenue", "units", "profit_low", "profit_high", "profit_outcome_low", "consumer_surplus")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_sample_answers_like_the_full_simulation(scenario: Scenario) -> None:
    rows = make_rows(6_000, products=20, seed=3)
    surface = prepare(rows, STRATEGIES, sample=sample_rows(rows, 1_500), scenario=BASE, guardrails=Guardrails())
    answer = surface.answer(scenario)
    full = simulate_strategies(rows, STRATEGIES, scenario=scenario, guardrails=Guardrails())
    assert not answer.exact
    for name in STRATEGIES:
        fast, slow = answer.table.set_index("strategy").loc[name], full.row(name)
        for total in TOTALS:
            assert fast[total] == pytest.approx(slow[total], rel=0.015), (name, total)
        assert fast["profit_uplift_rate"] == pytest.approx(slow["profit_uplift_rate"], abs=0.01)
        if name == "personalized_discount":  # shared prices lie on one line: a cent moves a whole product across it
            assert fast["share_paying_less"] == pytest.approx(slow["share_paying_less"], abs=0.05)
        assert fast["stock_outs"] == pytest.approx(slow["stock_outs"], abs=0.3)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_with_few_rows_the_answer_is_the_full_simulation(scenario: Scenario) -> None:
    rows = make_rows(300, seed=4)
    surface = prepare(rows, STRATEGIES, scenario=BASE)
    answer = surface.answer(scenario)
    full = simulate_strategies(rows, STRATEGIES, scenario=scenario)
    assert answer.exact
    for name in answer.table.columns.drop(["strategy", "held_rows", "cross_fitted", "profit_uncorrected",
                                           "profit_uplift_rate_uncorrected"]):  # fmt: skip
        fast, slow = (t.set_index("strategy")[name].astype(float) for t in (answer.table, full.table))
        np.testing.assert_allclose(fast[slow.index], slow, rtol=1e-6, atol=1e-9, err_msg=name)
    raw = "profit_uncorrected"
    np.testing.assert_allclose(answer.table[raw], full.table[raw], rtol=0.03)


def test_the_base_case_is_answered_exactly_even_from_a_sample() -> None:
    rows = make_rows(3_000, products=12)
    surface = prepare(rows, STRATEGIES, sample=sample_rows(rows, 400), scenario=BASE)
    for name in (*TOTALS, "profit_uncorrected", "share_paying_less"):
        np.testing.assert_allclose(surface.answer(BASE).table[name], surface.base.table[name], rtol=1e-9, err_msg=name)


def test_the_sample_is_spread_over_products_and_keeps_their_weight() -> None:
    rows = make_rows(6_000, products=20, weight=np.linspace(1, 3, 6_000))
    sample = sample_rows(rows, 500)
    assert len(sample) == 500 and (np.diff(sample) > 0).all()
    part = weighted(rows, sample)
    for product in ("P0", "P7", "P19"):
        mine = part.product_id == product
        assert mine.sum() == 25
        assert part.weight[mine].sum() == pytest.approx(rows.weight[rows.product_id == product].sum())


def test_products_of_a_strategy_that_was_not_simulated_are_refused() -> None:
    surface = prepare(make_rows(60), ["uniform"])
    with pytest.raises(DataError, match="'personalized' was not simulated"):
        surface.answer(Scenario()).products("personalized")
