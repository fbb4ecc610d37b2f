"""Where files go on their way in: read whole, or streamed where they are too large."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from pricing_core.data.importing import Sources, import_tables
from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.engines.importing import FilesOutcome, ImportRequest, NotStreamable, import_large, is_large
from pricing_core.engines.limits import limits_from_environment
from pricing_core.engines.orders_importing import import_large_orders, is_large_orders
from pricing_core.errors import DataError
from pricing_core.progress import Progress, SubProgress
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace


def read_into(
    ws: Workspace, sources: Sources, draft: Path, request: ImportRequest, occasions: OccasionRule, progress: Progress
) -> FilesOutcome:
    """Import the tables into Parquet files of a draft folder, by the path that fits their size."""
    limits = limits_from_environment()
    orders = is_large_orders(sources, limits)
    if orders or is_large(sources, limits):
        work = ws.new_temp_dir("import")
        try:
            if orders:
                return import_large_orders(sources, draft, work, request, occasions, limits, progress)
            return import_large(sources, draft, work, request, limits, progress)
        except NotStreamable:
            pass  # such as a quotation mark that only the reader of whole files can place: read as a whole below
        finally:
            shutil.rmtree(work, ignore_errors=True)
    outcome = import_tables(
        sources,
        mapping=request.mapping,
        options=request.options,
        name=request.name,
        source=request.source,
        currency=request.currency,
        margin_assumption=request.margin_assumption,
        pseudonymize=request.pseudonymize,
        excluded=request.excluded,
        note=request.note,
        occasions=occasions,
        recall=request.recall,
        whole=request.whole,
        progress=SubProgress(progress, 0.0, 0.95),
    )
    tables = outcome.dataset.tables()
    for table, frame in tables.items():
        datasets.write_parquet(frame, draft / f"{table}.parquet", table)
    manifest = replace(outcome.dataset.manifest, data_hash=datasets.hash_tables(tables))
    rows = {table: len(frame) for table, frame in tables.items()}
    return FilesOutcome(rows, manifest, outcome.report, outcome.set_aside, outcome.columns, outcome.numbers)


def base_version(ws: Workspace, orders: bool, pseudonymize: bool, currency: str) -> str | None:
    """The version that an import adds to: the newest, as it was imported; None where there is none yet.

    Raises
    ------
    DataError
        If rows cannot be added to it.
    """
    newest = datasets.latest_dataset_id(ws)
    if newest is None:
        return None
    manifest = datasets.load_manifest(ws, newest)
    if orders or manifest.evidence:
        raise DataError(
            "Orders cannot be added to a version: what was declined is built from all of them together.",
            fix="Import all orders as one file, or as a folder of monthly files.",
        )
    if manifest.pseudonymized != pseudonymize:
        words = "pseudonyms" if manifest.pseudonymized else "the shop's own ids"
        raise DataError(f"Version {newest} names customers by {words}.", fix="Import with the same choice, or anew.")
    if manifest.currency != currency:
        raise DataError(
            f"The money of version {newest} is in {manifest.currency}, that of the files in {currency}: they cannot "
            "stand in one table.",
            fix=f"Choose {manifest.currency} if the files are in it, or import them anew.",
        )
    return manifest.base or newest
