"""The tables of an import on their way into files: beside the checks, where the rows are in memory.

Nothing of it is visible before the checks are done: the files are drafts, and are thrown away when the checks fail.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final

import pandas as pd

from pricing_core import schema
from pricing_core.data.importing import Pseudonymize
from pricing_core.engines.import_run import write_frame
from pricing_core.engines.rules import Rows
from pricing_core.engines.session import Session
from pricing_core.engines.writing import renamed_customers, write_parquet

_LOOK_SECONDS: Final = 0.2

Stored = tuple[dict[str, int], dict[str, dict[str, str]]]
"""Table → its number of rows, and the hash of each of its columns."""


class Storing:
    """Writes the rows that are not set aside; on leaving before the end, the writing stops.

    Parameters
    ----------
    large, small
        Tables by name; of the large ones, nothing more is set aside.
    target
        Folder for the files ``<table>.parquet``.
    rename
        Gives customers their pseudonyms; None keeps their ids. The rows themselves keep the ids.
    """

    def __init__(
        self, large: Mapping[str, Rows], small: Mapping[str, pd.DataFrame], target: Path, rename: Pseudonymize | None
    ) -> None:
        self._large, self._small, self._target, self._rename = large, small, target, rename
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="import-store")
        self._begun: Future[Stored] | None = None
        self._stop = threading.Event()
        self._at = (0.0, "")

    def __enter__(self) -> Storing:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def begin(self) -> None:
        """Begin to write, in a thread."""
        if self._begun is None:
            self._begun = self._pool.submit(self._write)

    def finish(self, session: Session, stage: tuple[float, float]) -> Stored:
        """Wait until everything is written, and report it as a stage of the import from one share of it to another."""
        self.begin()
        assert self._begun is not None
        while not self._begun.done():
            share, message = self._at
            session.stage("Storing", stage[0] + (stage[1] - stage[0]) * share, message)
            wait([self._begun], timeout=_LOOK_SECONDS)
        return self._begun.result()

    def _write(self) -> Stored:
        written: dict[str, int] = {}
        hashes: dict[str, dict[str, str]] = {}
        large = [table for table in schema.TABLES if table in self._large]
        for table in schema.TABLES:
            path = self._target / f"{table}.parquet"
            if table in large:
                rows = self._large[table]
                words = {} if self._rename is None else renamed_customers(rows, self._rename)
                report = partial(self._report, table, large.index(table) / len(large), 1 / len(large))
                written[table], hashes[table] = write_parquet(rows, path, report, words)
            elif table in self._small:
                written[table], hashes[table] = write_frame(self._small[table], path)
        return written, hashes

    def _report(self, table: str, before: float, part: float, rows: int, of: int) -> None:
        """Remember how far a table is; raises where the writing is to stop."""
        if self._stop.is_set():
            raise _Stopped
        self._at = (before + part * rows / max(1, of), f"{table}: {rows:,} rows")


class _Stopped(Exception):
    """Nobody waits for the files any more."""
