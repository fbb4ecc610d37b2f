"""A DuckDB database in a folder, within limits of memory and processors, that stops when the user cancels."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from pricing_core.engines.limits import Limits
from pricing_core.errors import WorkspaceError
from pricing_core.progress import Progress

if TYPE_CHECKING:
    import duckdb  # loaded by the first query: many imports need none

_LOOK_SECONDS: Final = 0.5


class Session:
    """One connection to a database that lives as long as the folder; it is opened by the first query.

    Parameters
    ----------
    folder
        Folder for the database and what does not fit into memory.
    limits
        Memory and processors.
    progress
        Asked twice a second, while a query runs, whether to stop.
    """

    def __init__(self, folder: Path, limits: Limits, progress: Progress) -> None:
        self._progress = progress
        self._at: tuple[str, float, str] = ("Importing", 0.0, "")
        self._folder, self._limits = folder, limits

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        import duckdb

        connection = duckdb.connect(str(self._folder / "rows.duckdb"))
        spill = str(self._folder / "spill").replace("'", "''")
        for setting in (
            f"SET threads = {self._limits.threads}",
            f"SET memory_limit = '{self._limits.memory_mb}MB'",
            f"SET temp_directory = '{spill}'",
            "SET TimeZone = 'UTC'",
            "SET preserve_insertion_order = true",
            "SET enable_progress_bar = false",
        ):
            connection.execute(setting)
        return connection

    @contextmanager
    def another(self) -> Iterator[Session]:
        """A second connection to the same database, for another thread."""
        other = Session.__new__(Session)
        other._progress, other._at = self._progress, self._at
        other._connection = self._connection.cursor()
        try:
            yield other
        finally:
            other.close()

    @property
    def fraction(self) -> float:
        """Share of the whole import that is done."""
        return self._at[1]

    def stage(self, name: str, fraction: float, message: str = "") -> None:
        """Report progress, and remember it for the time a query takes."""
        self._at = (name, fraction, message)
        self._progress.stage(name, fraction, message)

    def look(self) -> None:
        """Report the same again, and so stop if the user has asked for it."""
        self._progress.stage(*self._at)

    def at(self, name: str, fraction: float, message: str = "") -> None:
        """Say how far a running query is; it is reported by the watcher."""
        self._at = (name, fraction, message)

    def run(self, query: str, **tables: Any) -> None:
        """Run a statement; Arrow tables, readers and frames are known in it by the names given."""
        with self._guarded(tables):
            self._connection.execute(query).fetchall()

    def frame(self, query: str, **tables: Any) -> pd.DataFrame:
        """Result of a query as a DataFrame."""
        with self._guarded(tables):
            return self._connection.sql(query).df()

    def arrow(self, query: str, **tables: Any) -> pa.Table:
        """Result of a query as an Arrow table."""
        with self._guarded(tables):
            return self._connection.sql(query).to_arrow_table()

    def positions(self, query: str, **tables: Any) -> np.ndarray:
        """The first column of the result of a query, whole numbers without gaps."""
        return np.asarray(self.arrow(query, **tables).column(0).to_numpy(), dtype=np.int64)

    def row(self, query: str, **tables: Any) -> tuple[Any, ...]:
        """First row of the result of a query."""
        with self._guarded(tables):
            found = self._connection.execute(query).fetchall()
        return tuple(found[0])

    def close(self) -> None:
        """Close the database, where it was opened."""
        if "_connection" in self.__dict__:
            self._connection.close()

    @contextmanager
    def _guarded(self, tables: Mapping[str, Any]) -> Iterator[None]:
        import duckdb

        for name, table in tables.items():
            self._connection.register(name, table)
        stopped: list[BaseException] = []
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(done, stopped), daemon=True, name="import-watch")
        watcher.start()
        try:
            yield
        except duckdb.InterruptException:
            if not stopped:
                raise
        except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
            text = " ".join(str(error).split())[:200]
            raise WorkspaceError(
                f"The import ran out of disk space or memory: {text}.",
                fix="Free some space on the workspace's disk and import again.",
            ) from error
        finally:
            done.set()
            watcher.join()
            for name in tables:
                self._connection.unregister(name)
        if stopped:
            raise stopped[0]

    def _watch(self, done: threading.Event, stopped: list[BaseException]) -> None:
        """Ask whether to stop while a query runs; runs in a thread."""
        while not done.wait(_LOOK_SECONDS):
            try:
                self._progress.stage(*self._at)
            except BaseException as error:
                stopped.append(error)
                self._connection.interrupt()
                return
