"""Rows that a user wants priced: checked, with ids and times as the models know them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pricing_core.data.dataset import Dataset
from pricing_core.data.mapping import guess_mapping
from pricing_core.data.read import read_table
from pricing_core.errors import DataError, MappingError
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.importing import pseudonyms_of

_REQUIRED = ("customer_id", "product_id")
_NUMBERS = ("price", "current_price", "list_price", "competitor_price", "unit_cost", "stock")


@dataclass(frozen=True)
class TargetFile:
    """Rows to be priced under canonical names, and the names that the file gave them."""

    frame: pd.DataFrame
    names: dict[str, str]

    def named_as_given(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A result's columns under the file's own names."""
        return frame.rename(columns=self.names)


def read_targets(ws: Workspace, path: Path) -> TargetFile:
    """Read rows to be priced; columns are recognized by the mapping of the last import, else by the usual names."""
    frame = read_table(path)
    newest = datasets.latest_dataset_id(ws)
    imported = datasets.load_manifest(ws, newest).mapping.get("offers", {}) if newest else {}
    mapping = guess_mapping(list(frame.columns), "offers")
    mapping |= {field: column for field, column in imported.items() if column in frame.columns}
    names = {field: column for field, column in mapping.items() if field not in frame.columns}
    return TargetFile(frame.rename(columns={column: field for field, column in names.items()}), names)


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
    missing = [name for name in _REQUIRED if name not in prepared.columns]
    if missing:
        raise MappingError(
            f"The targets lack {', '.join(missing)}; they have {', '.join(map(str, prepared.columns[:12]))}.",
            fix="Add the columns, or name them so.",
        )
    if "offered_at" not in prepared.columns:
        prepared["offered_at"] = dataset.log_to + pd.Timedelta(seconds=1)
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
    prepared["customer_id"] = pseudonyms_of(ws, prepared["customer_id"], dataset.manifest.pseudonymized)
    return prepared


def _is_time(values: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(values)


def _refuse(wrong: pd.Series, what: str) -> None:
    rows = np.flatnonzero(wrong.to_numpy(dtype=bool))
    if len(rows):
        shown = ", ".join(str(row + 2) for row in rows[:5]) + (" …" if len(rows) > 5 else "")
        raise DataError(f"{len(rows)} targets {what} (rows {shown} of the file).", fix="Correct these rows.")
