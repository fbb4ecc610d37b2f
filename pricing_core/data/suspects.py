"""Rows of a data set that look wrong: masks that the quality report counts and the repairs set aside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.rules import far_from_usual

Mask = NDArray[np.bool_]
Tables = Mapping[str, pd.DataFrame]

_SHELF_SHARE: Final = 0.2  # share of consecutive offers at another price up to which a product has a shelf price
_BLIP_HOURS: Final = 24
_BLIP_OFFERS: Final = 3
_BLIP_FACTOR: Final = 1.2


def price_outliers(tables: Tables) -> Mask:
    """Offers at a price far from what their product usually costs."""
    return far_from_usual(tables["offers"])


def below_cost(tables: Tables) -> Mask:
    """Offers at a price below their known unit cost."""
    offers = tables["offers"]
    cost = from_tables(tables, "unit_cost")
    return np.asarray((offers["price"] < cost).fillna(False), dtype=bool)


def out_of_stock(tables: Tables) -> Mask:
    """Offers of a product that the shop had none of, and that was not bought: nobody could decide."""
    offers = tables["offers"]
    stock = from_tables(tables, "stock")
    return np.asarray((stock <= 0).fillna(False), dtype=bool) & (offers["purchased"] == 0).to_numpy()


def price_blips(tables: Tables) -> Mask:
    """Offers at a price that a product had for a moment: up to three offers within a day, then the former price again.

    Only of products with a shelf price, which most consecutive offers share.
    """
    offers = tables["offers"]
    if not len(offers):
        return np.zeros(0, dtype=bool)
    second, code = to_seconds(offers["offered_at"]), pd.factorize(offers["product_id"])[0]
    order = by_time(code, second)
    mask = np.zeros(len(order), dtype=bool)
    mask[order] = blips_in_order(code[order], second[order], offers["price"].to_numpy(dtype=float)[order])
    return mask


def blips_in_order(product: NDArray[np.integer], time: NDArray[np.int64], price: NDArray[np.float64]) -> Mask:
    """Marks of :func:`price_blips` for offers in the order of the numbers of their products and of time (seconds)."""
    step = np.append(True, (np.diff(price) != 0) | (np.diff(product) != 0))
    start = np.flatnonzero(step)
    size = np.diff(np.append(start, len(price)))
    level, owner = price[start], product[start]
    shelf = np.bincount(owner) - 1 <= _SHELF_SHARE * np.bincount(product)
    inner = np.arange(1, len(start) - 1)
    blip = np.zeros(len(start), dtype=bool)
    ratio = np.abs(np.log(level[inner] / level[inner - 1]))
    blip[inner] = (
        (owner[inner - 1] == owner[inner])
        & (owner[inner] == owner[inner + 1])
        & shelf[owner[inner]]
        & (size[inner] <= _BLIP_OFFERS)
        & (level[inner - 1] == level[inner + 1])
        & (time[start[inner + 1]] - time[start[inner]] <= 3_600 * _BLIP_HOURS)
        & (ratio >= np.log(_BLIP_FACTOR))
    )
    return np.asarray(np.repeat(blip, size), dtype=bool)


def by_time(code: NDArray[np.integer], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order of rows by the number of their product, then by time; rows of the same time stay in order."""
    if len(second) > 1 and (np.diff(second) < 0).any():
        return np.lexsort((second, code))
    if len(code) and code.min() >= 0 and code.max() <= np.iinfo(np.uint16).max:
        code = code.astype(np.uint16)  # is sorted by counting
    return np.argsort(code, kind="stable")


def to_seconds(times: pd.Series) -> NDArray[np.int64]:
    """Whole seconds since 1970."""
    return np.asarray(times.astype("datetime64[us, UTC]").astype("int64"), dtype=np.int64) // 1_000_000


def from_tables(tables: Tables, column: str) -> pd.Series:
    """A number of each offer from the offers, else from the products table; NaN where unknown."""
    offers = tables["offers"]
    value = pd.Series(np.nan, index=offers.index, dtype=float)
    if column in offers.columns:
        value = pd.to_numeric(offers[column], errors="coerce").astype(float)
    products = tables.get("products")
    if products is not None and column in products.columns:
        known = products.drop_duplicates("product_id").set_index("product_id")[column]
        value = value.fillna(offers["product_id"].map(known).astype(float))
    return value
