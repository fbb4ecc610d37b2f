"""History and pressure against plain-Python oracles."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_core.data.dataset import Dataset
from pricing_core.features import build_features
from pricing_core.features.asof import PastSums

Shop = Callable[..., Dataset]


def test_supply_demand_pressure_is_sales_value_a_week_less_cost_over_stock_value(shop: Shop) -> None:
    dataset = shop()
    assert dataset.products is not None
    found = build_features(dataset).frame["supply–demand pressure"]
    products = {row["product_id"]: row for row in dataset.products.to_dict("records")}
    log = dataset.offers.to_dict("records")
    for index, offer in list(enumerate(log))[::3]:
        product = products[offer["product_id"]]
        sales = 0.0
        for earlier in log:
            age = (offer["offered_at"].floor("s") - earlier["offered_at"].floor("s")).total_seconds()
            if earlier["product_id"] == offer["product_id"] and 0 < age <= 28 * 86_400 and earlier["purchased"]:
                sales += earlier["price"]
        if product["stock"] == 0:
            assert math.isnan(found[index])
            continue
        expected = (sales / 4 - product["unit_cost"]) / (product["stock"] * product["list_price"])
        assert found[index] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_counts_and_recency_of_a_customer(shop: Shop) -> None:
    dataset = shop()
    assert dataset.events is not None
    frame = build_features(dataset).frame
    log, events = dataset.offers.to_dict("records"), dataset.events.to_dict("records")
    for index in range(0, 300, 7):
        offer = log[index]
        mine = [e for e in log if e["customer_id"] == offer["customer_id"] and e["offered_at"] < offer["offered_at"]]
        bought = [e for e in mine if e["purchased"]]
        assert np.expm1(frame["offers seen"][index]) == pytest.approx(len(mine))
        assert np.expm1(frame["purchases so far"][index]) == pytest.approx(len(bought))
        spend = sum(e["price"] for e in bought) / max(len(bought), 1)
        assert np.expm1(frame["mean spend"][index]) == pytest.approx(spend)
        days = 730.0
        if bought:
            days = (offer["offered_at"] - max(e["offered_at"] for e in bought)).total_seconds() / 86_400
        assert np.expm1(frame["days since last purchase"][index]) == pytest.approx(days, abs=2e-5)
        views = [
            e
            for e in events
            if e["customer_id"] == offer["customer_id"]
            and e["event_type"] == "view"
            and pd.Timedelta(0) < offer["offered_at"] - e["occurred_at"] <= pd.Timedelta(days=30)
        ]
        assert np.expm1(frame["views in 30 days"][index]) == pytest.approx(len(views))


def test_the_price_sensitivity_trace_is_negative_for_who_buys_only_cheap(shop: Shop) -> None:
    dataset = shop()
    assert dataset.products is not None
    level = dataset.products.set_index("product_id")["list_price"]
    relative = dataset.offers["price"] / dataset.offers["product_id"].map(level)
    bargain = (dataset.offers["customer_id"] == "0005") & (relative < 0.8)
    careless = dataset.offers["customer_id"] != "0005"
    log = dataset.offers.assign(purchased=(bargain | (careless & (dataset.offers.index % 3 == 0))).astype(np.int8))
    asked = log.tail(1).assign(offered_at=log["offered_at"].max() + pd.Timedelta(days=1))
    asked = pd.concat([asked.assign(customer_id=c) for c in ("0005", "0006")], ignore_index=True)
    trace = build_features(replace(dataset, offers=log), asked).frame["price sensitivity trace"]
    assert trace[0] < -0.05 < trace[1] < 0.05


def test_days_after_the_end_of_the_log_are_no_days_without_sales(shop: Shop) -> None:
    dataset = shop()
    assert dataset.events is not None
    end = dataset.offers["offered_at"].max()
    events = dataset.events[dataset.events["occurred_at"] <= end]
    views = events[events["event_type"] == "view"]
    later = views.assign(occurred_at=end + pd.Timedelta(days=20))  # browsing goes on where the log of offers ends
    dataset = replace(dataset, events=pd.concat([events, later], ignore_index=True))
    soon, late = (
        build_features(dataset, dataset.offers.tail(50).assign(offered_at=end + pd.Timedelta(days=days))).frame
        for days in (0.01, 25)
    )
    same = ["purchases in 30 days", "days since last purchase", "offers seen", "supply–demand pressure"]
    same += [name for name in soon.columns if name.endswith(" weeks")]
    assert len(same) == 9
    pd.testing.assert_frame_equal(soon[same], late[same])
    for name in ("views in 30 days", "views of this product"):  # what is known of later days does count
        assert late[name].sum() > soon[name].sum() + 1


def test_pairs_of_many_customers_and_products_do_not_run_into_each_other() -> None:
    # A million customers times a thousand products: the pair's code needs 30 bits beside the time's 36.
    key = np.array([999_999 * 1_000 + 999, 7], dtype=np.int64)
    past = PastSums(key, np.array([100, 100]), np.array([[1.0], [10.0]]))
    asked = np.array([key[0], 7, 8, -1])
    np.testing.assert_array_equal(past.before(asked, np.full(4, 200))[:, 0], [1, 10, 0, 0])
    np.testing.assert_array_equal(past.last_second(asked, np.full(4, 200)), [100, 100, np.nan, np.nan])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-3, 5), st.integers(-40, 40), st.integers(-9, 9)), max_size=30),
    st.lists(st.tuples(st.integers(-3, 7), st.integers(-50, 50)), min_size=1, max_size=10),
    st.integers(1, 40),
)
def test_past_sums_agree_with_adding_up_by_hand(
    records: list[tuple[int, int, int]], asked: list[tuple[int, int]], within: int
) -> None:
    key, second, value = (np.array([r[i] for r in records], dtype=np.int64) for i in range(3))
    past = PastSums(key, second, value[:, None].astype(float))
    asked_key, asked_second = (np.array([a[i] for a in asked], dtype=np.int64) for i in range(2))
    found = past.before(asked_key, asked_second)[:, 0]
    recent = past.before(asked_key, asked_second, within=within)[:, 0]
    last = past.last_second(asked_key, asked_second)
    for i, (k, moment) in enumerate(asked):
        mine = [(s, v) for kk, s, v in records if kk == k and s < moment]
        assert found[i] == sum(v for _, v in mine)
        assert recent[i] == sum(v for s, v in mine if s >= moment - within)
        assert np.isnan(last[i]) if not mine else last[i] == max(s for s, _ in mine)
