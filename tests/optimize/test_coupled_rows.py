"""Rules that tie rows together: they hold, and no prices within them do much better."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from pricing_core.errors import ConfigError
from pricing_core.guardrails import Guardrails, Rule, Scope, allowed_range
from pricing_core.guardrails.coupled import measures, public_price
from pricing_core.optimize.coupled import CoupledSolution, solve_coupled
from pricing_core.optimize.objectives import Objective, maximize_objective, objective_value
from pricing_core.response import PricingRows
from tests.pricing_cases import make_rows

GENDER, SEGMENT = "protected: gender", "segment"


def rows_of(n: int = 240, products: int = 6, **changes: Any) -> PricingRows:
    rng = np.random.default_rng(4)
    labels = {
        GENDER: np.where(rng.random(n) < 0.5, "f", "m").astype(object),
        SEGMENT: np.where(rng.random(n) < 0.4, "gold", "standard").astype(object),
    }
    return make_rows(n, products=products, labels=labels, **changes)


def free_price(rows: PricingRows, guardrails: Guardrails, objective: Objective) -> np.ndarray:
    bounds = allowed_range(rows, guardrails, "personalized")
    low, high = (np.where(bounds.feasible, end, rows.current_price) for end in (bounds.low, bounds.high))
    return maximize_objective(rows.response, rows.unit_cost, low, high, objective)


def solve(rows: PricingRows, *rules: Rule, objective: Objective | None = None, **more: Any) -> CoupledSolution:
    aim = objective or Objective()
    guardrails = Guardrails(rules=rules, max_change_rate=0.2, **more)
    bounds = allowed_range(rows, guardrails, "personalized")
    price = free_price(rows, guardrails, aim)
    return solve_coupled(rows, rows.response, guardrails, bounds, price, objective=aim)


def assert_kept(rows: PricingRows, found: CoupledSolution, *rules: Rule, **more: Any) -> None:
    failed = [each for each in measures(rows, Guardrails(rules=rules, **more), found.price) if not each.kept]
    assert not failed, [(each.rule.label, each.part, each.value, each.limit) for each in failed]
    assert found.fits.all() and not found.infeasible


def profit(rows: PricingRows, price: np.ndarray) -> float:
    return float(rows.weight @ objective_value(rows.response, price, rows.unit_cost, Objective()))


@pytest.fixture(scope="module")
def rows() -> PricingRows:
    return rows_of()


@pytest.fixture(scope="module")
def amounts(rows: PricingRows) -> dict[str, float]:
    """Units and discounts of the prices without coupled rules."""
    price = free_price(rows, Guardrails(max_change_rate=0.2), Objective())
    chance = rows.response.probability(price)
    discount = float(chance @ np.maximum(public_price(rows) - price, 0.0))
    return {"units": float(chance.sum()), "discount": discount, "profit": profit(rows, price)}


def rule_sets(amounts: dict[str, float]) -> dict[str, tuple[Rule, ...]]:
    units, discount = amounts["units"], amounts["discount"]
    return {
        "capacity": (Rule("capacity", 0.85 * units),),
        "capacity of a category": (Rule("capacity", 0.4 * units, Scope("category", ("k0",))),),
        "budget": (Rule("discount_budget", 0.4 * discount),),
        "least units": (Rule("min_units", 1.08 * units),),
        "least conversion": (Rule("min_conversion_rate", 1.05 * units / 240),),
        "budget and capacity": (Rule("discount_budget", 0.6 * discount), Rule("capacity", 0.9 * units)),
        "budget against units": (Rule("discount_budget", 1.1 * discount), Rule("min_units", 1.04 * units)),
        "equal": (Rule("equal_price", group=SEGMENT),),
        "spread": (Rule("max_dispersion_rate", 0.08),),
        "few changes": (Rule("max_changes", 60, level="row"),),
        "few products change": (Rule("max_changes", 3),),
    }


NAMES = list(rule_sets({"units": 1.0, "discount": 1.0, "profit": 1.0}))


@pytest.mark.parametrize("objective", [Objective(), Objective("revenue"), Objective("cautious")], ids=lambda o: o.kind)
@pytest.mark.parametrize("name", NAMES)
def test_rules_hold_and_the_gap_is_small(
    rows: PricingRows, amounts: dict[str, float], name: str, objective: Objective
) -> None:
    if objective.kind == "revenue" and name in ("least units", "least conversion", "budget against units"):
        pytest.skip("the most revenue sells more anyway")
    rules = rule_sets(amounts)[name]
    found = solve(rows, *rules, objective=objective)
    assert_kept(rows, found, *rules)
    assert found.gap_rate < (0.01 if "spread" in name or "product" in name else 1e-3)
    assert all(dual >= 0 for dual in found.duals.values())


@pytest.mark.parametrize("name", ["capacity", "budget", "least units"])
def test_a_binding_limit_is_used_up_and_a_loose_one_has_no_dual(
    rows: PricingRows, amounts: dict[str, float], name: str
) -> None:
    rule = rule_sets(amounts)[name][0]
    found = solve(rows, rule)
    assert found.duals[rule.label] > 0
    measure = measures(rows, Guardrails(rules=(rule,)), found.price)[0]
    assert measure.value == pytest.approx(measure.limit, rel=2e-3)
    loose = rule.with_changes(value=(rule.value or 0) * (0.1 if name == "least units" else 10.0))
    idle = solve(rows, loose)
    assert idle.duals[loose.label] == 0.0
    assert profit(rows, idle.price) == pytest.approx(amounts["profit"], rel=1e-5)


def test_the_dual_is_what_one_more_unit_is_worth(rows: PricingRows, amounts: dict[str, float]) -> None:
    units, step = 0.85 * amounts["units"], 0.5
    less, more = (profit(rows, solve(rows, Rule("capacity", units + d)).price) for d in (-step, step))
    dual = solve(rows, Rule("capacity", units)).duals[Rule("capacity", units).label]
    assert (more - less) / (2 * step) == pytest.approx(dual, rel=0.05)


def test_prices_under_a_budget_are_the_best_of_a_coarse_ladder() -> None:
    """Three customers, prices of 5 points each: the continuous optimum beats every choice that keeps the budget."""
    rows = rows_of(3, products=3)
    guardrails = Guardrails(max_change_rate=0.2)
    bounds = allowed_range(rows, guardrails, "personalized")
    price = free_price(rows, guardrails, Objective())
    spent = float(rows.response.probability(price) @ np.maximum(public_price(rows) - price, 0.0))
    found = solve(rows, Rule("discount_budget", 0.5 * spent))
    grid = [np.linspace(low, high, 25) for low, high in zip(bounds.low, bounds.high, strict=True)]
    best = -np.inf
    for choice in itertools.product(*grid):
        tried = np.array(choice)
        if rows.response.probability(tried) @ np.maximum(public_price(rows) - tried, 0.0) <= 0.5 * spent:
            best = max(best, profit(rows, tried))
    assert profit(rows, found.price) >= best * (1 - 2e-4)


def test_stock_limits_each_product_by_itself() -> None:
    rows = rows_of(240)
    free = free_price(rows, Guardrails(max_change_rate=0.2), Objective())
    chance = rows.response.probability(free)
    wanted = {name: float(chance[rows.product_id == name].sum()) for name in ("P0", "P3", "P4")}
    stock = np.full(240, np.nan)
    for name, share in (("P0", 0.8), ("P3", 0.9), ("P4", 3.0)):
        stock[rows.product_id == name] = share * wanted[name]
    found = solve(rows_of(240, stock=stock), Rule("capacity"))
    assert_kept(rows_of(240, stock=stock), found, Rule("capacity"))
    sold = rows.response.probability(found.price)
    for name, share in (("P0", 0.8), ("P3", 0.9), ("P4", 1.0)):
        assert sold[rows.product_id == name].sum() == pytest.approx(share * wanted[name], rel=5e-3)
    untouched = ~np.isin(rows.product_id, ["P0", "P3"])
    np.testing.assert_allclose(found.price[untouched], free[untouched], atol=0.006)


def test_numbers_over_the_horizon_are_scaled_to_the_rows(rows: PricingRows, amounts: dict[str, float]) -> None:
    """Ten times the offers and ten times the capacity are the same problem."""
    one = solve(rows, Rule("capacity", 0.85 * amounts["units"]))
    ten = solve(rows, Rule("capacity", 8.5 * amounts["units"]), horizon_offers=2_400)
    np.testing.assert_allclose(ten.price, one.price, atol=0.011)


def test_groups_are_levelled_out_at_little_cost() -> None:
    rows = rows_of()
    fast = rows.labels[GENDER] == "f"
    response = rows.response
    steeper = type(response)(
        response.reference_price, response.intercept, response.sensitivity * np.where(fast, 1.5, 1.0)[:, None],
        response.draw_fold, response.draw_member,
    )  # fmt: skip
    rows = rows_of(response=steeper)
    rule = Rule("parity", 0.01, group=GENDER)
    free = free_price(rows, Guardrails(max_change_rate=0.2), Objective())
    assert not measures(rows, Guardrails(rules=(rule,)), free)[0].kept
    found = solve(rows, rule)
    assert_kept(rows, found, rule)
    lost = profit(rows, free) - profit(rows, found.price)
    uniform = np.where(fast, free * np.average(free[~fast]) / np.average(free[fast]), free)
    guardrails = Guardrails(max_change_rate=0.2)
    bounds = allowed_range(rows, guardrails, "personalized")
    naive = profit(rows, free) - profit(rows, np.clip(uniform, bounds.low, bounds.high))
    assert 0 < lost < naive
    assert found.notes == ("the distance to the best possible prices also contains what price parity cost",)


@pytest.mark.parametrize("endings", [None, (49, 99)])
def test_an_order_between_products_holds_for_all_customers(endings: tuple[int, ...] | None) -> None:
    rows = rows_of(support_low=np.full(240, 3.0), support_high=np.full(240, 20.0), list_price=np.full(240, 10.0),
                   current_price=np.full(240, 9.7), unit_cost=np.full(240, 5.0))  # fmt: skip
    rules = (Rule("price_order", 0.5, lower="P0", higher="P1"), Rule("price_order", 0.2, lower="P1", higher="P2"))
    found = solve(rows, *rules, endings=endings)
    assert_kept(rows, found, *rules)
    by_product = [found.price[rows.product_id == f"P{k}"] for k in range(3)]
    assert by_product[0].max() + 0.5 <= by_product[1].min() + 1e-9
    assert by_product[1].max() + 0.2 <= by_product[2].min() + 1e-9


def test_one_order_is_solved_to_the_best_threshold() -> None:
    """All pairs of one lower and one higher price: with a row each, the best pair is found by a grid."""
    rows = make_rows(2, products=2, list_price=np.array([10.0, 9.0]), current_price=np.array([10.0, 9.0]),
                     support_low=np.array([5.0, 5.0]), support_high=np.array([15.0, 15.0]))  # fmt: skip
    guardrails = Guardrails(rules=(Rule("price_order", 1.0, lower="P0", higher="P1"),))
    bounds = allowed_range(rows, guardrails, "personalized")
    free = maximize_objective(rows.response, rows.unit_cost, bounds.low, bounds.high, Objective())
    assert free[0] + 1.0 > free[1]
    found = solve_coupled(rows, rows.response, guardrails, bounds, free)
    best = -np.inf
    for a in np.arange(bounds.low[0], bounds.high[0], 0.01):
        b = np.clip(free[1], a + 1.0, None)
        if b <= bounds.high[1]:
            best = max(best, profit(rows, np.array([a, b])))
    assert found.price[0] + 1.0 <= found.price[1] + 1e-9
    assert profit(rows, found.price) >= best - 1e-3


def test_the_changes_that_are_kept_are_the_best_ones(rows: PricingRows) -> None:
    free = free_price(rows, Guardrails(max_change_rate=0.2), Objective())
    each = objective_value(rows.response, free, rows.unit_cost, Objective()) - objective_value(
        rows.response, rows.current_price, rows.unit_cost, Objective()
    )
    found = solve(rows, Rule("max_changes", 50, level="row"))
    moved = np.abs(found.price - rows.current_price) > 0.005
    assert moved.sum() == 50
    assert each[moved].sum() == pytest.approx(np.sort(each)[-50:].sum(), rel=1e-3)
    assert (found.price[~moved] == rows.current_price[~moved]).all()


def test_more_changes_than_pay_are_made_where_they_cost_least() -> None:
    free = free_price(rows_of(), Guardrails(max_change_rate=0.2), Objective())
    rows = rows_of(current_price=np.where(np.arange(240) < 200, np.round(free, 2), rows_of().current_price))
    found = solve(rows, Rule("min_changes", 230, level="row"))
    changed = np.abs(found.price - rows.current_price) > 0.004
    assert changed.sum() == 230 and not found.infeasible
    still_best = solve(rows, Rule("min_changes", 0, level="row")).price
    assert profit(rows, found.price) >= profit(rows, still_best) - 0.01


def test_a_rule_that_cannot_be_kept_is_named_with_what_works(rows: PricingRows) -> None:
    found = solve(rows, Rule("capacity", 1.0))
    assert np.isnan(found.gap_rate)
    least = float(rows.response.probability(allowed_range(rows, Guardrails(max_change_rate=0.2), "p").high).sum())
    assert f"{least:,.4g} can be reached" in found.infeasible[0]
    assert found.infeasible[0].startswith("capacity 1: no allowed prices reach at most 1")


def test_a_soft_rule_gives_way_and_a_hard_one_holds(rows: PricingRows, amounts: dict[str, float]) -> None:
    hard = Rule("capacity", 0.85 * amounts["units"])
    soft = Rule("min_units", 0.95 * amounts["units"], hard=False)
    found = solve(rows, hard, soft)
    assert_kept(rows, found, hard)
    assert found.notes == (f"{soft.label} gave way to more important rules",)


def test_held_rows_stay_and_count(rows: PricingRows) -> None:
    low = np.where(np.arange(240) < 20, 50.0, rows.support_low)
    held = rows_of(support_low=low, support_high=np.maximum(rows.support_high, low))
    sold = held.response.probability(held.current_price)[:20].sum()
    rule = Rule("capacity", float(sold) + 30.0)
    found = solve(held, rule)
    assert (found.price[:20] == held.current_price[:20]).all() and not found.moved[:20].any()
    assert held.response.probability(found.price).sum() <= sold + 30.0 + 1e-6


def test_without_rules_nothing_moves_and_an_unknown_level_is_refused(rows: PricingRows) -> None:
    found = solve(rows)
    assert not found.moved.any() and found.gap_rate == 0.0 and found.duals == {}
    guardrails = Guardrails(rules=(Rule("capacity", 5.0),))
    with pytest.raises(ConfigError, match="The level is 'shop'"):
        solve_coupled(
            rows, rows.response, guardrails, allowed_range(rows, guardrails, "p"), rows.current_price, level="shop"
        )
