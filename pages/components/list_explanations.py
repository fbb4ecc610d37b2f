"""Explanations of all prices of a list: start them, watch them, take them away."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pricing_core import workflows
from pricing_core.explain.reasons import LANGUAGES
from pricing_core.pricelist.export import to_import_csv

from . import access, job_panel
from .state import PageState
from .tables import text_column
from .words import count

SHOWN = 200


def show(state: PageState, price_list_id: str) -> None:
    """Show a button that explains every price of the list, its progress, and afterwards the reasons and their file."""
    running = job_panel.show(state.ws, ("explain_list",))
    found = workflows.list_explanations(state.ws, price_list_id)
    if found is None:
        st.caption("What moves each price, what would change the decision, and the reason in English and Chinese.")
    if not running:
        label = "Explain every price" if found is None else "Explain again"
        if access.button(
            state, "edit", label, key=f"explain_list_{price_list_id}", icon=":material/psychology_alt:"
        ):
            job_panel.start(state.ws, "explain_list", {"price_list_id": price_list_id})
    if found is None:
        return
    language = str(
        st.segmented_control(
            "Language of reasons", list(LANGUAGES), format_func=LANGUAGES.__getitem__, default="en", required=True,
            key="list_language", persist_state="session",
        )
    )  # fmt: skip
    _table(found, language)
    own = found["customer_id"].notna().any() and st.checkbox(
        "Put the shop's own customer ids into the file", True, key="explained_own_ids", persist_state="session"
    )
    st.download_button(
        "Download explanations", lambda: to_import_csv(_file(state, found, bool(own), language)),
        f"{price_list_id}_explanations_{language}.csv", "text/csv", key="download_explanations",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _table(found: pd.DataFrame, language: str) -> None:
    reason = f"reason_{language}"
    columns = ["product_id", *(["customer_id"] if found["customer_id"].notna().any() else []), reason]
    st.dataframe(
        found.head(SHOWN)[columns], hide_index=True, height=320,
        column_config={
            "product_id": text_column("Product"), "customer_id": text_column("Customer"),
            reason: text_column("Why", width="large"),
        },
    )  # fmt: skip
    st.caption(f"The first {count(min(SHOWN, len(found)))} of {count(len(found))}; the file has all of them.")


def _file(state: PageState, found: pd.DataFrame, own: bool, language: str) -> pd.DataFrame:
    other = [f"reason_{each}" for each in LANGUAGES if each != language]
    kept = found.drop(columns=[name for name in other if name in found.columns])
    return workflows.own_customer_ids(state.ws, kept) if own else kept
