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

    ``values`` (n, L, channels) float32, zero where there is no event; ``items`` (n, L) int32 product code + 1 of the
    event in the encoder's product list, 0 where there is none or the product is unknown; ``present`` (n, L) float32
    mask.
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
    log_second, second = to_seconds(events["occurred_at"]), to_seconds(offers["offered_at"])
    past = PastSums(codes_of(events["customer_id"], customers), log_second, np.zeros((len(events), 0)))
    first, end = past.span(codes_of(offers["customer_id"], customers), second)
    place = end[:, None] - 1 - np.arange(length)[None, :]
    present = place >= first[:, None]
    values = np.zeros((len(offers), length, len(CHANNELS)), dtype=np.float32)
    items = np.zeros((len(offers), length), dtype=np.int32)
    mask = present.astype(np.float32)
    if not len(events):
        return EventSequence(values, items, mask)
    row = past.order[np.where(present, place, 0)]
    event_product = events["product_id"].astype(str)
    levels = pd.Index(category_of.astype(str).unique())
    kind = codes_of(events["event_type"], pd.Index(EVENT_TYPES))
    for k in range(len(EVENT_TYPES)):
        values[:, :, k] = kind[row] == k
    # Where there is no event, ``row`` points to any event, perhaps a later one: its age must not become NaN.
    age = np.maximum(second[:, None] - log_second[row], 0) / DAY
    values[:, :, len(EVENT_TYPES)] = np.log1p(age) / 3
    same = _same(event_product, offers["product_id"].astype(str), pd.Index(event_product.unique()), row)
    akin = _same(event_product.map(category_of).astype(str), category.astype(str), levels, row)
    values[:, :, 5], values[:, :, 6] = same, akin
    values[:, :, 7] = (events["rating"].fillna(3.7).to_numpy()[row] - 3.7) / 1.3
    items = (codes_of(event_product, products)[row] + 1).astype(np.int32)
    values *= mask[:, :, None]  # in place: for a million offers a copy would take most of a gigabyte
    return EventSequence(values, items * present, mask)


def _same(of_event: pd.Series, of_offer: pd.Series, levels: pd.Index, row: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether event and offer agree, and both are among ``levels``, shape (n, L)."""
    event, offer = codes_of(of_event, levels)[row], codes_of(of_offer, levels)[:, None]
    return np.asarray((event == offer) & (offer >= 0))
