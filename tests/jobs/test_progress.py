from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from pricing_core import jobs
from pricing_core.errors import JobCancelled
from pricing_core.jobs import launch
from pricing_core.jobs.progress import JobProgress
from pricing_core.progress import SubProgress
from pricing_core.store import database
from pricing_core.store.workspace import Workspace


@pytest.fixture
def job_id(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> str:
    """A job that this process does itself."""
    monkeypatch.setattr(launch, "ensure_runner", lambda _ws: False)
    submitted = jobs.submit(ws, "add", {})
    with database.writing(ws) as connection:
        connection.execute(sa.update(database.jobs).values(status="running", updated_at=time.time()))
    return submitted


def test_reports_are_written_five_times_a_second_at_most_and_the_last_is_shown(
    ws: Workspace, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes: list[float] = []
    original = database.writing

    @contextmanager
    def counted(workspace: Workspace) -> Iterator[Any]:
        writes.append(time.monotonic())
        with original(workspace) as connection:
            yield connection

    monkeypatch.setattr(database, "writing", counted)
    with JobProgress(ws, job_id) as progress:
        end = time.monotonic() + 1.0
        step = 0
        while time.monotonic() < end:
            progress.stage("Training", 0.5, f"step {step}")
            progress.metric("loss", step, 1.0 / (1 + step))
            step += 1
        assert 1 <= len(writes) <= 6  # a slow disk may make them fewer, nothing makes them more
        until = time.monotonic() + 90  # silence: the thread writes what was reported last
        while jobs.get(ws, job_id).message != f"step {step - 1}" and time.monotonic() < until:
            time.sleep(0.05)
        assert jobs.get(ws, job_id).message == f"step {step - 1}"
    assert min(b - a for a, b in itertools.pairwise(writes)) > 0.19
    curve = jobs.metrics(ws, job_id)
    assert curve["step"].tolist() == list(range(step))
    assert curve["value"].tolist() == pytest.approx([1.0 / (1 + i) for i in range(step)])
    assert curve.dtypes.astype(str).tolist() == ["str", "int64", "float64"]


def test_the_share_done_never_goes_back_and_stays_between_0_and_1(ws: Workspace, job_id: str) -> None:
    shown = []
    with JobProgress(ws, job_id) as progress:
        part = SubProgress(progress, 0.2, 0.6)
        for report, fraction in ((part, 0.5), (progress, 0.1), (progress, math.nan), (progress, -1.0), (progress, 7.0)):
            report.stage("Part", fraction)
            time.sleep(1.0)
            shown.append(jobs.get(ws, job_id).fraction)
    assert shown == pytest.approx([0.4, 0.4, 0.4, 0.4, 1.0])


def test_the_time_left_follows_from_the_share_done_and_counts_down(ws: Workspace, job_id: str) -> None:
    with JobProgress(ws, job_id) as progress:
        progress.stage("Start", 0.01)
        assert jobs.get(ws, job_id).eta_seconds is None
        time.sleep(0.5)
        progress.stage("A fifth", 0.2)  # 0.5 s for a fifth: 2 s for the rest
        first = jobs.get(ws, job_id).eta_seconds
        time.sleep(0.3)
        second = jobs.get(ws, job_id).eta_seconds
    assert first is not None and second is not None
    assert 1.6 < first < 6  # a busy machine may make the half second longer, never shorter
    assert second < first


def test_both_kinds_of_report_stop_a_cancelled_job(ws: Workspace, job_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "runner_answers", lambda _ws: True)
    with JobProgress(ws, job_id) as progress:
        progress.stage("Before", 0.1)
        jobs.cancel(ws, job_id)
        assert jobs.get(ws, job_id).cancel_requested
        time.sleep(1.5)
        with pytest.raises(JobCancelled, match="The job was stopped at your request"):
            progress.stage("After", 0.2)
        with pytest.raises(JobCancelled):
            progress.metric("loss", 1, 0.5)


def test_a_database_that_cannot_be_written_does_not_end_the_work(
    ws: Workspace, job_id: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original = database.writing

    def full(_ws: Workspace) -> Any:
        raise sa.exc.OperationalError("UPDATE jobs", None, Exception("database or disk is full"))

    with JobProgress(ws, job_id) as progress:
        monkeypatch.setattr(database, "writing", full)
        progress.stage("Training", 0.3)
        progress.metric("loss", 1, 0.5)
        until = time.monotonic() + 90
        while "Progress could not be written" not in caplog.text and time.monotonic() < until:
            time.sleep(0.05)
        monkeypatch.setattr(database, "writing", original)
    assert "Progress could not be written" in caplog.text
    assert jobs.get(ws, job_id).stage == "Training" and len(jobs.metrics(ws, job_id)) == 1
