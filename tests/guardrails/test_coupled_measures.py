"""What rules that tie prices together measure, against plain loops over the rows."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from pricing_core.guardrails import Guardrails, Rule, Scope, coupled_rules
from pricing_core.guardrails.coupled import Measure, group_codes, measures
from pricing_core.response import PricingRows
from tests.pricing_cases import make_rows

N = 48


@pytest.fixture
def rows() -> PricingRows:
    found = make_rows(N, products=4, weight=np.linspace(0.5, 2, N))
    labels = {
        "segment": np.array([["gold", "silver", ""][i % 3] for i in range(N)], dtype=object),
        "brand": np.array([f"b{i % 2}" for i in range(N)], dtype=object),
        "products: family": np.array([["", "f", "f", "g"][i % 4] for i in range(N)], dtype=object),
        "protected: gender": np.array([["f", "m", ""][(i // 4) % 3] for i in range(N)], dtype=object),
    }
    return replace(found, labels=labels, stock=np.where(found.product_id == "P2", np.nan, 3.0))


@pytest.fixture
def price(rows: PricingRows) -> np.ndarray:
    return np.round(rows.current_price * np.random.default_rng(0).uniform(0.9, 1.1, N), 2)


def measured(rows: PricingRows, price: np.ndarray, rule: Rule, **settings: float) -> tuple[Measure, ...]:
    return measures(rows, Guardrails(rules=(rule,), **settings), price)  # type: ignore[arg-type]


def test_dispersion_is_the_highest_over_the_lowest_price_of_a_product(rows: PricingRows, price: np.ndarray) -> None:
    found = measured(rows, price, Rule("max_dispersion_rate", 0.15, Scope("product", ("P1", "P3"))))
    assert [each.part for each in found] == ["P1", "P3"]
    for each in found:
        mine = [price[i] for i in range(N) if rows.product_id[i] == each.part]
        assert each.value == pytest.approx(max(mine) / min(mine) - 1)
        assert each.kept == (max(mine) <= 1.15 * min(mine))


def test_groups_by_a_label_of_products_span_products_and_others_do_not(rows: PricingRows) -> None:
    family = group_codes(Rule("equal_price", group="products: family"), rows)
    tier = group_codes(Rule("equal_price", group="segment"), rows)
    for i, j in combinations(range(N), 2):
        same = rows.labels["products: family"][i] == rows.labels["products: family"][j] != ""
        assert (family[i] == family[j] >= 0) == same
        same = rows.labels["segment"][i] == rows.labels["segment"][j] != "" and rows.product_id[i] == rows.product_id[j]
        assert (tier[i] == tier[j] >= 0) == same


def test_equal_price_holds_when_every_group_has_one_price(rows: PricingRows, price: np.ndarray) -> None:
    rule = Rule("equal_price", group="segment")
    assert not any(each.kept for each in measured(rows, price, rule))
    code = group_codes(rule, rows)
    level = np.where(code >= 0, 5 + 0.1 * code, price)
    assert all(each.kept for each in measured(rows, level, rule))
    level[np.flatnonzero(code == 2)[0]] += 0.01
    broken = [each for each in measured(rows, level, rule) if not each.kept]
    assert len(broken) == 1 and broken[0].value == pytest.approx(0.01)


def test_price_order_compares_the_dearest_small_with_the_cheapest_large(rows: PricingRows, price: np.ndarray) -> None:
    [found] = measured(rows, price, Rule("price_order", 0.5, lower="P0", higher="P1"))
    small, large = price[rows.product_id == "P0"].max(), price[rows.product_id == "P1"].min()
    assert found.value == pytest.approx(small + 0.5 - large)
    assert found.kept == (small + 0.5 <= large)
    assert measured(rows, price, Rule("price_order", lower="P0", higher="nobody")) == ()


@pytest.mark.parametrize(("level", "expected"), [("row", 3.0), ("product", 2.0)])
def test_changes_are_counted_by_product_or_row(rows: PricingRows, level: str, expected: float) -> None:
    price = rows.current_price.copy()
    price[[0, 4, 5]] += [0.01, -0.5, 1.0]
    price[9] += 0.004  # less than half a cent
    for kind, kept in (("min_changes", expected >= 3), ("max_changes", True)):
        [found] = measured(rows, price, Rule(kind, 3, level=level))
        assert (found.value, found.kept) == (expected, kept)


def test_totals_add_up_over_the_scope_and_stretch_to_the_horizon(rows: PricingRows, price: np.ndarray) -> None:
    inside = rows.category == "k1"
    chance = rows.response.probability(price)
    scope, scale = Scope("category", ("k1",)), 500 / rows.weight.sum()
    units = sum(rows.weight[i] * chance[i] for i in range(N) if inside[i])
    given = sum(rows.weight[i] * chance[i] * max(rows.list_price[i] - price[i], 0) for i in range(N) if inside[i])
    for kind, value in (("min_units", units), ("capacity", units), ("discount_budget", given)):
        [own] = measured(rows, price, Rule(kind, 1, scope))
        [stretched] = measured(rows, price, Rule(kind, 1, scope), horizon_offers=500)
        assert own.value == pytest.approx(value)
        assert stretched.value == pytest.approx(value * scale)
    [rate] = measured(rows, price, Rule("min_conversion_rate", 0.1, scope), horizon_offers=500)
    assert rate.value == pytest.approx(units / rows.weight[inside].sum())


def test_capacity_without_a_number_is_the_stock_of_each_product_where_it_is_known(
    rows: PricingRows, price: np.ndarray
) -> None:
    found = measured(rows, price, Rule("capacity"))
    assert [(each.part, each.limit) for each in found] == [("P0", 3.0), ("P1", 3.0), ("P3", 3.0)]
    sold = rows.weight * rows.response.probability(price)
    assert [each.value for each in found] == pytest.approx(
        [sold[rows.product_id == p].sum() for p in ("P0", "P1", "P3")]
    )


def test_discounts_from_an_unknown_list_price_count_from_todays(rows: PricingRows) -> None:
    unknown = replace(rows, list_price=np.full(N, np.nan))
    price = rows.current_price - 0.5
    [found] = measured(unknown, price, Rule("discount_budget", 1))
    assert found.value == pytest.approx(0.5 * (rows.weight @ rows.response.probability(price)))


def test_parity_compares_price_levels_that_the_mix_of_products_does_not_move(rows: PricingRows) -> None:
    """Groups that buy other products at today's prices are level; a group that pays 10% more is 10% above."""
    rule = Rule("parity", 0.05, group="protected: gender")
    skewed = rows.take(np.flatnonzero((rows.labels["protected: gender"] == "f") | (rows.product_id == "P0")))
    assert measured(skewed, skewed.current_price, rule)[0].value == pytest.approx(0.0)
    dearer = np.where(rows.labels["protected: gender"] == "m", 1.1, 1.0) * rows.current_price
    [found] = measured(rows, dearer, rule)
    assert found.part == "m against f"
    assert found.value == pytest.approx(0.1)
    assert not found.kept


def test_coupled_rules_come_hard_first_then_by_priority() -> None:
    rules = Guardrails(
        rules=(
            Rule("max_changes", 3, hard=False, priority=7),
            Rule("price_floor", 1),
            Rule("min_units", 3, hard=False, priority=2),
            Rule("discount_budget", 9),
        )
    )
    assert [rule.kind for rule in coupled_rules(rules)] == ["discount_budget", "min_units", "max_changes"]
