"""Bring data in: a sample, or the shop's own files; change what is assumed about them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from pricing_core.data.dataset import check_currency
from pricing_core.data.importing import ImportBlocked, Sources
from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.data.options import CleaningOptions
from pricing_core.data.quality import Finding, QualityReport
from pricing_core.data.read import NamedPath
from pricing_core.data.samples import load_sample_sources
from pricing_core.drafts import draft_path
from pricing_core.engines.head_start import HeadStart
from pricing_core.engines.importing import FilesOutcome, ImportRequest
from pricing_core.progress import Progress, SilentProgress
from pricing_core.store import blocked, datasets, file_shapes, incoming, shelf
from pricing_core.store.workspace import Workspace
from pricing_core.trust.identities import IdentityTable
from pricing_core.trust.pseudonyms import Pseudonymizer, load_or_create_key
from pricing_core.workflows import same_files
from pricing_core.workflows.adding import extended
from pricing_core.workflows.known_files import known_finding, known_orders_finding
from pricing_core.workflows.large_files import base_version, read_into
from pricing_core.workflows.renaming import Renamer


@dataclass(frozen=True)
class StoredImport:
    """A finished import.

    Attributes
    ----------
    dataset_id
        The stored version; the one in use already, where nothing was new to add.
    report, set_aside
        Quality report, and rows set aside, of that version.
    files
        Rows in, kept and set aside of the files alone, where they were added to others; None otherwise.
    nothing_new
        What to tell the user where no version was made; empty otherwise.
    """

    dataset_id: str
    report: QualityReport
    set_aside: pd.DataFrame
    files: QualityReport | None = None
    nothing_new: str = ""


def import_files(
    ws: Workspace,
    sources: Sources,
    *,
    mapping: Mapping[str, Mapping[str, str]] | None = None,
    options: CleaningOptions | None = None,
    name: str = "my shop",
    source: str = "",
    currency: str = "USD",
    margin_assumption: float | None = None,
    pseudonymize: bool = True,
    excluded: Mapping[str, str] | None = None,
    note: str = "",
    occasions: OccasionRule | None = None,
    extend: bool = False,
    begun: HeadStart | None = None,
    progress: Progress | None = None,
) -> StoredImport:
    """Import tables and store them as a new version; the earlier versions stay.

    Files that are too large for memory are streamed; the result is the same. Customer ids become keyed pseudonyms
    unless ``pseudonymize`` is False; the key never leaves the workspace.

    Parameters
    ----------
    extend
        Add the rows to those of the newest version: rows that it holds already are counted, not added again. The
        tables are judged with all their rows.
    begun
        What may have read the first rows of the offers already.
    """
    check_currency(currency)
    progress = progress or SilentProgress()
    renamer = Renamer(ws) if pseudonymize else None
    request = ImportRequest(
        mapping=mapping or {},
        options=options or CleaningOptions(),
        name=name,
        source=source,
        currency=currency,
        margin_assumption=margin_assumption,
        pseudonymize=renamer,
        excluded=excluded or {},
        note=note,
        recall=lambda table, columns: _recalled(ws, table, columns),
        begun=begun,
    )
    base = base_version(ws, "orders" in sources, pseudonymize, currency) if extend else None
    request = replace(request, whole=base is None)
    blocked.forget_blocked(ws)
    mark = same_files.mark_of(ws, sources, request)
    if base is not None and (same := same_files.find(ws, mark, base)) is not None:
        progress.stage("Done", 1.0, same.words)
        in_use = str(datasets.latest_dataset_id(ws))
        return StoredImport(in_use, same.report, same.set_aside, same.report, same.words)
    try:
        with shelf.drafting(ws, "dataset") as draft:
            outcome = read_into(ws, sources, draft, request, occasions or OccasionRule(), progress)
            files = None if base is None else outcome.report
            if base is not None:
                outcome, nothing = extended(ws, base, draft, outcome, request, progress)
                if nothing:
                    progress.stage("Done", 1.0, nothing)
                    in_use = str(datasets.latest_dataset_id(ws))
                    return StoredImport(in_use, outcome.report, outcome.set_aside, files, nothing)
            else:
                outcome = _with_known(ws, draft, outcome, "orders" in sources, progress)
            outcome = _with_finding(outcome, _other_currency(ws, currency, outcome.rows["offers"]))
            if renamer is not None:
                renamer.remember()
            dataset_id = _store(ws, draft, outcome, progress)
    except ImportBlocked as refused:
        blocked.keep_blocked(ws, refused.report.to_frame(), refused.report.counts_frame(), refused.set_aside)
        raise
    progress.stage("Done", 1.0, f"{outcome.rows['offers']:,} offers imported")
    same_files.remember(ws, mark, dataset_id, outcome.report if files is None else files)
    return StoredImport(dataset_id, outcome.report, outcome.set_aside, files)


def _with_known(ws: Workspace, draft: Path, outcome: FilesOutcome, orders: bool, progress: Progress) -> FilesOutcome:
    """The outcome with what is said of rows that the data in use hold already."""
    progress.stage("Checking", 0.97, "Looking for rows that the data hold already")
    pseudonymized = outcome.manifest.pseudonymized
    if orders:
        finding = known_orders_finding(ws, draft, outcome.manifest.data_hash, pseudonymized)
    else:
        finding = known_finding(ws, draft, pseudonymized)
    return _with_finding(outcome, finding)


def _other_currency(ws: Workspace, currency: str, count: int) -> Finding | None:
    """Remark that the data in use so far are in another currency."""
    newest = datasets.latest_dataset_id(ws)
    used = currency if newest is None else datasets.load_manifest(ws, newest).currency
    if used == currency:
        return None
    message = f"The money of these data is in {currency}, that of version {newest}, in use before, in {used}."
    return Finding("info", "offers", "", count, (), message, "Prices and profits of the two cannot be compared.")


def _with_finding(outcome: FilesOutcome, finding: Finding | None) -> FilesOutcome:
    if finding is None:
        return outcome
    return replace(outcome, report=replace(outcome.report, findings=(finding, *outcome.report.findings)))


def _store(ws: Workspace, draft: Path, outcome: FilesOutcome, progress: Progress) -> str:
    for table, columns in outcome.columns.items():
        file_shapes.remember(ws, columns, file_shapes.FileShape(table, outcome.manifest.mapping[table]))
    progress.stage("Storing", 0.98, "Writing the tables into the workspace")
    report, counts = outcome.report.to_frame(), outcome.report.counts_frame()
    return datasets.commit_files(ws, draft, outcome.manifest, outcome.rows, report, outcome.set_aside, counts)


def _recalled(ws: Workspace, table: str, columns: list[str]) -> dict[str, str]:
    """Mapping of the last import of such a file as the same table."""
    found = file_shapes.recall(ws, columns)
    return found.mapping if found is not None and found.table == table else {}


def import_sample(ws: Workspace, name: str, progress: Progress | None = None) -> str:
    """Import a shop that comes with the project and return its data set id."""
    sample = load_sample_sources(name)
    stored = import_files(
        ws,
        sample.tables,
        mapping=sample.mapping,
        name=sample.name,
        source=f"sample {name}",
        currency=sample.currency,
        margin_assumption=sample.margin_assumption,
        note=sample.description,
        progress=progress,
    )
    return stored.dataset_id


def set_margin_assumption(ws: Workspace, dataset_id: str, rate: float) -> None:
    """Change the margin that is assumed where a unit cost is missing; profits follow without training again."""
    datasets.update_manifest(ws, dataset_id, margin_assumption=rate)


def set_exclusions(ws: Workspace, dataset_id: str, excluded: Mapping[str, str]) -> None:
    """Change which columns the next training must not use (``"table.column"`` → reason)."""
    datasets.update_manifest(ws, dataset_id, excluded=dict(excluded))


def own_customer_ids(ws: Workspace, frame: pd.DataFrame) -> pd.DataFrame:
    """A table to take away, with the shop's own customer ids in place of pseudonyms."""
    if "customer_id" not in frame.columns or frame["customer_id"].isna().all():
        return frame
    return frame.assign(customer_id=IdentityTable(ws.root).restore(frame["customer_id"]))


