"""What the streamed imports of offers and of orders share: what is asked, read and set aside, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pricing_core.data.clean import clean_table
from pricing_core.data.dataset import DatasetManifest
from pricing_core.data.exclusions import check_excluded
from pricing_core.data.fingerprints import column_hash, hash_columns
from pricing_core.data.importing import ImportBlocked, KeptNumbers, Pseudonymize, Sources
from pricing_core.data.options import CleaningOptions
from pricing_core.data.quality import Finding, QualityReport, blocking_message
from pricing_core.data.read import RawTable, read_raw
from pricing_core.data.settling import Recall, settle_mapping
from pricing_core.data.worksheet import Worksheet
from pricing_core.engines.head_start import HeadStart
from pricing_core.engines.limits import Limits
from pricing_core.engines.rules import Rows
from pricing_core.engines.session import Session
from pricing_core.engines.sheet import LargeSheet
from pricing_core.progress import Progress


@dataclass(frozen=True)
class ImportRequest:
    """What was asked for; as the arguments of :func:`pricing_core.data.importing.import_tables`.

    ``begun`` may have read the first rows of the offers already.
    """

    mapping: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    options: CleaningOptions = field(default_factory=CleaningOptions)
    name: str = "my shop"
    source: str = ""
    currency: str = "USD"
    margin_assumption: float | None = None
    excluded: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    pseudonymize: Pseudonymize | None = None
    recall: Recall | None = None
    whole: bool = True
    begun: HeadStart | None = None


@dataclass(frozen=True, eq=False)
class FilesOutcome:
    """Result of an import whose tables are Parquet files of a folder.

    Attributes
    ----------
    rows
        Table → number of rows in its file ``<table>.parquet``.
    manifest
        With the fingerprint of the content.
    report, set_aside, columns, numbers
        As in :class:`pricing_core.data.importing.ImportOutcome`.
    """

    rows: dict[str, int]
    manifest: DatasetManifest
    report: QualityReport
    set_aside: pd.DataFrame
    columns: dict[str, list[str]]
    numbers: KeptNumbers | None = None


class LargeRun:
    """One import on its way: the tables read so far, by name."""

    def __init__(
        self,
        sources: Sources,
        work: Path,
        request: ImportRequest,
        limits: Limits,
        session: Session,
        progress: Progress,
    ) -> None:
        self.sources, self.work, self.request, self.limits = sources, work, request, limits
        self.session, self.progress = session, progress
        self.mapping: dict[str, dict[str, str]] = {}
        self.names: dict[str, str] = {}
        self.columns: dict[str, list[str]] = {}
        self.large: dict[str, Rows] = {}
        self.sheets: dict[str, LargeSheet | Worksheet] = {}

    def read_small(self, table: str, at: float) -> None:
        """Read and clean a table as a whole."""
        self.session.stage("Reading", at, f"Reading {table}")
        raw: RawTable = read_raw(self.sources[table])  # type: ignore[arg-type]
        columns = self.columns[table] = list(raw.frame.columns)
        request, name = self.request, self.names[table]
        mapping = self.mapping[table] = settle_mapping(table, columns, request.mapping, request.recall, name)
        self.sheets[table] = clean_table(table, raw, mapping, request.options)

    def frames(self) -> dict[str, pd.DataFrame]:
        """What is kept of the tables that were read whole."""
        return {table: sheet.kept()[0] for table, sheet in self.sheets.items() if isinstance(sheet, Worksheet)}

    def exclusions(self, frames: Mapping[str, pd.DataFrame]) -> dict[str, str]:
        """Columns that must not become features, and why."""
        shapes = {table: pd.DataFrame(columns=list(rows.columns)) for table, rows in self.large.items()}
        return check_excluded(dict(self.request.excluded), {**shapes, **frames}, self.mapping)

    def findings(self) -> list[Finding]:
        """What reading and cleaning found, in the order of the tables."""
        return [finding for table in self.mapping for finding in self.sheets[table].findings]

    def report(self, findings: list[Finding]) -> QualityReport:
        """Findings, and rows in, kept and set aside by table."""
        total, rejected, malformed = {}, {}, {}
        for table in self.mapping:
            sheet = self.sheets[table]
            malformed[table] = len(sheet.raw.malformed)
            if isinstance(sheet, LargeSheet):
                total[table], rejected[table] = sheet.spool.rows, len(sheet.rejected)
            else:
                total[table], rejected[table] = len(sheet.frame), int(sheet.rejected.sum())
        return QualityReport(
            findings=tuple(findings),
            rows_in={table: total[table] + malformed[table] for table in total},
            rows_kept={table: total[table] - rejected[table] for table in total},
            rows_set_aside={table: rejected[table] + malformed[table] for table in total},
        )

    def set_aside(self) -> pd.DataFrame:
        """Rows set aside, of all tables, as the files have them."""
        frames = [self.sheets[table].set_aside_frame() for table in self.mapping]
        stacked = pd.concat(frames, ignore_index=True)
        return stacked.astype("object").where(stacked.notna(), "")

    def blocked(self, findings: list[Finding]) -> ImportBlocked:
        """Error that says why nothing can be imported."""
        report, set_aside = self.report(findings), self.set_aside()
        return ImportBlocked(blocking_message(report.blocking, set_aside), report, set_aside)

    def manifest(
        self,
        margin: float | None,
        excluded: dict[str, str],
        written: dict[str, int],
        hashes: dict[str, dict[str, str]],
    ) -> DatasetManifest:
        """Account of what was asked for and read."""
        request = self.request
        return DatasetManifest(
            name=request.name,
            source=request.source or ", ".join(self.names.values()),
            currency=request.currency,
            margin_assumption=margin,
            excluded=excluded,
            pseudonymized=request.pseudonymize is not None,
            mapping=self.mapping,
            note=request.note,
            data_hash=hash_columns(written, hashes),
        )


def write_frame(frame: pd.DataFrame, path: Path) -> tuple[int, dict[str, str]]:
    """Write a table that was read whole; returns its number of rows, and the hash of each column."""
    frame.to_parquet(path, engine="pyarrow", index=False)
    return len(frame), {str(column): column_hash(frame[column]) for column in frame}
