"""Price lists: native columns, one row per price, and figures that belong together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pricing_core.guardrails import NO_GUARDRAILS, Guardrails
from pricing_core.optimize.strategies import price_strategy
from pricing_core.pricelist.build import COLUMNS, DISCLOSURE, ListFacts, build_price_list
from pricing_core.pricelist.summary import change_counts, summary_sentence
from pricing_core.response import PricingRows
from tests.pricing_cases import make_rows

NATIVE = """price_list_id, version, status, product_id, segment_id, customer_id, currency,
current_price, new_price, change_rate, unit_cost, margin_rate, floor_price, ceiling_price,
prior_price_30d, effective_from, effective_to, expected_conversion_rate, expected_profit, profit_low, profit_high,
evidence, reason, disclosure_required, disclosure_text, model_version, approved_by, approved_at"""


def listed(strategy: str, rows: PricingRows, rules: Guardrails = NO_GUARDRAILS) -> pd.DataFrame:
    prices = price_strategy(strategy, rows, rules)
    return build_price_list(rows, prices, ListFacts(strategy, "USD", "r0001", {"P0": 3.5}))


def test_columns_are_the_native_ones_in_order() -> None:
    wanted = tuple(name.strip() for name in NATIVE.replace("\n", " ").split(","))
    assert wanted == COLUMNS
    assert tuple(listed("product", make_rows(30)).columns) == wanted


def test_personal_lists_have_a_row_per_customer_and_product_with_disclosure() -> None:
    frame = listed("personalized_discount", make_rows(30))
    assert len(frame) == 30
    assert not frame.duplicated(["customer_id", "product_id"]).any()
    assert frame["disclosure_required"].all()
    assert set(frame["disclosure_text"]) == {DISCLOSURE}


def test_of_several_rows_of_a_customer_and_product_the_latest_counts() -> None:
    rows = make_rows(30)
    twice = rows.take(np.r_[np.arange(30), np.arange(5)])
    later = twice.current_price.copy()
    later[30:] = 1.1 * later[30:]
    again = make_rows(35, **{k: getattr(twice, k) for k in ("customer_id", "product_id", "response", "list_price",
                             "unit_cost", "support_low", "support_high")}, current_price=later)  # fmt: skip
    frame = listed("personalized", again).set_index(["customer_id", "product_id"])
    assert len(frame) == 30
    for i in range(5):
        assert frame.loc[(rows.customer_id[i], rows.product_id[i]), "current_price"] == round(later[30 + i], 2)


@pytest.mark.parametrize("strategy", ["product", "uniform", "cost_plus", "status_quo"])
def test_other_lists_have_a_row_per_product_without_customers(strategy: str) -> None:
    rows = make_rows(60)
    frame = listed(strategy, rows)
    assert frame["product_id"].tolist() == sorted(set(rows.product_id))
    assert frame["customer_id"].isna().all()
    assert not frame["disclosure_required"].any()
    assert frame["disclosure_text"].isna().all()


def test_prices_reason_and_change_of_a_product_belong_to_one_row() -> None:
    current = np.round(make_rows(60).list_price * np.random.default_rng(0).uniform(0.85, 1.1, 60), 2)
    rows = make_rows(60, current_price=current)
    rules = Guardrails(endings=(49, 99))
    frame = listed("uniform", rows, rules)
    for row in frame.itertuples():
        assert f"from {row.current_price:.2f} to {row.new_price:.2f}" in row.reason
        assert row.change_rate == pytest.approx(row.new_price / row.current_price - 1)
        assert row.margin_rate == pytest.approx(1 - row.unit_cost / row.new_price)
        assert round(100 * row.new_price) % 100 in (49, 99)


def test_effect_of_a_product_is_that_of_its_price_over_its_rows() -> None:
    rows = make_rows(60, weight=np.linspace(1, 3, 60))
    frame = listed("product", rows).set_index("product_id")
    mine = rows.product_id == "P2"
    price = np.full(mine.sum(), frame.loc["P2", "new_price"])
    part = rows.take(mine)
    profit = np.average((price - part.unit_cost) * part.response.probability(price), weights=part.weight)
    assert frame.loc["P2", "expected_profit"] == pytest.approx(profit)
    assert frame.loc["P2", "profit_low"] < profit < frame.loc["P2", "profit_high"]


def test_lowest_recent_price_is_shown_where_known() -> None:
    frame = listed("product", make_rows(30)).set_index("product_id")
    assert frame.loc["P0", "prior_price_30d"] == 3.5
    assert np.isnan(frame.loc["P1", "prior_price_30d"])


def test_the_sentence_counts_and_compares() -> None:
    frame = pd.DataFrame({"current_price": [1.0, 2.0, 3.0, 4.0], "new_price": [1.1, 2.2, 2.9, 4.0]})
    assert change_counts(frame) == {"raise": 2, "cut": 1, "hold": 1}
    effect = {"profit_uplift_rate": 0.021, "profit_uplift_rate_low": -0.003, "profit_uplift_rate_high": 0.044}
    start = "Raise 2, cut 1, hold 1: +2.1% profit against today's prices"
    assert summary_sentence(frame, effect) == f"{start}, 90% range −0.3% to +4.4%"
    unknown = effect | {"profit_uplift_rate_low": np.nan, "profit_uplift_rate_high": np.nan}
    assert summary_sentence(frame, unknown) == f"{start}; the range is unknown."
