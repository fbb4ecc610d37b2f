"""Whether past offers confirm what the model promises of a strategy."""

from __future__ import annotations

import streamlit as st

from pricing_core import glossary
from pricing_core.charts.off_policy import past_value_data, past_value_figure, sweep_figure

from . import figures, guardrails, results
from .guardrails import strategy_name
from .state import PageState
from .words import count, markdown, percent

ASKED = "past_asked"


def show(state: PageState, strategy: str) -> None:
    """Judge a strategy on past offers once the user asks for it; the answer is kept."""
    if strategy == "status_quo":
        st.caption("Today's prices need no check: past offers are what they earned.")
        return
    asked = st.session_state.setdefault(ASKED, set())
    st.write(
        "Some past offers happened to be made at prices near those of the strategy. What became of them is evidence "
        "that the model had no part in."
    )
    if strategy not in asked:
        label = f"Check “{markdown(strategy_name(strategy))}” against past offers"
        if not st.button(label, icon=":material/fact_check:", key=f"past_{strategy}"):
            return
        asked.add(strategy)
    found = results.past(state, strategy, guardrails.chosen(state.ws))
    value, currency = found.value, state.currency
    data = past_value_data(value, currency=currency)
    if not value.reliable:
        st.warning(f"**No figure is given.** {markdown(value.reason)}", icon=":material/visibility_off:")
    left, right = st.columns(2)
    figures.show(past_value_figure(data, currency=currency), key="past_values", place=left)
    figures.show(sweep_figure(data, currency=currency), key="past_sweep", place=right)
    period = f"{found.start:%-d %b %Y} to {found.end:%-d %b %Y}"
    st.caption(
        f"{count(found.n_offers)} of {count(found.n_period)} offers from {period}; "
        f"{percent(value.effective_share)} of them in effect ({count(value.effective_sample_size)} offers). Each was "
        "priced by the half of the model that never saw its customer. The answer holds if nothing unrecorded moved "
        "both prices and purchases.",
        help=glossary.define("effective sample size"),
    )
