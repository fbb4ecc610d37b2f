"""The trained models: which is in use and was when, compared side by side, put in use, taken back, noted, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pricing_core.models.demand_model import label_of
from pricing_core.store import run_registry, runs

from . import access, run_comparison
from .state import PageState
from .tables import more_columns, text_column, visible_table
from .words import ago, duration, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

WHY = {"trained": "trained", "chosen": "chosen", "rolled back": "rolled back"}


def show(state: PageState, *, compare: bool = True) -> None:
    """Show all runs, what can be done with one, several side by side (with ``compare``), and the history of use."""
    listed = runs.list_runs(state.ws)
    _list(listed)
    _back(state)
    ids = [str(run_id) for run_id in listed["run_id"]]
    st.subheader("One model", anchor=False)
    _one(state, listed, ids)
    if compare and len(ids) > 1:
        st.subheader("Side by side", anchor=False)
        run_comparison.show(state, sorted(ids, key=lambda each: each != state.run_id))  # the one in use first
    st.subheader("In use, and when", anchor=False)
    _history(state)


def _list(listed: pd.DataFrame) -> None:
    seconds = listed["seconds"] if "seconds" in listed else pd.Series(float("nan"), index=listed.index)
    shown = listed.reindex(
        columns=[*listed.columns, *{"auc", "log_loss", "quick", "seed", "family"} - set(listed.columns)]
    )
    kinds = pd.Series([label_of(each) for each in shown["family"]], index=shown.index, dtype=object)
    st.dataframe(
        visible_table(shown.assign(auc=shown["auc"] * 100, took=[duration(each) for each in seconds], kind=kinds)),
        hide_index=True, placeholder="–", height=420 if len(shown) > 11 else "content",
        column_order=more_columns(
            "runs_more", ["run_id", "promoted", "kind", "created_at", "log_loss", "note"],
            ["auc", "dataset_id", "quick", "took", "seed"],
        ),
        column_config={
            "run_id": text_column("Model", pinned=True), "promoted": st.column_config.CheckboxColumn("In use"),
            "note": text_column("Note"), "kind": text_column("Kind"),
            "created_at": st.column_config.DatetimeColumn("Trained (UTC)", format="YYYY-MM-DD HH:mm"),
            "dataset_id": text_column("Data"), "quick": st.column_config.CheckboxColumn("Quick"),
            "took": text_column("Time taken"),
            "auc": st.column_config.NumberColumn("Ranks buyers first", format="%.1f%%"),
            "log_loss": st.column_config.NumberColumn("Log loss", format="%.4f", help="Lower is better."),
            "seed": st.column_config.NumberColumn("Seed"),
        },
    )  # fmt: skip


def _back(state: PageState) -> None:
    """One click to the model that was in use before."""
    earlier = run_registry.previous_run_id(state.ws)
    if earlier and access.button(
        state, "train", f"Go back to {earlier}, which was in use before", icon=":material/undo:", key="roll_back"
    ):
        run_registry.roll_back(state.ws, actor=access.actor(state))
        st.rerun()


def _one(state: PageState, listed: pd.DataFrame, ids: Sequence[str]) -> None:
    chosen = str(st.selectbox("Model", ids, key="registry_run", format_func=_labels(listed).__getitem__, width=420))
    note = str(listed.set_index("run_id").loc[chosen, "note"])
    with st.form(f"note_{chosen}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Note", note, key=f"note_text_{chosen}", max_chars=run_registry.LONGEST_NOTE, width="stretch",
            placeholder="What is special about it",
        )  # fmt: skip
        if access.form_button(state, "train", "Save note", icon=":material/edit_note:"):
            run_registry.set_note(state.ws, chosen, text, actor=access.actor(state))
            st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        used = chosen == state.run_id
        if access.button(
            state, "train", "Use this model", icon=":material/swap_horiz:", disabled=used, key=f"use_{chosen}"
        ):
            run_registry.put_in_use(state.ws, chosen, actor=access.actor(state))
            st.rerun()
        _delete(state, chosen)
    if used:
        st.caption("In use: every page and command answers with it.")


def _delete(state: PageState, run_id: str) -> None:
    """A button that asks once more; what must stay says why."""
    kept = run_registry.why_kept(state.ws, run_id)
    if kept is not None:
        st.button("Delete", icon=":material/delete:", disabled=True, help=markdown(kept), key=f"keep_{run_id}")
        return
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown(f"Delete **{run_id}** for good? It cannot be brought back.")
        if access.button(state, "train", f"Delete {run_id}", type="primary", key=f"delete_{run_id}"):
            run_registry.delete(state.ws, run_id, actor=access.actor(state))
            st.rerun()


def _labels(listed: pd.DataFrame) -> dict[str, str]:
    kinds = listed["family"] if "family" in listed else [None] * len(listed)
    told = zip(listed["run_id"], kinds, listed["created_at"], listed["promoted"], strict=True)
    return {
        str(run_id): " · ".join(
            part for part in (run_id, label_of(kind), f"trained {ago(created)}", "in use" if used else None) if part
        )
        for run_id, kind, created, used in told
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
