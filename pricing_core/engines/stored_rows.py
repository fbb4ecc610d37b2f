"""The checks of large tables, run on the Parquet files of a folder whose rows have been judged one by one already."""

from __future__ import annotations

from collections.abc import Container, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from pyarrow import parquet

from pricing_core.data.quality import Finding
from pricing_core.engines.checks import whole_findings
from pricing_core.engines.importing import STREAMED
from pricing_core.engines.limits import Limits
from pricing_core.engines.rules import Ints, Rows
from pricing_core.engines.session import Session
from pricing_core.engines.stored import name, present_tables, text
from pricing_core.engines.typed import Type, TypedColumn, quoted
from pricing_core.progress import Progress

_CELL_BYTES: Final = 8  # about what a cell takes as text
_KEYS: Final = ("customer_id", "product_id")
_TYPES: Final[Mapping[str, Type]] = {
    "VARCHAR": "text",
    "TIMESTAMP WITH TIME ZONE": "time",
    "DOUBLE": "float64",
    "FLOAT": "float64",
    "BIGINT": "int64",
    "INTEGER": "int64",
    "TINYINT": "int8",
}


class StoredRows(Rows):
    """A table of a folder in the database, all of whose rows are used; its rows have no numbers in a file."""

    def __init__(self, session: Session, table: str, columns: list[TypedColumn], count: int, limits: Limits) -> None:
        self.session, self.limits, self.prefix = session, limits, ""
        self.columns = {column.name: column for column in columns}
        self.table, self._name, self._count = quoted(table), table, count

    def beside(self, session: Session) -> StoredRows:
        """The same rows, asked over another connection."""
        return StoredRows(session, self._name, list(self.columns.values()), self._count, self.limits)

    def kept_rows(self) -> int:
        """Number of rows."""
        return self._count

    def numbers(self, positions: Ints) -> Ints:
        """No numbers: the rows come from several files."""
        return positions[:0]

    def usable(self) -> str:
        """SQL for the rows, with their place in the file as ``p``."""
        return f"(SELECT * FROM {self.table})"


def is_large_folder(folder: Path, limits: Limits) -> bool:
    """Whether one of the tables that grow with the customers is too large to be read whole."""
    known = [parquet.read_metadata(folder / f"{table}.parquet") for table in present_tables(folder)
             if table in STREAMED]  # fmt: skip
    return max(each.num_rows * each.num_columns * _CELL_BYTES for each in known) >= limits.large_bytes


def stored_findings(
    folder: Path,
    small: Mapping[str, pd.DataFrame],
    work: Path,
    limits: Limits,
    progress: Progress,
    *,
    currency: str,
    margin_assumption: float | None,
    outliers: bool,
) -> tuple[list[Finding], float | None]:
    """Findings about the tables of a folder as a whole, and the margin to assume.

    Parameters
    ----------
    folder
        Folder with ``offers.parquet``.
    small
        The tables that do not grow with the customers, as frames.
    work
        Empty folder for what is needed meanwhile.
    limits, progress
        As for an import.
    currency, margin_assumption, outliers
        As for :func:`pricing_core.data.whole_tables.whole_findings`.
    """
    with closing(Session(work, limits, progress)) as session:
        session.stage("Checking", 0.96, "Looking at the data as a whole")
        large = {table: load_rows(session, table, folder / f"{table}.parquet", limits)
                 for table in present_tables(folder) if table in STREAMED}  # fmt: skip
        return whole_findings(large, small, currency=currency, margin_assumption=margin_assumption, outliers=outliers)


def load_rows(
    session: Session, table: str, path: Path, limits: Limits, only: Container[str] | None = None
) -> StoredRows:
    """Put the columns that checks ask for into the database, ids as numbers of their different texts.

    Parameters
    ----------
    only
        Columns to be put; all, unless it is given.
    """
    source = f"read_parquet({text(path)}, file_row_number = true)"
    described = session.frame(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {source}")
    columns, picked, joins = [], [], []
    for place, (column, kind) in enumerate(zip(described["column_name"], described["column_type"], strict=True)):
        found, words = _TYPES.get(kind), pd.Series(dtype="str")
        if found is None or (only is not None and column not in only):
            continue
        cell = f"r.{name(column)}"
        if column in _KEYS and found == "text":
            found, listed = "words", quoted(f"{table} {column} words")
            session.run(
                f"CREATE TABLE {listed} AS SELECT w, (row_number() OVER (ORDER BY w) - 1)::INTEGER AS code "
                f"FROM (SELECT DISTINCT {name(column)} AS w FROM {source} WHERE {name(column)} IS NOT NULL)"
            )
            words = session.frame(f"SELECT w FROM {listed} ORDER BY code")["w"].astype("str")
            joins.append(f"LEFT JOIN {listed} AS k{place} ON k{place}.w = {cell}")
            cell = f"k{place}.code"
        elif found == "time":
            cell = f"epoch_us({cell})"
        picked.append(f"{cell} AS {name(column)}")
        columns.append(TypedColumn(str(column), place, found, np.zeros(0), words))
    session.run(
        f"CREATE TABLE {quoted(table)} AS SELECT r.file_row_number AS p, {', '.join(picked)} "
        f"FROM {source} AS r {' '.join(joins)}"
    )
    (count,) = session.row(f"SELECT count(*) FROM {quoted(table)}")
    return StoredRows(session, table, columns, int(count), limits)
