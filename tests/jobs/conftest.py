"""A workspace whose runner and worker are gone when the test is over."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import sqlalchemy as sa

from pricing_core import jobs
from pricing_core.jobs import JobView
from pricing_core.store import database
from pricing_core.store.workspace import Workspace


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setenv("PRICING_JOB_HANDLERS", "job_handlers:HANDLERS")
    workspace = Workspace(tmp_path / "shop")
    yield workspace
    end_processes(workspace)


def end_processes(workspace: Workspace) -> None:
    """Kill the runner and the worker that are left."""
    if not workspace.root.exists():
        return
    with database.reading(workspace) as connection:
        pids = [*connection.scalars(sa.select(database.runner.c.pid))]
        pids += connection.scalars(sa.select(database.jobs.c.pid).where(database.jobs.c.status == "running"))
    for pid in filter(None, pids):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "pricing_core.jobs" in " ".join(psutil.Process(pid).cmdline()):
                os.kill(pid, 9)


@pytest.fixture
def wait(ws: Workspace) -> Callable[..., JobView]:
    """Return a function that waits until a job is in one of some states, and says what it found."""

    def wait_for(job_id: str, *statuses: str, stage: str | None = None, timeout: float = 90.0) -> JobView:
        end = time.monotonic() + timeout
        while True:
            job = jobs.get(ws, job_id)
            arrived = job.status in statuses if statuses else not job.active
            if arrived and stage in (None, job.stage):
                return job
            if time.monotonic() > end:
                raise AssertionError(f"{job_id} is {job.status} in stage {job.stage!r}: {job.error}\n{log(ws, job)}")
            time.sleep(0.02)

    return wait_for


@pytest.fixture
def runner_pid(ws: Workspace) -> Callable[[], Any]:
    def pid() -> Any:
        with database.reading(ws) as connection:
            return connection.execute(sa.select(database.runner.c.pid)).scalar()

    return pid


def log(ws: Workspace, job: JobView) -> str:
    path = ws.root / job.log
    return path.read_text() if path.exists() else "(no log)"
