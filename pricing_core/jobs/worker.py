"""The worker: one process that does one job.

``python -m pricing_core.jobs.worker <workspace> <job id>``; started by the runner.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from pricing_core.errors import JobCancelled, JobError, PricingError
from pricing_core.jobs import records
from pricing_core.jobs.progress import JobProgress
from pricing_core.progress import Progress
from pricing_core.store import database
from pricing_core.store.workspace import Workspace

NICENESS: Final = 10
_LONGEST_MESSAGE: Final = 500
_OUT_OF_MEMORY_SCORE: Final = Path("/proc/self/oom_score_adj")

Handler = Callable[[Workspace, dict[str, Any], Progress], Mapping[str, Any]]


def main(arguments: list[str]) -> int:
    """Do the job and write down how it ended; the exit code is 0 whenever that could be written."""
    ws, number = Workspace(arguments[0], create=False), records.job_number(arguments[1])
    _step_back()
    job = _take(ws, number)
    if job is None:
        return 0
    progress = JobProgress(ws, records.job_id(number))
    try:
        status, error, result = _outcome(ws, job, progress)
    finally:
        progress.close()
    with database.writing(ws) as connection:
        if status == "failed" and records.row_of(connection, number).cancel_requested_at is not None:
            status, error = "cancelled", None
        records.finish(connection, number, status, error=error, result=result)
    return 0


def find_handler(registry: str, kind: str) -> Handler:
    """Return the handler of a kind of job from a table given as ``module:attribute``.

    Raises
    ------
    JobError
        If there is none.
    """
    module, _, attribute = registry.partition(":")
    handlers: Mapping[str, Handler] = getattr(importlib.import_module(module), attribute)
    if kind not in handlers:
        raise JobError(f"There is no kind of job {kind!r}.", fix=f"Kinds are {', '.join(sorted(handlers))}.")
    return handlers[kind]


def _outcome(ws: Workspace, job: sa.Row[Any], progress: Progress) -> tuple[str, str | None, dict[str, Any] | None]:
    try:
        handler = find_handler(job.handlers, job.kind)
        result = dict(handler(ws, dict(job.params), progress) or {})
        database.to_json(result)
    except JobCancelled:
        return "cancelled", None, None
    except PricingError as error:
        traceback.print_exc()
        return "failed", str(error), None
    except MemoryError:
        traceback.print_exc()
        return "failed", "The machine's memory is not enough for this job. Use fewer rows, or a larger machine.", None
    except BaseException as error:  # SystemExit of a library must not look like success
        traceback.print_exc()
        return "failed", _internal(error), None
    return "succeeded", None, result


def _internal(error: BaseException) -> str:
    """Return one line for the user; the traceback is in the log."""
    said = " ".join(str(error).split())
    text = f"internal error: {type(error).__name__}: {said}" if said else f"internal error: {type(error).__name__}"
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"


def _take(ws: Workspace, number: int) -> sa.Row[Any] | None:
    """Return the job if it is this process's to do.

    Waiting for the write lock waits for the runner, which starts the worker within the transaction that says so.
    """
    with database.writing(ws) as connection:
        job = records.row_of(connection, number)
        if job.status != "running" or job.pid not in (os.getpid(), os.getppid()):
            return None
        connection.execute(
            sa.update(database.jobs).where(database.jobs.c.number == number).values(updated_at=time.time())
        )
    return job


def _step_back() -> None:
    """Leave the processor, and in need the memory, to the browser and whoever else uses the machine."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    try:
        _OUT_OF_MEMORY_SCORE.write_text("500")
    except OSError:
        logging.getLogger(__name__).debug("This system does not let a process offer its memory first.")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sys.exit(main(sys.argv[1:]))
