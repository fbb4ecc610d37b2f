"""Whether the newest data still look like those that the model learned from, with how each input was and is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pricing_core import glossary
from pricing_core.errors import DataError

from . import cache
from .state import PageState
from .tables import more_columns, text_column, visible_table
from .words import count, markdown

if TYPE_CHECKING:
    from pricing_core.workflows.drifting import DataDrift

SMALL = "✓ small change"
VERDICTS = {"stable": "✓ as before", "some change": "⚠️ some change", "moved": "⛔ moved a lot"}


def show(state: PageState) -> None:
    """Show the finding, between what it is, and each input with how it was and is."""
    try:
        drift = _drift(*_key(state), state)
    except DataError as error:
        st.info(markdown(str(error)))
        return
    st.markdown(f"**{markdown(drift.sentence)}**")
    words = f"{drift.words[:1].upper()}{drift.words[1:]}"
    st.caption(
        f"{markdown(words)}: {count(drift.later)} offers against {count(drift.earlier)}. A few hundred offers can look "
        "moved by chance.",
        help=glossary.define("drift"),
    )
    st.caption(
        "How far an input moved is told by its population stability index, which compares the shares of its values: "
        "below 0.1 it counts as before (as a small change where it is more than chance brings in 95 of 100 cases), "
        "from 0.1 as some change, from 0.25 as moved a lot. Yes in one offer of eight that becomes one of five is 0.04."
    )
    small = (drift.table["verdict"] == "stable") & (drift.table["index"] > drift.table["chance"])
    shown = drift.table.assign(
        column=[_name(name) for name in drift.table["column"]],
        verdict=drift.table["verdict"].map(VERDICTS).mask(small, SMALL),
    )
    st.dataframe(
        visible_table(shown), hide_index=True, height="content",
        column_order=more_columns("drift_more", ["column", "verdict", "before", "now", "index"], ["chance"]),
        column_config={
            "column": text_column("Input", pinned=True), "verdict": text_column("Verdict"),
            "before": text_column(
                "Was", help="The middle of a number, how many are a yes, or the share of the value that moved most."
            ),
            "now": text_column("Is now"),
            "index": st.column_config.NumberColumn(
                "How far it moved", format="%.3f", help=glossary.define("population stability index")
            ),
            "chance": st.column_config.NumberColumn(
                "By chance up to", format="%.3f",
                help="Chance alone stays below it in 95 of 100 cases; more where many offers are of one customer.",
            ),
        },
    )  # fmt: skip


def _name(column: str) -> str:
    table, _, name = column.rpartition(": ")
    return f"{name.replace('_', ' ')} ({table})" if table else column


def _key(state: PageState) -> tuple[str, str, str, str]:
    newest = str(state.dataset_id)
    return str(state.ws.root), str(state.run_id), newest, cache.stamp(state.ws, newest)


@st.cache_resource(max_entries=4, show_spinner="Comparing the inputs …")
def _drift(root: str, run_id: str, dataset_id: str, stamp: str, _state: PageState) -> DataDrift:
    from pricing_core.workflows.drifting import data_drift

    return data_drift(_state.ws, _state.run)
