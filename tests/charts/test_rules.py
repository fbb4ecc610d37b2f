"""Counts of rules, statuses and held rows."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.charts.rules import binding_rules_data, held_rows_data, status_data
from pricing_core.optimize.strategies import StrategyPrices
from pricing_core.response.price_response import PriceResponse
from pricing_core.response.pricing_rows import PricingRows


def _texts(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


@pytest.fixture
def prices() -> StrategyPrices:
    n = 5
    return StrategyPrices(
        strategy="product",
        price=np.arange(1.0, 1.0 + n),
        change_rate=np.zeros(n),
        status=_texts("raise", "cut", "cut", "keep", "hold"),
        binding=_texts("margin floor", "", "margin floor", "price ceiling", ""),
        reason=_texts("a", "b", "c", "d", "no price is allowed"),
        held=np.array([False, False, False, False, True]),
        low=np.zeros(n),
        high=np.ones(n),
    )


@pytest.fixture
def rows() -> PricingRows:
    n = 5
    known = {
        name: np.arange(1.0, 1.0 + n)
        for name in (
            "current_price",
            "list_price",
            "unit_cost",
            "competitor_price",
            "support_low",
            "support_high",
            "weight",
        )
    }
    return PricingRows(
        customer_id=_texts("u", "v", "w", "x", "y"),
        product_id=_texts("p", "p", "q", "q", "r"),
        category=_texts(*"ccccc"),
        customer_fold=np.zeros(n, dtype=int),
        evidence=_texts(*["measured"] * n),
        response=PriceResponse(np.ones(n), np.zeros((n, 2)), np.ones((n, 2))),
        cost_assumed=np.zeros(n, dtype=bool),
        **known,
    )  # fmt: skip


def test_rules_are_counted_among_the_rows_that_have_a_price(prices: StrategyPrices) -> None:
    table = binding_rules_data(prices)
    assert dict(zip(table["rule"], table["n"], strict=True)) == {"margin floor": 2, "no rule": 1, "price ceiling": 1}
    assert table["rule"].iloc[0] == "margin floor"
    assert table["share"].tolist() == [0.5, 0.25, 0.25]


def test_every_status_is_counted_even_where_it_does_not_occur(prices: StrategyPrices) -> None:
    assert status_data(prices) == {"raise": 1, "cut": 2, "keep": 1, "hold": 1}


def test_held_rows_come_with_their_reason(rows: PricingRows, prices: StrategyPrices) -> None:
    table = held_rows_data(rows, prices)
    assert table.to_dict("records") == [
        {"product_id": "r", "customer_id": "y", "current_price": 5.0, "reason": "no price is allowed"}
    ]
