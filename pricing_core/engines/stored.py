"""Open DuckDB on the Parquet tables of a data set's folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pricing_core.errors import WorkspaceError
from pricing_core.schema import TABLES

if TYPE_CHECKING:
    import duckdb  # loaded by the first query: most commands need none

MEMORY_LIMIT_MB: Final = 1_200
THREADS: Final = 2


@contextmanager
def open_tables(
    folder: Path, *, spill: Path | None = None, memory_limit_mb: int = MEMORY_LIMIT_MB
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection on which each table of ``folder`` is a view of its name.

    Every view has the columns of its file and ``file_row_number``, the row's place in the file from 0.

    Parameters
    ----------
    spill
        Folder under which what does not fit into memory is written meanwhile; default: the system's.
    memory_limit_mb
        Memory that DuckDB may use, MB (2²⁰ bytes).

    Raises
    ------
    WorkspaceError
        If a file is damaged, or memory and disk do not suffice.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="engine_", dir=spill) as place:
        connection = duckdb.connect()
        try:
            connection.execute(f"SET memory_limit='{memory_limit_mb}MB'")
            connection.execute(f"SET threads={THREADS}")
            connection.execute(f"SET temp_directory={text(place)}")
            connection.execute("SET TimeZone='UTC'")
            connection.execute("SET enable_progress_bar=false")
            for table in present_tables(folder):
                source = f"read_parquet({text(folder / (table + '.parquet'))}, file_row_number = true)"
                connection.execute(f"CREATE VIEW {table} AS SELECT * FROM {source}")
            yield connection
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            raise WorkspaceError(
                f"The data set {folder.name} could not be worked on: {' '.join(str(error).split())[:300]}.",
                fix="Free some disk space and try again; if a file is damaged, import the data again.",
            ) from error
        finally:
            connection.close()


def present_tables(folder: Path) -> list[str]:
    """Names of the tables of which the folder holds a file, in the order of the schema."""
    return [table for table in TABLES if (folder / f"{table}.parquet").exists()]


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Names of a table's columns, without its row number."""
    described = connection.execute(f"DESCRIBE {table}").fetchall()
    return [str(row[0]) for row in described if row[0] != "file_row_number"]


def text(value: object) -> str:
    """Write a value as a text literal of SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def name(column: str) -> str:
    """Write the name of a column so that SQL reads it as it is."""
    return '"' + column.replace('"', '""') + '"'
