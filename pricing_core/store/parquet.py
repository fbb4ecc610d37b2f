"""Parquet files of the workspace: written and read with errors that say what to do."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pricing_core.errors import DataError, WorkspaceError


def write_parquet(frame: pd.DataFrame, path: Path, label: str) -> None:
    """Write a Parquet file; DataError naming ``label`` and the column if the values have no common type."""
    try:
        frame.reset_index(drop=True).to_parquet(path, engine="pyarrow", index=False)
    except (TypeError, ValueError) as error:  # pyarrow's errors derive from these
        raise DataError(
            f"The {label} table cannot be stored: {error}.", fix="Make each column hold one kind of value."
        ) from error


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file of the workspace; WorkspaceError if it is missing or damaged."""
    try:
        return pd.read_parquet(path, engine="pyarrow")
    except (OSError, ValueError) as error:
        raise WorkspaceError(
            f"The file {path.parent.name}/{path.name} of the workspace cannot be read.",
            fix="Restore it from a copy, or delete it and make it again.",
        ) from error
