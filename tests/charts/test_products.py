"""Products side by side, against sums written out in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pricing_core.charts.products import price_effect_data, product_gain_data, product_overview_data
from pricing_core.errors import ConfigError
from pricing_core.response.price_response import PriceResponse
from pricing_core.response.pricing_rows import PricingRows

PRODUCT = ["b", "a", "b"]
CURRENT = [10.0, 4.0, 12.0]
COST = [6.0, 1.0, 6.0]
WEIGHT = [1.0, 5.0, 3.0]
INTERCEPT = [[2.0, 1.0], [0.5, 0.7], [1.5, 1.6]]
SENSITIVITY = [[3.0, 2.5], [1.0, 1.2], [2.0, 2.2]]
REFERENCE = [11.0, 4.0, 11.0]


@pytest.fixture
def rows() -> PricingRows:
    text = np.array(PRODUCT, dtype=object)
    n = len(PRODUCT)
    return PricingRows(
        customer_id=np.array(["x", "y", "z"], dtype=object),
        product_id=text,
        category=np.array(["c"] * n, dtype=object),
        current_price=np.array(CURRENT),
        list_price=np.array(CURRENT),
        unit_cost=np.array(COST),
        competitor_price=np.full(n, np.nan),
        support_low=np.array(CURRENT) * 0.5,
        support_high=np.array(CURRENT) * 1.5,
        customer_fold=np.array([0, 1, 0]),
        evidence=np.array(["measured", "borrowed", "measured"], dtype=object),
        weight=np.array(WEIGHT),
        response=PriceResponse(np.array(REFERENCE), np.array(INTERCEPT), np.array(SENSITIVITY)),
        cost_assumed=np.array([False, True, False]),
    )


def chance(row: int, draw: int, price: float) -> float:
    return 1 / (1 + math.exp(-(INTERCEPT[row][draw] - SENSITIVITY[row][draw] * price / REFERENCE[row])))


def profit(row: int, draw: int, price: float) -> float:
    return WEIGHT[row] * (price - COST[row]) * chance(row, draw, price)


def half_range(draws: list[float]) -> float:
    """Half of the 90% range of two members: t(1 degree of freedom) · s · √(1 + 1/2)."""
    return 6.313751515 * abs(draws[0] - draws[1]) / math.sqrt(2) * math.sqrt(1.5)


def test_products_are_averaged_over_their_offers(rows: PricingRows) -> None:
    table = product_overview_data(rows).set_index("product_id")
    assert list(table.index) == ["a", "b"]
    assert table.loc["b", "current_price"] == pytest.approx((10 + 3 * 12) / 4)
    sales = [WEIGHT[i] * sum(chance(i, d, CURRENT[i]) for d in (0, 1)) / 2 for i in (0, 2)]
    assert table.loc["b", "conversion_rate"] == pytest.approx(sum(sales) / 4)
    assert table["evidence"].to_dict() == {"a": "borrowed", "b": "measured"}
    assert table["cost_assumed"].to_dict() == {"a": True, "b": False}


def test_a_product_s_elasticity_is_that_of_its_expected_sales(rows: PricingRows) -> None:
    def sales(scale: float) -> float:
        return sum(WEIGHT[i] * chance(i, d, CURRENT[i] * scale) for i in (0, 2) for d in (0, 1))

    step = 1e-5
    slope = (math.log(sales(1 + step)) - math.log(sales(1 - step))) / (math.log(1 + step) - math.log(1 - step))
    assert product_overview_data(rows).set_index("product_id").loc["b", "elasticity"] == pytest.approx(slope, rel=1e-6)


def test_the_gain_is_the_difference_of_profits_and_its_range_that_of_the_draws(rows: PricingRows) -> None:
    new = [9.0, 4.0, 10.0]
    table = product_gain_data(rows, np.array(new)).set_index("product_id")
    draws = [sum(profit(i, d, new[i]) - profit(i, d, CURRENT[i]) for i in (0, 2)) for d in (0, 1)]
    assert table.loc["b", "profit_gain"] == pytest.approx(sum(draws) / 2)
    assert table.loc["b", "gain_low"] == pytest.approx(sum(draws) / 2 - half_range(draws))
    assert table.loc["b", "gain_high"] == pytest.approx(sum(draws) / 2 + half_range(draws))
    assert table.loc["b", "change_rate"] == pytest.approx((9 + 30) / (10 + 36) - 1)
    assert table.loc["a", "profit_gain"] == 0


def test_gains_are_scaled_to_the_number_of_offers_asked_for(rows: PricingRows) -> None:
    price = np.array([9.0, 4.5, 10.0])
    once, twice = product_gain_data(rows, price), product_gain_data(rows, price, n_offers=2 * sum(WEIGHT))
    for name in ("offers", "profit_gain", "gain_low", "gain_high"):
        assert twice[name].tolist() == pytest.approx((2 * once[name]).tolist())
    assert twice["change_rate"].tolist() == pytest.approx(once["change_rate"].tolist())


def test_prices_of_another_length_are_refused(rows: PricingRows) -> None:
    with pytest.raises(ConfigError, match=r"\(2,\); it must be \(3,\)"):
        product_gain_data(rows, np.array([1.0, 2.0]))


def test_one_price_for_all_is_compared_with_today(rows: PricingRows) -> None:
    table = price_effect_data(rows.take(np.array([0, 2])), 9.0, per=200)
    draws = [sum(profit(i, d, 9.0) for i in (0, 2)) / 4 * 200 for d in (0, 1)]
    today = sum(profit(i, d, CURRENT[i]) for i in (0, 2) for d in (0, 1)) / 2 / 4 * 200
    assert table.loc["profit", "value"] == pytest.approx(sum(draws) / 2)
    assert table.loc["profit", "low"] == pytest.approx(sum(draws) / 2 - half_range(draws))
    assert table.loc["profit", "today"] == pytest.approx(today)
    assert table.loc["profit", "change"] == pytest.approx(sum(draws) / 2 - today)
    bought = sum(WEIGHT[i] * chance(i, d, 9.0) for i in (0, 2) for d in (0, 1)) / 2 / 4
    assert table.loc["conversion_rate", "value"] == pytest.approx(bought)
    assert table.loc["revenue", "value"] == pytest.approx(200 * 9.0 * bought)


def test_a_price_of_zero_is_refused(rows: PricingRows) -> None:
    with pytest.raises(ConfigError, match="above zero"):
        price_effect_data(rows, 0.0)
