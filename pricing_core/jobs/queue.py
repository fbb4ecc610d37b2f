"""What pages and the command line do with jobs: submit, look, cancel, repeat."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from pricing_core.errors import JobError
from pricing_core.jobs import launch, records
from pricing_core.jobs.records import JobView
from pricing_core.store import database
from pricing_core.store.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_HANDLERS: Final = "pricing_core.workflows:JOB_HANDLERS"
HANDLERS_VARIABLE: Final = "PRICING_JOB_HANDLERS"
_JOBS = database.jobs


def submit(ws: Workspace, kind: str, params: Mapping[str, Any], *, handlers: str | None = None) -> str:
    """Put a job into the workspace's queue, see to it that it will be run, and return its id.

    Parameters
    ----------
    kind
        Name of the handler.
    params
        JSON values for the handler; paths in them should be absolute, since the worker has its own working folder.
    handlers
        Where the worker finds the handlers, as ``module:attribute``; by default the value of
        ``PRICING_JOB_HANDLERS``, or else the workflows' table.

    Raises
    ------
    JobError
        If the parameters are not JSON values.
    """
    registry = handlers or os.environ.get(HANDLERS_VARIABLE) or DEFAULT_HANDLERS
    try:
        plain = json.loads(database.to_json(dict(params)))
    except (TypeError, ValueError) as error:
        raise JobError(f"The job {kind!r} cannot be started: {error}.", fix="Give plain values.") from error
    number = _insert(ws, kind=kind, params=plain, handlers=registry)
    launch.ensure_runner(ws)
    return records.job_id(number)


def get(ws: Workspace, job_id: str) -> JobView:
    """Return a job's state; if its runner has died, have another take over first.

    Raises
    ------
    JobError
        If the workspace knows no such job.
    """
    number = records.job_number(job_id)
    with database.reading(ws) as connection:
        row = records.row_of(connection, number)
    if row.status in records.ACTIVE and launch.ensure_runner(ws):
        with database.reading(ws) as connection:
            row = records.row_of(connection, number)
    return records.view(row)


def list_jobs(ws: Workspace, limit: int = 50) -> list[JobView]:
    """Return the jobs submitted last, newest first; if their runner has died, have another take over first."""
    statement = sa.select(_JOBS).order_by(_JOBS.c.number.desc()).limit(limit)
    with database.reading(ws) as connection:
        rows = connection.execute(statement).all()
    if any(row.status in records.ACTIVE for row in rows) and launch.ensure_runner(ws):
        with database.reading(ws) as connection:
            rows = connection.execute(statement).all()
    return [records.view(row) for row in rows]


def cancel(ws: Workspace, job_id: str) -> None:
    """Ask for a job to stop; a waiting job ends at once, a running one within 2 seconds.

    The worker stops at its next report of progress. One that does not report, because it is deep in native code,
    is ended by the runner after a second. A job that has already ended stays as it is.
    """
    number = records.job_number(job_id)
    with database.writing(ws) as connection:
        row = records.row_of(connection, number)
        if row.status == "queued":
            records.finish(connection, number, "cancelled")
        elif row.status == "running" and row.cancel_requested_at is None:
            connection.execute(sa.update(_JOBS).where(_JOBS.c.number == number).values(cancel_requested_at=time.time()))
    if row.status == "running" and not launch.runner_answers(ws):
        # Nobody would end a silent worker in time; a runner that comes up later finds the job ended.
        launch.stop_worker(row.pid, row.process_mark)
        with database.writing(ws) as connection:
            records.finish(connection, number, "cancelled")


def retry(ws: Workspace, job_id: str) -> str:
    """Submit a job that has ended once more, and return the new job's id.

    Raises
    ------
    JobError
        If the job still waits or runs.
    """
    number = records.job_number(job_id)
    with database.reading(ws) as connection:
        row = records.row_of(connection, number)
    if row.status in records.ACTIVE:
        raise JobError(f"The job {job_id} has not ended.", fix="Cancel it first, or wait for it.")
    new = _insert(ws, kind=row.kind, params=row.params, handlers=row.handlers, retry_of=number)
    launch.ensure_runner(ws)
    return records.job_id(new)


def metrics(ws: Workspace, job_id: str) -> pd.DataFrame:
    """Return the points of a job's live curves in the order reported: ``name, step, value``."""
    import pandas as pd

    table = database.job_metrics
    with database.reading(ws) as connection:
        rows = connection.execute(
            sa.select(table.c.name, table.c.step, table.c.value)
            .where(table.c.job_number == records.job_number(job_id))
            .order_by(table.c.number)
        ).all()
    frame = pd.DataFrame([tuple(row) for row in rows], columns=["name", "step", "value"])
    return frame.astype({"name": "str", "step": "int64", "value": "float64"})


def _insert(ws: Workspace, **values: Any) -> int:
    with database.writing(ws) as connection:
        inserted = connection.execute(
            sa.insert(_JOBS).values(status="queued", submitted_at=time.time(), **values)
        ).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])
