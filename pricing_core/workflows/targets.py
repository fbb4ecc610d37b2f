"""Rows that a user wants priced: checked, with ids and times as the models know them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pricing_core.data.dataset import Dataset
from pricing_core.data.mapping import guess_mapping
from pricing_core.data.read import read_table
from pricing_core.errors import DataError, MappingError
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.importing import restore_customer_ids

_REQUIRED = ("customer_id", "product_id", "offered_at")
_NUMBERS = ("price", "current_price", "list_price", "competitor_price", "unit_cost", "stock")


def read_targets(path: Path) -> pd.DataFrame:
    """Read rows to be priced; names other than the canonical ones are recognized as at import."""
    frame = read_table(path)
    mapping = guess_mapping(list(frame.columns), "offers")
    renamed = {column: field for field, column in mapping.items() if field not in frame.columns}
    return frame.rename(columns=renamed)


def prepare_targets(ws: Workspace, dataset: Dataset, targets: pd.DataFrame) -> pd.DataFrame:
    """Check targets and bring them into the form of the data set's offers.

    A missing ``offered_at`` column means "right after the log". Customers, products and categories that the models
    have never seen are fine: they are priced from what is known of them.

    Raises
    ------
    MappingError
        If a required column is missing.
    DataError
        If a required cell is empty, a time cannot be read, or a number is text; the message names the rows.
    """
    prepared = targets.reset_index(drop=True).copy()
    if not len(prepared):
        raise DataError("The targets have no rows.", fix="Give at least one customer and product to price.")
    if "offered_at" not in prepared.columns:
        prepared["offered_at"] = dataset.offers["offered_at"].max() + pd.Timedelta(seconds=1)
    missing = [name for name in _REQUIRED if name not in prepared.columns]
    if missing:
        raise MappingError(
            f"The targets lack {', '.join(missing)}; they have {', '.join(map(str, prepared.columns[:12]))}.",
            fix="Add the columns, or name them so.",
        )
    for name in ("customer_id", "product_id"):
        _refuse(prepared[name].isna() | (prepared[name].astype(str).str.strip() == ""), f"have no {name}")
        prepared[name] = prepared[name].astype(str)
    given = prepared["offered_at"]
    form = None if _is_time(given) else "ISO8601"
    times = pd.to_datetime(given, utc=True, errors="coerce", format=form)
    _refuse(times.isna(), "have an offered_at that is no ISO 8601 time")
    prepared["offered_at"] = times.astype("datetime64[us, UTC]")
    for name in _NUMBERS:
        if name in prepared.columns:
            number = pd.to_numeric(prepared[name], errors="coerce")
            _refuse(number.isna() & prepared[name].notna(), f"have a {name} that is no number")
            prepared[name] = number
    prepared["customer_id"] = restore_customer_ids(ws, prepared["customer_id"], dataset.manifest.pseudonymized)
    return prepared


def _is_time(values: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(values)


def _refuse(wrong: pd.Series, what: str) -> None:
    rows = np.flatnonzero(wrong.to_numpy(dtype=bool))
    if len(rows):
        shown = ", ".join(str(row + 2) for row in rows[:5]) + (" …" if len(rows) > 5 else "")
        raise DataError(f"{len(rows)} targets {what} (rows {shown} of the file).", fix="Correct these rows.")
