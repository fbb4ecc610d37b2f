"""Every import is kept as a version; the newest is the one in use."""

from __future__ import annotations

import streamlit as st

from pricing_core.schema import TABLES
from pricing_core.store import datasets

from .state import PageState
from .tables import count_column, text_column


def show(state: PageState) -> None:
    """List the versions of the data, newest first."""
    listed = datasets.list_datasets(state.ws)
    listed = listed.assign(data_hash=listed["data_hash"].str[:12])
    st.dataframe(
        listed, hide_index=True, placeholder="–", height="content",
        column_order=["dataset_id", "name", "created_at", "currency", "offers", "customers", "products",
                      "market", "events", "set_aside", "pseudonymized", "source", "data_hash"],
        column_config={
            "dataset_id": text_column("Version"), "name": text_column("Name"),
            "created_at": st.column_config.DatetimeColumn("Imported (UTC)", format="YYYY-MM-DD HH:mm"),
            "source": text_column("Source"), "currency": text_column("Currency"),
            **{table: count_column(table.capitalize()) for table in TABLES},
            "set_aside": count_column("Set aside"),
            "pseudonymized": st.column_config.CheckboxColumn("Pseudonyms"),
            "data_hash": text_column("Fingerprint", help="Start of the SHA-256 of the content."),
        },
    )  # fmt: skip
    st.caption("The newest version is in use. Models remember which version they learned from.")
