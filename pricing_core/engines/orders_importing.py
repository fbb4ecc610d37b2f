"""The way in for large files of orders: read in pieces, and made choice occasions of in the database."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd

from pricing_core import schema
from pricing_core.data import quality
from pricing_core.data.dataset import check_margin
from pricing_core.data.importing import Sources
from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.data.quality import Finding
from pricing_core.data.read import source_name
from pricing_core.data.settling import check_tables, settle_mapping
from pricing_core.data.validate import validate_table
from pricing_core.data.whole_tables import as_whole
from pricing_core.engines.checks import whole_findings
from pricing_core.engines.files import plain_files, unpacked_bytes
from pricing_core.engines.import_run import FilesOutcome, ImportRequest, LargeRun, write_frame
from pricing_core.engines.ingest import ingest
from pricing_core.engines.limits import Limits
from pricing_core.engines.made_rows import rename_customers, write_made
from pricing_core.engines.order_lines import kept_lines, tidy_order_lines
from pricing_core.engines.orders import OrdersMade, offers_from_orders
from pricing_core.engines.reading import Reader
from pricing_core.engines.rules import Rows, apply_rules
from pricing_core.engines.session import Session
from pricing_core.engines.stored_rows import StoredRows
from pricing_core.engines.typed import create_table, type_columns
from pricing_core.engines.writing import validate, write_parquet
from pricing_core.progress import Progress

STREAMED: Final = ("orders", "customers", "events")
"""Tables that grow with the shop's customers; the others are read whole."""

LARGE_SHARE: Final = 1 / 3
"""Orders are streamed from this share of the size at which offers are: making occasions in memory takes more."""


def is_large_orders(sources: Sources, limits: Limits) -> bool:
    """Whether the sources are orders of which one table is too large to be worked on whole, and all can be streamed."""
    streamed = [given for table, given in sources.items() if table in STREAMED]
    if "orders" not in sources or "offers" in sources or any(isinstance(given, pd.DataFrame) for given in streamed):
        return False
    sizes = [unpacked_bytes(given) for given in streamed]  # type: ignore[arg-type]
    known = [size for size in sizes if size is not None]
    return len(known) == len(sizes) and max(known) >= LARGE_SHARE * limits.large_bytes


def import_large_orders(
    sources: Sources,
    target: Path,
    work: Path,
    request: ImportRequest,
    rule: OccasionRule,
    limits: Limits,
    progress: Progress,
) -> FilesOutcome:
    """Read, map and clean orders and the other tables, make occasions, check, and write them to ``target``.

    Parameters and errors are those of :func:`pricing_core.engines.importing.import_large`; ``rule`` says how orders
    become occasions. Tables, findings and rows set aside are the same as of small files.

    Raises
    ------
    DataError
        If no occasion can be built.
    """
    check_margin(request.margin_assumption)
    check_tables([*sources, *request.mapping], sources)
    (work / "files").mkdir()
    with closing(Session(work, limits, progress)) as session:
        run = _Run(sources, work, request, limits, session, progress)
        run.read()
        outcome = run.finish(target, rule)
    for entry in work.iterdir():
        shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink()
    return outcome


