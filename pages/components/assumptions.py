"""The margin assumption: shown wherever profit appears while unit costs are unknown, and changed in place."""

from __future__ import annotations

import streamlit as st

from pricing_core import glossary
from pricing_core.charts.cautions import assumed_margin
from pricing_core.data.quality import COST_UNKNOWN
from pricing_core.store import datasets

from . import access
from .state import PageState


def margin_note(state: PageState) -> None:
    """Say that profit rests on an assumed margin, with a control that changes it; nothing if costs are known."""
    rate = state.manifest.margin_assumption
    if rate is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        words = assumed_margin(_how_many(state), rate)
        st.badge(words, icon=":material/info:", color="orange", help=glossary.define("margin assumption"))
        with st.popover("Change", type="tertiary", icon=":material/edit:"), st.form("margin_form", border=False):
            chosen = st.number_input(
                "Margin over price where the unit cost is unknown (%)",
                min_value=0.0, max_value=95.0, value=round(rate * 100, 2), step=1.0, key="margin_percent",
                help="Every profit on this page moves with it. Upload unit costs to replace the assumption.",
            )  # fmt: skip
            if access.form_button(state, "edit", "Use this margin", type="primary"):
                from pricing_core import workflows

                workflows.set_margin_assumption(state.ws, str(state.basis_id), chosen / 100)
                st.rerun()


def _how_many(state: PageState) -> str:
    """Of how many offers the unit cost is unknown, as the quality report counted them."""
    findings = datasets.load_quality(state.ws, state.basis_id)
    told = [text for text in findings["message"] if str(text).startswith(COST_UNKNOWN)]
    return str(told[0]).partition(";")[0] if told else "Unit costs are unknown"
