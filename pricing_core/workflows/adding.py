"""Add imported rows to an earlier version: one set of tables, judged as a whole, and what is known of all its files."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Hashable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from pricing_core.data import quality
from pricing_core.data.importing import ImportBlocked
from pricing_core.data.quality import Finding, QualityReport
from pricing_core.data.whole_tables import whole_findings
from pricing_core.engines.extending import Extended, Extension, extend_files
from pricing_core.engines.importing import STREAMED, FilesOutcome, ImportRequest
from pricing_core.engines.limits import limits_from_environment
from pricing_core.engines.stored import present_tables
from pricing_core.engines.stored_rows import is_large_folder, stored_findings
from pricing_core.progress import Progress, SubProgress
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace

ORIGIN: Final = "imported_in"
"""Column of the rows set aside: the earlier version whose files held the row."""

STAND_TWICE: Final = "holds with other values: both are kept"
"""Words of the finding that offers stand twice; a repair may set one of them aside."""

_UNNAMED: Final = "my shop"  # the name that an import has unless the user gives one

_OF_FILE: Final = ("row_number", "file", "reason", ORIGIN)
_EFFECT: Final = (
    "Rows that are known are not counted twice. What is said of the cells and rows of files is about these files, "
    "or about those of the version that is named; everything else is about all rows together."
)


def extended(
    ws: Workspace, base: str, draft: Path, outcome: FilesOutcome, request: ImportRequest, progress: Progress
) -> tuple[FilesOutcome, str]:
    """Put the rows of version ``base`` before those of the draft that it does not hold, and judge all of them.

    Returns
    -------
    FilesOutcome, str
        Outcome of all rows; and empty words. Where the version holds all rows of the files already: the outcome of the
        files, and words that say so; then there is nothing to store.

    Raises
    ------
    DataError
        If the rows cannot stand in one table.
    ImportBlocked
        If no prices can come from all rows together; carries what was found.
    """
    progress.stage("Adding", 0.95, f"Looking for rows that version {base} holds already")
    before = datasets.load_manifest(ws, base)
    assumed = before.margin_assumption if request.margin_assumption is None else request.margin_assumption
    work = ws.new_temp_dir("extend")
    try:
        for folder in ("rows", "checks"):
            (work / folder).mkdir()
        added = extend_files(datasets.folder_of(ws, base), draft, work / "rows", limits_from_environment(), progress)
        if not any(each.new or each.replaced for each in added.tables):
            return _nothing_new(ws, base, added, outcome)
        found, margin = _judged(draft, work / "checks", request, assumed, progress)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    earlier = _Earlier(ws, base, added)
    set_aside, counts = earlier.join(outcome)
    listed = [_finding(base, each, outcome.report) for each in added.tables]
    listed += [_doubled(base, each, outcome) for each in added.tables if each.doubled]
    report = QualityReport((*listed, *outcome.report.findings, *found, *earlier.findings()), *counts)
    if report.blocking:
        raise ImportBlocked(quality.blocking_message(report.blocking, outcome.set_aside), report, set_aside)
    data_hash = outcome.manifest.data_hash
    if not added.whole:  # the files of both versions tell what the new one holds
        data_hash = hashlib.sha256(f"{before.data_hash} extended by {data_hash}".encode()).hexdigest()
    name = before.name if request.name.casefold() == _UNNAMED else request.name
    manifest = replace(outcome.manifest, name=name, extends=base, data_hash=data_hash, margin_assumption=margin)
    return replace(outcome, rows=added.rows, manifest=manifest, report=report, set_aside=set_aside), ""


def _nothing_new(ws: Workspace, base: str, added: Extended, outcome: FilesOutcome) -> tuple[FilesOutcome, str]:
    """Outcome of files whose rows the version holds already, and what to say of it."""
    held = " and ".join(f"{each.known:,} {each.table}" for each in added.tables)
    in_use = datasets.latest_dataset_id(ws)
    nothing = f"Nothing is new: version {base} holds all {held} of these files. No new version was made"
    words = f"{nothing}; {in_use} stays in use, with its name and its choices."
    finding = Finding("info", "offers", "", 0, (), words, "None: the data are as they were.", scope="tables")
    report = replace(outcome.report, findings=(finding, *outcome.report.findings))
    return replace(outcome, report=report), words


def _judged(
    draft: Path, work: Path, request: ImportRequest, margin: float | None, progress: Progress
) -> tuple[list[Finding], float | None]:
    """Findings about all rows of the tables, by the path that fits their size."""
    progress.stage("Checking", 0.96, "Looking at the data as a whole")
    limits, outliers = limits_from_environment(), request.options.outliers != "keep"
    large = is_large_folder(draft, limits)
    tables = {table: datasets.read_parquet(draft / f"{table}.parquet")
              for table in present_tables(draft) if not (large and table in STREAMED)}  # fmt: skip
    if large:
        within = SubProgress(progress, 0.95, 0.98)
        return stored_findings(draft, tables, work, limits, within, currency=request.currency,
                               margin_assumption=margin, outliers=outliers)  # fmt: skip
    return whole_findings(tables, {}, currency=request.currency, margin_assumption=margin, outliers=outliers)


class _Earlier:
    """What is known of the files of the earlier version."""

    def __init__(self, ws: Workspace, base: str, added: Extended) -> None:
        self.base, self.added = base, added
        self.quality = datasets.load_quality(ws, base)
        self.counts = datasets.load_counts(ws, base).set_index("table")
        path = datasets.set_aside_path(ws, base)
        self.aside = pd.read_csv(path, dtype=str, keep_default_na=False)
        if ORIGIN not in self.aside:
            self.aside[ORIGIN] = ""
        self.aside[ORIGIN] = self.aside[ORIGIN].replace("", base)
        self.superseded: set[str] = set()

    def join(self, outcome: FilesOutcome) -> tuple[pd.DataFrame, tuple[dict[str, int], dict[str, int], dict[str, int]]]:
        """Rows set aside from all files, each once, and the counts: rows in, kept, set aside, of all files."""
        new = outcome.set_aside.astype("str")
        again = _held(self.aside, new)
        rest = self.aside[~again]
        left = set(rest["table"])
        self.superseded = {each.table for each in self.added.tables if each.whole and each.table not in left}
        kept = dict(self.added.rows)
        aside = {}
        for table in kept:
            listed = int((self.aside["table"] == table).sum())
            before = int(self.counts["rows_set_aside"].get(table, listed))
            dropped = int((again & (self.aside["table"] == table)).sum())
            aside[table] = before - dropped + outcome.report.rows_set_aside.get(table, 0)
        counts = {table: kept[table] + aside[table] for table in kept}, kept, aside
        if rest.empty:
            return outcome.set_aside, counts
        joined = pd.concat([rest, new], ignore_index=True).fillna("")
        first = [column for column in ("table", "file", "row_number", "reason", ORIGIN) if column in joined]
        return joined[[*first, *(column for column in joined if column not in first)]], counts

    def findings(self) -> list[Finding]:
        """What was found in the rows of the earlier files one by one, said of that version."""
        found = self.quality
        repair = found.get("repair", pd.Series("", index=found.index)).fillna("")
        scope = found.get("scope", pd.Series("", index=found.index)).fillna("")
        # Versions from before the scope was kept: findings that name rows are about rows.
        single = (scope == "rows") | ((scope == "") & (found["rows"] != ""))
        mine = found[single & (repair == "") & ~found["table"].isin(self.superseded)]
        return [self._carried(row) for row in mine.to_dict("records")]

    def _carried(self, row: Mapping[Hashable, Any]) -> Finding:
        message = str(row["message"])
        labelled = message if re.match(r"In d\d+: ", message) else f"In {self.base}: {message}"
        rows = tuple(int(number) for number in str(row["rows"]).removesuffix(" …").split(", ") if number.isdigit())
        return Finding(row["severity"], row["table"], row["column"], int(row["count"]), rows, labelled, row["effect"])


def _held(earlier: pd.DataFrame, new: pd.DataFrame) -> pd.Series:
    """Which rows set aside earlier were given again: same table and cells, as often as both have them."""
    shared = [column for column in earlier if column not in _OF_FILE]
    if earlier.empty or new.empty or any(column not in new for column in shared if (earlier[column] != "").any()):
        return pd.Series(False, index=earlier.index)
    sides = []
    columns = list(dict.fromkeys([*shared, *(column for column in new if column not in _OF_FILE)]))
    for frame in (earlier, new):
        cells = frame.reindex(columns=columns, fill_value="")
        mark = pd.util.hash_pandas_object(cells.astype(str), index=False)
        sides.append(pd.DataFrame({"mark": mark, "n": mark.groupby(mark).cumcount()}))
    both = pd.MultiIndex.from_frame(sides[0]).isin(pd.MultiIndex.from_frame(sides[1]))
    return pd.Series(both, index=earlier.index)


def _finding(base: str, added: Extension, files: QualityReport) -> Finding:
    """Say what was added, and where the rows of the files alone went; the version counts those of all its files."""
    given = added.known + added.new
    message = f"{added.known:,} of {given:,} rows were in version {base} already; {added.new:,} are new. "
    if added.replaced:
        message += f"{added.replaced:,} of them took the place of an older row. "
    rows_in, aside = files.rows_in[added.table], files.rows_set_aside[added.table]
    message += f"These files alone: {rows_in:,} rows in = {given:,} kept + {aside:,} set aside. "
    message += f"Together they are {added.rows:,} rows."
    return Finding("info", added.table, "", added.new, (), message, _EFFECT, scope="tables")


def _doubled(base: str, added: Extension, outcome: FilesOutcome) -> Finding:
    """Warn of offers that stand twice, as an earlier export said and as this one does."""
    numbers: tuple[int, ...] = ()
    if outcome.numbers is not None:
        numbers = tuple(int(number) for number in outcome.numbers(np.array(added.doubled_at, dtype=np.int64)))
    one = added.doubled == 1
    message = (
        f"{added.doubled:,} {'offer of the file has' if one else 'offers of the file have'} the customer, product and "
        f"time of an offer that version {base} {STAND_TWICE}."
    )
    effect = (
        f"{'It counts' if one else 'Each of them counts'} twice, once with the old and once with the new values, so "
        "that the prices also learn from the old ones. If this file corrects the earlier one, import it on its own, "
        "without adding it to the data in use."
    )
    return Finding("warning", added.table, "", added.doubled, numbers, message, effect)
