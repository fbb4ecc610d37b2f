"""The way in for large files: the same tables, findings and rows set aside as :mod:`pricing_core.data.importing`."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd

from pricing_core import schema
from pricing_core.data.clean import clean_table
from pricing_core.data.dataset import DatasetManifest, check_margin
from pricing_core.data.exclusions import check_excluded
from pricing_core.data.fingerprints import column_hash, hash_columns
from pricing_core.data.importing import ImportBlocked, KeptNumbers, Pseudonymize, Sources
from pricing_core.data.options import CleaningOptions
from pricing_core.data.quality import Finding, QualityReport, blocking_message
from pricing_core.data.read import RawTable, read_raw, source_name
from pricing_core.data.settling import Recall, check_tables, settle_mapping
from pricing_core.data.validate import table_schema, validate_table
from pricing_core.data.worksheet import Worksheet
from pricing_core.engines.checks import whole_findings
from pricing_core.engines.files import plain_files, unpacked_bytes
from pricing_core.engines.held import HeldRows
from pricing_core.engines.ingest import ingest
from pricing_core.engines.limits import Limits
from pricing_core.engines.reading import NotStreamable, Reader
from pricing_core.engines.rules import Rows, apply_rules
from pricing_core.engines.session import Session
from pricing_core.engines.sheet import LargeSheet
from pricing_core.engines.text_blocks import OtherEncoding
from pricing_core.engines.typed import create_table, type_columns
from pricing_core.engines.writing import pseudonymize, validate, write_parquet
from pricing_core.progress import Progress

STREAMED: Final = ("offers", "customers", "events")
"""Tables that grow with the shop's customers; the others are read whole."""

__all__ = ["FilesOutcome", "ImportRequest", "NotStreamable", "import_large", "is_large"]


@dataclass(frozen=True)
class ImportRequest:
    """What was asked for; as the arguments of :func:`pricing_core.data.importing.import_tables`."""

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


def is_large(sources: Sources, limits: Limits) -> bool:
    """Whether one of the tables is too large to be read whole, and all can be streamed."""
    streamed = [given for table, given in sources.items() if table in STREAMED]
    if "offers" not in sources or "orders" in sources or any(isinstance(given, pd.DataFrame) for given in streamed):
        return False
    sizes = [unpacked_bytes(given) for given in streamed]  # type: ignore[arg-type]
    known = [size for size in sizes if size is not None]
    return len(known) == len(sizes) and max(known) >= limits.large_bytes


def import_large(
    sources: Sources,
    target: Path,
    work: Path,
    request: ImportRequest,
    limits: Limits,
    progress: Progress,
) -> FilesOutcome:
    """Read, map, clean, check and pseudonymize the tables of a shop, and write them to ``target``.

    Parameters
    ----------
    sources
        Table → path or ``(content, file name)``, or several of these; ``offers`` is required.
    target
        Folder for the Parquet files.
    work
        Empty folder for what is needed meanwhile; its content is removed.
    request
        What was asked for.
    limits
        Memory, processors, and sizes of pieces.
    progress
        Receives the stages, and may stop the import between two blocks or within a query.

    Raises
    ------
    FileReadError, MappingError, ImportBlocked
        As the import of small files does.
    NotStreamable
        If the files can only be read as a whole.
    WorkspaceError
        If the disk is full.
    """
    check_margin(request.margin_assumption)
    check_tables([*sources, *request.mapping], sources)
    (work / "files").mkdir()
    threading.Thread(target=table_schema, args=("offers",)).start()  # loads its library while the files are read
    with closing(Session(work, limits, progress)) as session:
        run = _Run(sources, work, request, limits, session, progress)
        run.read()
        outcome = run.finish(target)
    for entry in work.iterdir():
        shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink()
    return outcome


