"""Figures that pages show of the data, computed once per version over all of its offers, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pandas as pd

from pricing_core.charts.overview import overview_of, weekly_overview_data, weekly_sums
from pricing_core.data.columns import classify_columns, column_uses_frame
from pricing_core.data.dataset import Dataset
from pricing_core.evaluate.sales import monday
from pricing_core.progress import Progress, SilentProgress
from pricing_core.store import datasets, derived
from pricing_core.store.workspace import Workspace
from pricing_core.workflows import past_sales
from pricing_core.workflows.stored_offers import sales_in_parts, untold_products

Open = Callable[[], Dataset]

OVERVIEW_WEEKS: Final = 12


def weekly_overview(ws: Workspace, dataset_id: str, opened: Open | None = None) -> pd.DataFrame:
    """Offers, conversion, price, revenue and profit of the last complete weeks, over all customers.

    See :func:`pricing_core.charts.overview.weekly_overview_data`. Of a large data set only these weeks are read, in
    parts, and the result is kept with it. ``opened`` gives the data set where it is at hand already.
    """
    opened = opened or (lambda: datasets.load_dataset(ws, dataset_id))
    if not datasets.is_large(ws, dataset_id):
        return weekly_overview_data(opened(), weeks=OVERVIEW_WEEKS)
    folder = datasets.folder_of(ws, dataset_id)
    margin = datasets.load_manifest(ws, dataset_id).margin_assumption
    return derived.kept(folder, "weeks", f"{margin}|{OVERVIEW_WEEKS}", lambda: _weeks_of(ws, dataset_id, opened()))


def column_uses(ws: Workspace, dataset_id: str, opened: Open | None = None) -> pd.DataFrame:
    """Which columns become features, and why or why not: of a large data set as its working sample tells."""
    opened = opened or (lambda: datasets.load_dataset(ws, dataset_id))
    if not datasets.is_large(ws, dataset_id):
        return column_uses_frame(classify_columns(opened()))
    folder = datasets.folder_of(ws, dataset_id)
    excluded = sorted(datasets.load_manifest(ws, dataset_id).excluded.items())

    return derived.kept(folder, "columns", str(excluded), lambda: column_uses_frame(classify_columns(opened())))


def prepare_pages(ws: Workspace, dataset_id: str, progress: Progress | None = None) -> None:
    """Compute now what pages and trainings will ask of many offers; few need no preparation."""
    progress = progress or SilentProgress()
    if datasets.is_large(ws, dataset_id):
        progress.stage("Preparing", 0.96, "Drawing the customers that pages and trainings work on")
        datasets.load_dataset(ws, dataset_id)
        progress.stage("Preparing", 0.98, "Summing up the last weeks")
        weekly_overview(ws, dataset_id)
        column_uses(ws, dataset_id)
        untold_products(ws, dataset_id)
    if past_sales.many(ws, dataset_id):
        progress.stage("Preparing", 0.99, "Summing up what each customer bought by week")
        past_sales.prepare(ws, dataset_id)


def _weeks_of(ws: Workspace, dataset_id: str, dataset: Dataset) -> pd.DataFrame:
    last_week = monday(pd.Series([dataset.log_to]))[0]
    start = last_week - pd.Timedelta(days=7 * OVERVIEW_WEEKS)
    parts = [weekly_sums(sales) for _, sales in sales_in_parts(ws, dataset_id, start)]
    sums = pd.concat(parts).groupby(level=0).sum()
    return overview_of(sums, dataset.log_to, weeks=OVERVIEW_WEEKS)
