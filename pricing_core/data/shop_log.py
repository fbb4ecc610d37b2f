"""What all customers together did, product by product and moment by moment: the ground of product history.

A data set of many millions of offers is worked on by a sample of its customers. How a product sold lately must not be
told from that sample: it is kept here from the full log, summed over short spans of time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_FIRST_OFFERS = 100


@dataclass(frozen=True)
class ShopLog:
    """Offers and ratings of all customers, summed by product and span of time.

    A row stands at the second of the last record in its span, so that "strictly before" never counts what came later.
    With spans of one second, or one row per offer, every figure is exact.

    Attributes
    ----------
    offers
        ``product_id`` (text), ``second`` (since 1970, UTC), ``offers``, ``purchased`` (number of purchases),
        ``price`` (sum of the prices offered) and ``sales`` (sum of the prices paid).
    ratings
        ``product_id, second, ratings`` (how many) and ``stars`` (their sum).
    opening_price
        Median of the log's first hundred prices; NaN without offers.
    """

    offers: pd.DataFrame
    ratings: pd.DataFrame
    opening_price: float

    @property
    def second(self) -> NDArray[np.int64]:
        """Time of each row of the offers, (n,)."""
        return self.offers["second"].to_numpy(dtype=np.int64)


def shop_log_of(offers: pd.DataFrame, events: pd.DataFrame) -> ShopLog:
    """Exact log of a data set that is at hand as a whole: one row per offer, one per rating.

    Parameters
    ----------
    offers
        Canonical offers.
    events
        ``product_id, occurred_at, rating``; events without a rating are passed over.
    """
    bought = offers["purchased"].to_numpy(dtype=float)
    price = offers["price"].to_numpy(dtype=float)
    second = _seconds(offers["offered_at"])
    rated = events[events["rating"].notna()]
    first = price[np.argsort(second, kind="stable")[:_FIRST_OFFERS]]
    return ShopLog(
        offers=pd.DataFrame(
            {
                "product_id": offers["product_id"].astype(str).to_numpy(),
                "second": second,
                "offers": np.ones(len(offers)),
                "purchased": bought,
                "price": price,
                "sales": bought * price,
            }
        ),
        ratings=pd.DataFrame(
            {
                "product_id": rated["product_id"].astype(str).to_numpy(),
                "second": _seconds(rated["occurred_at"]),
                "ratings": np.ones(len(rated)),
                "stars": rated["rating"].to_numpy(dtype=float),
            }
        ),
        opening_price=float(np.median(first)) if len(first) else float("nan"),
    )


def _seconds(times: pd.Series) -> NDArray[np.int64]:
    return np.asarray(times.to_numpy(dtype="datetime64[s]").astype(np.int64))
