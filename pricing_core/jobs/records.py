"""What is known of a job, and the changes of its state in the database."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pricing_core.errors import JobError
from pricing_core.store import database

STATUSES: Final = ("queued", "running", "succeeded", "failed", "cancelled", "lost")
ACTIVE: Final = ("queued", "running")
KEPT_CURVES: Final = 50
_JOBS = database.jobs


@dataclass(frozen=True)
class JobView:
    """State of a job at one moment.

    Attributes
    ----------
    id
        Such as ``j0001``.
    kind, params
        What was asked for.
    status
        ``queued`` (waits for its turn), ``running``, ``succeeded``, ``failed`` (an error that the worker reported),
        ``cancelled``, or ``lost`` (the worker died).
    stage, fraction, message
        Name of the current step, share of the whole job done in [0, 1], and a sentence about it.
    eta_seconds
        Expected time left; None while it cannot be told.
    submitted_at, started_at, finished_at
        UTC times.
    error
        Why it failed or was lost, for the user; None otherwise.
    result
        What the job returned; None unless it succeeded.
    pid
        Process number of the worker, once started.
    cancel_requested
        Whether the user asked for it to stop.
    retry_of
        Id of the job that this one repeats.
    log
        Path of the job's log, relative to the workspace.
    """

    id: str
    kind: str
    params: dict[str, Any]
    status: str
    stage: str
    fraction: float
    message: str
    eta_seconds: float | None
    submitted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    result: dict[str, Any] | None
    pid: int | None
    cancel_requested: bool
    retry_of: str | None
    log: str

    @property
    def active(self) -> bool:
        """Whether the job waits or runs."""
        return self.status in ACTIVE


def job_id(number: int) -> str:
    """Return the id of the job with this number."""
    return f"j{number:04d}"


def job_number(text: str) -> int:
    """Return the number in a job's id; JobError if the text is no such id."""
    digits = text.removeprefix("j")
    if not (text.startswith("j") and digits.isascii() and digits.isdigit()):
        raise _unknown(text)
    return int(digits)


def log_name(number: int) -> str:
    """Return the path of a job's log, relative to the workspace."""
    return f"logs/{job_id(number)}.log"


def row_of(connection: Connection, number: int) -> sa.Row[Any]:
    """Return a job's row; JobError if there is none."""
    row = connection.execute(sa.select(_JOBS).where(_JOBS.c.number == number)).first()
    if row is None:
        raise _unknown(job_id(number))
    return row


def running(connection: Connection) -> Sequence[sa.Row[Any]]:
    """Return the rows of the jobs that have a worker: at most one, except after outside interference."""
    return connection.execute(sa.select(_JOBS).where(_JOBS.c.status == "running").order_by(_JOBS.c.number)).all()


def oldest_queued(connection: Connection) -> sa.Row[Any] | None:
    """Return the row of the job whose turn is next."""
    return connection.execute(
        sa.select(_JOBS).where(_JOBS.c.status == "queued").order_by(_JOBS.c.number).limit(1)
    ).first()


def any_active(connection: Connection) -> bool:
    """Return whether a job waits or runs."""
    return connection.execute(sa.select(_JOBS.c.number).where(_JOBS.c.status.in_(ACTIVE)).limit(1)).first() is not None


def finish(
    connection: Connection, number: int, status: str, *, error: str | None = None, result: dict[str, Any] | None = None
) -> bool:
    """End a job that is still active, and return whether this call ended it."""
    values: dict[str, Any] = {"status": status, "error": error, "finished_at": time.time(), "eta_seconds": None}
    if status == "succeeded":
        values |= {"result": result, "fraction": 1.0}
    ended = connection.execute(
        sa.update(_JOBS).where(_JOBS.c.number == number, _JOBS.c.status.in_(ACTIVE)).values(**values)
    )
    return ended.rowcount == 1


def drop_old_metrics(connection: Connection) -> None:
    """Forget the live curves of all but the last :data:`KEPT_CURVES` jobs; a run keeps its own history."""
    metrics = database.job_metrics
    last = connection.execute(sa.select(sa.func.max(_JOBS.c.number))).scalar() or 0
    connection.execute(sa.delete(metrics).where(metrics.c.job_number <= last - KEPT_CURVES))


def view(row: sa.Row[Any]) -> JobView:
    """Return the public state of a job from its row."""
    return JobView(
        id=job_id(row.number),
        kind=row.kind,
        params=dict(row.params),
        status=row.status,
        stage=row.stage,
        fraction=row.fraction,
        message=row.message,
        eta_seconds=_time_left(row),
        submitted_at=datetime.fromtimestamp(row.submitted_at, UTC),
        started_at=_moment(row.started_at),
        finished_at=_moment(row.finished_at),
        error=row.error,
        result=row.result,
        pid=row.pid,
        cancel_requested=row.cancel_requested_at is not None,
        retry_of=None if row.retry_of is None else job_id(row.retry_of),
        log=log_name(row.number),
    )


def _time_left(row: sa.Row[Any]) -> float | None:
    """Count the last estimate down between two reports."""
    if row.status != "running" or row.eta_seconds is None:
        return None
    return max(0.0, float(row.eta_seconds) - max(0.0, time.time() - row.updated_at))


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _unknown(text: str) -> JobError:
    return JobError(f"The workspace knows no job {text!r}.", fix="It may belong to another workspace.")
