"""What is joined to an offer, whatever tables and ids there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pricing_core.data.columns import classify_columns
from pricing_core.data.dataset import Dataset, DatasetManifest
from pricing_core.features import FeatureEncoder, build_features

Shop = Callable[..., Dataset]


def test_ids_that_differ_only_in_leading_zeros_are_different_customers(shop: Shop) -> None:
    dataset = shop()
    others = [f"{i}" for i in range(100, 130)]
    customers = pd.DataFrame({"customer_id": ["7", "07", "007", *others], "tier": [*"abc", *"abc" * 10]})
    asked = pd.DataFrame(
        {"customer_id": ["007", "7", "07"], "product_id": "p1", "offered_at": dataset.offers["offered_at"].max()}
    )
    table = build_features(replace(dataset, customers=customers), asked)
    assert table.frame["tier"].tolist() == ["c", "a", "b"]


def test_unknown_customer_product_and_category_are_encoded_as_such(shop: Shop) -> None:
    dataset = shop()
    table = build_features(dataset)
    encoder = FeatureEncoder().fit(table)
    asked = pd.DataFrame(
        {
            "customer_id": ["nobody", "0001"],
            "product_id": ["new product", "p1"],
            "offered_at": dataset.offers["offered_at"].max() + pd.Timedelta(days=3),
        }
    )
    found = build_features(dataset, asked)
    batch = encoder.transform(found)
    assert batch.product_code.tolist() == [0, 2]
    assert batch.sequence_mask[0].sum() == 0 < batch.sequence_mask[1].sum()
    assert found.category.tolist() == ["unknown", "x"]
    assert np.isfinite(batch.matrix()).all() and np.isfinite(batch.sequence).all()
    assert np.isfinite(found.base_price).all() and (found.base_price > 0).all()
    assert np.isfinite(found.unit_cost).all() and found.cost_assumed.tolist() == [True, False]
    # A category never seen in training switches none of the category columns on.
    name = next(g for g in batch.groups if g[0] == "category")
    assert batch.product[0, list(name[2])].sum() == 0 and batch.product[1, list(name[2])].sum() == 1


@pytest.mark.parametrize("missing", [("customers",), ("products",), ("market",), ("events",)])
def test_each_further_table_may_be_missing(shop: Shop, missing: tuple[str, ...]) -> None:
    check_encodes(shop(**dict.fromkeys(missing)))


def test_offers_alone_are_enough(shop: Shop) -> None:
    dataset = shop(customers=None, products=None, market=None, events=None)
    batch = check_encodes(dataset)
    # Purchases of the offers stand in for the missing events.
    assert batch.sequence[..., 2].sum() == batch.sequence_mask.sum() > 0


def test_tables_without_rows_are_like_missing_tables(shop: Shop) -> None:
    dataset = shop()
    assert dataset.events is not None and dataset.market is not None
    check_encodes(replace(dataset, events=dataset.events.iloc[:0], market=dataset.market.iloc[:0]))


def check_encodes(dataset: Dataset):  # type: ignore[no-untyped-def]
    table = build_features(dataset)
    batch = FeatureEncoder().fit(table).transform(table)
    assert batch.n == len(dataset.offers)
    assert np.isfinite(batch.matrix()).all() and np.isfinite(batch.sequence).all()
    assert (table.base_price > 0).all() and np.isfinite(table.unit_cost).all()
    return batch


def test_a_missing_unit_cost_follows_from_the_assumed_margin(shop: Shop) -> None:
    dataset = replace(shop(), manifest=DatasetManifest("x", "y", margin_assumption=0.4))
    assert dataset.products is not None
    known = dataset.products["unit_cost"].where(dataset.products["product_id"] != "p0")
    table = build_features(replace(dataset, products=dataset.products.assign(unit_cost=known)))
    first = (table.offers["product_id"] == "p0").to_numpy()
    np.testing.assert_array_equal(table.cost_assumed, first)
    np.testing.assert_allclose(table.unit_cost[first], 0.6 * table.list_price[first])
    # An assumption is no observation: the pressure, which needs the cost, stays unknown.
    assert table.frame["supply–demand pressure"][first].isna().all()
    assert table.frame["unit cost / price level"][first].isna().all()


def test_a_scenario_moves_competitor_prices_and_costs(shop: Shop) -> None:
    dataset = shop()
    plain = build_features(dataset)
    moved = build_features(dataset, competitor_change_rate=0.1, cost_change_rate=-0.2)
    np.testing.assert_allclose(moved.competitor_price, 1.1 * plain.competitor_price)
    np.testing.assert_allclose(moved.unit_cost, 0.8 * plain.unit_cost)
    gap = moved.frame["competitor gap"] - plain.frame["competitor gap"]
    np.testing.assert_allclose(gap.dropna(), np.log(1.1))


def test_the_offer_itself_overrides_market_and_product(shop: Shop) -> None:
    dataset = shop()
    offers = dataset.offers.assign(competitor_price=np.where(np.arange(300) < 10, 5.55, np.nan), list_price=8.0)
    table = build_features(replace(dataset, offers=offers))
    assert (table.competitor_price[:10] == 5.55).all() and (table.competitor_price[10:] != 5.55).all()
    assert (table.list_price == 8.0).all()


def test_a_market_by_category_and_a_market_for_all(shop: Shop) -> None:
    dataset = shop()
    dates = [dataset.offers["offered_at"].min() - pd.Timedelta(days=1)]
    by_category = pd.DataFrame({"date": dates * 2, "category": ["x", "y"], "heat": [1.0, 2.0]})
    frame = build_features(replace(dataset, market=by_category)).frame
    category = dataset.offers["product_id"].map({"p0": 1.0, "p1": 1.0, "p2": 2.0, "p3": 2.0})
    np.testing.assert_array_equal(frame["heat"], category)
    for_all = pd.DataFrame({"date": [dates[0], dataset.offers["offered_at"].iloc[200]], "heat": [3.0, 4.0]})
    frame = build_features(replace(dataset, market=for_all)).frame
    assert (frame["heat"][:200] == 3.0).all() and (frame["heat"][200:] == 4.0).all()


def test_an_excluded_column_is_no_feature_even_where_its_name_has_a_meaning(shop: Shop) -> None:
    excluded = {"products.stock": "the user", "market.competitor_price": "the user", "customers.tier": "the user"}
    dataset = replace(shop(), manifest=DatasetManifest("x", "y", excluded=excluded))
    table = build_features(dataset, uses=classify_columns(dataset))
    assert not {"stock (log)", "competitor gap", "tier"} & set(table.frame.columns)
    assert table.frame["supply–demand pressure"].isna().all()
    # It still says what the competitor strategy needs to know.
    assert np.isfinite(table.competitor_price).any()


def test_columns_of_one_name_in_two_tables_stay_two_features(shop: Shop) -> None:
    dataset = shop()
    assert dataset.market is not None
    level = np.arange(len(dataset.market)) % 5
    offers = dataset.offers.assign(heat=np.arange(300) % 3)
    table = build_features(replace(dataset, market=dataset.market.assign(heat=level), offers=offers))
    assert {"heat", "market: heat"} <= set(table.frame.columns)
    np.testing.assert_array_equal(table.frame["market: heat"], np.arange(300) % 3)
    assert table.frame.columns.is_unique and set(table.block_of) == set(table.frame.columns)
