"""Jobs that come to their end: states, messages, order, and one at a time."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pricing_core import jobs
from pricing_core.errors import JobError
from pricing_core.jobs import JobView, logs
from pricing_core.store.workspace import Workspace

Wait = Callable[..., JobView]


def test_a_job_runs_in_a_nice_process_of_its_own_and_returns_its_result(ws: Workspace, wait: Wait) -> None:
    job_id = jobs.submit(ws, "add", {"a": 2, "b": 3})
    job = wait(job_id)
    assert (job.id, job.status, job.error, job.fraction) == ("j0001", "succeeded", None, 1.0)
    assert (job.stage, job.message) == ("Adding", "two numbers")
    assert job.result is not None and job.result["sum"] == 5
    assert job.result["niceness"] >= 10 and job.result["log_level"] == "2"
    assert "a line for the log" in (ws.root / job.log).read_text()
    assert job.started_at is not None and job.finished_at is not None
    assert job.submitted_at <= job.started_at <= job.finished_at
    assert jobs.get(Workspace(ws.root), job_id) == job


@pytest.mark.parametrize(
    ("kind", "error", "in_log"),
    [
        ("bad_data", "No row of offers.csv can be used. Check the delimiter.", "DataError"),
        ("broken", "internal error: KeyError: 'no such\\ncolumn'", "Traceback"),
        ("quits", "internal error: SystemExit: 0", "sys.exit(0)"),
        (
            "no_memory",
            "The machine's memory is not enough for this job. Use fewer rows, or a larger machine.",
            "Memory",
        ),
        ("not_json", "internal error: TypeError: a value of type object cannot be kept as JSON", "Traceback"),
    ],
)
def test_an_error_is_one_line_for_the_user_and_a_traceback_in_the_log(
    ws: Workspace, wait: Wait, kind: str, error: str, in_log: str
) -> None:
    job = wait(jobs.submit(ws, kind, {}))
    assert (job.status, job.error, job.result) == ("failed", error, None)
    assert in_log in (ws.root / job.log).read_text()


def test_an_unknown_kind_names_the_known_ones(ws: Workspace, wait: Wait) -> None:
    job = wait(jobs.submit(ws, "fly", {}))
    assert job.status == "failed"
    assert job.error is not None and job.error.startswith("There is no kind of job 'fly'. Kinds are add, bad_data,")


def test_jobs_run_one_at_a_time_in_the_order_submitted(ws: Workspace, wait: Wait, tmp_path: Path) -> None:
    file = tmp_path / "notes"
    ids = [jobs.submit(ws, "note", {"file": str(file), "name": name}) for name in "abc"]
    assert [jobs.get(ws, each).status for each in ids[1:]] == ["queued", "queued"]
    wait(ids[-1], "succeeded")
    lines = [line.split() for line in file.read_text().splitlines()]
    assert [line[0] for line in lines] == ["a", "b", "c"]
    for (_, _, end), (_, start, _) in itertools.pairwise(lines):
        assert float(end) <= float(start)
    assert [job.id for job in jobs.list_jobs(ws)] == ids[::-1]
    assert [job.id for job in jobs.list_jobs(ws, limit=1)] == ids[-1:]


def test_submitters_in_several_processes_start_one_runner(ws: Workspace, wait: Wait, tmp_path: Path) -> None:
    code = (
        "import sys, time; from pricing_core import jobs; from pricing_core.store.workspace import Workspace\n"
        "ws = Workspace(sys.argv[1]); time.sleep(max(0, float(sys.argv[3]) - time.time()))\n"
        "for i in range(2): jobs.submit(ws, 'note', {'file': sys.argv[2], 'name': 'x', 'seconds': 0.01})\n"
    )
    file, at = tmp_path / "notes", str(time.time() + 1.5)
    submitters = [subprocess.Popen([sys.executable, "-c", code, ws.root, file, at]) for _ in range(3)]
    assert [process.wait(30) for process in submitters] == [0, 0, 0]
    for number in range(1, 7):
        wait(f"j{number:04d}", "succeeded")
    assert len(file.read_text().splitlines()) == 6
    assert "Traceback" not in (ws.logs_dir / "runner.log").read_text()
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert sum("pricing_core.jobs.runner" in command and str(ws.root) in command for command in commands) == 1


def test_a_waiting_job_is_cancelled_at_once_and_an_ended_one_stays_as_it_is(ws: Workspace, wait: Wait) -> None:
    first = jobs.submit(ws, "report", {})
    second = jobs.submit(ws, "add", {"a": 1, "b": 1})
    jobs.cancel(ws, second)
    job = jobs.get(ws, second)
    assert (job.status, job.started_at, job.pid) == ("cancelled", None, None)
    jobs.cancel(ws, first)
    wait(first, "cancelled")
    again = jobs.retry(ws, second)
    done = wait(again, "succeeded")
    assert (done.retry_of, done.params) == (second, {"a": 1, "b": 1})
    jobs.cancel(ws, again)
    assert jobs.get(ws, again) == done


def test_only_an_ended_job_can_be_repeated(ws: Workspace, wait: Wait) -> None:
    job_id = jobs.submit(ws, "report", {})
    with pytest.raises(JobError, match=r"The job j0001 has not ended\. Cancel it first, or wait for it\."):
        jobs.retry(ws, job_id)
    jobs.cancel(ws, job_id)
    wait(job_id, "cancelled")


@pytest.mark.parametrize("job_id", ["j0009", "9", "jx", ""])
def test_an_unknown_job_is_a_clear_error(ws: Workspace, job_id: str) -> None:
    with pytest.raises(JobError, match=f"The workspace knows no job '{job_id}'"):
        jobs.get(ws, job_id)


def test_parameters_that_are_not_plain_values_are_refused(ws: Workspace) -> None:
    with pytest.raises(JobError, match="The job 'add' cannot be started: a value of type object cannot be kept"):
        jobs.submit(ws, "add", {"a": object()})
    assert jobs.list_jobs(ws) == []


def test_a_talkative_worker_does_not_fill_the_disk(ws: Workspace, wait: Wait) -> None:
    job = wait(jobs.submit(ws, "chatter", {}))
    text = (ws.root / job.log).read_text()
    assert len(text) <= logs.MAX_BYTES  # of 5 million; how much of them depends on when the runner looked
    assert text.startswith("[earlier output was removed]\n") and text.endswith("the end\n")


def test_looking_at_jobs_and_running_them_needs_no_learner() -> None:
    code = (
        "import sys, pricing_core.jobs.runner, pricing_core.jobs.worker\n"
        "print([name for name in ('tensorflow', 'keras', 'lightgbm', 'shap', 'pandas') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
