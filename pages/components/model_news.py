"""What a training, a tuning or a compression has brought, said on the Models page for some minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pricing_core.errors import PricingError
from pricing_core.store import run_registry, runs

from . import job_panel, run_comparison
from .guardrails import last_strategy, strategy_names
from .state import PageState
from .tables import record
from .words import ago, markdown, number, percent

if TYPE_CHECKING:
    from pricing_core.jobs import JobView

_SAME = 0.0005  # mean change of prices that is written as 0.0%
KINDS = ("train", "demo", "tune", "compress")


def show(state: PageState) -> None:
    """Say what the newest of these jobs has brought, with a button to where it stands, for some minutes."""
    job = job_panel.fresh(state.ws, KINDS)
    if job is None or job.result is None or state.run_id is None:
        return
    told = _told(state, job.kind, job.result)
    if told is None:
        return
    words, label, widgets = told
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f":green[:material/check_circle:] {words} {_when(job)}", width="stretch")
        # A link to the page that is open would not change its tab.
        st.button(label, icon=":material/arrow_forward:", key=f"news_{job.id}", on_click=st.session_state.update,
                  args=(widgets,))  # fmt: skip


def _told(state: PageState, kind: str, result: dict[str, Any]) -> tuple[str, str, dict[str, Any]] | None:
    """Return the words, the label of the button, and what it opens, as state of the page's widgets."""
    if kind == "compress":
        words = "The compressed forms of the model are ready; which one answers is chosen there."
        return words, "Size", {"tab": "Size"}
    if kind == "tune":
        best = result.get("best_number")
        what = "no trial has been judged yet" if best is None else f"trial {best} is best"
        return f"The tuning **{markdown(str(result['name']))}** has finished: {what}.", "Tune", {"tab": "Tune"}
    run_id, listed = str(result.get("run_id")), runs.list_runs(state.ws)
    if run_id not in set(listed["run_id"]):
        return None
    if run_id == state.run_id:
        history = run_registry.usage_history(state.ws)
        place = history.index[history["run_id"] == run_id][0]
        rest = history.loc[place + 1 :]
        other = str(rest["run_id"].iloc[0]) if len(rest) and not rest["deleted"].iloc[0] else None
        words = f"**{run_id}** is ready and in use" + (f" instead of {other}." if other else ".")
    else:
        other, words = str(state.run_id), f"**{run_id}** is ready; {state.run_id} stays in use until another is chosen."
    if other is None:
        return words, "Runs", {"tab": "Runs"}
    return f"{words} {_changes(state, run_id, other, listed)}", "Compare them", {
        "tab": "Runs", "compare": [other, run_id]
    }  # fmt: skip


def _changes(state: PageState, run_id: str, other: str, listed: pd.DataFrame) -> str:
    """Say how log loss and prices differ from another run's."""
    loss = [record(listed, "run_id", each).get("log_loss") for each in (run_id, other)]
    words = ""
    if not any(pd.isna(each) for each in loss):
        words = f"Log loss on later offers: {number(loss[0], digits=4)}, {other} has {number(loss[1], digits=4)}. "
    names = [name for name in strategy_names(state.ws) if name != "status_quo"]
    now = last_strategy(state.ws)
    try:
        prices = run_comparison.compared(state, (other, run_id), now if now in names else names[0])
    except PricingError:  # the other run is damaged: what there is to say of this one stays
        return words.rstrip()
    row = record(prices.prices, "run_id", run_id)
    size, side = abs(row["mean_change"]), "higher" if row["mean_change"] >= 0 else "lower"
    level = f"{percent(size)} {side} on average than" if size >= _SAME else "on average as high as"
    return (
        f"{words}Its prices are {level} {other}'s for the same offers, and {percent(row['moved_share'], digits=0)} of "
        "them differ by more than 1%."
    )


def _when(job: JobView) -> str:
    return f":gray[Done {ago(job.finished_at)}.]"
