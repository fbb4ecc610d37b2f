"""The stored offers of a data set in parts, and each product's usual price, without holding all of them in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow.dataset as arrow

from pricing_core.data.checks import untold
from pricing_core.data.dataset import Dataset
from pricing_core.engines.stored import open_tables
from pricing_core.evaluate.sales import sales_log
from pricing_core.store import datasets, derived
from pricing_core.store.parquet import read_parquet
from pricing_core.store.workspace import Workspace

BATCH_ROWS: int = 500_000
"""Most offers in a part."""

_BESIDE: Final = ("customers", "products", "market")
_EARNINGS: Final = ("customer_id", "product_id", "offered_at", "price", "purchased", "quantity", "unit_cost")


def sales_in_parts(
    ws: Workspace, dataset_id: str, since: pd.Timestamp | None = None, *, further: Collection[str] = ()
) -> Iterator[tuple[Dataset, pd.DataFrame]]:
    """What the offers earned, some hundred thousand at a time.

    Parameters
    ----------
    since
        First moment; default: all offers.
    further
        Columns of the offers to be read beside those that earnings rest on.

    Yields
    ------
    tuple
        The data set with these offers and without events, and their
        :func:`~pricing_core.evaluate.sales.sales_log`. Usual prices are those over all offers.
    """
    folder = datasets.folder_of(ws, dataset_id)
    usual = usual_prices(ws, folder)
    present = {name: folder / f"{name}.parquet" for name in _BESIDE}
    tables = {name: read_parquet(path) for name, path in present.items() if path.exists()}
    bare: Dataset | None = None
    for offers in _offers_in_parts(folder, since, {*_EARNINGS, *further}):
        if bare is None:
            bare = Dataset(
                offers=offers,
                customers=tables.get("customers"),
                products=tables.get("products"),
                market=tables.get("market"),
                events=None,
                manifest=datasets.load_manifest(ws, dataset_id),
            )
        part = replace(bare, offers=offers)
        yield part, sales_log(part, usual_price=usual)


def _offers_in_parts(folder: Path, since: pd.Timestamp | None, columns: Collection[str]) -> Iterator[pd.DataFrame]:
    table = arrow.dataset(folder / "offers.parquet", format="parquet")
    later = None if since is None else arrow.field("offered_at") >= since.to_pydatetime()
    there = [name for name in table.schema.names if name in columns]
    for batch in table.to_batches(columns=there, filter=later, batch_size=BATCH_ROWS):
        if batch.num_rows:
            yield batch.to_pandas()


def untold_products(ws: Workspace, dataset_id: str) -> frozenset[str]:
    """Products whose own offers are too few, or too alike in price, to tell their reaction to price.

    The rule is that of the quality report (:func:`~pricing_core.data.checks.untold`), over all offers; the result is
    kept with a large data set.
    """
    folder = datasets.folder_of(ws, dataset_id)
    if datasets.is_large(ws, dataset_id):
        found = derived.kept(folder, "reactions", "", lambda: _reactions(ws, folder))
    else:
        found = _reactions(ws, folder)
    return frozenset(found.loc[found["untold"], "product_id"].astype(str))


def _reactions(ws: Workspace, folder: Path) -> pd.DataFrame:
    query = (
        "SELECT product_id::VARCHAR AS product_id, count(*) AS n, avg(purchased::INTEGER) AS p, "
        "coalesce(var_samp(ln(price)), 0) AS v FROM offers GROUP BY 1 ORDER BY 1"
    )
    with open_tables(folder, spill=ws.temp_dir) as connection:
        table = connection.execute(query).df()
    return table.assign(untold=untold(table))[["product_id", "untold"]]


def usual_prices(ws: Workspace, folder: Path) -> dict[str, float]:
    """Median price of each product over all offers."""
    with open_tables(folder, spill=ws.temp_dir) as connection:
        found = connection.execute("SELECT product_id::VARCHAR, median(price) FROM offers GROUP BY 1").fetchall()
    return {str(product): float(price) for product, price in found}
