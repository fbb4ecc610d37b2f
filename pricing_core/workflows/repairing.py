"""Repairs that a quality report offers, and versions of the data: compared, and put back into use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from pricing_core.data.repairs import apply_repairs, nothing_left, repair_words
from pricing_core.data.versions import compare_figures, origin_words
from pricing_core.data.whole_tables import whole_findings
from pricing_core.engines.limits import limits_from_environment
from pricing_core.engines.stored_rows import is_large_folder
from pricing_core.engines.versions import offers_only_in, version_figures
from pricing_core.progress import Progress, SilentProgress
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.aggregates import prepare_pages
from pricing_core.workflows.large_repairs import counts_after, findings_after, repair_large


def repair_dataset(ws: Workspace, dataset_id: str, repairs: Sequence[str], *, progress: Progress | None = None) -> str:
    """Make a new version of the data with these repairs and no others; returns its id.

    The version that the first repair was applied to stays as it is, so that leaving a repair out undoes it. No repair
    at all puts that version back into use.

    Raises
    ------
    DataError
        If a repair is unknown, or would leave nothing to learn from.
    """
    progress = progress or SilentProgress()
    manifest = datasets.load_manifest(ws, dataset_id)
    base_id = manifest.base or dataset_id
    if not repairs:
        return use_version(ws, base_id, progress=progress)
    chosen = list(dict.fromkeys(repairs))
    if is_large_folder(datasets.folder_of(ws, base_id), limits_from_environment()):
        made, done = repair_large(ws, base_id, chosen, manifest.margin_assumption, progress)
        prepare_pages(ws, made, progress)
    else:
        made, done = _repair_small(ws, base_id, chosen, manifest.margin_assumption, progress)
    progress.stage("Done", 1.0, "; ".join(done))
    return made


def _repair_small(
    ws: Workspace, base_id: str, repairs: list[str], margin: float | None, progress: Progress
) -> tuple[str, tuple[str, ...]]:
    progress.stage("Repairing", 0.1, "Reading the version as it was imported")
    base = datasets.load_dataset(ws, base_id, whole=True)
    repaired = apply_repairs(base, repairs)
    settled = replace(repaired.dataset.manifest, base=base_id, copied="", margin_assumption=margin)
    dataset = replace(repaired.dataset, manifest=settled)
    progress.stage("Repairing", 0.6, f"Storing {len(dataset.offers):,} offers")
    findings, _ = whole_findings(
        dataset.tables(), {}, currency=settled.currency, margin_assumption=margin, outliers=True
    )
    blocking = [finding for finding in findings if finding.severity == "blocking"]
    if blocking:
        raise nothing_left(blocking[0].message)
    counts = counts_after(datasets.load_counts(ws, base_id), len(base.offers), len(repaired.set_aside))
    aside = pd.read_csv(datasets.set_aside_path(ws, base_id), dtype=str, keep_default_na=False)
    aside = pd.concat([aside, repaired.set_aside.astype(str)], ignore_index=True).fillna("")
    report = findings_after(datasets.load_quality(ws, base_id), findings)
    return datasets.save_dataset(ws, dataset, report, aside, counts), repaired.done


def use_version(ws: Workspace, dataset_id: str, *, progress: Progress | None = None) -> str:
    """Put an earlier version of the data back into use, as a new version with the same content; returns its id.

    The newest version is the one in use already: then nothing happens.
    """
    if dataset_id == datasets.latest_dataset_id(ws):
        return dataset_id
    progress = progress or SilentProgress()
    progress.stage("Putting back", 0.2, f"Copying version {dataset_id}")
    made = datasets.copy_dataset(ws, dataset_id)
    progress.stage("Done", 1.0, f"Version {dataset_id} is in use again as {made}")
    return made


def version_origins(ws: Workspace) -> dict[str, str]:
    """Where each version of the data came from, in words."""
    ids = datasets.list_datasets(ws)["dataset_id"]
    return {str(each): origin_words(datasets.load_manifest(ws, str(each))) for each in ids}


def compare_versions(ws: Workspace, first: str, second: str) -> pd.DataFrame:
    """How two versions of the data differ: rows, period, customers, products, prices, purchases, table by table."""
    folders = [datasets.folder_of(ws, each) for each in (first, second)]
    figures = []
    for each, folder in zip((first, second), folders, strict=True):
        manifest = datasets.load_manifest(ws, each)
        repairs = ", ".join(repair_words(name).lower() for name in manifest.repairs) or "none"
        counted = version_figures(folder, spill=ws.temp_dir)
        figures.append({"currency": manifest.currency, **counted, "repairs": repairs})
    return compare_figures(figures[0], figures[1], offers_only_in(folders[0], folders[1], spill=ws.temp_dir))


def repair_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`repair_dataset`."""
    return {"dataset_id": repair_dataset(ws, params["dataset_id"], params["repairs"], progress=progress)}


def use_version_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`use_version`."""
    return {"dataset_id": use_version(ws, params["dataset_id"], progress=progress)}
