"""Explanations kept beside the price list that they belong to."""

from __future__ import annotations

import os
from typing import Final

import pandas as pd

from pricing_core.errors import ConfigError
from pricing_core.store import pricelists, shelf
from pricing_core.store.datasets import read_parquet, write_parquet
from pricing_core.store.workspace import Workspace

_FILE: Final = "explanations.parquet"


def save_explanations(ws: Workspace, price_list_id: str, frame: pd.DataFrame) -> None:
    """Keep one explanation per row of a price list, in its order; those of before are replaced.

    Raises
    ------
    ConfigError
        If the number of rows is not that of the price list.
    WorkspaceError
        If there is no such price list, or the file cannot be written.
    """
    rows = len(pricelists.load_price_list(ws, price_list_id).frame)
    if len(frame) != rows:
        raise ConfigError(f"There are {len(frame)} explanations for the {rows} rows of {price_list_id}.")
    with shelf.drafting(ws, "explanations") as draft:
        write_parquet(frame, draft / _FILE, "explanations")
        os.replace(draft / _FILE, pricelists.SHELF.path(ws, price_list_id) / _FILE)


def load_explanations(ws: Workspace, price_list_id: str) -> pd.DataFrame | None:
    """Return what :func:`save_explanations` kept; None where nothing was explained yet."""
    path = pricelists.SHELF.path(ws, price_list_id) / _FILE
    return read_parquet(path) if path.exists() else None
