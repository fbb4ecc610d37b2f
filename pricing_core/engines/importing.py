"""The way in for large files: the same tables, findings and rows set aside as :mod:`pricing_core.data.importing`."""

from __future__ import annotations

import shutil
import threading
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd

from pricing_core import schema
from pricing_core.data.dataset import check_margin
from pricing_core.data.importing import Sources
from pricing_core.data.quality import Finding
from pricing_core.data.read import source_name
from pricing_core.data.settling import check_tables, settle_mapping
from pricing_core.data.validate import get_ready, validate_table
from pricing_core.engines.checks import whole_findings
from pricing_core.engines.files import plain_files, unpacked_bytes
from pricing_core.engines.held import HeldRows
from pricing_core.engines.import_run import FilesOutcome, ImportRequest, LargeRun
from pricing_core.engines.ingest import ingest
from pricing_core.engines.limits import Limits
from pricing_core.engines.reading import NotStreamable, Reader
from pricing_core.engines.rules import Rows, apply_rules
from pricing_core.engines.session import Session
from pricing_core.engines.storing import Storing
from pricing_core.engines.text_blocks import OtherEncoding
from pricing_core.engines.typed import create_table, type_columns
from pricing_core.engines.writing import validate
from pricing_core.progress import Progress

STREAMED: Final = ("offers", "customers", "events")
"""Tables that grow with the shop's customers; the others are read whole."""

__all__ = ["FilesOutcome", "ImportRequest", "NotStreamable", "import_large", "is_large"]


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
    threading.Thread(target=get_ready, args=("offers",)).start()  # while the first rows are read
    with closing(Session(work, limits, progress)) as session:
        run = _Run(sources, work, request, limits, session, progress)
        run.read()
        outcome = run.finish(target)
    for entry in work.iterdir():
        shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink()
    return outcome


class _Run(LargeRun):
    """One import on its way."""

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
                self.read_small(table, at)

    def finish(self, target: Path) -> FilesOutcome:
        """Judge the tables as a whole, and write what is left of them."""
        frames = self.frames()
        exclusions = self.exclusions(frames)
        with Storing(self.large, frames, target, self.request.pseudonymize) as storing:
            if self.limits.threads > 1 and all(isinstance(rows, HeldRows) for rows in self.large.values()):
                storing.begin()
            self.session.stage("Checking", 0.7, "Looking at the data as a whole")
            findings = self.findings()
            whole, margin = self._whole(frames)
            report = self.report([*findings, *whole])
            self.session.look()
            if report.blocking:
                raise self.blocked([*findings, *whole])
            set_aside = self.set_aside()
            for rows in self.large.values():
                self.session.look()
                validate(rows)
            for table, frame in frames.items():
                validate_table(table, frame)
            written, hashes = storing.finish(self.session, (0.8, 0.95))
        manifest = self.manifest(margin, exclusions, written, hashes)
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
        begun = self.request.begun.reader(self.sources[table]) if self.request.begun else None  # type: ignore[arg-type]
        if begun is not None:
            return begun
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
        self.sheets[table] = sheet
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
