"""Held rows say which data would help."""

from __future__ import annotations

import numpy as np

from pricing_core.guardrails import Guardrails
from pricing_core.optimize.held import NO_COMPETITOR, RULES_ONLY, held_help
from pricing_core.optimize.strategies import price_strategy
from tests.pricing_cases import make_rows


def test_a_rule_beyond_the_supported_prices_asks_for_offers_in_between() -> None:
    base = make_rows(60)
    cost = np.where(base.product_id == "P2", 1.4 * base.list_price, base.unit_cost)
    rows = make_rows(60, unit_cost=cost, weight=np.full(60, 500.0))
    guardrails = Guardrails(margin_floor=0.0)
    table = held_help(rows, price_strategy("personalized", rows, guardrails), guardrails)
    assert set(table["product_id"]) == {"P2"} and len(table) == 10
    top, floor = 1.25 * base.list_price[2], 1.4 * base.list_price[2]
    assert table["offers"].tolist() == [100.0] * 10  # 2% of the 5,000 offers of the product
    expected = f"About 100 more offers between {top:.2f} and {np.ceil(floor * 100 - 1e-6) / 100:.2f} would allow it."
    assert set(table["help"]) == {f"Correct the unit cost of {floor:.2f} if it is wrong. {expected}"}


def test_a_ceiling_below_the_supported_prices_asks_for_cheaper_offers() -> None:
    rows = make_rows(12, support_low=np.full(12, 8.0), support_high=np.full(12, 30.0))
    guardrails = Guardrails(margin_floor=None, price_ceiling=6.0)
    table = held_help(rows, price_strategy("personalized", rows, guardrails), guardrails)
    assert len(table) == 12
    assert set(table["help"]) == {"About 50 more offers between 6.00 and 8.00 would allow it."}


def test_no_data_help_against_rules_that_contradict_each_other() -> None:
    rows = make_rows(12, unit_cost=np.full(12, 9.0))
    guardrails = Guardrails(margin_floor=0.0, price_ceiling=6.0)
    table = held_help(rows, price_strategy("personalized", rows, guardrails), guardrails)
    assert set(table["help"]) == {RULES_ONLY} and table["offers"].isna().all()


def test_a_cost_above_the_list_price_is_no_contradiction_between_rules() -> None:
    rows = make_rows(12, list_price=np.full(12, 8.0), unit_cost=np.full(12, 9.0), support_high=np.full(12, 30.0))
    guardrails = Guardrails(margin_floor=0.0)
    table = held_help(rows, price_strategy("personalized_discount", rows, guardrails), guardrails)
    assert set(table["help"]) == {
        "The unit cost of 9.00 is above the price that discounts start from (8.00): correct what is wrong, or choose a "
        "strategy that may raise prices."
    }
    assert table["offers"].isna().all()


def test_a_missing_competitor_price_is_asked_for() -> None:
    rows = make_rows(12, competitor_price=np.full(12, np.nan))
    table = held_help(rows, price_strategy("competitor", rows, Guardrails()), Guardrails())
    assert set(table["help"]) == {NO_COMPETITOR}


def test_nothing_is_listed_where_nothing_is_held() -> None:
    rows = make_rows(12)
    assert held_help(rows, price_strategy("personalized", rows, Guardrails()), Guardrails()).empty
