"""The last events of a customer before an offer, newest first, as the behavior network's convolution reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.features.asof import PastSums, codes_of, to_seconds
from pricing_core.features.history import EVENT_TYPES
from pricing_core.features.joins import DAY

CHANNELS = (*EVENT_TYPES, "log days ago", "same product", "same category", "rating")


@dataclass(frozen=True)
class EventSequence:
    """Recent events of *n* offers.

    ``values`` (n, L, channels) float32, zero where there is no event; ``items`` (n, L) int32 product code + 1 of the event in
    the encoder's product list, 0 where there is none or the product is unknown; ``present`` (n, L) float32 mask.
    """

    values: NDArray[np.float32]
    items: NDArray[np.int32]
    present: NDArray[np.float32]


def event_sequence(
    events: pd.DataFrame,
    category_of: pd.Series,
    offers: pd.DataFrame,
    category: pd.Series,
    products: pd.Index,
    *,
    length: int,
) -> EventSequence:
    """Gather the last ``length`` events strictly before each offer.

    Parameters
    ----------
    events
        Output of :func:`pricing_core.features.history.event_log`.
    category_of
        Category by product id.
    products
        Product ids known to the encoder; an event's product gets its position + 1.
    """
    customers = pd.Index(events["customer_id"].unique())
    log_code, log_second = codes_of(events["customer_id"], customers), to_seconds(events["occurred_at"])
    index = PastSums(log_code, log_second, np.zeros((len(events), 0)))
    code, second = codes_of(offers["customer_id"], customers), to_seconds(offers["offered_at"])
    end, first = index.position(code, second), index.first(code)
    place = end[:, None] - 1 - np.arange(length)[None, :]
    present = (place >= first[:, None]) & (code >= 0)[:, None]
    row = index.order[np.where(present, place, 0)] if len(events) else np.zeros(place.shape, dtype=np.int64)
    event_product = events["product_id"].astype(str)
    kind = codes_of(events["event_type"], pd.Index(EVENT_TYPES))
    levels = pd.Index(category_of.astype(str).unique())
    event_category = codes_of(event_product.map(category_of).astype(str), levels)
    all_products = pd.Index(event_product.unique())
    event_item, offer_item = codes_of(event_product, all_products), codes_of(offers["product_id"].astype(str), all_products)
    offer_category = codes_of(category.astype(str), levels)
    values = np.zeros((len(offers), length, len(CHANNELS)), dtype=np.float32)
    items = np.zeros((len(offers), length), dtype=np.int32)
    if len(events):
        for k in range(len(EVENT_TYPES)):
            values[:, :, k] = kind[row] == k
        values[:, :, 4] = np.log1p((second[:, None] - log_second[row]) / DAY) / 3
        values[:, :, 5] = event_item[row] == offer_item[:, None]
        values[:, :, 6] = (event_category[row] == offer_category[:, None]) & (offer_category >= 0)[:, None]
        values[:, :, 7] = (events["rating"].fillna(3.7).to_numpy()[row] - 3.7) / 1.3
        items = (codes_of(event_product, products)[row] + 1).astype(np.int32)
    mask = present.astype(np.float32)
    return EventSequence(values * mask[:, :, None], items * present, mask)
