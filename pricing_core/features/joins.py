"""Bring what customers, products and market tables know to each offer, as of its time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pricing_core.data.dataset import Dataset
from pricing_core.data.shop_log import ShopLog
from pricing_core.features.asof import PastSums, codes_of, to_seconds

DAY = 86_400


def market_at(dataset: Dataset, offers: pd.DataFrame, category: pd.Series) -> pd.DataFrame:
    """Latest market row of the offer's product (or category, or of all) at or before its time.

    Returns
    -------
    DataFrame
        One row per offer, in order, with the market's columns; missing where the market table has no earlier row.
    """
    if dataset.market is None:
        return pd.DataFrame(index=offers.index)
    market = dataset.market.sort_values("date", kind="stable")
    left = pd.DataFrame({"_at": offers["offered_at"].astype("datetime64[us, UTC]"), "_row": np.arange(len(offers))})
    key = next((k for k in ("product_id", "category") if k in market.columns), None)
    if key:
        left[key] = (offers["product_id"] if key == "product_id" else category).astype(str).to_numpy()
        market = market.assign(**{key: market[key].astype(str)})
    market = market.rename(columns={"date": "_at"}).assign(_at=lambda m: m["_at"].astype("datetime64[us, UTC]"))
    joined = pd.merge_asof(left.sort_values("_at", kind="stable"), market, on="_at", by=key)
    joined = joined.sort_values("_row").set_index(offers.index)
    return joined.drop(columns=["_at", "_row", *([key] if key else [])])


def column_at(offers: pd.DataFrame, market: pd.DataFrame, products: pd.DataFrame, name: str) -> pd.Series:
    """Take a number from the offer, else from the market at its time, else from the product; NaN where unknown."""
    value = pd.Series(np.nan, index=offers.index, dtype=float)
    for table in (offers, market, products):
        if name in table.columns:
            value = value.fillna(pd.to_numeric(table[name], errors="coerce").astype(float))
    return value


def attributes_of(table: pd.DataFrame | None, key: str, ids: pd.Series) -> pd.DataFrame:
    """Rows of ``table`` for ``ids``, in order; all missing for an unknown id."""
    if table is None:
        return pd.DataFrame(index=ids.index)
    indexed = table.drop_duplicates(key).set_index(key)
    found = indexed.reindex(ids.to_numpy())
    found.index = ids.index
    return found


def base_price(
    products: pd.DataFrame | None, shop: ShopLog, offers: pd.DataFrame, list_price: pd.Series, category: pd.Series
) -> pd.Series:
    """Find a positive price level for every offer that does not look at its own price.

    The list price where it is known; otherwise the mean of the product's earlier prices, then of its category's, then
    of all. The very first logged offer of a product has no past to be compared with: its own price is its level, so
    that it teaches nothing about price rather than something wrong. What is left takes the median of the log's first
    prices.
    """
    base = list_price.where(list_price > 0)
    if not base.isna().any():
        return base
    log = shop.offers
    second, log_second = to_seconds(offers["offered_at"]), shop.second
    values = log[["offers", "price"]].to_numpy(dtype=float)
    log_category = attributes_of(products, "product_id", log["product_id"]).get("category")
    keys = [(log["product_id"], offers["product_id"].astype(str))]
    if log_category is not None:
        keys.append((log_category.astype(str), category.astype(str)))
    keys.append((pd.Series("all", index=log.index), pd.Series("all", index=offers.index)))
    for log_key, key in keys:
        levels = pd.Index(log_key.unique())
        past = PastSums(codes_of(log_key, levels), log_second, values).before(codes_of(key, levels), second)
        mean = np.divide(past[:, 1], past[:, 0], out=np.full(len(offers), np.nan), where=past[:, 0] > 0)
        base = base.fillna(pd.Series(mean, index=offers.index))
        if log_key.name == "product_id" and "price" in offers.columns:
            known = codes_of(key, levels) >= 0
            base = base.fillna(pd.to_numeric(offers["price"], errors="coerce").where(known))
    return base.fillna(shop.opening_price)
