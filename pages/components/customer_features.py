"""Customer features to take away: one row per customer, as of the end of the log."""

from __future__ import annotations

import dataclasses

import pandas as pd
import streamlit as st

from pricing_core.engines.features import MEANINGS

from . import access, job_panel
from .state import PageState
from .tables import text_column
from .words import ago, size

KIND = "customer_features"


def show(state: PageState) -> None:
    """Offer the file of all customers' history, made in the background, and say what its columns mean."""
    from pricing_core.workflows.customer_features import kept_features

    st.markdown(
        "What every customer has been offered, bought and looked at, as of the end of the log: **one row per "
        "customer**, all of them, for your own segments, mailings and reports."
    )
    busy = job_panel.show(state.ws, (KIND,))
    dataset_id = str(state.dataset_id)
    own_ids = state.manifest.pseudonymized and st.checkbox(
        "Put the shop's own customer ids into the file", False, key="features_own_ids", persist_state="session",
        help="Without it the file has pseudonyms, as the screen does; your other systems need the shop's own ids.",
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        path = kept_features(state.ws, dataset_id)
        label = "Make the file again" if path is not None else "Make the file"
        if access.button(state, "export", label, key="make_features", icon=":material/group:", disabled=busy):
            who = dataclasses.asdict(access.actor(state))
            job_panel.start(state.ws, KIND, {"dataset_id": dataset_id, "own_ids": bool(own_ids), "actor": who})
        if path is not None and access.allowed(state, "export"):
            about = path.stat()
            st.download_button(
                f"Download the CSV file ({size(about.st_size)})", path.read_bytes, path.name, "text/csv",
                icon=":material/download:", on_click="ignore", key="features_file",
            )  # fmt: skip
            st.caption(f"Made {ago(pd.Timestamp(about.st_mtime, unit='s', tz='UTC').isoformat())}.")
    meanings = pd.DataFrame({"column": list(MEANINGS), "meaning": list(MEANINGS.values())})
    with st.expander("Columns of the file", icon=":material/view_column:"):
        st.dataframe(
            meanings, hide_index=True, height="content",
            column_config={"column": text_column("Column"), "meaning": text_column("Meaning", width="large")},
        )  # fmt: skip
        st.caption(f"On the command line: `features --out customers.parquet --dataset {dataset_id}`.")
