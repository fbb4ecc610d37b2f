"""Laws of prices under objectives and rules that tie rows together, whatever the numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_core.guardrails import Guardrails, Rule, allowed_range
from pricing_core.guardrails.coupled import measures, public_price
from pricing_core.optimize.coupled import CoupledSolution, solve_coupled
from pricing_core.optimize.objectives import Objective, maximize_objective, objective_value
from pricing_core.optimize.strategies import price_strategy
from pricing_core.response import PricingRows
from tests.pricing_cases import make_response, make_rows

FEW = settings(max_examples=12, deadline=None)
LINEAR = ("profit", "revenue", "mix", "goodwill")
seeds = st.integers(0, 10_000)


def solved(rows: PricingRows, *rules: Rule, aim: Objective | None = None, **more: object) -> CoupledSolution:
    guardrails = Guardrails(rules=rules, margin_floor=None, **more)  # type: ignore[arg-type]
    bounds = allowed_range(rows, guardrails, "personalized")
    price = maximize_objective(rows.response, rows.unit_cost, bounds.low, bounds.high, aim or Objective())
    return solve_coupled(rows, rows.response, guardrails, bounds, price, objective=aim or Objective())


def value(rows: PricingRows, price: np.ndarray, aim: Objective | None = None) -> float:
    return float(rows.weight @ objective_value(rows.response, price, rows.unit_cost, aim or Objective()))


def units(rows: PricingRows) -> float:
    bounds = allowed_range(rows, Guardrails(margin_floor=None), "personalized")
    price = maximize_objective(rows.response, rows.unit_cost, bounds.low, bounds.high, Objective())
    return float(rows.weight @ rows.response.probability(price))


@FEW
@given(seed=seeds)
def test_zero_cost_and_no_rules_give_the_revenue_optimum(seed: int) -> None:
    rows = make_rows(20, seed=seed, unit_cost=np.zeros(20))
    args = rows.response, rows.unit_cost, rows.support_low, rows.support_high
    np.testing.assert_allclose(
        maximize_objective(*args, Objective()), maximize_objective(*args, Objective("revenue")), rtol=1e-12
    )
    free = Guardrails(margin_floor=None)
    one, two = (price_strategy("personalized", rows, free, objective=Objective(k)) for k in ("profit", "revenue"))
    np.testing.assert_array_equal(one.price, two.price)


@FEW
@given(seed=seeds, rate=st.floats(0.02, 50), kind=st.sampled_from((*LINEAR, "cautious", "units")))
def test_another_currency_rescales_prices(seed: int, rate: float, kind: str) -> None:
    aim = Objective(kind, revenue_weight=0.5, unit_value=0.7, goodwill_cost=1.1)
    other = Objective(kind, revenue_weight=0.5, unit_value=0.7 * rate, goodwill_cost=1.1 * rate)
    response = make_response(20, 6, seed=seed)
    cost, low, high = (share * response.reference_price for share in (0.5, 0.6, 1.6))
    price = maximize_objective(response, cost, low, high, aim)
    converted = replace(response, reference_price=rate * response.reference_price)
    found = maximize_objective(converted, rate * cost, rate * low, rate * high, other)
    np.testing.assert_allclose(found, rate * price, rtol=1e-6)


@FEW
@given(seed=seeds, kind=st.sampled_from(("capacity", "discount_budget", "max_dispersion_rate", "max_changes")))
def test_permuting_rows_permutes_prices(seed: int, kind: str) -> None:
    rows = make_rows(60, seed=seed)
    limit = {"capacity": 0.9 * units(rows), "discount_budget": 2.0, "max_dispersion_rate": 0.1, "max_changes": 3.0}
    rule = Rule(kind, limit[kind])
    order = np.random.default_rng(seed).permutation(rows.n)
    straight, mixed = solved(rows, rule), solved(rows.take(order), rule)
    np.testing.assert_allclose(mixed.price, straight.price[order], atol=0.0101)
    assert value(rows.take(order), mixed.price) == pytest.approx(value(rows, straight.price), rel=1e-4)


@FEW
@given(seed=seeds, share=st.floats(0.5, 0.95), tighter=st.floats(0.8, 0.99))
def test_tighter_capacity_never_raises_profit(seed: int, share: float, tighter: float) -> None:
    rows = make_rows(40, seed=seed)
    capacity = share * units(rows)
    loose, tight = solved(rows, Rule("capacity", capacity)), solved(rows, Rule("capacity", tighter * capacity))
    assert value(rows, tight.price) <= value(rows, loose.price) * (1 + 1e-5) + 1e-9
    if not tight.infeasible:
        assert tight.duals[Rule("capacity", tighter * capacity).label] >= loose.duals[
            Rule("capacity", capacity).label
        ] * (1 - 1e-3)


@FEW
@given(seed=seeds, share=st.floats(0.2, 2.0), kind=st.sampled_from(("capacity", "discount_budget", "min_units")))
def test_duals_are_not_negative_and_only_used_up_limits_have_one(seed: int, share: float, kind: str) -> None:
    rows = make_rows(80, seed=seed)
    bounds = allowed_range(rows, Guardrails(margin_floor=None), "personalized")
    free = maximize_objective(rows.response, rows.unit_cost, bounds.low, bounds.high, Objective())
    chance = rows.response.probability(free)
    spent = float(chance @ np.maximum(public_price(rows) - free, 0.0))
    rule = Rule(kind, share * (spent if kind == "discount_budget" else float(chance.sum())))
    found = solved(rows, rule)
    if found.infeasible:
        return
    dual = found.duals[rule.label]
    assert dual >= 0
    measure = measures(rows, Guardrails(rules=(rule,)), found.price)[0]
    assert measure.kept
    # complementary slackness: what is left over costs nothing, up to whole cents in prices
    assert dual * abs(measure.limit - measure.value) <= 2e-3 * abs(value(rows, found.price)) + 1e-6
    assert found.gap_rate <= 2e-3


@FEW
@given(seed=seeds, weight=st.floats(0.1, 0.9))
def test_more_weight_on_revenue_never_lowers_it(seed: int, weight: float) -> None:
    rows = make_rows(30, seed=seed)
    args = rows.response, rows.unit_cost, rows.support_low, rows.support_high
    some = maximize_objective(*args, Objective("mix", profit_weight=1 - weight, revenue_weight=weight))
    more = maximize_objective(*args, Objective("mix", profit_weight=(1 - weight) / 2, revenue_weight=(1 + weight) / 2))
    revenue = [objective_value(rows.response, price, rows.unit_cost, Objective("revenue")) for price in (some, more)]
    assert (revenue[1] >= revenue[0] - 1e-6 * revenue[0]).all()
    assert (more <= some + 1e-6 * some).all()


@FEW
@given(seed=seeds)
def test_a_rule_more_never_raises_the_optimum(seed: int) -> None:
    rows = make_rows(60, seed=seed)
    one = Rule("capacity", 0.9 * units(rows))
    two = Rule("max_dispersion_rate", 0.15)
    single, both = solved(rows, one), solved(rows, one, two)
    assert value(rows, both.price) <= value(rows, single.price) * (1 + 1e-4) + 1e-9
