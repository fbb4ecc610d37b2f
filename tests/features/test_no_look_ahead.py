"""Nothing that happens at or after an offer changes its features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pricing_core.data.columns import classify_columns
from pricing_core.data.dataset import Dataset
from pricing_core.features import FeatureEncoder, build_features

Shop = Callable[..., Dataset]


def spoil_from(dataset: Dataset, moment: pd.Timestamp) -> Dataset:
    """Replace what offers and events from ``moment`` on say, and what the market says after it."""
    assert dataset.market is not None and dataset.events is not None
    rng = np.random.default_rng(99)
    offers, events, market = dataset.offers.copy(), dataset.events.copy(), dataset.market.copy()
    late = (offers["offered_at"] >= moment).to_numpy()
    offers.loc[late, "purchased"] = 1 - offers.loc[late, "purchased"]
    offers.loc[late, "price"] = rng.uniform(50, 90, late.sum())
    offers.loc[late, "customer_id"] = rng.permutation(offers.loc[late, "customer_id"].to_numpy())
    late = (events["occurred_at"] >= moment).to_numpy()
    events.loc[late, "event_type"] = "purchase"
    events.loc[late, "rating"] = 1.0
    events.loc[late, "customer_id"] = rng.permutation(events.loc[late, "customer_id"].to_numpy())
    market.loc[market["date"] > moment, "competitor_price"] = 99.0
    return replace(dataset, offers=offers, events=events, market=market)


@pytest.mark.parametrize("without_list_price", [False, True])
def test_features_before_a_moment_survive_any_change_after_it(shop: Shop, without_list_price: bool) -> None:
    dataset = shop()
    if without_list_price:  # the price level then comes from earlier prices
        assert dataset.products is not None
        dataset = replace(dataset, products=dataset.products.drop(columns="list_price"))
    uses = classify_columns(dataset)
    moment = dataset.offers["offered_at"].iloc[150]
    asked = dataset.offers[dataset.offers["offered_at"] <= moment]  # the offer at the very moment included
    spoiled = spoil_from(dataset, moment)
    before, after = (build_features(d, asked, uses=uses) for d in (dataset, spoiled))
    pd.testing.assert_frame_equal(before.frame, after.frame, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(before.base_price, after.base_price, rtol=1e-10)
    encoder = FeatureEncoder().fit(before)
    one, other = encoder.transform(before), encoder.transform(after)
    np.testing.assert_allclose(one.matrix(), other.matrix(), atol=1e-6)
    np.testing.assert_array_equal(one.sequence, other.sequence)
    np.testing.assert_array_equal(one.sequence_item, other.sequence_item)
    # The test can fail: later offers do see the change.
    assert not build_features(dataset, uses=uses).frame.equals(build_features(spoiled, uses=uses).frame)


def test_the_own_outcome_and_price_are_not_among_the_features(shop: Shop) -> None:
    dataset = shop()
    asked = dataset.offers.tail(1)
    changed = asked.assign(price=1.0, purchased=1 - asked["purchased"])
    uses = classify_columns(dataset)
    one, other = (build_features(dataset, offers, uses=uses).frame for offers in (asked, changed))
    pd.testing.assert_frame_equal(one, other)


def test_a_purchase_of_the_very_same_second_is_not_seen(shop: Shop) -> None:
    dataset = shop()
    moment = pd.Timestamp("2025-05-01T12:00:00Z")
    event = {"customer_id": "0003", "product_id": "p1", "event_type": "purchase", "rating": np.nan}

    def seen(occurred_at: pd.Timestamp) -> pd.DataFrame:
        events = pd.concat([dataset.events, pd.DataFrame([{**event, "occurred_at": occurred_at}])], ignore_index=True)
        asked = pd.DataFrame({"customer_id": ["0003"], "product_id": ["p1"], "offered_at": [moment]})
        table = build_features(replace(dataset, events=events), asked)
        batch = FeatureEncoder().fit(table).transform(table)
        return table.frame.assign(newest_age=batch.sequence[:, 0, 4])

    without = seen(moment + pd.Timedelta(days=9))
    pd.testing.assert_frame_equal(seen(moment), without)
    pd.testing.assert_frame_equal(seen(moment + pd.Timedelta(milliseconds=400)), without)
    a_second_ago = seen(moment - pd.Timedelta(seconds=1))
    count = "purchases of this product"
    assert np.expm1(a_second_ago[count].iloc[0]) == pytest.approx(np.expm1(without[count].iloc[0]) + 1)
    assert a_second_ago["newest_age"].iloc[0] < 1e-4


def test_a_sale_of_the_very_same_second_is_not_seen(shop: Shop) -> None:
    dataset = shop()
    moment = dataset.offers["offered_at"].iloc[-1] + pd.Timedelta(days=1)
    asked = pd.DataFrame({"customer_id": ["0003"], "product_id": ["p1"], "offered_at": [moment]})

    def seen(offered_at: pd.Timestamp) -> float:
        row = {"customer_id": "0003", "product_id": "p1", "offered_at": offered_at, "price": 5.0, "purchased": 1}
        log = pd.concat([dataset.offers, pd.DataFrame([row])], ignore_index=True)
        frame = build_features(replace(dataset, offers=log), asked).frame
        return float(np.expm1(frame["purchases so far"].iloc[0]))

    assert seen(moment - pd.Timedelta(seconds=1)) == pytest.approx(seen(moment) + 1)


def test_the_market_is_joined_as_of_the_offer_and_never_later(shop: Shop) -> None:
    dataset = shop()
    assert dataset.market is not None
    times = [
        *(dataset.market["date"].unique()[3] + pd.Timedelta(seconds=s) for s in (-1, 0, 1)),
        dataset.market["date"].min() - pd.Timedelta(seconds=1),
    ]
    asked = pd.DataFrame({"customer_id": "0001", "product_id": "p2", "offered_at": times})
    found = build_features(dataset, asked).competitor_price
    own = dataset.market[dataset.market["product_id"] == "p2"].sort_values("date")
    for time, price in zip(times, found, strict=True):  # the slow way: look at every row
        known = own.loc[own["date"] <= time, "competitor_price"]
        assert np.isnan(price) if known.empty else price == known.iloc[-1]
    assert found[0] != found[1] == found[2] and np.isnan(found[3])
