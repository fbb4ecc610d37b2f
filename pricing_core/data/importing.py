"""The way in: files or frames of a shop become one data set and a quality report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core import schema
from pricing_core.data import quality
from pricing_core.data.clean import clean_table
from pricing_core.data.dataset import Dataset, DatasetManifest, check_currency, check_margin
from pricing_core.data.exclusions import check_excluded
from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.data.options import CleaningOptions
from pricing_core.data.order_lines import tidy_order_lines
from pricing_core.data.orders import offers_from_orders
from pricing_core.data.quality import QualityReport
from pricing_core.data.read import RawTable, Source, from_frame, read_raw, source_name
from pricing_core.data.settling import Recall, check_tables, settle_mapping
from pricing_core.data.validate import validate_table
from pricing_core.data.whole_tables import whole_findings
from pricing_core.data.worksheet import Worksheet
from pricing_core.errors import DataError
from pricing_core.progress import Progress, SilentProgress

Sources = Mapping[str, Source | pd.DataFrame]
Pseudonymize = Callable[[pd.Series], pd.Series]
KeptNumbers = Callable[[NDArray[np.int64]], NDArray[np.int64]]
"""Numbers, in their file, of offers by their place among those that are kept."""


@dataclass(frozen=True)
class ImportOutcome:
    """Result of an import.

    Attributes
    ----------
    dataset
        Canonical tables and manifest.
    report
        Findings and row counts.
    set_aside
        Rows that were not used: ``table, row_number, reason`` and the original cells as text;
        ``row_number`` is the row as a spreadsheet shows it.
    columns
        Table → columns of the file that it was read from.
    numbers
        Place among the offers → number of the row in its file; None where the offers were built from orders.
    """

    dataset: Dataset
    report: QualityReport
    set_aside: pd.DataFrame
    columns: dict[str, list[str]]
    numbers: KeptNumbers | None = None


class ImportBlocked(DataError):
    """The data were read, but no prices can come from them; carries what was found.

    Attributes
    ----------
    report
        The quality report, with at least one blocking finding.
    set_aside
        The rows set aside, as in :class:`ImportOutcome`.
    """

    def __init__(self, message: str, report: QualityReport, set_aside: pd.DataFrame) -> None:
        """Keep what was found beside the message."""
        super().__init__(message)
        self.report = report
        self.set_aside = set_aside


@dataclass(frozen=True)
class _Request:
    """What was asked for, apart from the tables."""

    name: str
    source: str
    note: str
    options: CleaningOptions
    currency: str
    margin_assumption: float | None
    excluded: dict[str, str]
    pseudonymize: Pseudonymize | None
    occasions: OccasionRule
    whole: bool


@dataclass(frozen=True)
class _Read:
    """Tables as read, with the column of each field and the name of each file."""

    raw: dict[str, RawTable]
    mapping: dict[str, dict[str, str]]
    names: dict[str, str]


def import_tables(
    sources: Sources,
    *,
    mapping: Mapping[str, Mapping[str, str]] | None = None,
    options: CleaningOptions | None = None,
    name: str = "my shop",
    source: str = "",
    currency: str = "USD",
    margin_assumption: float | None = None,
    pseudonymize: Pseudonymize | None = None,
    excluded: Mapping[str, str] | None = None,
    note: str = "",
    occasions: OccasionRule | None = None,
    recall: Recall | None = None,
    whole: bool = True,
    progress: Progress | None = None,
) -> ImportOutcome:
    """Read, map, clean, check and pseudonymize the tables of a shop.

    Parameters
    ----------
    sources
        Table → path, ``(content, file name)`` or DataFrame; ``offers`` is required, or ``orders`` in its place.
    mapping
        Table → field → column; fields that are not named are guessed, a field mapped to ``""`` is left out.
    options
        Rules for dirty data.
    name, source, note
        Kept in the manifest; ``source`` defaults to the file names.
    currency
        ISO 4217 code of the money.
    margin_assumption
        Margin over price, in [0, 1), for products without unit cost; 0.30 if None and needed.
    pseudonymize
        Applied to ``customer_id`` of every table and of the rows set aside, after cleaning.
    excluded
        ``"table.column"`` → reason: columns that must not become features.
    occasions
        How orders become choice occasions, where there are no offers.
    recall
        Gives the mapping of an earlier import of such a file; what ``mapping`` says comes first.
    whole
        Whether these are all rows. Of rows that are added to others, only those are judged that stand by themselves.
    progress
        Receives a stage per table.

    Raises
    ------
    FileReadError
        If a file cannot be read.
    MappingError
        If a required column is missing, or a mapping or exclusion names a column that is not there.
    ImportBlocked
        If no prices can come from the data; a DataError that carries the report.
    """
    check_margin(margin_assumption)
    check_currency(currency)
    progress = progress or SilentProgress()
    request = _Request(
        name=name,
        source=source,
        note=note,
        options=options or CleaningOptions(),
        currency=currency,
        margin_assumption=margin_assumption,
        excluded=dict(excluded or {}),
        pseudonymize=pseudonymize,
        occasions=occasions or OccasionRule(),
        whole=whole,
    )
    read = _read(sources, mapping or {}, recall, progress)
    return _outcome(read, _clean(read, request.options, progress), request, progress)


def _outcome(read: _Read, sheets: dict[str, Worksheet], request: _Request, progress: Progress) -> ImportOutcome:
    tables = {table: sheet.kept()[0] for table, sheet in sheets.items()}
    exclusions = check_excluded(request.excluded, tables, read.mapping)
    built: list[quality.Finding] = []
    evidence: dict[str, Any] = {}
    if "orders" in tables and not tables["orders"].empty:
        progress.stage("Building occasions", 0.75, "From orders to what was offered and declined")
        made = offers_from_orders(tables, request.occasions, sheets["orders"].kept()[1])
        tables, built, evidence = made.tables, made.findings, made.evidence
        exclusions |= made.excluded
    elif "orders" in tables:
        tables = {"offers": pd.DataFrame(), **{name: frame for name, frame in tables.items() if name != "orders"}}
    progress.stage("Checking", 0.85, "Looking at the data as a whole")
    findings, margin = _findings(request, sheets, tables)
    findings = [*built, *findings]
    set_aside = _set_aside(sheets)
    report = _report(sheets, findings)
    if report.blocking:
        raise ImportBlocked(quality.blocking_message(report.blocking, set_aside), report, set_aside)
    for table, frame in tables.items():
        validate_table(table, frame)
        if request.pseudonymize is not None and "customer_id" in frame.columns:
            tables[table] = frame.assign(customer_id=request.pseudonymize(frame["customer_id"]))
    manifest = DatasetManifest(
        name=request.name,
        source=request.source or ", ".join(read.names.values()),
        currency=request.currency,
        margin_assumption=margin,
        excluded=exclusions,
        pseudonymized=request.pseudonymize is not None,
        mapping=read.mapping,
        note=request.note,
        evidence=evidence,
    )
    progress.stage("Checking", 1.0, f"{len(tables['offers']):,} offers ready")
    columns = {table: list(raw.frame.columns) for table, raw in read.raw.items()}
    numbers = sheets["offers"].kept()[1].take if "offers" in sheets else None
    return ImportOutcome(_dataset(tables, manifest), report, set_aside, columns, numbers)


def _dataset(tables: dict[str, pd.DataFrame], manifest: DatasetManifest) -> Dataset:
    return Dataset(
        offers=tables["offers"],
        customers=tables.get("customers"),
        products=tables.get("products"),
        market=tables.get("market"),
        events=tables.get("events"),
        manifest=manifest,
    )


def _read(
    sources: Sources, mapping: Mapping[str, Mapping[str, str]], recall: Recall | None, progress: Progress
) -> _Read:
    check_tables([*sources, *mapping], sources)
    read = _Read({}, {}, {})
    for position, table in enumerate(table for table in schema.SOURCES if table in sources):
        progress.stage("Reading", 0.4 * position / len(sources), f"Reading {table}")
        given = sources[table]
        if isinstance(given, pd.DataFrame):
            read.names[table] = f"{table} table"
            read.raw[table] = from_frame(given, read.names[table])
        else:
            read.names[table] = source_name(given)
            read.raw[table] = read_raw(given)
        columns = list(read.raw[table].frame.columns)
        read.mapping[table] = settle_mapping(table, columns, mapping, recall, read.names[table])
    return read


def _clean(read: _Read, options: CleaningOptions, progress: Progress) -> dict[str, Worksheet]:
    sheets = {}
    for position, (table, raw) in enumerate(read.raw.items()):
        progress.stage("Cleaning", 0.4 + 0.45 * position / len(read.raw), f"Cleaning {table}")
        sheets[table] = clean_table(table, raw, read.mapping[table], options)
        if table == "orders":
            tidy_order_lines(sheets[table])
    return sheets


def _findings(
    request: _Request, sheets: dict[str, Worksheet], tables: dict[str, pd.DataFrame]
) -> tuple[list[quality.Finding], float | None]:
    findings = [finding for sheet in sheets.values() for finding in sheet.findings]
    if not request.whole and not tables["offers"].empty:
        return findings, request.margin_assumption
    numbers = {table: sheet.kept()[1] for table, sheet in sheets.items()}
    whole, margin = whole_findings(
        tables, numbers, currency=request.currency, margin_assumption=request.margin_assumption,
        outliers=request.options.outliers != "keep",
    )  # fmt: skip
    return findings + whole, margin


def _report(sheets: dict[str, Worksheet], findings: list[quality.Finding]) -> QualityReport:
    malformed = {table: len(sheet.raw.malformed) for table, sheet in sheets.items()}
    rejected = {table: int(sheet.rejected.sum()) for table, sheet in sheets.items()}
    total = {table: len(sheet.frame) for table, sheet in sheets.items()}
    return QualityReport(
        findings=tuple(findings),
        rows_in={table: total[table] + malformed[table] for table in sheets},
        rows_kept={table: total[table] - rejected[table] for table in sheets},
        rows_set_aside={table: rejected[table] + malformed[table] for table in sheets},
    )


def _set_aside(sheets: dict[str, Worksheet]) -> pd.DataFrame:
    """Stack the rows set aside as the shop wrote them: whoever has to mend them must recognize them."""
    stacked = pd.concat([sheet.set_aside_frame() for sheet in sheets.values()], ignore_index=True)
    return stacked.astype("object").where(stacked.notna(), "")
