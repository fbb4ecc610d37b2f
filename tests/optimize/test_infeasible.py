"""Contradictions: named in words, with a relaxation that works while one step less does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from pricing_core.guardrails import Guardrails, PriceRange, Rule, Scope, with_rule
from pricing_core.guardrails.coupled import measures
from pricing_core.guardrails.selection import all_rules
from pricing_core.optimize.infeasible import Conflict, find_conflicts, relax_until_possible
from pricing_core.optimize.no_price import COST, SUPPORT
from pricing_core.optimize.relaxing import Relaxation, step_of
from pricing_core.response import PricingRows
from tests.pricing_cases import make_response, make_rows


def shop(n: int = 240, products: int = 12, **changes: Any) -> PricingRows:
    rows = make_rows(n, products=products, **changes)
    labels = {
        "segment": np.array([["a", "b", "c"][(i // products) % 3] for i in range(n)], dtype=object),
        "brand": np.array([f"b{(i % products) % 2}" for i in range(n)], dtype=object),
        "protected: gender": np.array([["f", "m"][(i // products) % 2] for i in range(n)], dtype=object),
    }
    return replace(rows, labels=labels)


def twins(n: int = 200) -> PricingRows:
    """Two products of about 10 and 20, whose supported prices leave room."""
    price = np.where(np.arange(n) % 2 == 0, 10.0, 20.0)
    return shop(
        n, 2, list_price=price, current_price=0.97 * price, unit_cost=0.5 * price, competitor_price=price,
        support_low=0.7 * price, support_high=1.3 * price, response=make_response(n, reference=price),
    )  # fmt: skip


def conflicts(rows: PricingRows, *rules: Rule, **settings: Any) -> tuple[Conflict, ...]:
    return find_conflicts(rows, Guardrails(**({"margin_floor": None} | settings), rules=rules), "personalized")


def one_step_less(guardrails: Guardrails, relaxation: Relaxation) -> Guardrails:
    """The same change, but one step of its grid smaller."""
    [change] = relaxation.changes
    rule = next(each for each in all_rules(guardrails) if each.label == change.rule)
    loosen = {"low_rate": -1, "high_rate": 1}.get(change.field, rule.about.loosen)
    less = round(float(change.value or 0.0) - loosen * step_of(rule, guardrails.decimals), 10)
    return with_rule(guardrails, change.rule, **{change.field: less})


def check_smallest(rows: PricingRows, guardrails: Guardrails) -> int:
    """Each relaxation of each conflict frees the rows; one step less does not. Return how many were checked."""
    checked = 0
    for conflict in find_conflicts(rows, guardrails, "personalized"):
        for relaxation in conflict.relaxations:
            assert not _meets(find_conflicts(rows, relaxation.apply(guardrails), "personalized"), conflict)
            if len(relaxation.changes) == 1 and relaxation.changes[0].field:
                almost = one_step_less(guardrails, relaxation)
                assert _meets(find_conflicts(rows, almost, "personalized"), conflict), relaxation.words
                checked += 1
    return checked


def _meets(found: tuple[Conflict, ...], conflict: Conflict) -> bool:
    """Whether a conflict of the same sort (rows without a price, or rules as a whole) still has some of its rows."""
    return any(
        np.intersect1d(each.rows, conflict.rows).size and each.holds_rows == conflict.holds_rows for each in found
    )


def test_the_message_names_rules_products_rows_and_what_is_enough() -> None:
    rows = twins()
    [found] = conflicts(rows, margin_floor=0.5, price_ceiling=18.0)
    # cost 10, so that a margin of 50% asks for 20.00; 1 - 10/18 = 44.44...%
    assert found.message == (
        "margin floor 50% and price ceiling 18 contradict each other for 1 product (100 rows): "
        "lowering the margin floor to 44.4% is enough, or raising the price ceiling to 20.00."
    )
    assert found.products == ("P1",)
    assert found.rules == ("margin floor", "price ceiling")
    assert found.holds_rows


@pytest.mark.parametrize(
    ("strategy", "own", "highest", "cure", "floor"),
    [
        ("personalized", {}, "the highest price that past offers support 13.00",
         "offer higher prices for a while, so that data support them", "-15.4%"),
        ("personalized_discount", {}, "list price 10.00", "choose a strategy that may raise prices", "-50%"),
        ("personalized", {"discount_only": True}, "list price 10.00", "leave out the rule “discount only”", "-50%"),
    ],
)  # fmt: skip
def test_a_cost_above_every_price_is_no_contradiction_between_rules(
    strategy: str, own: dict, highest: str, cure: str, floor: str
) -> None:
    rows = twins()
    rows = replace(rows, unit_cost=np.where(rows.product_id == "P0", 15.0, rows.unit_cost))
    guardrails = Guardrails(margin_floor=0.0, **own)
    [found] = find_conflicts(rows, guardrails, strategy)
    # 1 - 15/13 = -15.38...%, 1 - 15/10 = -50%
    assert found.message.startswith(
        f"the unit cost is above every price that can be charged for P0 (100 rows): cost 15.00, {highest}. To price "
    )
    assert found.message.endswith(f"{cure}; to sell at a loss, lowering the margin floor to {floor} is enough.")
    assert (found.cause, found.products, len(found.rows)) == (COST, ("P0",), 100)
    assert not find_conflicts(rows, found.relaxations[0].apply(guardrails), strategy)
    # No click that relaxes everything decides to sell at a loss.
    assert relax_until_possible(rows, guardrails, strategy)[:2] == (guardrails, ())


def test_a_rule_beyond_what_past_offers_support_is_told_as_such() -> None:
    rows = twins()
    [high] = conflicts(rows, price_floor=14.0)
    assert high.message == (
        "the highest price that past offers support is 13.00 for P0 (100 rows), and price floor 14 asks for more: "
        "lowering the price floor to 13.00 is enough."
    )
    [low] = conflicts(rows, price_ceiling=9.0)
    assert low.message == (
        "the lowest price that past offers support is 14.00 for P1 (100 rows), and price ceiling 9 asks for less: "
        "raising the price ceiling to 14.00 is enough."
    )
    assert {low.cause, high.cause} == {SUPPORT}


@pytest.mark.parametrize(("listed", "words"), [(6.0, "above the list price (6.00)"), (np.nan, "above today's price")])
def test_discounts_from_a_price_below_the_supported_ones_say_so(listed: float, words: str) -> None:
    rows = twins()
    first = rows.product_id == "P0"
    rows = replace(
        rows, list_price=np.where(first, listed, 20.0), current_price=np.where(first, 6.5, rows.current_price)
    )
    [found] = find_conflicts(rows, Guardrails(margin_floor=None), "personalized_discount")
    assert found.message.startswith("the lowest price that past offers support is 7.00 for P0 (100 rows), " + words)
    assert found.message.endswith("or choose a strategy that may raise prices.")
    assert found.cause == SUPPORT and not found.relaxations


@pytest.mark.parametrize(
    ("rules", "settings"),
    [
        ((), {"margin_floor": 0.6, "price_ceiling": 15.0}),
        ((), {"margin_floor": 0.5, "max_change_rate": 0.01}),
        ((Rule("margin_floor", 0.55, Scope("category", ("k1",))), Rule("price_ceiling", 9)), {}),
        ((Rule("competitor_band", low_rate=1.2, high_rate=1.4), Rule("discount_only", name="public")), {}),
        ((Rule("competitor_band", low_rate=0.3, high_rate=0.6), Rule("max_change_rate", 0.2)), {}),
        ((Rule("max_list_change_rate", 0.05), Rule("margin_floor", 0.6)), {}),
        ((Rule("endings", ranges=(PriceRange(endings=(99,)),)), Rule("max_change_rate", 0.01)), {}),
        ((Rule("price_ladder", ranges=(PriceRange(points=(3, 30)),)), Rule("price_floor", 12)), {}),
        ((Rule("price_floor", 28),), {}),
    ],
)  # fmt: skip
def test_the_relaxation_of_row_rules_is_enough_and_the_smallest(rules: tuple[Rule, ...], settings: dict) -> None:
    guardrails = Guardrails(**({"margin_floor": None} | settings), rules=rules)
    rows = twins() if not rules or rules[0].kind != "margin_floor" else shop()
    assert find_conflicts(rows, guardrails, "personalized")
    assert check_smallest(rows, guardrails) + sum(
        len(each.relaxations) for each in find_conflicts(rows, guardrails, "personalized")
    )


def test_where_two_rules_stand_in_the_way_both_are_relaxed_together() -> None:
    """For the product of 9.70 with a cost of 5: 13.50 and 5 / 0.4 = 12.50 are both above 1.2 x 9.70 = 11.64."""
    rows, narrow = twins(), Rule("max_change_rate", 0.2, Scope("product", ("P0",)))
    rules = Guardrails(margin_floor=0.6, price_floor=13.5, rules=(narrow,))
    conflict = next(each for each in find_conflicts(rows, rules, "personalized") if "P0" in each.products)
    assert conflict.message.endswith(
        "lowering the price floor to 11.64 together with lowering the margin floor to 57% is enough."
    )
    assert not find_conflicts(rows, conflict.relaxations[0].apply(rules), "personalized")
    for floor, margin in ((11.65, 0.57), (11.64, 0.571)):
        assert find_conflicts(rows, rules.with_changes(price_floor=floor, margin_floor=margin), "personalized")


def test_soft_rules_never_contradict() -> None:
    assert not conflicts(twins(), Rule("price_floor", 100, hard=False), Rule("min_units", 1e6, hard=False))


def test_rules_that_fit_together_have_no_conflict() -> None:
    rows = shop()
    rules = (
        Rule("max_dispersion_rate", 0.4), Rule("min_changes", 2), Rule("max_changes", 9), Rule("min_units", 3),
        Rule("discount_budget", 1e6), Rule("capacity", 1e6), Rule("min_conversion_rate", 0.01),
        Rule("parity", 0.3, group="protected: gender"), Rule("equal_price", group="segment"),
    )  # fmt: skip
    assert conflicts(rows, *rules, max_change_rate=0.1) == ()


def total(rows: PricingRows, rule: Rule, price: np.ndarray) -> float:
    [found] = measures(rows, Guardrails(rules=(rule,)), price)
    return found.value


COUPLED = [
    ((Rule("min_units", 80),), {}),
    ((Rule("min_conversion_rate", 0.5),), {}),
    ((Rule("discount_budget", 2),), {"max_change_rate": 0.0}),
    ((Rule("capacity", 5),), {}),
    ((Rule("min_changes", 40),), {}),
    ((Rule("min_changes", 70, level="row"), Rule("max_changes", 30, level="row")), {}),
    ((Rule("max_changes", 1),), {"margin_floor": 0.5}),
    ((Rule("max_changes", 1), Rule("min_units", 60)), {}),
    ((Rule("max_changes", 30, level="row"), Rule("discount_budget", 4)), {}),
    ((Rule("max_changes", 1), Rule("min_conversion_rate", 0.3)), {}),
    ((Rule("max_changes", 20, level="row"), Rule("capacity", 22)), {}),
    ((Rule("price_order", 19.5, lower="P0", higher="P1"),), {}),
    ((Rule("max_dispersion_rate", 0.1), Rule("price_floor", 12.5, Scope("segment", ("a",))),
      Rule("max_change_rate", 0.05, Scope("segment", ("b",)))), {}),
    ((Rule("parity", 0.02, group="protected: gender"),), {"max_change_rate": 0.0}),
    ((Rule("min_units", 50), Rule("capacity", 8, Scope("product", ("P0",)))), {}),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "settings"), COUPLED)
def test_the_relaxation_of_coupled_rules_is_enough_and_the_smallest(rules: tuple[Rule, ...], settings: dict) -> None:
    rows = twins()
    if rules[0].kind == "parity":
        women = rows.labels["protected: gender"] == "f"
        rows = replace(rows, current_price=np.where(women, 1.1, 1.0) * rows.current_price)
    guardrails = Guardrails(**({"margin_floor": None} | settings), rules=rules)
    found = [each for each in find_conflicts(rows, guardrails, "personalized") if not each.holds_rows]
    assert found, "no conflict"
    assert check_smallest(rows, guardrails) > 0


def test_the_most_units_are_those_of_the_lowest_prices() -> None:
    rows = twins()
    rule = Rule("min_units", 80)
    [found] = conflicts(rows, rule)
    most = sum(w * p for w, p in zip(rows.weight, rows.response.probability(rows.support_low), strict=True))
    assert found.relaxations[0].changes[0].value == pytest.approx(np.floor(most * 100) / 100)
    assert found.message == (
        f"minimum units 80: even the lowest allowed prices sell only {np.floor(most * 100) / 100:g}: "
        f"lowering the minimum units to {np.floor(most * 100) / 100:g} is enough."
    )


def test_no_prices_on_a_grid_keep_rules_that_are_reported_as_contradicting() -> None:
    """With few rows, every combination of ten prices per product is tried."""
    rows = twins(12)
    grid = np.linspace(0, 1, 12)
    reports = 0
    for most, wanted in ((1, 3.8), (1, 3.0), (2, 3.8), (0, 2.4)):
        rules = (Rule("max_changes", most), Rule("min_units", wanted))
        guardrails = Guardrails(margin_floor=None, rules=rules)
        possible = False
        options = [[None, *grid]] * 2
        for first in options[0]:
            for second in options[1]:
                price = rows.current_price.copy()
                for product, share in (("P0", first), ("P1", second)):
                    mine = rows.product_id == product
                    if share is not None:
                        price[mine] = (rows.support_low + share * (rows.support_high - rows.support_low))[mine]
                possible |= all(each.kept for each in measures(rows, guardrails, price))
        reported = bool(find_conflicts(rows, guardrails, "personalized"))
        reports += reported
        assert reported == (not possible), (most, wanted)
    assert 0 < reports < 4


def test_a_group_without_a_common_price_is_named() -> None:
    mixed = shop(240, 12)
    [found] = conflicts(mixed, Rule("equal_price", group="brand"))
    assert found.message == (
        "equal price by brand: other rules and the supported prices leave no common price in groups with 12 products: "
        "leaving out “equal price” is enough."
    )


def test_stock_that_the_highest_prices_exceed_is_named_with_its_product() -> None:
    rows = replace(twins(), stock=np.where(np.arange(200) % 2 == 0, 1.0, 1e6))
    [found] = conflicts(rows, Rule("capacity"))
    mine = rows.product_id == "P0"
    least = float(rows.response.probability(rows.support_high)[mine].sum())
    assert found.message == (
        f"capacity of stock: even at its highest allowed prices P0 sells {least:.1f} units, while 1.0 are in stock: "
        "leaving out “capacity” is enough."
    )


def most_units(rows: PricingRows, budget: float) -> float:
    """Most units that a budget for discounts buys, by linear programming over a grid finer than the product's."""
    price = rows.support_low[:, None] + np.linspace(0, 1, 121) * (rows.support_high - rows.support_low)[:, None]
    units = rows.response.probability(price)
    given = units * np.maximum(rows.list_price[:, None] - price, 0)
    one_each = np.kron(np.eye(rows.n), np.ones(121))
    found = linprog(-units.ravel(), A_ub=given.reshape(1, -1), b_ub=[budget], A_eq=one_each, b_eq=np.ones(rows.n))
    return -float(found.fun)


@pytest.mark.parametrize(("wanted", "budget"), [(12.0, 3.0), (14.0, 12.0)])
def test_units_that_a_budget_for_discounts_cannot_buy_are_named_with_what_it_can(wanted: float, budget: float) -> None:
    rows = twins(60)
    assert most_units(rows, budget) < wanted < most_units(rows, 1e9)
    [found] = conflicts(rows, Rule("min_units", wanted), Rule("discount_budget", budget))
    assert found.message.startswith(f"minimum units {wanted:g} and discount budget {budget:g} contradict each other: ")
    fewer, more = (float(each.changes[0].value or 0.0) for each in found.relaxations)
    assert fewer == pytest.approx(most_units(rows, budget), rel=3e-3)
    assert most_units(rows, more) == pytest.approx(wanted, rel=3e-3)
    for rules in ((Rule("min_units", fewer), Rule("discount_budget", budget)),
                  (Rule("min_units", wanted), Rule("discount_budget", more))):  # fmt: skip
        assert conflicts(rows, *rules) == ()


def test_a_budget_that_is_enough_is_no_conflict() -> None:
    rows = twins(60)
    assert conflicts(rows, Rule("min_units", 0.99 * most_units(rows, 10.0)), Rule("discount_budget", 10.0)) == ()
