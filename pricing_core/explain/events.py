"""Which recent events of a customer moved an answer: each is left out in turn, and the change is its effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.explain.mixing import Floats, Outcome, answers
from pricing_core.features.batch import EncodedBatch
from pricing_core.features.history import EVENT_TYPES

_VERBS: Final = {"view": "viewed", "cart": "put into cart", "purchase": "bought", "review": "reviewed"}
_AGE, _SAME_PRODUCT, _SAME_CATEGORY, _RATING = (len(EVENT_TYPES) + k for k in range(4))


@dataclass(frozen=True)
class EventEffects:
    """What the recent events of one customer contribute to one answer.

    Attributes
    ----------
    events
        One row per event, newest first: ``event, product_id, days_ago, relation`` (``this product``, ``same
        category``, or empty), ``rating`` (NaN if none) and ``effect``: the answer with the event minus without it.
    all_together
        The answer minus the answer without any event; the single effects need not add up to it.
    """

    events: pd.DataFrame
    all_together: float


def event_effects(f: Outcome, row: EncodedBatch, products: Sequence[str]) -> EventEffects:
    """Leave out each recent event of one offer.

    Counts of events ("views in 30 days") are features of their own and stay as they are: the effect is that of the
    sequence, of what was looked at, when and in which order.

    Parameters
    ----------
    f
        Answer for each row of a batch, shape (n,).
    row
        The offer, a batch of one row.
    products
        Product ids in the order of their codes.

    Raises
    ------
    ConfigError
        If ``row`` holds another number of rows than one.
    """
    if row.n != 1:
        raise ConfigError(f"The events of one offer are explained at a time; {row.n} offers were given.")
    present = np.flatnonzero(row.sequence_mask[0] > 0)
    table = _described(row, present, products)
    if not len(present):
        return EventEffects(table.assign(effect=pd.Series(dtype=float)), 0.0)
    copies = row.take(np.zeros(len(present) + 2, dtype=np.int64))
    left = np.ones((len(present) + 2, row.sequence_mask.shape[1]), dtype=np.float32)
    left[np.arange(len(present)), present] = 0
    left[-2] = 0
    value = answers(f, _without(copies, left))[:, 0]
    return EventEffects(table.assign(effect=value[-1] - value[: len(present)]), float(value[-1] - value[-2]))


def _without(batch: EncodedBatch, left: NDArray[np.float32]) -> EncodedBatch:
    return replace(
        batch,
        sequence=batch.sequence * left[:, :, None],
        sequence_item=(batch.sequence_item * left).astype(np.int32),
        sequence_mask=batch.sequence_mask * left,
    )


def _described(row: EncodedBatch, present: NDArray[np.int64], products: Sequence[str]) -> pd.DataFrame:
    values, items = row.sequence[0, present], row.sequence_item[0, present]
    kind = [EVENT_TYPES[k] for k in values[:, : len(EVENT_TYPES)].argmax(axis=1)]
    days: Floats = np.expm1(3.0 * values[:, _AGE].astype(float))
    same, akin = values[:, _SAME_PRODUCT] > 0, values[:, _SAME_CATEGORY] > 0
    rating = np.where([k == "review" for k in kind], values[:, _RATING] * 1.3 + 3.7, np.nan)
    return pd.DataFrame(
        {
            "event": [_VERBS[k] for k in kind],
            "product_id": [str(products[item - 1]) if item > 0 else "unknown product" for item in items],
            "days_ago": days,
            "relation": np.where(same, "this product", np.where(akin, "same category", "")),
            "rating": rating.astype(float),
        }
    )
