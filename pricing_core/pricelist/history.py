"""The memory of prices: the lowest price of the last thirty days, and reductions announced from a false one.

Whoever announces a price reduction in the European Union states the lowest price of the thirty days before it
(Directive 98/6/EC, Article 6a). A crossed-out price above that is a false "was" price, wherever the higher figure comes
from: a list price that was never charged is the usual case. Not legal advice.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import numpy as np
import pandas as pd

from pricing_core.guardrails.money import minor_unit_digits

DAYS: Final = 30


def prior_prices(log: pd.DataFrame, lists: pd.DataFrame, start: datetime, *, days: int = DAYS) -> pd.Series:
    """Lowest price of each product in the ``days`` before ``start``.

    Parameters
    ----------
    log
        Prices that were offered: ``product_id, at, price``.
    lists
        Prices that lists had in force: ``product_id, lowest_price, start, end`` (UTC; no end if missing).
    start
        When the new prices start, UTC.

    Returns
    -------
    Series
        By product id: the lowest of what was offered within the window, of the lists in force in it, and of the price
        that the log ended with, which stays in force until a list takes over. That price is the lowest of the log's
        own last ``days``.
    """
    begin = pd.Timestamp(start)
    since = begin - timedelta(days=days)
    log = log[log["at"] < begin]
    inside = log[log["at"] >= since]
    ends = lists["end"].fillna(pd.Timestamp("2200-01-01", tz="UTC"))
    in_force = lists[(lists["start"] < begin) & (ends > since)]
    parts = [_lowest(inside["product_id"], inside["price"]), _lowest(in_force["product_id"], in_force["lowest_price"])]
    if len(log):
        end = log["at"].max()
        last = log[log["at"] > end - timedelta(days=days)]
        carried = _lowest(last["product_id"], last["price"])
        later = lists[lists["start"] > end]
        taken_over = later["start"].groupby(later["product_id"].astype(str)).min().reindex(carried.index)
        parts.append(carried[taken_over.isna().to_numpy() | (taken_over > since).to_numpy()])
    return pd.concat(parts, axis=1).min(axis=1).rename("prior_price_30d")


def without_log(frame: pd.DataFrame, lists: pd.DataFrame, start: datetime) -> pd.Series:
    """Lowest price of each product before ``start`` where the log is gone.

    The lower of what a price list knew when it was made (``frame`` with ``prior_price_30d``) and of the lists that were
    in force since.
    """
    log = pd.DataFrame({"product_id": [], "at": pd.to_datetime([], utc=True), "price": []})
    parts = [_lowest(frame["product_id"], frame["prior_price_30d"]), prior_prices(log, lists, start)]
    return pd.concat(parts, axis=1).min(axis=1).rename("prior_price_30d")


def lowest_prices(frame: pd.DataFrame) -> pd.DataFrame:
    """Lowest price of each product of a price list: ``product_id, lowest_price``."""
    found = _lowest(frame["product_id"], frame["new_price"])
    return found.rename("lowest_price").rename_axis("product_id").reset_index()


def was_price(frame: pd.DataFrame, products: pd.DataFrame | None, kind: str) -> pd.Series:
    """Crossed-out price of each row of a price list; missing where none would be shown.

    Parameters
    ----------
    frame
        Price list with its native columns.
    products
        ``product_id, list_price``; None if unknown.
    kind
        ``none``, ``list_price``, ``current_price`` or ``prior_price_30d``.

    Returns
    -------
    Series
        Only where it is above the new price: otherwise no reduction is announced.
    """
    if kind == "none" or (kind == "list_price" and products is None):
        return pd.Series(np.nan, index=frame.index, dtype=float)
    if kind == "list_price" and products is not None:
        source = frame["product_id"].map(products.drop_duplicates("product_id").set_index("product_id")["list_price"])
    else:
        source = frame[kind]
    source = source.astype(float)
    return source.where(source > frame["new_price"].astype(float) + 1e-9)


def false_reductions(frame: pd.DataFrame, was: pd.Series, currency: str) -> pd.DataFrame:
    """Rows that would announce a reduction from a price above the lowest of thirty days.

    Returns
    -------
    DataFrame
        ``row`` (position), ``product_id, new_price, was_price, prior_price_30d``. A product whose thirty-day price is
        not known is among them, with a missing ``prior_price_30d``: the claim cannot be backed.
    """
    unit = 10.0 ** -minor_unit_digits(currency)
    prior, claimed = frame["prior_price_30d"].to_numpy(dtype=float), was.to_numpy(dtype=float)
    wrong = np.flatnonzero(np.isfinite(claimed) & ~(claimed <= prior + unit / 2))
    return pd.DataFrame(
        {
            "row": wrong,
            "product_id": frame["product_id"].iloc[wrong].to_numpy(dtype=object),
            "new_price": frame["new_price"].to_numpy(dtype=float)[wrong],
            "was_price": claimed[wrong],
            "prior_price_30d": prior[wrong],
        }
    )


def _lowest(product: pd.Series, price: pd.Series) -> pd.Series:
    return price.astype(float).groupby(product.astype(str)).min()
