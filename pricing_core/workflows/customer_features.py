"""History of every customer as of the end of the log, as a file to take away: one row per customer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pricing_core.drafts import draft_path
from pricing_core.engines.features import customer_features
from pricing_core.errors import ConfigError
from pricing_core.progress import Progress
from pricing_core.store import datasets, exports
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor, require
from pricing_core.workflows.importing import own_customer_ids

SUFFIXES = (".csv", ".parquet")


def write_customer_features(
    ws: Workspace,
    out: Path,
    *,
    dataset_id: str | None = None,
    own_ids: bool = False,
    progress: Progress | None = None,
) -> int:
    """Write the features of all customers to a CSV or Parquet file, whole or not at all; returns the number of rows.

    Parameters
    ----------
    out
        File whose name ends in ``.csv`` or ``.parquet``; a Parquet file names the data version in its metadata.
    own_ids
        Put the shop's own customer ids in place of pseudonyms.

    Raises
    ------
    ConfigError
        If the file is of another kind, or cannot be written.
    """
    if out.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{out.name} is neither a CSV nor a Parquet file.", fix="End its name in .csv or .parquet.")
    folder = datasets.folder_of(ws, dataset_id)
    manifest = datasets.load_manifest(ws, folder.name)
    facts = {"data_version": folder.name, "data_hash": manifest.data_hash, "currency": manifest.currency}
    draft = draft_path(out)
    draft = draft.with_name(draft.name + out.suffix.lower())
    try:
        rows = customer_features(folder, draft, facts=facts, spill=ws.temp_dir, progress=progress)
        if own_ids:
            _put_own_ids(ws, draft, facts)
        os.replace(draft, out)
    except OSError as error:
        raise ConfigError(
            f"{out} cannot be written: {error.strerror or error}.", fix="Choose another place, or free some space."
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    return rows


def _put_own_ids(ws: Workspace, path: Path, facts: dict[str, str]) -> None:
    if path.suffix == ".csv":
        table = own_customer_ids(ws, pd.read_csv(path, dtype={"customer_id": str}, keep_default_na=False))
        table.to_csv(path, index=False)
        return
    table = own_customer_ids(ws, pd.read_parquet(path))
    made = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(made.replace_schema_metadata({**(made.schema.metadata or {}), **facts}), path)


def customer_features_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form: a CSV among the workspace's exports; ``params``: ``dataset_id, own_ids, actor``."""
    who = params.get("actor")
    if not who:
        raise ConfigError("The file names nobody who takes it away.", fix="Start it from the Data page.")
    actor = Actor(**who)
    require(actor, "export")
    dataset_id = datasets.folder_of(ws, params.get("dataset_id")).name
    draft = ws.new_temp_dir("features") / "customers.csv"
    try:
        rows = write_customer_features(
            ws, draft, dataset_id=dataset_id, own_ids=bool(params.get("own_ids")), progress=progress
        )
        path = exports.keep_export(
            ws, f"customer_features_{dataset_id}.csv", draft.read_bytes(), actor=actor, price_list_id=dataset_id,
            kind="customer features",
        )  # fmt: skip
    finally:
        draft.unlink(missing_ok=True)
        draft.parent.rmdir()
    progress.stage("Done", 1.0, f"{rows:,} customers")
    return {"file": path.name, "rows": rows}


def kept_features(ws: Workspace, dataset_id: str) -> Path | None:
    """Path of the newest file that the job made for a data set; None if there is none."""
    path = ws.exports_dir / f"customer_features_{dataset_id}.csv"
    return path if path.exists() else None
