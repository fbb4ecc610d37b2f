"""The queue with its table on a PostgreSQL server."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pricing_core import jobs
from pricing_core.jobs import JobView
from pricing_core.store.workspace import Workspace
from tests.databases import use_database

from .conftest import end_processes

Wait = Callable[..., JobView]


@pytest.fixture(autouse=True)
def _on_a_server(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with use_database("postgresql", monkeypatch):
        yield
        end_processes(ws)


def test_jobs_run_one_at_a_time_in_order(ws: Workspace, wait: Wait) -> None:
    ids = [jobs.submit(ws, "add", {"a": n, "b": 3}) for n in range(3)]
    done = [wait(job_id) for job_id in ids]
    assert [job.status for job in done] == ["succeeded"] * 3
    assert [job.result["sum"] for job in done if job.result] == [3, 4, 5]
    assert all(a.finished_at <= b.started_at for a, b in itertools.pairwise(done))  # type: ignore[operator]
    assert not ws.database_path.exists()


def test_a_job_is_cancelled_and_a_killed_worker_is_noticed(ws: Workspace, wait: Wait) -> None:
    first = jobs.submit(ws, "report", {"seconds": 60})
    wait(first, "running", stage="Looping")
    jobs.cancel(ws, first)
    assert wait(first).status == "cancelled"
    second = jobs.submit(ws, "report", {"seconds": 60})
    pid = wait(second, "running", stage="Looping").pid
    os.kill(int(pid or 0), 9)
    assert wait(second).status == "lost"


def test_a_new_runner_takes_over_when_the_old_one_was_killed(
    ws: Workspace, wait: Wait, runner_pid: Callable[[], Any]
) -> None:
    job_id = jobs.submit(ws, "report", {"seconds": 60})
    worker = wait(job_id, "running", stage="Looping").pid
    first = runner_pid()
    os.kill(first, 9)
    end = time.monotonic() + 90
    while runner_pid() == first and time.monotonic() < end:
        job = jobs.get(ws, job_id)
        time.sleep(0.05)
    assert runner_pid() != first and job.pid == worker
    jobs.cancel(ws, job_id)
    assert wait(job_id).status == "cancelled"
