"""Held-out offers kept with a run, so that pages can show where the model errs without asking it again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.dataset import Dataset
from pricing_core.evaluate.group_errors import HISTORY_BANDS, group_errors, history_band, price_bands
from pricing_core.features.asof import PastSums, codes_of, to_seconds
from pricing_core.models.training import TrainingResult
from pricing_core.store.parquet import read_parquet

FILE: Final = "held_out.parquet"
GROUPINGS: Final = {
    "category": "Category",
    "segment": "Customer segment",
    "price": "Price",
    "earlier_offers": "Earlier offers",
    "earlier_events": "Earlier events",
}
"""By what the errors can be split: column of the stored table, and its name; some may be missing in a shop."""


def held_out_table(dataset: Dataset, result: TrainingResult) -> pd.DataFrame:
    """What is known of each held-out offer, for tables of errors.

    Returns
    -------
    DataFrame
        ``purchased`` (0 or 1), ``probability`` at the logged price by the model that had not seen it, ``weight``,
        ``relative_price`` (price / going price), ``category``, ``segment`` (the customers' own column of that name,
        else their first label; missing where there is none), ``earlier_offers`` and ``earlier_events``: how often the
        customer had been seen before.
    """
    held = result.held_out
    table, going = held.encoded.table, held.encoded.going
    offers = table.offers
    frame = {
        "purchased": held.purchased.astype(np.int8),
        "probability": held.probability.astype(np.float32),
        "weight": held.weight.astype(np.float32),
        "relative_price": (held.price / going.reference).astype(np.float32),
        "category": pd.Categorical(table.category.astype(str)),
        "earlier_offers": np.expm1(table.frame["offers seen"].to_numpy(dtype=float)).round().astype(np.int32),
    }
    segment = _segment(result, dataset)
    if segment is not None:
        frame["segment"] = pd.Categorical(segment)
    if dataset.events is not None:
        frame["earlier_events"] = _earlier(dataset.events, offers)
    return pd.DataFrame(frame)


def load_held_out(folder: Path) -> pd.DataFrame | None:
    """Read a run's held-out offers; None for a run of an earlier version."""
    path = folder / FILE
    return read_parquet(path) if path.exists() else None


def errors_by(held: pd.DataFrame, grouping: str) -> pd.DataFrame:
    """Errors of the forecast by one of :data:`GROUPINGS`; see :func:`~pricing_core.evaluate.group_errors`."""
    order: list[str] | None = None
    if grouping == "price":
        group, order = price_bands(held["relative_price"])
    elif grouping in ("earlier_offers", "earlier_events"):
        group, order = history_band(held[grouping]), list(HISTORY_BANDS)
    else:
        group = held[grouping].astype(object).to_numpy()
    return group_errors(held["purchased"], held["probability"], group, held["weight"], order=order)


def groupings_of(held: pd.DataFrame) -> dict[str, str]:
    """Those of :data:`GROUPINGS` that split a run's held-out offers into more than one group."""
    return {
        key: label
        for key, label in GROUPINGS.items()
        if key == "price" or (key in held.columns and held[key].nunique() > 1)
    }


def _segment(result: TrainingResult, dataset: Dataset) -> NDArray[np.object_] | None:
    labels = result.model.groups(dataset, result.held_out.encoded).labels
    if "segment" in labels:
        return labels["segment"]
    named = [name for name in labels if name.startswith("customers: ")]
    return labels[named[0]] if named else None


def _earlier(events: pd.DataFrame, offers: pd.DataFrame) -> NDArray[np.int32]:
    """Events of each offer's customer before it, (n,)."""
    customers = pd.Index(events["customer_id"].astype(str).unique())
    key = codes_of(events["customer_id"].astype(str), customers)
    past = PastSums(key, to_seconds(events["occurred_at"]), np.ones((len(events), 1)))
    code = codes_of(offers["customer_id"].astype(str), customers)
    return past.before(code, to_seconds(offers["offered_at"]))[:, 0].astype(np.int32)
