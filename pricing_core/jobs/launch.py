"""Starting and stopping the processes behind the queue."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pricing_core.errors import JobError
from pricing_core.jobs import logs, reasons, records
from pricing_core.store import database, processes
from pricing_core.store.workspace import Workspace

ANSWER_SECONDS: Final = 3.0
STUCK_SECONDS: Final = 30.0
MAX_STARTS: Final = 3
_START_PAUSE: Final = 2.0
_PROJECT: Final = Path(__file__).resolve().parents[2]
_RUNNER = database.runner


def ensure_runner(ws: Workspace) -> bool:
    """See to it that a runner lives if a job waits or runs, and return whether anything had to be done.

    Jobs whose worker died together with the runner end as ``lost``. However many processes call this at once, one
    runner is started: the check and the start are one transaction.
    """
    with database.reading(ws) as connection:
        if _is_cared_for(connection) or not records.any_active(connection):
            return False
    with database.writing(ws) as connection:
        if _is_cared_for(connection):
            return False
        end_dead_jobs(connection)
        row = connection.execute(sa.select(_RUNNER)).first()
        # Starts since a runner last did its work: after the first that failed, the next ones take their time.
        starts = 0 if row is None else row.starts
        if not records.any_active(connection):
            connection.execute(sa.delete(_RUNNER))
        elif starts >= MAX_STARTS:
            _give_up(connection)
        elif row is None or not starts or time.time() - row.heartbeat_at > _START_PAUSE:
            _start_runner(ws, connection, starts + 1)
    return True


def runner_answers(ws: Workspace) -> bool:
    """Return whether the runner lives and has lately said so."""
    with database.reading(ws) as connection:
        row = connection.execute(sa.select(_RUNNER)).first()
    if row is None or not processes.is_alive(row.pid, row.process_mark):
        return False
    return bool(time.time() - row.heartbeat_at < ANSWER_SECONDS)


def end_dead_jobs(connection: Connection) -> None:
    """End the running jobs whose worker is no more, by request (``cancelled``) or not (``lost``)."""
    for row in records.running(connection):
        if processes.is_alive(row.pid, row.process_mark):
            continue
        if row.cancel_requested_at is None:
            records.finish(connection, row.number, "lost", error=reasons.why_it_ended(None, row.number))
        else:
            records.finish(connection, row.number, "cancelled")


def start_worker(ws: Workspace, number: int) -> subprocess.Popen[bytes]:
    """Start the worker of a job; what it prints goes to the job's log."""
    # The log level is TensorFlow's; the fault handler writes where native code crashed. Threads of native code wait
    # without spinning, since the app runs on the same cores.
    extra = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONFAULTHANDLER": "1", "PYTHONUNBUFFERED": "1"}
    # As on the command line:
    extra |= {"OMP_WAIT_POLICY": "PASSIVE", "NUMPY_MADVISE_HUGEPAGE": "0", "ARROW_DEFAULT_MEMORY_POOL": "system"}
    return _spawn(
        ["pricing_core.jobs.worker", str(ws.root), records.job_id(number)], ws.root / records.log_name(number), extra
    )


def stop_worker(pid: int | None, mark: str | None, *, gently: bool = False) -> None:
    """End a worker and the processes it started, if it is still the process that was meant.

    Parameters
    ----------
    gently
        Send SIGTERM, which ends Python even within a native call, instead of SIGKILL.
    """
    if pid is not None and processes.is_alive(pid, mark):
        signal_group(pid, signal.SIGTERM if gently else getattr(signal, "SIGKILL", signal.SIGTERM))


def signal_group(pid: int, number: int) -> None:
    """Send a signal to all processes of the group that ``pid`` leads; nothing if there are none left."""
    if hasattr(os, "killpg"):
        try:
            os.killpg(pid, number)
        except (ProcessLookupError, PermissionError):
            return
        return
    try:
        leader = psutil.Process(pid)
        for process in [*leader.children(recursive=True), leader]:
            process.kill()
    except psutil.NoSuchProcess:
        return


def _is_cared_for(connection: Connection) -> bool:
    row = connection.execute(sa.select(_RUNNER)).first()
    if row is None or not processes.is_alive(row.pid, row.process_mark):
        return False
    # A runner that is stopped or stuck is replaced; should it wake up, it sees that it was, and leaves.
    return bool(time.time() - row.heartbeat_at < STUCK_SECONDS)


def _start_runner(ws: Workspace, connection: Connection, starts: int) -> None:
    token = secrets.token_hex(8)
    process = _spawn(["pricing_core.jobs.runner", str(ws.root), token], ws.logs_dir / "runner.log", {})
    # Collected when it ends, or it would stay in the process table for as long as this process lives.
    threading.Thread(target=process.wait, daemon=True, name="runner-exit").start()
    values: dict[str, Any] = {
        "pid": process.pid,
        "process_mark": processes.start_mark(process.pid),
        "token": token,
        "heartbeat_at": time.time(),
        "starts": starts,
    }
    connection.execute(sa.delete(_RUNNER))
    connection.execute(sa.insert(_RUNNER).values(place=1, **values))


def _give_up(connection: Connection) -> None:
    for row in connection.execute(sa.select(database.jobs.c.number).where(database.jobs.c.status == "queued")).all():
        records.finish(connection, row.number, "lost", error=reasons.NO_RUNNER)
    connection.execute(sa.delete(_RUNNER))


def _spawn(module_and_arguments: list[str], log: Path, extra: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a Python module of this project on its own, so that it survives whoever started it."""
    search_path = os.pathsep.join([str(_PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with logs.open_log(log) as output:
        return _popen(
            [sys.executable, "-m", *module_and_arguments],
            cwd=_PROJECT,
            env={**os.environ, "PYTHONPATH": search_path, **extra},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )


def _popen(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(command, **options)
    except OSError as error:
        raise JobError(
            f"A background process cannot be started: {error.strerror or error}.",
            fix="Close other programs, or restart the app, and try again.",
        ) from error
