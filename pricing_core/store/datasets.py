"""Versions of the imported data: Parquet tables with their manifest, quality report and set-aside rows."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd

from pricing_core.data.dataset import Dataset, DatasetManifest
from pricing_core.data.fingerprints import column_hash, hash_columns
from pricing_core.errors import NoDatasetError, WorkspaceError
from pricing_core.schema import TABLES
from pricing_core.store import database, shelf, working_samples
from pricing_core.store.parquet import read_parquet, write_parquet
from pricing_core.store.workspace import Workspace

SHELF: Final = shelf.Shelf(table=database.datasets, folder="datasets", prefix="d", noun="data set")
_MANIFEST: Final = "manifest.json"
_QUALITY: Final = "quality.parquet"
_SET_ASIDE: Final = "set_aside.csv"
_COUNTS: Final = "counts.parquet"
_SHOWN: Final = ("name", "source", "currency", "margin_assumption", "pseudonymized", "data_hash")


@dataclass(frozen=True)
class SetAside:
    """Rows that were not used, as the CSV file that the version keeps: its path and number of rows."""

    path: Path
    rows: int


def save_dataset(
    ws: Workspace,
    dataset: Dataset,
    report_frame: pd.DataFrame,
    set_aside: pd.DataFrame | None,
    counts: pd.DataFrame | None = None,
) -> str:
    """Store a data set and return its id, such as ``d0001``.

    Parameters
    ----------
    dataset
        Canonical tables; the stored manifest gets their :func:`hash_tables`.
    report_frame
        Findings of the quality report, one row each.
    set_aside
        Rows that were not used, with ``table``, ``row_number`` and ``reason``; None if there are none.
    counts
        ``table, rows_in, rows_kept, rows_set_aside``; None if unknown.

    Raises
    ------
    DataError
        If a column mixes types that a Parquet file cannot hold.
    WorkspaceError
        If the files cannot be written.
    """
    tables = dataset.tables()
    manifest = replace(dataset.manifest, data_hash=hash_tables(tables))
    aside = pd.DataFrame(columns=["table", "row_number", "reason"]) if set_aside is None else set_aside
    with shelf.drafting(ws, "dataset") as draft:
        for name, frame in tables.items():
            write_parquet(frame, draft / f"{name}.parquet", name)
        rows = {name: len(frame) for name, frame in tables.items()}
        return commit_files(ws, draft, manifest, rows, report_frame, aside, counts)


def commit_files(
    ws: Workspace,
    draft: Path,
    manifest: DatasetManifest,
    rows: dict[str, int],
    report_frame: pd.DataFrame,
    set_aside: pd.DataFrame | SetAside,
    counts: pd.DataFrame | None,
) -> str:
    """Store a data set whose tables are in a draft folder already, and return its id.

    Parameters
    ----------
    draft
        Made by :func:`pricing_core.store.shelf.drafting`; holds a file ``<table>.parquet`` per table.
    manifest
        With its ``data_hash``.
    rows
        Table → number of rows.
    report_frame, set_aside, counts
        As in :func:`save_dataset`; the rows set aside may be a file, which moves into the version.
    """
    shelf.write_json(draft / _MANIFEST, manifest.to_dict())
    write_parquet(report_frame, draft / _QUALITY, "quality report")
    if isinstance(set_aside, SetAside):
        os.replace(set_aside.path, draft / _SET_ASIDE)
        aside = set_aside.rows
    else:
        set_aside.to_csv(draft / _SET_ASIDE, index=False, encoding="utf-8")
        aside = len(set_aside)
    if counts is not None:
        write_parquet(counts, draft / _COUNTS, "row counts")
    record = {**_shown(manifest), "rows": rows, "set_aside": aside}
    return shelf.commit(ws, SHELF, draft, record)


def list_datasets(ws: Workspace) -> pd.DataFrame:
    """Return one row per data set, newest first.

    Columns: ``dataset_id, created_at, name, source, currency, margin_assumption, pseudonymized, data_hash``, a
    number of rows per table (0 where the table is absent) and ``set_aside``.
    """
    columns = ["dataset_id", "created_at", *_SHOWN, *TABLES, "set_aside"]
    rows = [
        {
            "dataset_id": entry.id,
            "created_at": entry.created_at,
            **{field: entry.record.get(field) for field in _SHOWN},
            **{table: entry.record["rows"].get(table, 0) for table in TABLES},
            "set_aside": entry.record["set_aside"],
        }
        for entry in shelf.entries(ws, SHELF)
    ]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(created_at=pd.to_datetime(frame["created_at"], utc=True))


def latest_dataset_id(ws: Workspace) -> str | None:
    """Return the id of the newest data set; None if the workspace holds none."""
    found = shelf.entries(ws, SHELF)
    return found[0].id if found else None


def load_dataset(ws: Workspace, dataset_id: str | None = None, *, whole: bool = False) -> Dataset:
    """Return a data set, by default the newest.

    Parameters
    ----------
    whole
        Read all offers even where they are very many. Otherwise such a data set comes as a sample of whole customers
        that says so in its ``sample``; see :mod:`pricing_core.store.working_samples`.

    Raises
    ------
    NoDatasetError
        If the workspace holds no data set.
    WorkspaceError
        If it does not hold this one, or a file of it is damaged.
    """
    folder = _folder(ws, dataset_id)
    manifest = load_manifest(ws, folder.name)
    for table, rows in ({"offers": 1} | row_counts(ws, folder.name)).items():
        if table in TABLES and rows and not (folder / f"{table}.parquet").exists():
            raise WorkspaceError(
                f"The data set {folder.name} has lost its {table} file.",
                fix="Restore it from a copy, or delete the data set and import it again.",
            )
    if not whole and is_large(ws, folder.name):
        return working_samples.open_sample(ws, folder, manifest)
    present = {table: folder / f"{table}.parquet" for table in TABLES}
    tables = {table: read_parquet(path) for table, path in present.items() if path.exists()}
    return Dataset(
        offers=tables["offers"],
        customers=tables.get("customers"),
        products=tables.get("products"),
        market=tables.get("market"),
        events=tables.get("events"),
        manifest=manifest,
    )


def is_large(ws: Workspace, dataset_id: str | None = None) -> bool:
    """Whether a data set has so many offers that it is worked on by a sample of its customers."""
    return row_counts(ws, dataset_id)["offers"] > working_samples.LARGE_OFFERS


def sample_counts(ws: Workspace, dataset_id: str | None = None) -> dict[str, int] | None:
    """What the working sample of a large data set holds; None for a small one, or before it is first opened."""
    if not is_large(ws, dataset_id):
        return None
    return working_samples.sample_counts(_folder(ws, dataset_id))


def row_counts(ws: Workspace, dataset_id: str | None = None) -> dict[str, int]:
    """Number of rows of each table of a data set, without reading them."""
    return {str(table): int(rows) for table, rows in _entry(ws, dataset_id).record["rows"].items()}


def folder_of(ws: Workspace, dataset_id: str | None = None) -> Path:
    """Folder of a data set's files, for engines that read them where they are."""
    return _folder(ws, dataset_id)


