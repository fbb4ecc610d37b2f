"""Figures that pages show of the data, computed once per version over all of its offers, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow.dataset as arrow

from pricing_core.charts.overview import overview_of, weekly_overview_data, weekly_sums
from pricing_core.data.columns import classify_columns, column_uses_frame
from pricing_core.data.dataset import Dataset
from pricing_core.engines.stored import open_tables
from pricing_core.evaluate.sales import monday, sales_log
from pricing_core.progress import Progress, SilentProgress
from pricing_core.store import datasets, derived
from pricing_core.store.workspace import Workspace

Open = Callable[[], Dataset]

OVERVIEW_WEEKS: Final = 12
_BATCH_ROWS: Final = 500_000


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
    return derived.kept(folder, "weeks", f"{margin}|{OVERVIEW_WEEKS}", lambda: _weeks_of(ws, folder, opened()))


def column_uses(ws: Workspace, dataset_id: str, opened: Open | None = None) -> pd.DataFrame:
    """Which columns become features, and why or why not: of a large data set as its working sample tells."""
    opened = opened or (lambda: datasets.load_dataset(ws, dataset_id))
    if not datasets.is_large(ws, dataset_id):
        return column_uses_frame(classify_columns(opened()))
    folder = datasets.folder_of(ws, dataset_id)
    excluded = sorted(datasets.load_manifest(ws, dataset_id).excluded.items())

    return derived.kept(folder, "columns", str(excluded), lambda: column_uses_frame(classify_columns(opened())))


def prepare_pages(ws: Workspace, dataset_id: str, progress: Progress | None = None) -> None:
    """Compute now what pages and trainings will ask of a large data set; a small one needs no preparation."""
    if not datasets.is_large(ws, dataset_id):
        return
    progress = progress or SilentProgress()
    progress.stage("Preparing", 0.96, "Drawing the customers that pages and trainings work on")
    datasets.load_dataset(ws, dataset_id)
    progress.stage("Preparing", 0.98, "Summing up the last weeks")
    weekly_overview(ws, dataset_id)
    column_uses(ws, dataset_id)


def _weeks_of(ws: Workspace, folder: Path, dataset: Dataset) -> pd.DataFrame:
    last_week = monday(pd.Series([dataset.log_to]))[0]
    start = last_week - pd.Timedelta(days=7 * OVERVIEW_WEEKS)
    usual = _usual_prices(ws, folder)
    parts = [
        weekly_sums(sales_log(replace(dataset, offers=offers), offers, usual_price=usual))
        for offers in _offers_since(folder, start)
    ]
    sums = pd.concat(parts).groupby(level=0).sum()
    return overview_of(sums, dataset.log_to, weeks=OVERVIEW_WEEKS)


def _offers_since(folder: Path, start: pd.Timestamp) -> Iterator[pd.DataFrame]:
    """Offers from a moment on, some hundred thousand at a time."""
    table = arrow.dataset(folder / "offers.parquet", format="parquet")
    since = arrow.field("offered_at") >= start.to_pydatetime()
    for batch in table.to_batches(filter=since, batch_size=_BATCH_ROWS):
        if batch.num_rows:
            yield batch.to_pandas()


def _usual_prices(ws: Workspace, folder: Path) -> dict[str, float]:
    """Median price of each product over all offers."""
    with open_tables(folder, spill=ws.temp_dir) as connection:
        found = connection.execute("SELECT product_id::VARCHAR, median(price) FROM offers GROUP BY 1").fetchall()
    return {str(product): float(price) for product, price in found}
