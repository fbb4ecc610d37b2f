"""Contradictions against what pricing does: the rows named are those held, and relaxing frees them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pricing_core.guardrails import Guardrails, PriceRange, Rule, Scope
from pricing_core.optimize.infeasible import find_conflicts, relax_until_possible
from pricing_core.optimize.strategies import price_strategy
from tests.optimize.test_infeasible import one_step_less, shop, twins
from tests.pricing_cases import make_response, make_rows


def test_one_price_for_all_needs_a_price_that_the_rules_of_all_customers_allow() -> None:
    """Of the product of 10.00, one segment may not pay more than 9.50 and another not less than 12.00."""
    rows = twins()
    high = Rule("price_floor", 12, Scope("segment", ("a",)))
    low = Rule("price_ceiling", 9.5, Scope("segment", ("b",)))
    rules = Guardrails(margin_floor=None, rules=(high, low.with_changes(kind="max_list_change_rate", value=0.05)))
    assert not find_conflicts(rows, rules, "personalized")
    [found] = find_conflicts(rows, rules, "product")
    assert found.message == (
        "price floor 12 for segment a and maximum distance from list price 5% for segment b leave no single price to "
        "all customers of 1 product (100 rows): lowering the price floor for segment a to 10.50 is enough, or raising "
        "the maximum distance from list price for segment b to 20%."
    )
    held = price_strategy("product", rows, rules).held
    np.testing.assert_array_equal(np.flatnonzero(held), found.rows)
    for relaxation in found.relaxations:
        assert not find_conflicts(rows, relaxation.apply(rules), "product")
        assert not price_strategy("product", rows, relaxation.apply(rules)).held.any()
        assert price_strategy("product", rows, one_step_less(rules, relaxation)).held.any()


@pytest.mark.parametrize("strategy", ["personalized", "personalized_discount", "product"])
def test_the_rows_of_row_conflicts_are_those_that_pricing_holds(strategy: str) -> None:
    rows = shop(seed=3)
    rules = Guardrails(
        margin_floor=0.42, max_change_rate=0.06, endings=(99,),
        rules=(Rule("price_ceiling", 9, Scope("category", ("k0",))), Rule("price_floor", 8, Scope("segment", ("a",)))),
    )  # fmt: skip
    found = find_conflicts(rows, rules, strategy)
    named = np.unique(np.concatenate([each.rows for each in found if each.holds_rows]))
    np.testing.assert_array_equal(named, np.flatnonzero(price_strategy(strategy, rows, rules).held))


def test_relaxing_until_possible_leaves_no_row_without_a_price() -> None:
    rows = shop(seed=3)
    rules = Guardrails(
        margin_floor=0.42, max_change_rate=0.06, endings=(99,),
        rules=(Rule("price_ceiling", 9, Scope("category", ("k0",))), Rule("min_changes", 99)),
    )  # fmt: skip
    relaxed, done, left = relax_until_possible(rows, rules, "personalized")
    assert left == () and len(done) >= 2
    assert not price_strategy("personalized", rows, relaxed).held.any()
    assert relaxed.rules[-1].value == 12


def test_a_chain_of_price_orders_is_followed_through() -> None:
    """Three products of 7 to 13: 4 apart each, the third would have to cost 7 + 4 + 4 = 15."""
    price = np.full(90, 10.0)
    rows = make_rows(
        90, products=3, list_price=price, current_price=price, unit_cost=0.5 * price, competitor_price=price,
        support_low=0.7 * price, support_high=1.3 * price, response=make_response(90, reference=price),
    )  # fmt: skip
    chain = (Rule("price_order", 4, lower="P0", higher="P1"), Rule("price_order", 4, lower="P1", higher="P2"))
    rules = Guardrails(margin_floor=None, rules=chain)
    assert not find_conflicts(rows, rules.with_changes(rules=chain[:1]), "personalized")
    [found] = find_conflicts(rows, rules, "personalized")
    assert found.message == (
        "price order P1 below P2 with a gap of 4: other rules and the supported prices force another order: "
        "lowering the gap of the price order to 2.00 is enough."
    )
    assert not find_conflicts(rows, found.relaxations[0].apply(rules), "personalized")
    assert find_conflicts(rows, one_step_less(rules, found.relaxations[0]), "personalized")


def test_a_rule_that_reaches_no_row_is_told_with_the_prices() -> None:
    rules = Guardrails(rules=(Rule("price_floor", 1, Scope("category", ("k0", "vine"))),))
    notes = price_strategy("personalized", shop(), rules).notes
    assert "price floor 1 for category k0 or vine: no row has the category 'vine'." in notes


@pytest.mark.parametrize("strategy", ["product", "segment"])
def test_soft_rules_never_keep_a_product_from_its_one_price(strategy: str) -> None:
    """Competitor prices differ from row to row, so that no one price can follow them all."""
    rows = shop(seed=5)
    soft = (
        Rule("competitor_band", low_rate=0.99, high_rate=1.01, hard=False),
        Rule("price_ceiling", 8, hard=False, priority=3),
        Rule("endings", ranges=(PriceRange(endings=(7,)),), hard=False),
        Rule("price_ladder", ranges=(PriceRange(points=(2.5,)),), hard=False, priority=2),
    )
    free = price_strategy(strategy, rows, Guardrails(max_change_rate=0.02))
    kept = price_strategy(strategy, rows, Guardrails(max_change_rate=0.02, rules=soft))
    np.testing.assert_array_equal(kept.held, free.held)
    assert not kept.held.any()
    assert not np.array_equal(kept.price, free.price)


def test_a_soft_rule_pulls_the_one_price_as_far_as_hard_rules_let_it() -> None:
    rows = twins()
    rules = Guardrails(max_change_rate=0.1, rules=(Rule("price_floor", 15, hard=False),))
    price = price_strategy("product", rows, rules).price
    assert set(price[rows.product_id == "P0"]) == {10.67}
    assert min(price[rows.product_id == "P1"]) >= 17.46


def test_a_soft_band_follows_the_competitor_of_the_typical_row() -> None:
    rows = twins()
    rows = replace(rows, competitor_price=rows.list_price * np.where(np.arange(200) % 4 < 2, 0.8, 0.9))
    band = Rule("competitor_band", low_rate=1.0, high_rate=1.0, hard=False)
    price = price_strategy("product", rows, Guardrails(margin_floor=None, rules=(band,))).price
    assert sorted(set(price)) == [8.5, 17.0]


@pytest.mark.parametrize("strategy", ["personalized", "product"])
def test_the_rounding_direction_of_a_soft_rule_gives_way_rather_than_hold_a_price(strategy: str) -> None:
    rows = twins()
    down = PriceRange(endings=(0,), rounding="down")
    soft, hard = (Rule("endings", ranges=(down,), hard=each) for each in (False, True))
    floor = {"margin_floor": None, "price_floor": 12.5, "max_change_rate": 0.5}
    held = price_strategy(strategy, rows, Guardrails(**floor, rules=(hard,)))
    free = price_strategy(strategy, rows, Guardrails(**floor, rules=(soft,)))
    cheap = rows.product_id == "P0"
    assert held.held[cheap].any()
    assert not free.held.any()
    assert set(free.price[cheap & held.held]) == {13.0}
