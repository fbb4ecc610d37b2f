"""Working samples of large data sets: drawn once, kept in the data set's folder, opened like a data set.

A data set of more than :data:`LARGE_OFFERS` offers is trained on, priced and drawn by a sample of whole customers;
its counts are shown wherever figures rest on it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from pricing_core.data.dataset import Dataset, DatasetManifest, WorkingSample
from pricing_core.data.shop_log import ShopLog
from pricing_core.engines.working_sample import draw_sample, read_histories
from pricing_core.errors import WorkspaceError
from pricing_core.store import shelf
from pricing_core.store.parquet import read_parquet
from pricing_core.store.workspace import Workspace

LARGE_OFFERS: int = 2_000_000
"""Offers up to which a data set is always opened as a whole."""

SAMPLE_OFFERS: int = 1_000_000
"""Most offers in a working sample."""

SAMPLE_SEED: Final = 0
"""One seed for every purpose, so that pages, training and pricing speak of the same customers."""

_COUNTS: Final = "sample.json"


def open_sample(ws: Workspace, folder: Path, manifest: DatasetManifest) -> Dataset:
    """Open the working sample of the data set in ``folder``; draw it first where that has not been done."""
    kept = _kept(folder)
    if not (kept / _COUNTS).exists():
        _draw(ws, folder, kept)
    facts = shelf.read_json(kept / _COUNTS)
    own = {table: kept / f"{table}.parquet" for table in ("customers", "events")}
    shared = {table: folder / f"{table}.parquet" for table in ("products", "market")}
    tables = {table: read_parquet(path) for table, path in {**own, **shared}.items() if path.exists()}
    return Dataset(
        offers=read_parquet(kept / "offers.parquet"),
        customers=tables.get("customers"),
        products=tables.get("products"),
        market=tables.get("market"),
        events=tables.get("events"),
        manifest=manifest,
        sample=_sample(kept, facts),
    )


def sample_counts(folder: Path) -> dict[str, int] | None:
    """What the working sample of a data set holds, without opening it; None while it has not been drawn."""
    kept = _kept(folder)
    if not (kept / _COUNTS).exists():
        return None
    facts = shelf.read_json(kept / _COUNTS)
    names = ("offers", "offers_there", "customers", "customers_there", "left_out", "seed")
    return {name: int(facts[name]) for name in names}


def with_histories(ws: Workspace, folder: Path, dataset: Dataset, customer_ids: pd.Series) -> Dataset:
    """A sampled data set that also knows the history of these customers, whether or not the sample holds them."""
    if dataset.sample is None:
        return dataset
    ids = customer_ids.astype(str)
    beyond = ids[~ids.isin(set(dataset.offers["customer_id"].astype(str)))]
    if not len(beyond):
        return dataset
    found = read_histories(folder, beyond, spill=ws.temp_dir)
    further = found["offers"].astype(dataset.offers.dtypes.to_dict())
    return replace(
        dataset,
        customers=_joined(dataset.customers, found.get("customers")),
        events=_joined(dataset.events, found.get("events")),
        sample=replace(dataset.sample, further=further),
    )


def _kept(folder: Path) -> Path:
    return folder / f"working_{SAMPLE_OFFERS}_{SAMPLE_SEED}"


def _joined(table: pd.DataFrame | None, more: pd.DataFrame | None) -> pd.DataFrame | None:
    if table is None or more is None or not len(more):
        return table
    return pd.concat([table, more.astype(table.dtypes.to_dict())], ignore_index=True)


def _draw(ws: Workspace, folder: Path, kept: Path) -> None:
    with shelf.drafting(ws, "sample") as draft:
        facts = draw_sample(folder, draft, offers=SAMPLE_OFFERS, seed=SAMPLE_SEED, spill=ws.temp_dir)
        if not facts["offers"]:
            raise WorkspaceError(
                f"No working sample can be drawn from {folder.name}: each of its customers has a tenth of a sample's "
                "offers or more.",
                fix="Import the data with one id for each customer.",
            )
        shelf.write_json(draft / _COUNTS, facts)
        try:
            os.rename(draft, kept)
        except OSError:
            if not (kept / _COUNTS).exists():  # else another process was quicker, with the same result
                raise


def _sample(kept: Path, facts: dict[str, Any]) -> WorkingSample:
    shop = ShopLog(
        offers=read_parquet(kept / "shop_offers.parquet"),
        ratings=read_parquet(kept / "shop_ratings.parquet"),
        opening_price=float(facts["opening_price"]),
    )
    return WorkingSample(
        offers=facts["offers"],
        offers_there=facts["offers_there"],
        customers=facts["customers"],
        customers_there=facts["customers_there"],
        left_out=facts["left_out"],
        seed=facts["seed"],
        log_to=pd.Timestamp(facts["log_to"]),
        purchase_events=facts["purchase_events"],
        event_ends=facts["event_ends"],
        shop=shop,
    )
