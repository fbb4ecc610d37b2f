"""What past offers earned by week and customer, or group: the ground on which the Measure page plans tests.

Of many offers the sums are kept with the data set: whoever opens the page then reads them instead of every offer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from pricing_core.data.dataset import Dataset
from pricing_core.engines.stored import open_tables
from pricing_core.errors import DataError
from pricing_core.evaluate.replay import Rehearsal, rehearse
from pricing_core.evaluate.sales import WeeklySales, group_names, group_of, sales_log
from pricing_core.evaluate.test_design import DesignConfig
from pricing_core.evaluate.variance import recent_weeks
from pricing_core.store import datasets, derived
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.stored_offers import sales_in_parts

Open = Callable[[], Dataset]

KEPT_OFFERS: int = 250_000
"""Offers from which on the sums are kept."""


def many(ws: Workspace, dataset_id: str) -> bool:
    """Whether a data set has so many offers that its sums are kept."""
    return datasets.row_counts(ws, dataset_id)["offers"] >= KEPT_OFFERS


def group_labels(ws: Workspace, dataset_id: str, opened: Open | None = None) -> list[str]:
    """Groups by which a test can be randomized; of a large data set as its working sample tells.

    ``opened`` gives the data set where it is at hand already; here and below.
    """

    def look() -> pd.DataFrame:
        return pd.DataFrame({"name": group_names(_opened(ws, dataset_id, opened))}, dtype="str")

    excluded = sorted(datasets.load_manifest(ws, dataset_id).excluded.items())
    return [str(name) for name in _kept(ws, dataset_id, "group_labels", str(excluded), look)["name"]]


def customer_weeks(ws: Workspace, dataset_id: str, opened: Open | None = None) -> pd.DataFrame:
    """``customer_id, week, offers, profit`` over all offers of complete weeks.

    The customers are whole numbers in the order of their ids: whoever plans a test only needs to tell them apart.
    """

    def add_up() -> pd.DataFrame:
        return _sums(ws, dataset_id, None, opened)[0]

    return _kept(ws, dataset_id, "customer_weeks", _margin(ws, dataset_id), add_up)


def recent_customer_weeks(ws: Workspace, dataset_id: str, opened: Open | None = None) -> pd.DataFrame:
    """:func:`customer_weeks` of the latest weeks only, from which designs learn the shop's variation."""

    def cut() -> pd.DataFrame:
        return recent_weeks(customer_weeks(ws, dataset_id, opened)).reset_index(drop=True)

    return _kept(ws, dataset_id, "recent_customer_weeks", _margin(ws, dataset_id), cut)


def group_weeks(ws: Workspace, dataset_id: str, label: str, opened: Open | None = None) -> pd.DataFrame:
    """``group, week, offers, profit`` of the groups under a name of :func:`group_labels`; missing where unknown."""

    def add_up() -> pd.DataFrame:
        return _sums(ws, dataset_id, label, opened)[1]

    return _kept(ws, dataset_id, "group_weeks", f"{_margin(ws, dataset_id)}|{label}", add_up)


def rehearsal(ws: Workspace, dataset_id: str, config: DesignConfig, opened: Open | None = None) -> Rehearsal | None:
    """How often tests without an effect would have raised an alarm; None where that cannot be tried.

    See :func:`~pricing_core.evaluate.replay.rehearse`.
    """
    if config.design != "customer":
        return None

    def try_out() -> pd.DataFrame:
        try:
            found = [rehearse(customer_weeks(ws, dataset_id, opened), config)]
        except DataError:
            found = []
        return pd.DataFrame(found, columns=["n_tests", "false_alarm_rate", "spread", "weeks"])

    asked = (config.weeks, config.before_weeks, config.test_share, config.confidence, config.measure)
    table = _kept(ws, dataset_id, "rehearsal", f"{_margin(ws, dataset_id)}|{asked}", try_out)
    if table.empty:
        return None
    row = table.iloc[0]
    return Rehearsal(int(row["n_tests"]), float(row["false_alarm_rate"]), float(row["spread"]), int(row["weeks"]))


def prepare(ws: Workspace, dataset_id: str) -> None:
    """Compute and keep what the Measure page asks first: one pass over the offers, and one rehearsal."""
    labels, margin = group_labels(ws, dataset_id), _margin(ws, dataset_id)
    label = labels[0] if labels else None
    customers, groups = _sums(ws, dataset_id, label, None)
    _kept(ws, dataset_id, "customer_weeks", margin, lambda: customers)
    if label is not None:
        _kept(ws, dataset_id, "group_weeks", f"{margin}|{label}", lambda: groups)
    recent_customer_weeks(ws, dataset_id)
    rehearsal(ws, dataset_id, DesignConfig())


def _sums(ws: Workspace, dataset_id: str, label: str | None, opened: Open | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sums by customer and week, and by group and week; of no groups where no label is given."""
    ids = _customer_ids(ws, dataset_id)
    customers, groups = WeeklySales("customer_id"), WeeklySales("group")
    for part, sales in _sales(ws, dataset_id, label, opened):
        customers.add(sales.assign(customer_id=ids.get_indexer(pd.Index(sales["customer_id"])).astype(np.int32)))
        if label is not None:
            groups.add(sales.assign(group=group_of(part, label).to_numpy()))
    return customers.total(), pd.DataFrame() if label is None else groups.total()


def _sales(
    ws: Workspace, dataset_id: str, label: str | None, opened: Open | None
) -> Iterator[tuple[Dataset, pd.DataFrame]]:
    if many(ws, dataset_id):
        yield from sales_in_parts(ws, dataset_id, further=[] if label is None else [label.partition(": ")[2]])
    else:
        dataset = _opened(ws, dataset_id, opened)
        yield dataset, sales_log(dataset)


def _kept(ws: Workspace, dataset_id: str, name: str, basis: str, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    if not many(ws, dataset_id):
        return compute()
    return derived.kept(datasets.folder_of(ws, dataset_id), name, basis, compute)


def _opened(ws: Workspace, dataset_id: str, opened: Open | None) -> Dataset:
    return datasets.load_dataset(ws, dataset_id) if opened is None else opened()


def _customer_ids(ws: Workspace, dataset_id: str) -> pd.Index:
    """All customers with offers, in order."""
    with open_tables(datasets.folder_of(ws, dataset_id), spill=ws.temp_dir) as connection:
        found = connection.execute("SELECT DISTINCT customer_id::VARCHAR AS id FROM offers ORDER BY id").fetchall()
    return pd.Index([customer for (customer,) in found], dtype="str")


def _margin(ws: Workspace, dataset_id: str) -> str:
    return str(datasets.load_manifest(ws, dataset_id).margin_assumption)