class _Run(LargeRun):
    """One import on its way."""

    def read(self) -> None:
        """Read and clean every table: the large ones block by block, the others whole."""
        tables = [table for table in schema.SOURCES if table in self.sources]
        readers = {}
        for table in tables:
            if table in STREAMED:
                files = plain_files(self.sources[table], self.work / "files", self.progress)  # type: ignore[arg-type]
                readers[table] = Reader(files, self.limits.block_bytes)
        for place, table in enumerate(tables):
            start, end = 0.4 * place / len(tables), 0.4 * (place + 1) / len(tables)
            self.names[table] = source_name(self.sources[table])  # type: ignore[arg-type]
            if table in readers:
                self._read_large(table, readers[table], start, end)
            else:
                self.read_small(table, start)

    def finish(self, target: Path, rule: OccasionRule) -> FilesOutcome:
        """Make occasions, judge the tables as a whole, and write them."""
        frames, findings = self.frames(), self.findings()
        exclusions = self.exclusions(frames)
        made = self._made(frames, rule)
        if made is None:
            raise self.blocked([*findings, *as_whole(quality.check_offers(pd.DataFrame()))])
        if made.products is not None:
            frames["products"] = made.products
        whole, margin = self._whole(made, frames)
        findings = [*made.findings, *findings, *whole]
        report = self.report(findings)
        if report.blocking:
            raise self.blocked(findings)
        written, hashes = self._write(target, frames, made)
        manifest = self.manifest(margin, {**exclusions, **made.excluded}, written, hashes)
        manifest = replace(manifest, evidence=made.evidence)
        return FilesOutcome(written, manifest, report, self.set_aside(), self.columns)

    def _made(self, frames: dict[str, pd.DataFrame], rule: OccasionRule) -> OrdersMade | None:
        """Occasions and what else comes of the orders; None where no order line is left."""
        orders = self.large["orders"]
        (count,) = self.session.row(f"SELECT count(*) FROM {kept_lines(orders)}")
        if not count:
            return None
        return offers_from_orders(orders, frames.get("products"), self.large.get("events"), rule)

    def _whole(self, made: OrdersMade, frames: dict[str, pd.DataFrame]) -> tuple[list[Finding], float | None]:
        self.session.stage("Checking", 0.9, "Looking at the data as a whole")
        tables: dict[str, Rows] = {"offers": made.offers, "events": made.events}
        if "customers" in self.large:
            tables["customers"] = self.large["customers"]
        return whole_findings(
            tables, frames, currency=self.request.currency, margin_assumption=self.request.margin_assumption,
            outliers=self.request.options.outliers != "keep",
        )  # fmt: skip

    def _read_large(self, table: str, reader: Reader, start: float, end: float) -> None:
        request = self.request
        mapping = settle_mapping(table, reader.raw.columns, request.mapping, request.recall, self.names[table])
        self.mapping[table] = mapping
        half = start + (end - start) * 0.8
        sheet = ingest(table, reader, mapping, self.work / table, request.options, self.limits, self.progress,
                       (start, half))  # fmt: skip
        self.sheets[table] = sheet
        self.columns[table] = [column.name for column in sheet.columns if column.name not in sheet.hidden]
        self.session.stage("Cleaning", half, f"Reading the cells of {table}")
        columns = type_columns(sheet, mapping, request.options)
        create_table(self.session, sheet, columns, (half, end))
        rows = self.large[table] = Rows(self.session, sheet, columns, self.limits)
        self.session.stage("Cleaning", end, f"Looking for duplicates and gaps in {table}")
        apply_rules(rows, request.options)
        if table == "orders":
            tidy_order_lines(rows)

    def _write(
        self, target: Path, frames: dict[str, pd.DataFrame], made: OrdersMade
    ) -> tuple[dict[str, int], dict[str, dict[str, str]]]:
        """Check, rename and write the tables; returns how many rows each has, and the hash of each column."""
        tables: dict[str, Rows] = {"offers": made.offers, "events": made.events}
        if "customers" in self.large:
            tables["customers"] = self.large["customers"]
        written: dict[str, int] = {}
        hashes: dict[str, dict[str, str]] = {}
        for table in schema.TABLES:
            path = target / f"{table}.parquet"
            if table in tables:
                rows = tables[table]
                if self.request.pseudonymize is not None and "customer_id" in rows.columns:
                    rename_customers(rows, self.request.pseudonymize)
                if isinstance(rows, StoredRows):
                    written[table], hashes[table] = write_made(rows, table, path, (0.92, 0.97))
                else:
                    validate(rows)
                    report = partial(self._stored, table)
                    written[table], hashes[table] = write_parquet(rows, path, report)
            elif table in frames:
                frame = frames[table]
                validate_table(table, frame)
                written[table], hashes[table] = write_frame(frame, path)
        return written, hashes

    def _stored(self, table: str, rows: int, of: int) -> None:
        self.session.stage("Storing", 0.92 + 0.05 * rows / max(1, of), f"{table}: {rows:,} rows")