class _Run:
    """One import on its way."""

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
        self.small: dict[str, Worksheet] = {}

    def read(self) -> None:
        """Read and clean every table: the large ones block by block, the others whole."""
        tables = [table for table in schema.SOURCES if table in self.sources]
        self.session.stage("Reading", 0.0, "Looking at the files")
        readers = {table: self._open(table) for table in tables if table in STREAMED}
        share = 0.4 / len(readers)
        for position, table in enumerate(tables):
            at = share * position
            self.names[table] = source_name(self.sources[table])  # type: ignore[arg-type]
            if table in readers:
                self._read_large(table, readers[table], at, at + share)
            else:
                self._read_small(table, at)

    def finish(self, target: Path) -> FilesOutcome:
        """Judge the tables as a whole, and write what is left of them."""
        frames = {table: sheet.kept()[0] for table, sheet in self.small.items()}
        exclusions = check_excluded(dict(self.request.excluded), self._shapes(frames), self.mapping)
        self.session.stage("Checking", 0.7, "Looking at the data as a whole")
        findings = [finding for table in self.mapping for finding in self._sheet(table).findings]
        whole, margin = self._whole(frames)
        report = self._report([*findings, *whole])
        self.session.look()
        set_aside = self._set_aside()
        if report.blocking:
            raise ImportBlocked(blocking_message(report.blocking, set_aside), report, set_aside)
        for rows in self.large.values():
            self.session.look()
            validate(rows)
        for table, frame in frames.items():
            validate_table(table, frame)
        if self.request.pseudonymize is not None:
            for rows in self.large.values():
                self.session.look()
                pseudonymize(rows, self.request.pseudonymize)
        written, hashes = self._write(target, frames)
        manifest = DatasetManifest(
            name=self.request.name,
            source=self.request.source or ", ".join(self.names.values()),
            currency=self.request.currency,
            margin_assumption=margin,
            excluded=exclusions,
            pseudonymized=self.request.pseudonymize is not None,
            mapping=self.mapping,
            note=self.request.note,
            data_hash=hash_columns(written, hashes),
        )
        numbers = partial(self.large["offers"].sheet.raw.numbers.of_kept, self.large["offers"].sheet.rejected)
        return FilesOutcome(written, manifest, report, set_aside, self.columns, numbers)

    def _whole(self, frames: dict[str, pd.DataFrame]) -> tuple[list[Finding], float | None]:
        request = self.request
        if not request.whole and self.large["offers"].kept_rows():
            return [], request.margin_assumption
        return whole_findings(
            self.large, frames, currency=request.currency, margin_assumption=request.margin_assumption,
            outliers=request.options.outliers != "keep",
        )  # fmt: skip

    def _open(self, table: str) -> Reader:
        files = plain_files(self.sources[table], self.work / "files", self.progress)  # type: ignore[arg-type]
        return Reader(files, self.limits.block_bytes, whole=False)

    def _read_large(self, table: str, reader: Reader, start: float, end: float) -> None:
        request = self.request
        mapping = settle_mapping(table, reader.raw.columns, request.mapping, request.recall, self.names[table])
        self.mapping[table] = mapping
        half = start + (end - start) * 0.8
        try:
            sheet = ingest(table, reader, mapping, self.work / table, request.options, self.limits, self.progress,
                           (start, half), self._free_bytes())  # fmt: skip
        except OtherEncoding:
            shutil.rmtree(self.work / table)
            return self._read_large(table, Reader(reader.files, self.limits.block_bytes), start, end)
        self.columns[table] = [column.name for column in sheet.columns if column.name not in sheet.hidden]
        self.session.stage("Cleaning", half, f"Reading the cells of {table}")
        columns = type_columns(sheet, mapping, request.options)
        held = sheet.spool.held and request.options.missing_numeric != "median"  # gaps are filled in the database
        if not held:
            create_table(self.session, sheet, columns, (half, end))
        rows = self.large[table] = (HeldRows if held else Rows)(self.session, sheet, columns, self.limits)
        self.session.stage("Cleaning", end, f"Looking for duplicates and gaps in {table}")
        apply_rules(rows, request.options)

    def _free_bytes(self) -> int:
        return self.limits.held_bytes - sum(rows.sheet.spool.held_bytes for rows in self.large.values())

    def _read_small(self, table: str, at: float) -> None:
        self.session.stage("Reading", at, f"Reading {table}")
        raw: RawTable = read_raw(self.sources[table])  # type: ignore[arg-type]
        columns = self.columns[table] = list(raw.frame.columns)
        request, name = self.request, self.names[table]
        mapping = self.mapping[table] = settle_mapping(table, columns, request.mapping, request.recall, name)
        self.small[table] = clean_table(table, raw, mapping, request.options)

    def _sheet(self, table: str) -> LargeSheet | Worksheet:
        return self.large[table].sheet if table in self.large else self.small[table]

    def _shapes(self, frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        shapes = {table: pd.DataFrame(columns=list(rows.columns)) for table, rows in self.large.items()}
        return {**shapes, **frames}

    def _report(self, findings: list[Finding]) -> QualityReport:
        total, rejected, malformed = {}, {}, {}
        for table in self.mapping:
            sheet = self._sheet(table)
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

    def _set_aside(self) -> pd.DataFrame:
        frames = [self._sheet(table).set_aside_frame() for table in self.mapping]
        stacked = pd.concat(frames, ignore_index=True)
        return stacked.astype("object").where(stacked.notna(), "")

    def _write(self, target: Path, frames: dict[str, pd.DataFrame]) -> tuple[dict[str, int], dict[str, dict[str, str]]]:
        """Write the tables; returns how many rows each has, and the hash of each column."""
        written: dict[str, int] = {}
        hashes: dict[str, dict[str, str]] = {}
        for table in schema.TABLES:
            path = target / f"{table}.parquet"
            if table in self.large:
                written[table], hashes[table] = write_parquet(self.large[table], path, (0.8, 0.95))
            elif table in frames:
                frame = frames[table]
                frame.to_parquet(path, engine="pyarrow", index=False)
                written[table] = len(frame)
                hashes[table] = {str(column): column_hash(frame[column]) for column in frame}
        return written, hashes
