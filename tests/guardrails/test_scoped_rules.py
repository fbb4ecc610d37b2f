"""Rules for parts of the shop and soft rules, against plain row-by-row arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pricing_core.errors import DataError
from pricing_core.guardrails import Guardrails, PriceRange, Rule, Scope, allowed_range
from tests.pricing_cases import make_rows

ONE = {
    "current_price": np.array([10.0]), "list_price": np.array([11.0]), "unit_cost": np.array([6.0]),
    "support_low": np.array([7.0]), "support_high": np.array([14.0]), "competitor_price": np.array([10.0]),
}  # fmt: skip


def ends(*rules: Rule, shop: Guardrails | None = None, **changes: np.ndarray) -> tuple[float, str, float, str, str]:
    guardrails = (shop or Guardrails(margin_floor=None)).with_changes(rules=rules)
    found = allowed_range(make_rows(1, products=1, **(ONE | changes)), guardrails, "personalized")
    return found.low[0], found.low_rule[0], found.high[0], found.high_rule[0], found.relaxed[0]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("margin_floor", 0.25), (8.0, "margin floor 25%", 14.0, "supported prices", "")),
        (Rule("price_floor", 9.5), (9.5, "price floor 9.5", 14.0, "supported prices", "")),
        (Rule("price_ceiling", 12), (7.0, "supported prices", 12.0, "price ceiling 12", "")),
        (Rule("max_change_rate", 0.1), (9.0, "maximum change 10%", 11.0, "maximum change 10%", "")),
        (Rule("max_list_change_rate", 0.2), (8.8, "maximum distance from list price 20%", 13.2,
                                             "maximum distance from list price 20%", "")),
        (Rule("competitor_band", low_rate=0.9, high_rate=1.3), (9.0, "competitor band 90% to 130%", 13.0,
                                                                "competitor band 90% to 130%", "")),
        (Rule("discount_only", name="public price"), (7.0, "supported prices", 11.0, "public price", "")),
    ],
)  # fmt: skip
def test_each_kind_bounds_the_price_and_is_named(rule: Rule, expected: tuple[float, str, float, str, str]) -> None:
    assert ends(rule) == expected


def test_a_rule_holds_only_in_its_scope() -> None:
    rows = make_rows(12, products=4)
    rows = replace(rows, labels={"segment": np.array(["a", "b", ""] * 4, dtype=object)})
    for scope, inside in (
        (Scope("category", ("k1",)), rows.category == "k1"),
        (Scope("product", ("P0", "P3")), np.isin(rows.product_id, ["P0", "P3"])),
        (Scope("segment", ("b",)), np.array(["a", "b", ""] * 4) == "b"),
        (Scope(), np.ones(12, dtype=bool)),
    ):
        found = allowed_range(rows, Guardrails(margin_floor=None, rules=(Rule("price_floor", 6, scope),)), "uniform")
        np.testing.assert_array_equal(found.low >= 6, inside | (rows.support_low >= 6))


def test_a_label_that_the_rows_lack_is_named_with_those_they_have() -> None:
    rules = Guardrails(rules=(Rule("price_floor", 6, Scope("brand", ("x",))),))
    with pytest.raises(DataError, match=r"The rows carry no label 'brand'\. There are: product, category, customer"):
        allowed_range(make_rows(3), rules, "uniform")


def test_scopes_without_rows_and_unknown_prices_are_reported() -> None:
    rows = make_rows(4, products=2, competitor_price=np.array([5.0, np.nan, np.nan, 5.0]))
    rules = Guardrails(
        margin_floor=None,
        rules=(
            Rule("price_floor", 1, Scope("category", ("k0", "vine"))),
            Rule("competitor_band", low_rate=0.5, high_rate=9),
        ),
    )  # fmt: skip
    assert allowed_range(rows, rules, "uniform").notes == (
        "price floor 1 for category k0 or vine: no row has the category 'vine'.",
        "competitor band 50% to 900%: the competitor price is unknown in 2 of 4 rows, which the rule leaves alone.",
    )


def test_a_soft_rule_counts_in_full_where_it_can() -> None:
    assert ends(Rule("price_floor", 9.5, hard=False)) == (9.5, "price floor 9.5", 14.0, "supported prices", "")


def test_a_soft_rule_gives_way_only_as_far_as_needed_and_says_so() -> None:
    low, low_rule, high, high_rule, relaxed = ends(Rule("price_floor", 20, hard=False))
    assert (low, high, relaxed) == (14.0, 14.0, "price floor 20")
    assert (low_rule, high_rule) == ("price floor 20", "supported prices")
    assert ends(Rule("price_ceiling", 5, hard=False))[::2] == (7.0, 7.0, "price ceiling 5")


def test_hard_rules_come_before_soft_ones_and_those_by_priority() -> None:
    floor = Rule("price_floor", 10, hard=False, priority=5)
    ceiling = Rule("price_ceiling", 9, hard=False, priority=2)
    assert ends(floor, ceiling)[::2] == (9.0, 9.0, "price floor 10")
    later = floor.with_changes(priority=1)
    assert ends(later, ceiling)[::2] == (10.0, 10.0, "price ceiling 9")
    hard = Rule("price_floor", 11)
    assert ends(later, ceiling, hard)[::2] == (11.0, 11.0, "price ceiling 9")


def test_two_soft_rules_that_give_way_are_both_named() -> None:
    soft = [Rule("price_floor", 20, hard=False, priority=1), Rule("margin_floor", 0.7, hard=False, priority=2)]
    assert ends(*soft)[4] == "price floor 20; margin floor 70%"


def test_soft_rules_leave_room_for_hard_endings() -> None:
    ending = Rule("endings", ranges=(PriceRange(endings=(99,)),))
    low, _, high, _, relaxed = ends(ending, Rule("price_floor", 13.995, hard=False))
    assert (low, high, relaxed) == (13.99, 14.0, "price floor 13.995")
    between = Rule("competitor_band", low_rate=1.02, high_rate=1.05, hard=False)
    low, _, high, _, relaxed = ends(ending, between)
    assert (low, high, relaxed) == (9.99, 10.99, "competitor band 102% to 105%")


def test_tightening_a_soft_rule_never_widens_the_range() -> None:
    rows = make_rows(40, seed=3)
    before = np.full(40, np.inf)
    for floor in np.linspace(1, 30, 59):
        rules = Guardrails(max_change_rate=0.1, rules=(Rule("price_floor", float(floor), hard=False),))
        found = allowed_range(rows, rules, "personalized")
        width = found.high - found.low
        assert (width <= before + 1e-9).all()
        before = width


def test_rules_by_row_agree_with_plain_arithmetic() -> None:
    rows = make_rows(300, products=7, seed=11)
    rules = Guardrails(
        margin_floor=0.2,
        max_change_rate=0.15,
        rules=(
            Rule("margin_floor", 0.45, Scope("category", ("k0",))),
            Rule("competitor_band", low_rate=0.9, high_rate=1.15, scope=Scope("product", ("P1", "P2", "P5"))),
            Rule("max_list_change_rate", 0.12),
        ),
    )
    found = allowed_range(rows, rules, "personalized_discount")
    for i in range(rows.n):
        low = [rows.support_low[i], rows.unit_cost[i] / 0.8, 0.85 * rows.current_price[i], 0.88 * rows.list_price[i]]
        high = [rows.support_high[i], 1.15 * rows.current_price[i], 1.12 * rows.list_price[i], rows.list_price[i]]
        if rows.category[i] == "k0":
            low.append(rows.unit_cost[i] / 0.55)
        if rows.product_id[i] in ("P1", "P2", "P5"):
            low.append(0.9 * rows.competitor_price[i])
            high.append(1.15 * rows.competitor_price[i])
        assert found.low[i] == pytest.approx(np.ceil(max(low) * 100 - 1e-6) / 100)
        assert found.high[i] == pytest.approx(np.floor(min(high) * 100 + 1e-6) / 100)
        assert found.feasible[i] == (found.low[i] <= found.high[i])
