"""Deaths and cancellations, with real processes; times are those that the user waits."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from pricing_core import jobs
from pricing_core.errors import JobError
from pricing_core.jobs import JobView, launch
from pricing_core.store import runs
from pricing_core.store.workspace import Workspace

Wait = Callable[..., JobView]


def _running(wait: Wait, job_id: str, stage: str) -> int:
    pid = wait(job_id, "running", stage=stage).pid
    assert pid is not None
    return pid


def _soon(wait: Wait, job_id: str, status: str) -> None:
    """Wait for a status; how long that takes depends on what else the machine does."""
    assert wait(job_id, status, timeout=180.0).status == status


def test_a_worker_that_reports_stops_at_once_when_cancelled(ws: Workspace, wait: Wait) -> None:
    job_id = jobs.submit(ws, "report", {})
    _running(wait, job_id, "Looping")
    jobs.cancel(ws, job_id)
    _soon(wait, job_id, "cancelled")
    assert jobs.get(ws, job_id).error is None


def test_a_worker_in_a_native_call_is_cancelled(ws: Workspace, wait: Wait) -> None:
    job_id = jobs.submit(ws, "native_sleep", {})
    pid = _running(wait, job_id, "Deep in native code")
    jobs.cancel(ws, job_id)
    _soon(wait, job_id, "cancelled")
    assert not psutil.pid_exists(pid)


def test_a_worker_that_refuses_to_stop_is_killed_with_its_children(ws: Workspace, wait: Wait, tmp_path: Path) -> None:
    job_id = jobs.submit(ws, "stubborn", {"child": str(tmp_path / "pid")})
    _running(wait, job_id, "Refusing")
    child = int((tmp_path / "pid").read_text())
    jobs.cancel(ws, job_id)
    _soon(wait, job_id, "cancelled")
    time.sleep(0.1)
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_killed_worker_is_seen_with_its_reason_and_can_be_tried_again(ws: Workspace, wait: Wait) -> None:
    job_id = jobs.submit(ws, "write_and_wait", {"seconds": 0.5})
    os.kill(_running(wait, job_id, "Writing"), signal.SIGKILL)
    _soon(wait, job_id, "lost")
    assert jobs.get(ws, job_id).error == (
        "The worker was killed by signal 9 (SIGKILL): most likely the machine ran out of memory. "
        "You can try again; details are in logs/j0001.log."
    )
    again = wait(jobs.retry(ws, job_id), "succeeded")
    assert again.result == {"run_id": "r0001"}
    assert runs.list_runs(ws)["run_id"].tolist() == ["r0001"]
    assert list(ws.temp_dir.iterdir()) == []  # what the killed worker left half-written


def test_a_crash_in_native_code_is_named_and_its_place_is_in_the_log(ws: Workspace, wait: Wait) -> None:
    job = wait(jobs.submit(ws, "crash", {}))
    assert job.status == "lost"
    assert job.error is not None
    assert job.error.startswith("The worker crashed in native code with signal 11 (SIGSEGV). You can try again")
    assert "Fatal Python error: Segmentation fault" in (ws.root / job.log).read_text()


@pytest.mark.parametrize(
    ("code", "error"),
    [(3, "The worker ended with exit code 3 and without a result."), (0, "The worker ended without a result.")],
)
def test_a_worker_that_leaves_without_a_word_is_seen(ws: Workspace, wait: Wait, code: int, error: str) -> None:
    job = wait(jobs.submit(ws, "leave", {"code": code}))
    assert (job.status, job.error) == ("lost", f"{error} You can try again; details are in logs/j0001.log.")


def test_the_death_of_the_runner_costs_neither_the_running_job_nor_those_that_wait(
    ws: Workspace, wait: Wait, runner_pid: Callable[[], Any]
) -> None:
    job_id = jobs.submit(ws, "write_and_wait", {"seconds": 1.5})
    waiting = jobs.submit(ws, "add", {"a": 1, "b": 2})
    worker = _running(wait, job_id, "Writing")
    first = runner_pid()
    os.kill(first, signal.SIGKILL)
    done = wait(job_id, "succeeded")
    assert (done.pid, done.result) == (worker, {"run_id": "r0001"})
    assert wait(waiting, "succeeded").result is not None
    assert runner_pid() != first


def test_worker_and_runner_killed_together_are_seen_as_soon_as_somebody_looks(
    ws: Workspace, wait: Wait, runner_pid: Callable[[], Any]
) -> None:
    job_id = jobs.submit(ws, "native_sleep", {})
    waiting = jobs.submit(ws, "add", {"a": 1, "b": 2})
    worker = _running(wait, job_id, "Deep in native code")
    os.kill(runner_pid(), signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
    _soon(wait, job_id, "lost")
    assert "while its runner was away" in (jobs.get(ws, job_id).error or "")
    assert wait(waiting, "succeeded").status == "succeeded"


def test_a_worker_taken_over_can_be_killed_or_cancelled_like_any_other(
    ws: Workspace, wait: Wait, runner_pid: Callable[[], Any]
) -> None:
    job_id = jobs.submit(ws, "native_sleep", {})
    _running(wait, job_id, "Deep in native code")
    os.kill(runner_pid(), signal.SIGKILL)
    jobs.cancel(ws, job_id)  # nobody watches the worker at this moment
    _soon(wait, job_id, "cancelled")
    second = jobs.submit(ws, "native_sleep", {})
    worker = _running(wait, second, "Deep in native code")
    os.kill(runner_pid(), signal.SIGKILL)
    jobs.get(ws, second)
    time.sleep(1.5)
    os.kill(worker, signal.SIGKILL)
    _soon(wait, second, "lost")


def test_a_stopped_runner_does_not_keep_a_worker_from_being_cancelled(
    ws: Workspace, wait: Wait, runner_pid: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = jobs.submit(ws, "native_sleep", {})
    _running(wait, job_id, "Deep in native code")
    stopped = runner_pid()
    os.kill(stopped, signal.SIGSTOP)
    try:
        time.sleep(launch.ANSWER_SECONDS + 0.1)
        jobs.cancel(ws, job_id)
        assert jobs.get(ws, job_id).status == "cancelled"
        monkeypatch.setattr(launch, "STUCK_SECONDS", 1.0)
        assert wait(jobs.submit(ws, "add", {"a": 1, "b": 1}), "succeeded").status == "succeeded"
        assert runner_pid() != stopped
    finally:
        os.kill(stopped, signal.SIGCONT)
    end = time.monotonic() + 180.0
    while psutil.pid_exists(stopped) and time.monotonic() < end:
        time.sleep(0.05)  # it wakes up, sees that it was replaced, and leaves
    assert not psutil.pid_exists(stopped)


def test_deleting_the_workspace_ends_its_processes_and_nothing_comes_back(
    ws: Workspace, wait: Wait, runner_pid: Callable[[], Any]
) -> None:
    worker = _running(wait, jobs.submit(ws, "report", {}), "Looping")
    pids = (worker, runner_pid())
    shutil.rmtree(ws.root)
    end = time.monotonic() + 180.0
    while any(map(psutil.pid_exists, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(psutil.pid_exists, pids))
    assert not ws.root.exists()


def test_a_runner_that_does_not_start_is_reported_instead_of_started_for_ever(
    ws: Workspace, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/nowhere")
    with pytest.raises(JobError, match=r"A background process cannot be started: No such file or directory\. Close"):
        jobs.submit(ws, "add", {"a": 1, "b": 1})
    monkeypatch.setattr("sys.executable", "/bin/false")
    monkeypatch.setattr(launch, "_START_PAUSE", 0.1)
    job = wait("j0001")
    assert (job.status, job.error) == (
        "lost",
        "The job was not started: its runner does not start. The reason is in logs/runner.log.",
    )
    monkeypatch.undo()
