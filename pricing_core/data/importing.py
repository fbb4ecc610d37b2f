"""The way in: files or frames of a shop become one :class:`~pricing_core.data.dataset.Dataset` and a quality report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pricing_core import schema
from pricing_core.data import quality
from pricing_core.data.clean import clean_table
from pricing_core.data.dataset import Dataset, DatasetManifest, check_margin
from pricing_core.data.mapping import check_mapping, complete_mapping
from pricing_core.data.options import CleaningOptions
from pricing_core.data.quality import QualityReport
from pricing_core.data.read import RawTable, Source, from_frame, read_raw
from pricing_core.data.validate import validate_table
from pricing_core.data.worksheet import Worksheet
from pricing_core.errors import DataError, MappingError
from pricing_core.progress import Progress, SilentProgress

Sources = Mapping[str, Source | pd.DataFrame]
Pseudonymize = Callable[[pd.Series], pd.Series]


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
    """

    dataset: Dataset
    report: QualityReport
    set_aside: pd.DataFrame


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
        super().__init__(message)
        self.report = report
        self.set_aside = set_aside


@dataclass(frozen=True)
class _Plan:
    """What was asked for, checked."""

    mapping: dict[str, dict[str, str]]
    raw: dict[str, RawTable]
    options: CleaningOptions
    currency: str
    margin_assumption: float | None
    excluded: dict[str, str]
    names: dict[str, str] = field(default_factory=dict)


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
    progress: Progress | None = None,
) -> ImportOutcome:
    """Read, map, clean, check and pseudonymize the tables of a shop.

    Parameters
    ----------
    sources
        Table → path, ``(content, file name)`` or DataFrame; ``offers`` is required.
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
        Applied to ``customer_id`` of every table and of the rows set aside.
    excluded
        ``"table.column"`` → reason: columns that must not become features.
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
    progress = progress or SilentProgress()
    check_margin(margin_assumption)
    plan = _plan(sources, mapping or {}, options or CleaningOptions(), currency, margin_assumption, progress)
    sheets = _clean(plan, progress)
    tables = {table: sheet.kept()[0] for table, sheet in sheets.items()}
    exclusions = _check_excluded(excluded or {}, tables, plan.mapping)
    progress.stage("Checking", 0.85, "Looking at the data as a whole")
    findings, margin = _findings(plan, sheets, tables)
    set_aside = _set_aside(sheets, plan, pseudonymize)
    report = _report(sheets, findings)
    if report.blocking:
        raise ImportBlocked(quality.blocking_message(report.blocking), report, set_aside)
    for table, frame in tables.items():
        validate_table(table, frame)
        if pseudonymize is not None and "customer_id" in frame.columns:
            tables[table] = frame.assign(customer_id=pseudonymize(frame["customer_id"]))
    manifest = DatasetManifest(
        name=name,
        source=source or ", ".join(plan.names.values()),
        currency=currency,
        margin_assumption=margin,
        excluded=exclusions,
        pseudonymized=pseudonymize is not None,
        mapping=plan.mapping,
        note=note,
    )
    progress.stage("Checking", 1.0, f"{len(tables['offers']):,} offers ready")
    return ImportOutcome(_dataset(tables, manifest), report, set_aside)


def _dataset(tables: dict[str, pd.DataFrame], manifest: DatasetManifest) -> Dataset:
    return Dataset(
        offers=tables["offers"],
        customers=tables.get("customers"),
        products=tables.get("products"),
        market=tables.get("market"),
        events=tables.get("events"),
        manifest=manifest,
    )


def _plan(
    sources: Sources,
    mapping: Mapping[str, Mapping[str, str]],
    options: CleaningOptions,
    currency: str,
    margin_assumption: float | None,
    progress: Progress,
) -> _Plan:
    for table in (*sources, *mapping):
        schema.fields(table)
    if "offers" not in sources:
        raise MappingError(
            "There is no offers table.", fix="Give the file with the prices that customers were offered."
        )
    raw: dict[str, RawTable] = {}
    chosen: dict[str, dict[str, str]] = {}
    names: dict[str, str] = {}
    for position, table in enumerate(table for table in schema.TABLES if table in sources):
        given = sources[table]
        progress.stage("Reading", 0.4 * position / len(sources), f"Reading {table}")
        if isinstance(given, pd.DataFrame):
            names[table] = f"{table} table"
            raw[table] = from_frame(given, names[table])
        else:
            names[table] = given[1] if isinstance(given, tuple) else Path(given).name
            raw[table] = read_raw(given)
        columns = list(raw[table].frame.columns)
        chosen[table] = complete_mapping(mapping.get(table, {}), columns, table)
        check_mapping(chosen[table], columns, table, name=names[table])
    return _Plan(chosen, raw, options, currency, margin_assumption, {}, names)


def _clean(plan: _Plan, progress: Progress) -> dict[str, Worksheet]:
    sheets = {}
    for position, (table, raw) in enumerate(plan.raw.items()):
        progress.stage("Cleaning", 0.4 + 0.45 * position / len(plan.raw), f"Cleaning {table}")
        sheets[table] = clean_table(table, raw, plan.mapping[table], plan.options)
    return sheets


def _findings(
    plan: _Plan, sheets: dict[str, Worksheet], tables: dict[str, pd.DataFrame]
) -> tuple[list[quality.Finding], float | None]:
    findings = [finding for sheet in sheets.values() for finding in sheet.findings]
    findings += quality.check_offers(tables["offers"])
    if tables["offers"].empty:
        return findings, plan.margin_assumption
    findings += quality.check_references(tables)
    findings += quality.check_currency(tables["offers"], plan.currency)
    costs, margin = quality.check_costs(tables, plan.margin_assumption)
    return findings + costs, margin


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


def _set_aside(sheets: dict[str, Worksheet], plan: _Plan, pseudonymize: Pseudonymize | None) -> pd.DataFrame:
    """Stack the rows set aside; customer ids in them are replaced too, rows that do not fit the header are cut."""
    parts = []
    for table, sheet in sheets.items():
        part = sheet.set_aside_frame()
        column = plan.mapping[table].get("customer_id")
        if pseudonymize is not None and column is not None and len(part):
            malformed = part["row_number"].isin(sheet.raw.malformed["row_number"])
            filled = (part[column] != "") & ~malformed
            part.loc[filled, column] = pseudonymize(part.loc[filled, column].str.strip()).to_numpy()
            part.loc[malformed, str(sheet.raw.frame.columns[0])] = "(not kept: it may hold a customer id)"
        parts.append(part)
    stacked = pd.concat(parts, ignore_index=True)
    return stacked.astype("object").where(stacked.notna(), "")


def _check_excluded(
    excluded: Mapping[str, str], tables: dict[str, pd.DataFrame], mapping: dict[str, dict[str, str]]
) -> dict[str, str]:
    """Check that excluded columns exist; a column of the source may be named by its own or its canonical name."""
    checked = {}
    for key, reason in excluded.items():
        table, _, column = key.partition(".")
        if table not in tables:
            raise MappingError(
                f"The exclusion {key!r} names no imported table.",
                fix=f"Tables imported: {', '.join(tables)}.",
            )
        canonical = {source: name for name, source in mapping[table].items()}.get(column, column)
        if canonical not in tables[table].columns:
            raise MappingError(
                f"{table} has no column {column!r} to exclude.",
                fix=f"Columns: {', '.join(tables[table].columns)}.",
            )
        checked[f"{table}.{canonical}"] = reason
    return checked
