"""A trained run as pages and commands read it: small tables at hand, models loaded only to price something new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pricing_core.data.dataset import Dataset
from pricing_core.errors import WorkspaceError
from pricing_core.models import forms
from pricing_core.models.shop_model import EncodedOffers, ShopModel
from pricing_core.optimize.registry import FOLDER, load_strategies
from pricing_core.response.price_response import PriceResponse
from pricing_core.response.pricing_rows import RESPONSE_FILE, PricingRows
from pricing_core.store import datasets, runs, shelf
from pricing_core.store.parquet import read_parquet
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.figures import read_figures
from pricing_core.workflows.stored_offers import untold_products


@dataclass(frozen=True)
class TrainedRun:
    """One run: what it learned from, how good it is, and its answer for recent customers.

    Attributes
    ----------
    run_id, dataset_id
        Ids in the workspace.
    manifest, metrics
        Settings, seed, versions, data hash; figures on held-out time.
    """

    ws: Workspace
    run_id: str
    dataset_id: str
    folder: Path
    manifest: dict[str, Any]
    metrics: dict[str, Any]

    @cached_property
    def history(self) -> pd.DataFrame:
        """Loss by epoch."""
        return read_parquet(self.folder / "history.parquet")

    @cached_property
    def importance(self) -> pd.DataFrame:
        """Global importance: ``outcome, feature, mean_abs, direction``."""
        return read_parquet(self.folder / "importance.parquet")

    @cached_property
    def column_uses(self) -> pd.DataFrame:
        """Which columns were used, and why or why not."""
        return read_parquet(self.folder / "column_uses.parquet")

    @cached_property
    def targets(self) -> pd.DataFrame:
        """The recent offers that pages work on."""
        return read_parquet(self.folder / "targets.parquet")

    @cached_property
    def dataset(self) -> Dataset:
        """The data set that the run learned from."""
        return datasets.load_dataset(self.ws, self.dataset_id)

    def dataset_for(self, customer_ids: pd.Series) -> Dataset:
        """The data set with the history of these customers, also where it was learned from by a sample of others."""
        return datasets.with_histories(self.ws, self.dataset_id, self.dataset, customer_ids)

    @cached_property
    def model(self) -> ShopModel:
        """The fitted models (LightGBM is imported for them; TensorFlow is not)."""
        return ShopModel.load(self.folder)

    @cached_property
    def rows(self) -> PricingRows:
        """Price response of the recent offers, with the margin assumption as it stands now."""
        rows = PricingRows.load(self.folder)
        serves = forms.serving_form(self.folder)
        if serves != forms.ORIGINAL:
            response = PriceResponse.load(forms.network_folder(self.folder) / forms.FOLDER / serves / RESPONSE_FILE)
            rows = replace(rows, response=response)
        if not rows.labels:  # a run of an earlier version
            encoded = self.model.encode(self.dataset, self.targets)
            groups = self.model.groups(self.dataset, encoded)
            rows = replace(rows, labels=groups.labels, numbers=groups.numbers, stock=groups.stock)
        return self.with_evidence(self.with_margin(rows))

    @cached_property
    def encoded(self) -> EncodedOffers:
        """The recent offers as the models read them, in the order of ``targets``."""
        return self.model.encode(self.dataset, self.targets)

    @cached_property
    def usual_price(self) -> dict[str, float]:
        """Median logged price by product: what an assumed margin is a share of."""
        return usual_prices(self.dataset)

    def with_margin(self, rows: PricingRows) -> PricingRows:
        """Rows whose assumed unit costs follow the margin assumption as it stands now."""
        margin = datasets.load_manifest(self.ws, self.dataset_id).margin_assumption
        return with_margin(rows, margin, self.usual_price) if rows.cost_assumed.any() else rows

    def with_evidence(self, rows: PricingRows) -> PricingRows:
        """Rows that call a reaction measured only where the quality report finds that the product's own offers tell it.

        The models label by the number of offers; offers at nearly one price tell no reaction, however many they are.
        """
        if not (rows.evidence == "measured").any():
            return rows
        unsure = np.isin(rows.product_id.astype(str), list(untold_products(self.ws, self.dataset_id)))
        return replace(rows, evidence=np.where(unsure & (rows.evidence == "measured"), "borrowed", rows.evidence))

    def observed(self, product_id: str | None = None) -> pd.DataFrame:
        """Logged ``price`` and ``purchased`` of a product, or of all."""
        offers = self.dataset.offers
        mine = offers if product_id is None else offers[offers["product_id"].astype(str) == product_id]
        return mine[["offered_at", "price", "purchased"]].reset_index(drop=True)


def load_run(ws: Workspace, run_id: str | None = None) -> TrainedRun:
    """Open a run (default: the one in use).

    Raises
    ------
    NoModelError
        If the workspace holds no trained model.
    WorkspaceError
        If its manifest or its figures are damaged.
    """
    load_strategies(ws.root / FOLDER)  # pages, commands and jobs then all know the shop's own
    folder = runs.run_dir(ws, run_id)
    try:
        manifest = shelf.read_json(folder / "manifest.json")
        metrics = read_figures(folder / "metrics.json")
    except WorkspaceError as error:
        raise WorkspaceError(
            f"The model {folder.name} cannot be opened. {error.message}",
            fix="Train again, or put another model in use (page Models, tab Runs).",
        ) from error
    return TrainedRun(ws, folder.name, manifest["dataset_id"], folder, manifest, metrics)


def usual_prices(dataset: Dataset) -> dict[str, float]:
    """Median logged price of each product."""
    offers = dataset.offers
    median = offers.groupby(offers["product_id"].astype(str))["price"].median()
    return {str(product): float(price) for product, price in median.items()}


def with_margin(rows: PricingRows, margin: float | None, usual_price: Mapping[str, float]) -> PricingRows:
    """Rows whose assumed unit costs follow the margin assumption.

    An unknown cost is (1 − margin) × the product's usual price: one cost per product, whatever a customer is asked. A
    product without logged prices takes its list price, else the row's current price.
    """
    if margin is None or not rows.cost_assumed.any():
        return rows
    level = pd.Series(rows.product_id).map(usual_price).to_numpy(dtype=float)
    fallback = np.where(np.isfinite(rows.list_price), rows.list_price, rows.current_price)
    level = np.where(np.isfinite(level), level, fallback)
    return replace(rows, unit_cost=np.where(rows.cost_assumed, level * (1 - margin), rows.unit_cost))