def with_histories(ws: Workspace, dataset_id: str, dataset: Dataset, customer_ids: pd.Series) -> Dataset:
    """Return the data set with the history of these customers, also of those that its sample does not hold."""
    return working_samples.with_histories(ws, _folder(ws, dataset_id), dataset, customer_ids)


def load_manifest(ws: Workspace, dataset_id: str | None = None) -> DatasetManifest:
    """Return a data set's manifest without reading its tables."""
    return DatasetManifest.from_dict(shelf.read_json(_folder(ws, dataset_id) / _MANIFEST))


def update_manifest(ws: Workspace, dataset_id: str, **changes: Any) -> DatasetManifest:
    """Change fields of a data set's manifest (margin assumption, exclusions, name, note) and return the new one.

    Raises
    ------
    ConfigError
        If a value is not allowed.
    """
    changed = replace(load_manifest(ws, dataset_id), **changes)
    shelf.write_json(_folder(ws, dataset_id) / _MANIFEST, changed.to_dict())
    shelf.update_record(ws, SHELF, dataset_id, _shown(changed))
    return changed


def load_quality(ws: Workspace, dataset_id: str | None = None) -> pd.DataFrame:
    """Return the findings of a data set's quality report, one row each."""
    return read_parquet(_folder(ws, dataset_id) / _QUALITY)


def load_counts(ws: Workspace, dataset_id: str | None = None) -> pd.DataFrame:
    """Return ``table, rows_in, rows_kept, rows_set_aside`` of an import; no rows where they were not recorded."""
    path = _folder(ws, dataset_id) / _COUNTS
    if not path.exists():
        return pd.DataFrame(columns=["table", "rows_in", "rows_kept", "rows_set_aside"])
    return read_parquet(path)


def set_aside_path(ws: Workspace, dataset_id: str | None = None) -> Path:
    """Return the CSV file of the rows that were not used (UTF-8, the cells as the source had them)."""
    return _folder(ws, dataset_id) / _SET_ASIDE


def delete_dataset(ws: Workspace, dataset_id: str) -> None:
    """Delete a data set; models trained on it stay."""
    shelf.remove(ws, SHELF, dataset_id)


def copy_dataset(ws: Workspace, dataset_id: str) -> str:
    """Make a new version with the same content, findings and rows set aside, and return its id.

    Files are shared where the disk can do that: none is ever changed in place.
    """
    entry = _entry(ws, dataset_id)
    source = SHELF.path(ws, entry.id)
    with shelf.drafting(ws, "dataset") as draft:
        for path in source.iterdir():
            if path.is_file() and path.name != shelf.RECORD:
                try:
                    os.link(path, draft / path.name)
                except OSError:  # another disk, or one that knows no shared files
                    shutil.copy2(path, draft / path.name)
        manifest = replace(load_manifest(ws, entry.id), copied=entry.id)
        (draft / _MANIFEST).unlink()  # shares its content with the other version
        shelf.write_json(draft / _MANIFEST, manifest.to_dict())
        return shelf.commit(ws, SHELF, draft, {**entry.record, **_shown(manifest)})


def hash_tables(tables: dict[str, pd.DataFrame]) -> str:
    """Return the SHA-256 of the tables' content, put together from that of each column.

    The order of rows counts; the order of columns, the index and the width of number types do not.
    """
    columns = {name: {str(column): column_hash(frame[column]) for column in frame} for name, frame in tables.items()}
    return hash_columns({name: len(frame) for name, frame in tables.items()}, columns)


def _folder(ws: Workspace, dataset_id: str | None) -> Path:
    return SHELF.path(ws, _entry(ws, dataset_id).id)


def _entry(ws: Workspace, dataset_id: str | None) -> shelf.Entry:
    chosen = dataset_id or latest_dataset_id(ws)
    if chosen is None:
        raise NoDatasetError("There is no data yet.", fix="Load the sample shop or import your files.")
    return shelf.entry(ws, SHELF, chosen)


def _shown(manifest: DatasetManifest) -> dict[str, Any]:
    return {field: getattr(manifest, field) for field in _SHOWN}