def pseudonyms_of(ws: Workspace, ids: pd.Series, dataset_pseudonymized: bool) -> pd.Series:
    """Pseudonyms of customer ids as the shop writes them; ids that are pseudonyms already stay."""
    if not dataset_pseudonymized:
        return ids
    pseudonym = Pseudonymizer(load_or_create_key(ws.key_path))
    already = ids.astype(str).str.fullmatch(r"c_[0-9a-f]{20}")
    return ids.where(already, pseudonym.apply(ids.astype(str)))


def import_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`import_files`; ``params["sources"]`` maps tables to paths of uploaded files."""
    from pricing_core.workflows.aggregates import prepare_pages

    options = CleaningOptions(**params.get("options", {}))
    keys = ("mapping", "name", "source", "currency", "margin_assumption", "pseudonymize", "excluded", "note")
    chosen = {key: params[key] for key in keys if params.get(key) is not None}
    sources = {table: _stored_upload(ws, given) for table, given in params["sources"].items()}
    rule = OccasionRule(**params["occasions"]) if params.get("occasions") else None
    extend = bool(params.get("extend"))
    stored = import_files(ws, sources, options=options, occasions=rule, extend=extend, progress=progress, **chosen)
    for given in params["sources"].values():
        for file in given if isinstance(given, list) else [given]:
            if isinstance(file, dict) and "path" in file:  # kept uploads are personal data
                Path(file["path"]).unlink(missing_ok=True)
    if not stored.nothing_new:
        prepare_pages(ws, stored.dataset_id, progress)
    return {
        "dataset_id": stored.dataset_id, "set_aside": len(stored.set_aside), "nothing_new": stored.nothing_new,
    }  # fmt: skip


def set_aside_for_excel(path: Path) -> bytes:
    """The rows set aside by an import as a CSV file that opens safely in a spreadsheet."""
    from pricing_core.pricelist.export import to_excel_csv

    return to_excel_csv(pd.read_csv(path, dtype=str, keep_default_na=False), cells_of_files=True)


def keep_uploads(ws: Workspace, files: Mapping[str, Sequence[tuple[bytes, str]]]) -> dict[str, list[dict[str, str]]]:
    """Keep uploaded files in the workspace until a job has imported them, so that no refresh or crash loses them.

    Parameters
    ----------
    files
        Table → its files: (content, the user's file name) each; several are one table.

    Returns
    -------
    dict
        Table → list of ``{"path", "name"}``, as the import job takes them.
    """
    folder = ws.root / "uploads"
    folder.mkdir(mode=0o700, exist_ok=True)
    kept: dict[str, list[dict[str, str]]] = {table: [] for table in files}
    for table, parts in files.items():
        for content, name in parts:
            path = folder / f"{hashlib.sha256(content).hexdigest()[:24]}.bin"
            draft = draft_path(path)
            draft.write_bytes(content)
            os.replace(draft, path)
            kept[table].append({"path": str(path), "name": name})
    return kept


def _stored_upload(ws: Workspace, given: Any) -> Any:
    """A path, or several.

    ``{"path": …, "name": …}`` is a file kept under another name than the user's, and ``{"incoming": name}`` a file of
    the server's folder for large files.
    """
    if isinstance(given, list):
        return [_stored_upload(ws, file) for file in given]
    if isinstance(given, dict) and "incoming" in given:
        return incoming.incoming_path(ws, str(given["incoming"]))
    if isinstance(given, dict):
        return NamedPath(Path(given["path"]), str(given["name"]))
    return Path(given)
