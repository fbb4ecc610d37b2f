"""A job on the page: progress, cancel, and the reason of a failure with a way to try again."""

from __future__ import annotations

import time

import pytest

from pricing_core import jobs
from pricing_core.store.workspace import Workspace

from .conftest import OpenPage


def wait_for(ws: Workspace, job_id: str, *statuses: str, seconds: float = 120) -> jobs.JobView:
    until = time.monotonic() + seconds
    while (job := jobs.get(ws, job_id)).status not in statuses:
        assert time.monotonic() < until, f"the job is {job.status}"
        time.sleep(0.1)
    return job


def test_a_running_job_shows_stage_progress_and_curve_and_can_be_cancelled(
    ws: Workspace, imported: str, open_page: OpenPage
) -> None:
    job = jobs.submit(ws, "train", {"seconds": 120})
    wait_for(ws, job, "running")
    time.sleep(1.5)
    page = open_page("models")
    assert any("Training the models" in text.value and "%" in text.value for text in page.markdown)
    assert page.get("plotly_chart"), "the live loss curve is shown"
    page.button(key=f"cancel_{job}").click().run()
    assert wait_for(ws, job, "cancelled", seconds=5).status == "cancelled"
    page = open_page("models")
    assert any("What was there before is still in use" in text.value for text in page.info)


def test_who_starts_an_import_sees_its_progress_alone_until_it_ends(
    ws: Workspace, imported: str, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRICING_JOB_HANDLERS", "tests.pages.job_handlers:SLOW")
    page = open_page("data")
    assert page.tabs and page.metric
    page.button(key="load_grocery").click().run()
    job = jobs.list_jobs(ws)[0].id
    assert any("Loading the sample" in text.value for text in page.markdown)
    assert not page.tabs and not page.metric, "nothing else pushes the progress out of sight"
    assert open_page("data").tabs, "somebody else goes on looking at the data in use"
    jobs.cancel(ws, job)
    wait_for(ws, job, "cancelled", seconds=20)
    page.run()
    assert page.tabs and any("What was there before is still in use" in text.value for text in page.info)


def test_a_refused_job_shows_its_message_and_can_be_tried_again(
    ws: Workspace, imported: str, open_page: OpenPage
) -> None:
    job = jobs.submit(ws, "import", {})
    wait_for(ws, job, "failed")
    page = open_page("data", errors=True)
    assert "The data set has 12 offers. Import a longer period." in page.error[0].value
    page.button(key=f"retry_{job}").click().run()
    assert jobs.list_jobs(ws)[0].retry_of == job


def test_a_worker_that_died_is_shown_with_its_reason(ws: Workspace, imported: str, open_page: OpenPage) -> None:
    job = jobs.submit(ws, "price_list", {})
    wait_for(ws, job, "lost")
    page = open_page("today", errors=True)
    assert "killed by signal 9" in page.error[0].value
    assert page.button(key=f"retry_{job}")


def test_a_failure_is_dismissed_for_good_or_hidden_by_a_later_success(
    ws: Workspace, imported: str, open_page: OpenPage
) -> None:
    first = jobs.submit(ws, "import", {})
    wait_for(ws, first, "failed")
    page = open_page("data", errors=True)
    page.button(key=f"dismiss_{first}").click().run()
    assert not page.error
    open_page("data")
    open_page("today")
    again = jobs.submit(ws, "import", {})
    wait_for(ws, again, "failed")
    assert open_page("data", errors=True).button(key=f"dismiss_{again}")
    wait_for(ws, jobs.submit(ws, "train", {"seconds": 0}), "succeeded")
    assert open_page("data", errors=True).error, "another kind of job says nothing about the import"
    wait_for(ws, jobs.submit(ws, "import", {}, handlers="tests.pages.job_handlers:SUCCESS"), "succeeded")
    open_page("data")


def test_an_import_without_anything_new_says_so(ws: Workspace, imported: str, open_page: OpenPage) -> None:
    words = "Nothing is new: version d0001 holds all 40 offers of these files. No new version was made."
    handlers = "tests.pages.job_handlers:SUCCESS"
    wait_for(ws, jobs.submit(ws, "import", {"nothing_new": words}, handlers=handlers), "succeeded")
    assert [info.value for info in open_page("data").info].count(words) == 1
    wait_for(ws, jobs.submit(ws, "import", {}, handlers=handlers), "succeeded")
    assert not any("Nothing is new" in info.value for info in open_page("data").info)
