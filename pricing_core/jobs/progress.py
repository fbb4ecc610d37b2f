"""Progress of a worker, written to the database at a bounded rate."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

import sqlalchemy as sa

from pricing_core.errors import JobCancelled
from pricing_core.jobs import records
from pricing_core.store import database
from pricing_core.store.workspace import Workspace

WRITE_SECONDS: Final = 0.2
_LEAST_FRACTION: Final = 0.02
_JOBS = database.jobs
_logger = logging.getLogger(__name__)


class JobProgress:
    """Receiver of progress that writes to a job's row, at most five times a second.

    A report that comes too soon after the last write is kept, and written by a thread of its own as soon as it is
    due, so the last report before a long silence is shown too. A cancel request raises JobCancelled at the next
    report.

    Parameters
    ----------
    ws
        Workspace of the job.
    job_id
        Such as ``j0001``.

    Notes
    -----
    Use it in a ``with`` statement, or call :meth:`close` at the end. The time left is estimated as
    ``elapsed · (1 − fraction) / fraction``, once 2% are done.
    """

    def __init__(self, ws: Workspace, job_id: str) -> None:
        self._ws = ws
        self._number = records.job_number(job_id)
        self._started = time.monotonic()
        self._written = -WRITE_SECONDS
        self._fraction = 0.0
        self._pending: dict[str, Any] = {}
        self._points: list[dict[str, Any]] = []
        self._lock = threading.RLock()
        self._cancelled = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._keep_up, daemon=True, name="job-progress")
        self._thread.start()

    def stage(self, name: str, fraction: float, message: str = "") -> None:
        """Report the stage's name, the share of the whole job done in [0, 1], and a sentence.

        The share never goes back: a smaller one than before, or one that is no number, is shown as before.

        Raises
        ------
        JobCancelled
            If the user has asked for the job to stop.
        """
        with self._lock:
            if math.isfinite(fraction):
                self._fraction = max(self._fraction, min(1.0, float(fraction)))
            self._pending = {"stage": name, "fraction": self._fraction, "message": message}
        self._report()

    def metric(self, name: str, step: int, value: float) -> None:
        """Report one point of a live curve; raises JobCancelled like :meth:`stage`."""
        with self._lock:
            self._points.append({"job_number": self._number, "name": name, "step": int(step), "value": float(value)})
        self._report()

    def close(self) -> None:
        """Write what is still kept, and stop the thread."""
        self._closed.set()
        self._thread.join()
        with self._lock:
            self._attempt(self._save)

    def __enter__(self) -> JobProgress:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _report(self) -> None:
        with self._lock:
            self._save_if_due()
        if self._cancelled.is_set():
            raise JobCancelled("The job was stopped at your request.")

    def _keep_up(self) -> None:
        """Write late reports when they are due, and look whether the job should stop; runs in the thread."""
        while not self._closed.wait(WRITE_SECONDS):
            with self._lock:
                self._save_if_due()
                self._attempt(self._look)

    def _save_if_due(self) -> None:
        if time.monotonic() - self._written >= WRITE_SECONDS:
            self._attempt(self._save)

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except (sa.exc.SQLAlchemyError, OSError):
            # The work goes on: what could not be written is written with the next report.
            _logger.warning("Progress could not be written.", exc_info=True)

    def _save(self) -> None:
        if not self._pending and not self._points:
            return
        self._written = time.monotonic()
        values = {**self._pending, "updated_at": time.time(), "eta_seconds": self._time_left()}
        statement = sa.update(_JOBS).where(_JOBS.c.number == self._number).values(**values)
        with database.writing(self._ws) as connection:
            requested = connection.execute(statement.returning(_JOBS.c.cancel_requested_at)).scalar()
            if self._points:
                connection.execute(sa.insert(database.job_metrics), self._points)
        self._note(requested)
        self._pending, self._points = {}, []

    def _look(self) -> None:
        with database.reading(self._ws) as connection:
            self._note(
                connection.execute(
                    sa.select(_JOBS.c.cancel_requested_at).where(_JOBS.c.number == self._number)
                ).scalar()
            )

    def _note(self, cancel_requested_at: float | None) -> None:
        if cancel_requested_at is not None:
            self._cancelled.set()

    def _time_left(self) -> float | None:
        if self._fraction < _LEAST_FRACTION:
            return None
        return (time.monotonic() - self._started) * (1.0 - self._fraction) / self._fraction
