"""The trained models: which is in use and was when, compared side by side, put in use, taken back, noted, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pricing_core.errors import ModelError
from pricing_core.store import run_registry, runs
from pricing_core.workflows import using_runs
from pricing_core.workflows.run_words import kind_words, manifests

from . import access, run_comparison
from .frame import sentences_for_errors
from .state import PageState
from .tables import more_columns, text_column, visible_table
from .words import ago, duration, markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

WHY = {"trained": "trained", "chosen": "chosen", "rolled back": "gone back to"}
_REFUSED = "run_refused"


def show(state: PageState, *, compare: bool = True) -> None:
    """Show all runs, what can be done with one, several side by side (with ``compare``), and the history of use."""
    listed = runs.list_runs(state.ws)
    ids = [str(run_id) for run_id in listed["run_id"]]
    known = manifests(state.ws, ids)
    kinds = {run_id: kind_words(known[run_id]) for run_id in ids}
    _list(listed, kinds)
    _back(state)
    st.subheader("One model", anchor=False)
    _one(state, listed, kinds)
    if compare and len(ids) > 1:
        st.subheader("Side by side", anchor=False)
        with sentences_for_errors():  # a damaged run must not hide the history
            run_comparison.show(state, sorted(ids, key=lambda each: each != state.run_id))  # the one in use first
    st.subheader("In use, and when", anchor=False)
    _history(state)


def _list(listed: pd.DataFrame, kinds: Mapping[str, str]) -> None:
    seconds = listed["seconds"] if "seconds" in listed else pd.Series(float("nan"), index=listed.index)
    shown = listed.reindex(
        columns=[*listed.columns, *{"auc", "log_loss", "seed"} - set(listed.columns)]
    )
    kind = pd.Series([kinds[str(each)] for each in shown["run_id"]], index=shown.index, dtype=object)
    st.dataframe(
        visible_table(shown.assign(auc=shown["auc"] * 100, took=[duration(each) for each in seconds], kind=kind)),
        hide_index=True, placeholder="–", height=420 if len(shown) > 11 else "content",
        column_order=more_columns(
            "runs_more", ["run_id", "promoted", "kind", "created_at", "log_loss", "note"],
            ["auc", "dataset_id", "took", "seed"],
        ),
        column_config={
            "run_id": text_column("Model", pinned=True), "promoted": st.column_config.CheckboxColumn("In use"),
            "note": text_column("Note"),
            "kind": text_column("Kind", help="Kind of model, how it was trained, and where its settings came from."),
            "created_at": st.column_config.DatetimeColumn("Trained (UTC)", format="YYYY-MM-DD HH:mm"),
            "dataset_id": text_column("Data"),
            "took": text_column("Time taken"),
            "auc": st.column_config.NumberColumn("Ranks buyers first", format="%.1f%%"),
            "log_loss": st.column_config.NumberColumn(
                "Log loss, all later offers", format="%.4f", help="Lower is better. Judged on all offers held out."
            ),
            "seed": st.column_config.NumberColumn("Seed"),
        },
    )  # fmt: skip


def _back(state: PageState) -> None:
    """One click to the model that was in use before; the next goes one further back."""
    back = _way_back(_files(state), state)
    if back.run_id and access.button(
        state, "train", f"Go back to {back.run_id}, which was in use before", icon=":material/undo:", key="roll_back"
    ):
        using_runs.go_back(state.ws, actor=access.actor(state))
        st.rerun()
    for passed in back.skipped:
        st.caption(f":material/info: {markdown(passed)}.")


def _files(state: PageState) -> str:
    """What the way back depends on: the history of use, and the files of its runs."""
    earlier = run_registry.earlier_run_ids(state.ws)
    stamps = [(path.name, path.stat().st_mtime_ns, path.stat().st_size)
              for run_id in earlier for path in sorted((state.ws.runs_dir / run_id).glob("*"))]  # fmt: skip
    return f"{state.ws.root}|{state.run_id}|{earlier}|{stamps}"


@st.cache_resource(max_entries=8, show_spinner=False)
def _way_back(stamp: str, _state: PageState) -> using_runs.WayBack:
    return using_runs.way_back(_state.ws)


def _one(state: PageState, listed: pd.DataFrame, kinds: Mapping[str, str]) -> None:
    labels = _labels(listed, kinds)
    chosen = str(st.selectbox("Model", list(kinds), key="registry_run", format_func=labels.__getitem__, width=620))
    note = str(listed.set_index("run_id").loc[chosen, "note"])
    with st.form(f"note_{chosen}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Note", note, key=f"note_text_{chosen}", max_chars=run_registry.LONGEST_NOTE, width="stretch",
            placeholder="What is special about it",
        )  # fmt: skip
        if access.form_button(state, "train", "Save note", icon=":material/edit_note:"):
            run_registry.set_note(state.ws, chosen, text, actor=access.actor(state))
            st.rerun()
    refused = st.session_state.pop(_REFUSED, None)
    if refused:
        st.error(markdown(refused), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        used = chosen == state.run_id
        if access.button(
            state, "train", "Use this model", icon=":material/swap_horiz:", disabled=used, key=f"use_{chosen}"
        ):
            _use(state, chosen)
        kept = run_registry.why_kept(state.ws, chosen)
        if kept is None:
            _delete(state, chosen)
    if used:
        st.caption("In use: every page and command answers with it, so that it cannot be deleted.")
    elif kept is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f":material/lock: It cannot be deleted: {markdown(kept)}", width="content")
            st.page_link("pages/price_list.py", label="Price lists", icon=":material/sell:", width="content")


def _use(state: PageState, run_id: str) -> None:
    try:
        using_runs.use_run(state.ws, run_id, actor=access.actor(state))
    except ModelError as error:  # the rest of the tab stays, with what else can be done
        st.session_state[_REFUSED] = str(error)
    st.rerun()


def _delete(state: PageState, run_id: str) -> None:
    """A button that asks once more."""
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown(f"Delete **{run_id}** for good? It cannot be brought back.")
        if access.button(state, "train", f"Delete {run_id}", type="primary", key=f"delete_{run_id}"):
            run_registry.delete(state.ws, run_id, actor=access.actor(state))
            st.rerun()


def _labels(listed: pd.DataFrame, kinds: Mapping[str, str]) -> dict[str, str]:
    told = zip(listed["run_id"], listed["created_at"], listed["promoted"], strict=True)
    return {
        str(run_id): " · ".join(
            part for part in (run_id, kinds[str(run_id)], f"trained {ago(created)}", "in use" if used else None) if part
        )
        for run_id, created, used in told
    }


def _history(state: PageState) -> None:
    history = run_registry.usage_history(state.ws)
    shown = history.assign(
        why=history["why"].map(WHY),
        actor=[who or "the training" for who in history["actor"]],
        run_id=[f"{run_id} (deleted)" if gone else run_id
                for run_id, gone in zip(history["run_id"], history["deleted"], strict=True)],
    )  # fmt: skip
    st.dataframe(
        visible_table(shown), hide_index=True, placeholder="now", height=420 if len(shown) > 11 else "content",
        column_order=["run_id", "since", "until", "why", "actor"],
        column_config={
            "run_id": text_column("Model", pinned=True),
            "since": st.column_config.DatetimeColumn("From (UTC)", format="YYYY-MM-DD HH:mm"),
            "until": st.column_config.DatetimeColumn("Until (UTC)", format="YYYY-MM-DD HH:mm"),
            "why": text_column("Because it was"), "actor": text_column("By"),
        },
    )  # fmt: skip
