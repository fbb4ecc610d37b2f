"""Every import is kept as a version; the newest is the one in use."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pricing_core import workflows
from pricing_core.schema import TABLES
from pricing_core.store import datasets

from . import access, job_panel
from .state import PageState
from .tables import count_column, text_column


def show(state: PageState) -> None:
    """List the versions of the data, newest first."""
    listed = datasets.list_datasets(state.ws)
    origins = listed["dataset_id"].map(workflows.version_origins(state.ws))
    listed = listed.assign(data_hash=listed["data_hash"].str[:12], origin=origins)
    st.dataframe(
        listed, hide_index=True, placeholder="–", height="content",
        column_order=["dataset_id", "origin", "name", "created_at", "currency", "offers", "customers", "products",
                      "market", "events", "set_aside", "pseudonymized", "source", "data_hash"],
        column_config={
            "dataset_id": text_column("Version"), "origin": text_column("Came from"), "name": text_column("Name"),
            "created_at": st.column_config.DatetimeColumn("Made (UTC)", format="YYYY-MM-DD HH:mm"),
            "source": text_column("Source"), "currency": text_column("Currency"),
            **{table: count_column(table.capitalize()) for table in TABLES},
            "set_aside": count_column("Set aside"),
            "pseudonymized": st.column_config.CheckboxColumn("Pseudonyms"),
            "data_hash": text_column("Fingerprint", help="Start of the SHA-256 of the content."),
        },
    )  # fmt: skip
    st.caption("The newest version is in use. Models remember which version they learned from.")
    ids = listed["dataset_id"].tolist()
    if len(ids) > 1:
        _compare(state, ids)


def _compare(state: PageState, ids: list[str]) -> None:
    """Show how two versions differ, and put an earlier one back into use."""
    left, right, button = st.columns([2, 2, 3], vertical_alignment="bottom")
    # A new version starts with a comparison of its own: the keys carry its id.
    first = left.selectbox("Compare", ids[1:], key=f"compare_first_{ids[0]}")
    second = right.selectbox("with", ids, key=f"compare_second_{ids[0]}")
    if access.button(
        state, "import", f"Use {first} again", place=button, icon=":material/history:", key="use_version",
        help="Makes a new version with the same content; nothing is lost.",
    ):  # fmt: skip
        job_panel.start(state.ws, "use_version", {"dataset_id": first})
    key = f"compared_{first}_{second}"
    if any(datasets.is_large(state.ws, each) for each in (first, second)) and key not in st.session_state:
        st.caption("These versions are large: comparing them offer by offer takes up to a minute.")
        st.button("Compare them", key="compare", icon=":material/compare_arrows:", on_click=_ask, args=(key,))
        return
    table = _compared(str(state.ws.root), str(first), str(second), state)
    st.dataframe(
        table, hide_index=True, height="content",
        column_config={"figure": text_column("Figure"), "first": text_column(str(first)),
                       "second": text_column(str(second)), "difference": text_column("Difference")},
    )  # fmt: skip


def _ask(key: str) -> None:
    """Remember for this session that two versions are to be compared."""
    st.session_state[key] = True


@st.cache_data(max_entries=8, show_spinner="Comparing the versions …")
def _compared(root: str, first: str, second: str, _state: PageState) -> pd.DataFrame:
    return workflows.compare_versions(_state.ws, first, second)
