"""Features of all customers from the engine are those of the feature builder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pricing_core.data.dataset import Dataset
from pricing_core.engines.features import MEANINGS, customer_features
from pricing_core.features import build_features
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace

from .large_shop import random_shop, saved, times

Change = Callable[[Dataset], Dataset]


def _market_prices(dataset: Dataset) -> Dataset:
    """List prices that change by the week, for some products only; the product table has none."""
    assert dataset.market is not None and dataset.products is not None
    market = dataset.market[dataset.market["product_id"] != "p3"].reset_index(drop=True)
    level = np.random.default_rng(5).uniform(5, 9, len(market)).round(2)
    again = market.tail(12).assign(list_price=9.5)  # two rows of one moment: the later one holds
    market = pd.concat([market.assign(list_price=level), again], ignore_index=True)
    return replace(dataset, market=market, products=dataset.products.drop(columns="list_price"))


def _by_category(dataset: Dataset) -> Dataset:
    market = pd.DataFrame({"date": times(np.array([0, 2_000_000])), "category": ["x", "y"], "list_price": [6.0, 7.0]})
    return replace(dataset, market=market)


def _gaps(dataset: Dataset) -> Dataset:
    """List prices that are zero or unknown, and customers who have never been offered anything."""
    assert dataset.products is not None and dataset.customers is not None
    prices = dataset.products["list_price"].where(dataset.products.index % 3 > 0)
    new = pd.DataFrame({"customer_id": ["new 1", "new 2"], "tier": ["a", None]})
    return replace(
        dataset,
        products=dataset.products.assign(list_price=prices.mask(prices.index == 4, 0.0)),
        customers=pd.concat([dataset.customers, new], ignore_index=True),
    )


SHOPS: dict[str, Change] = {
    "everything known": lambda dataset: dataset,
    "gaps": _gaps,
    "no list price": lambda dataset: replace(dataset, products=dataset.products.drop(columns="list_price")),  # type: ignore[union-attr]
    "list price in the market": _market_prices,
    "list price by category": _by_category,
    "list price of the offer": lambda dataset: replace(
        dataset, offers=dataset.offers.assign(list_price=dataset.offers["price"].where(dataset.offers.index % 2 == 0))
    ),
    "no purchase events": lambda dataset: replace(
        dataset,
        events=dataset.events[dataset.events["event_type"] != "purchase"].drop(columns="rating"),  # type: ignore[index]
    ),
    "offers only": lambda dataset: Dataset(dataset.offers, None, None, None, None, dataset.manifest),
}


@pytest.mark.parametrize("change", SHOPS.values(), ids=SHOPS.keys())
def test_the_engine_agrees_with_the_feature_builder(tmp_path: Path, change: Change) -> None:
    dataset = change(random_shop())
    ws = Workspace(tmp_path / "shop")
    folder = datasets.folder_of(ws, saved(ws, dataset))
    rows = customer_features(folder, tmp_path / "out.parquet")
    ours = pd.read_parquet(tmp_path / "out.parquet")
    assert list(ours.columns) == list(MEANINGS)
    customers = set(dataset.offers["customer_id"])
    if dataset.customers is not None:
        customers |= set(dataset.customers["customer_id"])
    assert list(ours["customer_id"]) == sorted(customers)
    assert rows == len(customers)
    asked = pd.DataFrame({"customer_id": ours["customer_id"], "product_id": "p1"})
    asked["offered_at"] = dataset.log_to + pd.Timedelta(seconds=1)
    theirs = build_features(dataset, asked).frame
    pairs = {
        "offers_seen": np.expm1(theirs["offers seen"]),
        "purchases": np.expm1(theirs["purchases so far"]),
        "purchase_rate_index": np.exp(theirs["purchase rate"]),
        "days_since_last_purchase": np.expm1(theirs["days since last purchase"]),
        "mean_spend": np.expm1(theirs["mean spend"]),
        "price_level_offered": theirs["price level offered"],
        "price_sensitivity_trace": theirs["price sensitivity trace"],
        "views_30d": np.expm1(theirs["views in 30 days"]),
        "carts_30d": np.expm1(theirs["carts in 30 days"]),
        "purchases_30d": np.expm1(theirs["purchases in 30 days"]),
        "mean_rating_given": theirs["mean rating given"],
    }
    assert set(pairs) == set(ours.columns) - {"customer_id"}
    never = np.isnan(ours["mean_rating_given"].to_numpy())
    assert not never.all() or dataset.events is None or "rating" not in dataset.events
    pairs["mean_rating_given"] = pairs["mean_rating_given"].mask(never)
    for column, expected in pairs.items():
        np.testing.assert_allclose(ours[column], expected, rtol=1e-9, atol=1e-9, err_msg=column)


def test_the_file_tells_which_data_it_was_made_from(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / "shop")
    folder = datasets.folder_of(ws, saved(ws, random_shop(300)))
    customer_features(folder, tmp_path / "out.parquet", facts={"data version": "d0001", "it's": "quoted"})
    told = pq.read_metadata(tmp_path / "out.parquet").metadata
    assert (told[b"data version"], told[b"it's"]) == (b"d0001", b"quoted")
    customer_features(folder, tmp_path / "out.csv")
    listed = pd.read_csv(tmp_path / "out.csv", dtype={"customer_id": str}).astype({"customer_id": "str"})
    pd.testing.assert_frame_equal(listed, pd.read_parquet(tmp_path / "out.parquet"), atol=0.06, rtol=0)
    assert listed["mean_spend"].equals(listed["mean_spend"].round(2))
    assert listed["purchase_rate_index"].equals(listed["purchase_rate_index"].round(3))
