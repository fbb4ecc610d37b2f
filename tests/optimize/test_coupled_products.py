"""One price per product under rules that tie products together."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pricing_core.guardrails import Guardrails, Rule, allowed_range
from pricing_core.guardrails.coupled import measures, public_price
from pricing_core.optimize.coupled import CoupledSolution, solve_coupled
from pricing_core.optimize.objectives import Objective, objective_value
from pricing_core.optimize.pooled import product_prices
from pricing_core.optimize.strategies import price_strategy
from pricing_core.response import PricingRows
from tests.pricing_cases import make_rows


def solve(rows: PricingRows, *rules: Rule, learn: np.ndarray | None = None, **more: Any) -> CoupledSolution:
    guardrails = Guardrails(rules=rules, max_change_rate=0.25, **more)
    everyone = np.ones(rows.n, dtype=bool)
    free = product_prices(rows, rows.response, everyone if learn is None else learn, guardrails)
    good = free.conflict == ""
    bounds = replace(
        allowed_range(rows, guardrails, "product"), low=free.low, high=free.high, feasible=good, conflict=free.conflict
    )
    return solve_coupled(rows, rows.response, guardrails, bounds, free.wanted, level="product", learn=learn)


def profit(rows: PricingRows, price: np.ndarray) -> float:
    return float(rows.weight @ objective_value(rows.response, price, rows.unit_cost, Objective()))


@pytest.fixture(scope="module")
def rows() -> PricingRows:
    return make_rows(400, products=40)


def limits(rows: PricingRows) -> dict[str, float]:
    found = solve(rows, Rule("max_changes", 1_000))
    chance = rows.response.probability(found.price)
    return {
        "units": float(chance.sum()),
        "discount": float(chance @ np.maximum(public_price(rows) - found.price, 0.0)),
    }


@pytest.mark.parametrize("endings", [None, (49, 99)])
def test_budget_order_capacity_and_changes_hold_together(rows: PricingRows, endings: tuple[int, ...] | None) -> None:
    amounts = limits(rows)
    rules = (
        Rule("discount_budget", 0.6 * amounts["discount"]),
        Rule("capacity", 0.95 * amounts["units"]),
        Rule("max_changes", 15),
        Rule("price_order", 0.1, lower="P0", higher="P1"),
    )
    order = rows.product_id
    found = solve(rows, *rules, endings=endings)
    assert all(each.kept for each in measures(rows, Guardrails(rules=rules), found.price))
    assert found.gap_rate <= 0.005
    changed = np.unique(order[np.abs(found.price - rows.current_price) > 0.004])
    assert len(changed) <= 15
    for name in np.unique(order):
        assert len(np.unique(found.price[order == name])) == 1


def test_a_small_shop_gets_the_best_of_all_choices() -> None:
    rows = make_rows(24, products=3)
    amounts = limits(rows)
    rule = Rule("discount_budget", 0.5 * amounts["discount"])
    found = solve(rows, rule, endings=(0, 50))
    free = product_prices(rows, rows.response, np.ones(24, bool), Guardrails(max_change_rate=0.25))
    points = []
    for name in ("P0", "P1", "P2"):
        low, high = free.low[rows.product_id == name][0], free.high[rows.product_id == name][0]
        points.append([p for p in np.arange(0, 60, 0.5) if low <= p <= high])
    assert all(len(each) <= 30 for each in points)
    best = -np.inf
    for choice in itertools.product(*points):
        price = np.array(choice)[np.arange(24) % 3]
        if rows.response.probability(price) @ np.maximum(public_price(rows) - price, 0.0) <= rule.value:
            best = max(best, profit(rows, price))
    assert profit(rows, found.price) == pytest.approx(best, rel=found.gap_rate + 1e-9)
    assert profit(rows, found.price) >= best * (1 - 0.005)


def test_products_that_stay_keep_each_rows_own_price() -> None:
    prices = np.round(make_rows(60).current_price * np.where(np.arange(60) % 2, 1.02, 1.0), 2)
    rows = make_rows(60, current_price=prices)
    found = solve(rows, Rule("max_changes", 2))
    changed = np.abs(found.price - rows.current_price) > 0.004
    assert len(np.unique(rows.product_id[changed])) <= 2
    assert (found.price[~changed] == rows.current_price[~changed]).all()


def test_stock_of_a_product_takes_points_away_from_it_only(rows: PricingRows) -> None:
    free = solve(rows, Rule("max_changes", 1_000)).price
    sold = rows.response.probability(free)[rows.product_id == "P3"].sum()
    stock = np.where(rows.product_id == "P3", 0.9 * sold, np.nan)
    found = solve(replace(rows, stock=stock), Rule("capacity"))
    assert rows.response.probability(found.price)[rows.product_id == "P3"].sum() <= 0.9 * sold + 1e-9
    others = rows.product_id != "P3"
    assert profit(rows.take(others), found.price[others]) == pytest.approx(
        profit(rows.take(others), free[others]), rel=1e-4
    )


def test_variants_get_one_price(rows: PricingRows) -> None:
    family = np.array([f"f{int(name[1:]) // 2}" for name in rows.product_id], dtype=object)
    listed = 4.0 + np.array([float(name[1:]) // 2 for name in rows.product_id]) / 4
    changes = {"list_price": listed, "current_price": np.round(0.97 * listed, 2), "unit_cost": 0.5 * listed,
               "support_low": 0.75 * listed, "support_high": 1.25 * listed}  # fmt: skip
    alike = make_rows(400, products=40, labels={"products: family": family}, **changes)
    found = solve(alike, Rule("equal_price", group="products: family"))
    for name in np.unique(family):
        assert len(np.unique(found.price[family == name])) == 1
    assert not found.infeasible


def test_only_the_rows_to_learn_from_decide(rows: PricingRows) -> None:
    """Rows that do not count for the objective may earn anything: their response cannot move the price."""
    learn = np.arange(400) < 200
    rule = Rule("max_changes", 1_000)
    one = solve(rows, rule, learn=learn)
    odd = rows.response.intercept.copy()
    odd[200:] += 3.0
    other = replace(rows, response=replace(rows.response, intercept=odd))
    np.testing.assert_allclose(solve(other, rule, learn=learn).price, one.price, atol=0.011)


def test_rules_that_contradict_each_other_are_named(rows: PricingRows) -> None:
    found = solve(rows, Rule("capacity", 1.0), Rule("min_units", 50.0))
    assert found.infeasible and np.isnan(found.gap_rate)


@pytest.mark.parametrize("name", ["personalized", "product"])
def test_strategies_carry_duals_gap_and_chargeable_prices(rows: PricingRows, name: str) -> None:
    units = limits(rows)["units"]
    rule = Rule("capacity", 0.9 * units)
    found = price_strategy(name, rows, Guardrails(rules=(rule,), endings=(49, 99)))
    assert found.duals[rule.label] > 0 and found.gap_rate < 0.02
    cents = np.round(found.price[~found.held] * 100).astype(int) % 100
    assert set(cents.tolist()) <= {49, 99}
    assert measures(rows, Guardrails(rules=(rule,)), found.price)[0].kept
