"""Price lists: the proposed prices as they were computed, and beside them what the user decided."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from pricing_core.errors import ConfigError, WorkspaceError
from pricing_core.store import database, shelf
from pricing_core.store.datasets import read_parquet, write_parquet
from pricing_core.store.workspace import Workspace

SHELF: Final = shelf.Shelf(table=database.price_lists, folder="price_lists", prefix="p", noun="price list")
_PRICES: Final = "prices.parquet"
_DECISIONS: Final = "decisions.parquet"


@dataclass(frozen=True)
class StoredPriceList:
    """A price list as it lies in the workspace.

    Attributes
    ----------
    frame
        The proposals, one row per price; never changed after the list was made.
    decisions
        The table as the user last left it, same rows in the same order; None if nothing was decided yet.
    summary
        JSON values kept with the list (expected effect, guardrails, scenario).
    """

    price_list_id: str
    created_at: str
    strategy: str
    run_id: str
    dataset_id: str
    summary: dict[str, Any]
    frame: pd.DataFrame
    decisions: pd.DataFrame | None

    @property
    def current(self) -> pd.DataFrame:
        """The decisions where there are any, else the proposals."""
        return self.frame if self.decisions is None else self.decisions


def save_price_list(
    ws: Workspace,
    frame: pd.DataFrame,
    *,
    strategy: str,
    run_id: str,
    dataset_id: str,
    summary: Mapping[str, Any],
) -> str:
    """Store a price list and return its id, such as ``p0001``."""
    record = {"strategy": strategy, "run_id": run_id, "dataset_id": dataset_id, "summary": dict(summary)}
    with shelf.drafting(ws, "price_list") as draft:
        write_parquet(frame, draft / _PRICES, "price list")
        return shelf.commit(ws, SHELF, draft, {**record, "rows": len(frame)})


def list_price_lists(ws: Workspace) -> pd.DataFrame:
    """Return one row per price list, newest first.

    Columns: ``price_list_id, created_at, strategy, run_id, dataset_id, rows``, then the summaries' keys.
    """
    fixed = ["price_list_id", "created_at", "strategy", "run_id", "dataset_id", "rows"]
    rows = [
        {
            **each.record["summary"],
            "price_list_id": each.id,
            "created_at": each.created_at,
            **{field: each.record[field] for field in fixed[2:]},
        }
        for each in shelf.entries(ws, SHELF)
    ]
    frame = pd.DataFrame(rows, columns=None if rows else fixed)
    frame = frame[[*fixed, *(column for column in frame.columns if column not in fixed)]]
    return frame.assign(created_at=pd.to_datetime(frame["created_at"], utc=True))


def latest_price_list_id(ws: Workspace) -> str | None:
    """Return the id of the newest price list; None if the workspace holds none."""
    found = shelf.entries(ws, SHELF)
    return found[0].id if found else None


def load_price_list(ws: Workspace, price_list_id: str | None = None) -> StoredPriceList:
    """Return a price list with the user's decisions, by default the newest.

    Raises
    ------
    WorkspaceError
        If the workspace holds no price list, or not this one.
    """
    chosen = price_list_id or latest_price_list_id(ws)
    if chosen is None:
        raise WorkspaceError("There is no price list yet.", fix="Make one on the Optimize page.")
    entry = shelf.entry(ws, SHELF, chosen)
    folder = SHELF.path(ws, entry.id)
    decided = folder / _DECISIONS
    return StoredPriceList(
        price_list_id=entry.id,
        created_at=entry.created_at,
        strategy=entry.record["strategy"],
        run_id=entry.record["run_id"],
        dataset_id=entry.record["dataset_id"],
        summary=entry.record["summary"],
        frame=_named(read_parquet(folder / _PRICES), entry.id),
        decisions=_named(read_parquet(decided), entry.id) if decided.exists() else None,
    )


def update_decisions(ws: Workspace, price_list_id: str, frame: pd.DataFrame) -> None:
    """Keep the table as the user left it (accepted, held, overridden); the proposals stay as they were.

    Parameters
    ----------
    frame
        All rows of the price list, in its order, with changed or added columns.

    Raises
    ------
    ConfigError
        If the number of rows is not that of the price list.
    """
    entry = shelf.entry(ws, SHELF, price_list_id)
    if len(frame) != entry.record["rows"]:
        raise ConfigError(
            f"The edited price list has {len(frame)} rows, and {price_list_id} has {entry.record['rows']}.",
            fix="Give all rows of the list, in its order; hold a price instead of removing its row.",
        )
    with shelf.drafting(ws, "decisions") as draft:
        write_parquet(frame, draft / _DECISIONS, "price list")
        os.replace(draft / _DECISIONS, SHELF.path(ws, price_list_id) / _DECISIONS)


def delete_price_list(ws: Workspace, price_list_id: str) -> None:
    """Delete a price list."""
    shelf.remove(ws, SHELF, price_list_id)


def _named(frame: pd.DataFrame, price_list_id: str) -> pd.DataFrame:
    """Rows that say to which list they belong; the id is known only once a list is stored."""
    return frame.assign(price_list_id=price_list_id) if "price_list_id" in frame.columns else frame
