"""Background jobs on a page: stage, progress, time left, live curve, cancel, retry, and why one ended.

A panel polls in a fragment only while something runs; when the job ends, the whole page runs again once, so
that it picks up the new data set, model or price list.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from pricing_core import jobs
from pricing_core.charts import training
from pricing_core.jobs import JobView
from pricing_core.store import settings
from pricing_core.store.workspace import Workspace

from . import access, figures
from .words import ago, duration, markdown

POLL_SECONDS = 1.0
NEWS_SECONDS = 300
DISMISSED = "dismissed_jobs"
KEPT_DISMISSED = 100
_OWN = "own_job"
NAMES = {
    "import_sample": "Loading the sample",
    "import": "Importing your files",
    "repair": "Repairing the data",
    "use_version": "Putting a version back",
    "train": "Training the models",
    "tune": "Tuning",
    "price_list": "Making the price list",
    "explain": "Explaining recommendations",
    "explain_list": "Explaining the price list",
    "export": "Writing the file to take away",
    "demo": "Loading and training the sample shop",
    "backtest": "Running the backtest",
    "customer_features": "Computing the customer features",
    "compress": "Compressing the model",
}
ACTIONS = {
    "import_sample": "import", "import": "import", "repair": "import", "use_version": "import", "demo": "train",
    "compress": "train", "train": "train", "tune": "train", "explain": "view", "export": "export",
    "customer_features": "export",
}  # fmt: skip
"""What a person must be allowed to do for a job to start; any other job needs "edit"."""
GOES_ON = {"tune": "Its finished trials are kept; “Go on” below continues it."}
"""Jobs that the page itself offers to go on with, and what that does; they have no "Try again"."""


_LEARNS = {"train": "The new model", "demo": "The new model", "tune": "This trial"}


def start(ws: Workspace, kind: str, params: dict[str, Any]) -> None:
    """Put a job into the queue and show it at once; refuse those who may not do what it does."""
    access.require(ws, ACTIONS.get(kind, "edit"))
    st.session_state[_OWN] = jobs.submit(ws, kind, params)
    st.rerun()


def show_alone(ws: Workspace, kinds: Sequence[str]) -> None:
    """Like :func:`show`, and end the page after the panel while the job is one that this session has started.

    The page is short then, so that the progress is in view wherever on it the button was, and what came of the job is
    when the page is whole again.
    """
    if show(ws, kinds) and _newest_active(ws, kinds) == st.session_state.get(_OWN):
        st.caption("This page shows its result when it is done. Every other page can be used meanwhile.")
        st.stop()


def show(ws: Workspace, kinds: Sequence[str]) -> bool:
    """Show the job of these kinds that is active, and return whether there is one.

    While none is, show how the newest ended if it did not succeed, until the user dismisses it or another succeeds.
    """
    recent = [job for job in jobs.list_jobs(ws, 50) if job.kind in kinds]
    active = [job for job in recent if job.active]
    if active:
        st.fragment(_live, run_every=POLL_SECONDS)(ws, active[-1].id)
        return True
    if recent and recent[0].status != "succeeded" and recent[0].id not in settings.get(ws, DISMISSED, []):
        _ended(ws, recent[0])
    return False


def ready(ws: Workspace, kind: str, *, page: str, label: str) -> None:
    """Say for some minutes that a job of this kind has finished, and link to where its result is."""
    job = fresh(ws, (kind,))
    if job is not None:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            done = f":green[:material/check_circle:] **{NAMES[kind]}**: done {ago(job.finished_at)}."
            st.markdown(done, width="stretch")
            st.page_link(page, label=label, icon=":material/arrow_forward:")


def fresh(ws: Workspace, kinds: Sequence[str]) -> JobView | None:
    """Return the newest job of these kinds if it has succeeded within the last minutes."""
    job = _newest(ws, kinds)
    if job is None or job.status != "succeeded" or job.finished_at is None:
        return None
    return job if (datetime.now(UTC) - job.finished_at).total_seconds() < NEWS_SECONDS else None


def nothing_new(ws: Workspace) -> None:
    """Say for some minutes that the newest import made no version, because all its rows are known."""
    job = fresh(ws, ("import",))
    words = (job.result or {}).get("nothing_new") if job is not None else None
    if words:
        st.info(markdown(words), icon=":material/content_copy:")


def strip(ws: Workspace) -> None:
    """Show in one line what runs now; for the sidebar of every page."""
    active = [job for job in jobs.list_jobs(ws, 20) if job.active]
    if active:
        st.fragment(_strip, run_every=2 * POLL_SECONDS)(ws, active[-1].id)


def _newest(ws: Workspace, kinds: Sequence[str]) -> JobView | None:
    return next((job for job in jobs.list_jobs(ws, 50) if job.kind in kinds), None)


def _newest_active(ws: Workspace, kinds: Sequence[str]) -> str | None:
    active = [job.id for job in jobs.list_jobs(ws, 50) if job.kind in kinds and job.active]
    return active[-1] if active else None


def _strip(ws: Workspace, job_id: str) -> None:
    job = jobs.get(ws, job_id)
    if job.active:
        st.progress(job.fraction, text=f"{NAMES.get(job.kind, job.kind)} · {job.fraction:.0%}")
        _cancel_button(ws, job, f"strip_cancel_{job.id}")
    else:
        st.rerun(scope="app")


def _live(ws: Workspace, job_id: str) -> None:
    job = jobs.get(ws, job_id)
    if not job.active:
        st.rerun(scope="app")
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{NAMES.get(job.kind, job.kind)}** · {_left(job)}", width="content")
            _cancel_button(ws, job, f"cancel_{job.id}")
        st.progress(job.fraction, text=markdown(_doing(job)))
        curve = jobs.metrics(ws, job.id)
        if len(curve):
            figure = training.training_figure(training.training_data(curve)).update_yaxes(title_text="Log loss")
            st.caption(f"{_LEARNS.get(job.kind, 'It')} learns so far, pass by pass:")
            figures.show(figure, key=f"curve_{job.id}", height=240)


def _cancel_button(ws: Workspace, job: JobView, key: str) -> None:
    st.button(
        "Stopping …" if job.cancel_requested else "Cancel", key=key, icon=":material/stop_circle:",
        disabled=job.cancel_requested or not _may(ws, job.kind), on_click=_cancel, args=(ws, job.id),
    )  # fmt: skip


def _ended(ws: Workspace, job: JobView) -> None:
    name = NAMES.get(job.kind, job.kind)
    if job.status == "cancelled":
        after = GOES_ON.get(job.kind, "What was there before is still in use.")
        st.info(f"{name}: stopped {ago(job.finished_at)}. {after}")
    else:
        reason = f"{name} did not finish: {markdown(job.error or 'no reason was recorded')}"
        st.error(f"{reason} {GOES_ON.get(job.kind, '')}".rstrip(), icon=":material/error:")
    with st.container(horizontal=True):
        if job.kind not in GOES_ON:
            st.button(
                "Try again", key=f"retry_{job.id}", icon=":material/refresh:", on_click=_retry, args=(ws, job.id),
                disabled=not _may(ws, job.kind),
            )  # fmt: skip
        st.button(
            "Dismiss", key=f"dismiss_{job.id}", icon=":material/close:", type="tertiary", on_click=_dismiss,
            args=(ws, job.id), disabled=not _may(ws, job.kind),
        )  # fmt: skip


def _may(ws: Workspace, kind: str) -> bool:
    return access.may(ws, ACTIONS.get(kind, "edit"))


def _cancel(ws: Workspace, job_id: str) -> None:
    if _may(ws, jobs.get(ws, job_id).kind):
        jobs.cancel(ws, job_id)


def _dismiss(ws: Workspace, job_id: str) -> None:
    if _may(ws, jobs.get(ws, job_id).kind):
        kept = [*settings.get(ws, DISMISSED, []), job_id]
        settings.set(ws, DISMISSED, kept[-KEPT_DISMISSED:])


def _retry(ws: Workspace, job_id: str) -> None:
    if _may(ws, jobs.get(ws, job_id).kind):
        jobs.retry(ws, job_id)


def _doing(job: JobView) -> str:
    if job.status == "queued":
        return "Waiting for its turn"
    return f"{job.stage} · {job.message}" if job.message else job.stage or "Starting"


def _left(job: JobView) -> str:
    if job.status == "queued":
        return "waiting"
    return f"{job.fraction:.0%}" + (f" · about {duration(job.eta_seconds)} left" if job.eta_seconds else "")
