"""One-click repairs: what the quality report offers, what was done, and how to undo it."""

from __future__ import annotations

import streamlit as st

from pricing_core.data.repairs import repair_words
from pricing_core.store import datasets

from . import access, job_panel
from .state import PageState
from .words import markdown, plural


def show(state: PageState) -> None:
    """Offer the repairs of the findings, and list those that were applied with the way back."""
    manifest = datasets.load_manifest(state.ws, state.dataset_id)
    findings = datasets.load_quality(state.ws, state.dataset_id)
    offered = [] if "repair" not in findings else findings[findings["repair"].fillna("") != ""].to_dict("records")
    offered = [row for row in offered if row["repair"] not in manifest.repairs]
    if not offered and not manifest.repairs:
        return
    st.subheader("Repairs", anchor=False)
    st.caption("A repair makes a new version of the data and leaves this one as it is. Each can be undone.")
    for row in offered:
        with st.container(horizontal=True, vertical_alignment="center"):
            label = repair_words(row["repair"])
            if access.button(state, "import", label, key=f"repair_{row['repair']}", icon=":material/healing:"):
                _start(state, [*manifest.repairs, row["repair"]])
            st.markdown(markdown(str(row["message"])), width="stretch")
    for name in manifest.repairs:
        with st.container(horizontal=True, vertical_alignment="center"):
            if access.button(state, "import", "Undo", key=f"undo_{name}", icon=":material/undo:"):
                _start(state, [each for each in manifest.repairs if each != name])
            st.markdown(f"Done: {markdown(repair_words(name).lower())}.", width="stretch")
    if manifest.repairs:
        st.caption(f"{plural(len(manifest.repairs), 'repair')} applied to version {manifest.base}.")


def _start(state: PageState, repairs: list[str]) -> None:
    job_panel.start(state.ws, "repair", {"dataset_id": state.dataset_id, "repairs": repairs})
