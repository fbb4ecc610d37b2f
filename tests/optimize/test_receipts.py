"""What rules cost, against a dense grid of prices, and never below zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from pricing_core.guardrails import Guardrails, PriceRange, Rule, Scope
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.receipts import ALL_RULES, Receipt, bound_rows_data, receipts_data, rule_receipts
from pricing_core.optimize.settings import STRATEGIES
from pricing_core.optimize.strategies import price_strategy
from pricing_core.response import PricingRows
from tests.pricing_cases import grid_best, make_rows

FREE = Guardrails(margin_floor=None)


def receipts(strategy: str, rows: PricingRows, rules: Guardrails, **options: object) -> dict[str, Receipt]:
    return {each.rule: each for each in rule_receipts(strategy, rows, rules, **options)}  # type: ignore[arg-type]


def test_a_maximum_change_of_5_percent_costs_what_a_grid_of_prices_says() -> None:
    rows = make_rows(80, weight=np.linspace(0.5, 3, 80))
    rules = FREE.with_changes(max_change_rate=0.05, decimals=3)
    found = receipts("personalized", rows, rules)["maximum change"]
    wide = grid_best(rows.response, rows.unit_cost, rows.support_low, rows.support_high)
    low = np.maximum(rows.support_low, 0.95 * rows.current_price)
    high = np.minimum(rows.support_high, 1.05 * rows.current_price)
    narrow = grid_best(rows.response, rows.unit_cost, low, high)
    assert found.cost == pytest.approx(float(rows.weight @ (wide - narrow)), rel=2e-3)
    assert found.cost > 1
    assert found.words == "maximum change 5%"


def test_the_receipt_names_exactly_the_rows_whose_price_the_rule_moves() -> None:
    rows = make_rows(80)
    rules = FREE.with_changes(rules=(Rule("price_ceiling", 9, Scope("category", ("k1",))), Rule("price_floor", 4)))
    by_rule = receipts("personalized", rows, rules)
    whole = price_strategy("personalized", rows, rules).price
    for name, kept in (("price ceiling 9 for category k1", rules.rules[1]), ("price floor 4", rules.rules[0])):
        without = price_strategy("personalized", rows, FREE.with_changes(rules=(kept,))).price
        np.testing.assert_array_equal(by_rule[name].bound, np.abs(whole - without) > 0.005)
        assert by_rule[name].rows_bound == by_rule[name].bound.sum() > 0


def test_endings_cost_the_difference_between_the_best_ending_and_the_best_cent() -> None:
    rows = make_rows(40)
    ending = Rule("endings", ranges=(PriceRange(endings=(49, 99)),), scope=Scope("category", ("k0",)))
    found = receipts("personalized", rows, FREE.with_changes(rules=(ending,)))[ending.label]
    expected = 0.0
    for i in np.flatnonzero(rows.category == "k0"):
        cents = np.arange(np.ceil(rows.support_low[i] * 100), np.floor(rows.support_high[i] * 100) + 1)
        one = rows.take(np.array([i]))
        profit = (cents / 100 - one.unit_cost[0]) * one.response.probability(cents[None, :] / 100)[0]
        expected += profit.max() - profit[np.isin(cents % 100, (49, 99))].max()
    assert found.cost == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_receipt_is_negative_and_all_rules_cost_at_least_what_any_of_them_does(strategy: str) -> None:
    rows = make_rows(90, seed=4)
    rows = replace(rows, labels={"segment": np.array(["a", "b", "c"] * 30, dtype=object)})
    rules = Guardrails(
        margin_floor=0.35, max_change_rate=0.08, endings=(49, 99),
        rules=(
            Rule("price_ceiling", 9, Scope("category", ("k0",))),
            Rule("price_floor", 12, hard=False, priority=3),
            Rule("competitor_band", low_rate=0.9, high_rate=1.02, hard=False, priority=5),
        ),
    )  # fmt: skip
    found = rule_receipts(strategy, rows, rules)
    assert [each.rule for each in found][-1] == ALL_RULES
    assert len(found) == 7
    assert min(each.cost for each in found) >= 0
    assert found[-1].cost >= max(each.cost for each in found[:-1]) - 1e-9
    assert all((each.cost > 0) <= (each.rows_bound > 0) for each in found)


def test_a_soft_rule_that_only_gives_way_costs_nothing_when_its_rival_is_dropped() -> None:
    """Without the more important soft ceiling the soft floor takes hold, and would earn less: the ceiling is free."""
    rows = make_rows(30)
    rules = FREE.with_changes(
        rules=(
            Rule("price_ceiling", 3, hard=False, priority=1),
            Rule("price_floor", 40, hard=False, priority=2),
        )
    )
    assert min(each.cost for each in rule_receipts("personalized", rows, rules)) >= 0


def test_the_receipt_follows_the_objective() -> None:
    rows = make_rows(60)
    rules = FREE.with_changes(price_floor=8.0)
    revenue = receipts("personalized", rows, rules, objective=Objective("revenue"))["price floor"]
    wide = grid_best(rows.response, np.zeros(60), rows.support_low, rows.support_high)
    fits = rows.support_high >= 8
    low = np.maximum(rows.support_low, 8.0)
    kept = rows.current_price * rows.response.probability(rows.current_price)
    narrow = np.where(fits, grid_best(rows.response, np.zeros(60), low, np.maximum(rows.support_high, low)), kept)
    assert revenue.cost == pytest.approx(float((wide - narrow).sum()), rel=5e-3)


def test_without_rules_there_is_no_receipt() -> None:
    assert rule_receipts("personalized", make_rows(5), FREE) == ()


def test_one_rule_and_all_rules_together_cost_the_same() -> None:
    found = rule_receipts("personalized", make_rows(30), FREE.with_changes(max_change_rate=0.03))
    assert [each.words for each in found] == ["maximum change 3%", "the one rule"]
    assert found[0].cost == pytest.approx(found[1].cost)


def test_tables_hold_one_line_per_rule_and_per_bound_row() -> None:
    rows, rules = make_rows(30), FREE.with_changes(max_change_rate=0.03, price_floor=5.0)
    prices = price_strategy("personalized", rows, rules)
    found = rule_receipts("personalized", rows, rules, prices=prices)
    table = receipts_data(found)
    assert list(table["rule"])[-1] == ALL_RULES
    assert table["cost"].iloc[:-1].is_monotonic_decreasing
    lines = bound_rows_data(rows, prices, found)
    assert len(lines) == sum(each.rows_bound for each in found[:-1])
    one = lines[lines["rule"] == "maximum change 3%"]
    np.testing.assert_array_equal(
        one["row"] - 1, np.flatnonzero(found[[f.rule for f in found].index("maximum change")].bound)
    )
    assert bound_rows_data(rows, prices, ()).empty


def best_within(rows: PricingRows, capacity: float) -> float:
    """Largest profit with at most so many units, by linear programming over a dense grid of prices."""
    share = np.linspace(0, 1, 161)
    price = rows.support_low[:, None] + share * (rows.support_high - rows.support_low)[:, None]
    chance = rows.response.probability(price)
    profit = (price - rows.unit_cost[:, None]) * chance
    n, m = price.shape
    one_each = np.kron(np.eye(n), np.ones(m))
    found = linprog(
        -profit.ravel(), A_ub=chance.reshape(1, -1), b_ub=[capacity], A_eq=one_each, b_eq=np.ones(n), method="highs"
    )
    return -float(found.fun)


def test_a_capacity_costs_what_a_linear_program_says_and_its_dual_is_the_worth_of_one_more_unit() -> None:
    rows = make_rows(40, products=8)
    free = price_strategy("personalized", rows, FREE).price
    limit = round(0.8 * float(rows.response.probability(free).sum()), 2)
    rules = Guardrails(margin_floor=None, decimals=3, rules=(Rule("capacity", limit),))
    found = receipts("personalized", rows, rules)[f"capacity {limit:g}"]
    cost = best_within(rows, 1e9) - best_within(rows, limit)
    assert found.cost == pytest.approx(cost, rel=0.02)
    worth = (best_within(rows, 1.02 * limit) - best_within(rows, 0.98 * limit)) / (0.04 * limit)
    assert found.dual == pytest.approx(worth, rel=0.05)
    assert found.rows_bound > 30


@pytest.mark.parametrize("strategy", ["personalized", "product"])
def test_receipts_of_rules_that_tie_prices_together_are_never_negative(strategy: str) -> None:
    rows = make_rows(60, products=6, seed=2)
    rules = Guardrails(
        max_change_rate=0.1,
        rules=(
            Rule("capacity", 9),
            Rule("max_changes", 2),
            Rule("price_ceiling", 30),
            Rule("min_conversion_rate", 0.05),
        ),
    )
    found = rule_receipts(strategy, rows, rules)
    assert min(each.cost for each in found) >= 0
    assert found[-1].cost >= max(each.cost for each in found[:-1]) - 1e-9
    assert next(each for each in found if each.rule.startswith("maximum number")).cost > 0


def test_a_rule_that_is_far_from_binding_is_free_and_stops_nothing() -> None:
    rows = make_rows(40, products=8)
    found = receipts("personalized", rows, FREE.with_changes(rules=(Rule("capacity", 1e6), Rule("price_floor", 0.01))))
    assert {(each.cost, each.rows_bound) for each in found.values()} == {(0.0, 0)}
