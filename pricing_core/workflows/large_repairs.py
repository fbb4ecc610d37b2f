"""Repairs of versions that are too large for memory, stored as those of small ones are."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from pricing_core.data import quality
from pricing_core.data.fingerprints import hash_columns
from pricing_core.data.quality import Finding
from pricing_core.data.repairs import nothing_left, still_there
from pricing_core.engines.file_hash import column_hashes
from pricing_core.engines.importing import STREAMED
from pricing_core.engines.limits import limits_from_environment
from pricing_core.engines.repairing import repair_files
from pricing_core.engines.stored import present_tables
from pricing_core.engines.stored_rows import stored_findings
from pricing_core.errors import DataError
from pricing_core.progress import Progress, SubProgress
from pricing_core.store import datasets, shelf
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.adding import STAND_TWICE

_ASIDE: Final = "repaired_set_aside.csv"
_NOT_COUNTED: Final = " (Not recounted after the repair.)"
_OF_VERSIONS: Final = r"(?:were|are) in version d\d+ already"
"""Findings about all rows that compare with another version: they were true of the import, and are not counted anew."""


def repair_large(
    ws: Workspace, base_id: str, repairs: Sequence[str], margin: float | None, progress: Progress
) -> tuple[str, tuple[str, ...]]:
    """Store a repaired version of a large one; returns its id, and what each repair did.

    Raises
    ------
    DataError
        If a repair is unknown, or would leave nothing to learn from.
    """
    base, limits = datasets.folder_of(ws, base_id), limits_from_environment()
    manifest = datasets.load_manifest(ws, base_id)
    small = {table: datasets.read_parquet(base / f"{table}.parquet") for table in present_tables(base)
             if table not in STREAMED}  # fmt: skip
    work = ws.new_temp_dir("repair")
    try:
        with shelf.drafting(ws, "dataset") as draft:
            for folder in ("rows", "checks"):
                (work / folder).mkdir()
            aside = datasets.set_aside_path(ws, base_id), work / _ASIDE
            done = repair_files(base, draft, aside, small, repairs, work / "rows", limits, progress)
            findings = _found(draft, work / "checks", manifest.currency, margin, progress)
            counts = counts_after(datasets.load_counts(ws, base_id), done.rows["offers"] + done.removed, done.removed)
            progress.stage("Repairing", 0.85, "Taking the fingerprint of the tables")
            hashes = {table: column_hashes(draft / f"{table}.parquet") for table in done.rows}
            made = replace(
                manifest, repairs=list(repairs), base=base_id, copied="", margin_assumption=margin,
                excluded=still_there(manifest.excluded, done.columns), data_hash=hash_columns(done.rows, hashes),
            )  # fmt: skip
            known = pd.read_csv(aside[1], usecols=["table"], dtype="category")
            report = findings_after(datasets.load_quality(ws, base_id), findings)
            listed = datasets.SetAside(aside[1], len(known))
            return datasets.commit_files(ws, draft, made, done.rows, report, listed, counts), done.done
    finally:
        shutil.rmtree(work, ignore_errors=True)


def findings_after(before: pd.DataFrame, findings: Sequence[Finding]) -> pd.DataFrame:
    """Findings about all rows of the repaired tables, and those of the import about single rows of its files."""
    repair, scope = (before.get(name, pd.Series("", index=before.index)).fillna("") for name in ("repair", "scope"))
    of_versions = before["message"].str.contains(_OF_VERSIONS)
    kept = before[(repair == "") & ((scope != "tables") | of_versions)]
    kept = kept[~kept["message"].str.startswith(quality.COST_UNKNOWN)]
    # Versions from before the scope was kept: those that name no rows may be about all rows.
    unsure = (scope[kept.index] == "") & (kept["rows"] == "")
    unsure |= kept["message"].str.contains(STAND_TWICE, regex=False)
    kept = kept.assign(message=kept["message"].where(~unsure, kept["message"] + _NOT_COUNTED))
    fresh = quality.QualityReport(tuple(findings), {}, {}, {})
    joined = pd.concat([fresh.to_frame(), kept], ignore_index=True)
    return joined.sort_values("severity", key=lambda found: found.map(quality.SEVERITIES.index), kind="stable",
                              ignore_index=True)  # fmt: skip


def counts_after(counts: pd.DataFrame, before: int, removed: int) -> pd.DataFrame:
    """Row counts of a version from which some of ``before`` offers were set aside."""
    offers = counts["table"] == "offers"
    if not offers.any():
        extra = {"table": "offers", "rows_in": before, "rows_kept": before - removed, "rows_set_aside": removed}
        return pd.concat([counts, pd.DataFrame([extra])], ignore_index=True)
    if removed > int(counts.loc[offers, "rows_kept"].iloc[0]):
        raise DataError("The row counts of the version do not fit its rows.", fix="Import the file again.")
    counts = counts.copy()
    counts.loc[offers, "rows_kept"] -= removed
    counts.loc[offers, "rows_set_aside"] += removed
    return counts


def _found(draft: Path, work: Path, currency: str, margin: float | None, progress: Progress) -> list[Finding]:
    """Findings about the repaired tables that take the place of those of the import."""
    small = {table: datasets.read_parquet(draft / f"{table}.parquet") for table in present_tables(draft)
             if table not in STREAMED}  # fmt: skip
    found, _ = stored_findings(
        draft, small, work, limits_from_environment(), SubProgress(progress, 0.6, 0.85), currency=currency,
        margin_assumption=margin, outliers=True,
    )  # fmt: skip
    blocking = [finding for finding in found if finding.severity == "blocking"]
    if blocking:
        raise nothing_left(blocking[0].message)
    return found
