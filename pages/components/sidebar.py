"""Foot of the sidebar: what the numbers are based on, and what is running, on every page."""

from __future__ import annotations

import streamlit as st

from pricing_core.errors import PricingError
from pricing_core.store import runs

from . import access, job_panel, occasions
from .state import PageState
from .tables import record
from .words import ago, markdown, percent


def show(state: PageState) -> None:
    """Show the running job, the data set, the model, the margin assumption, and who is here."""
    with st.sidebar:
        job_panel.strip(state.ws)
        if state.dataset_id is not None:
            manifest = state.manifest
            st.caption(f":material/table_chart: **{markdown(manifest.name)}** · {state.basis_id} · {manifest.currency}")
            if state.basis_id != state.dataset_id:
                st.caption(f":material/update: Newer data {state.dataset_id} are here; train to use them.")
            if manifest.evidence:
                st.caption(f":material/shopping_basket: {occasions.LABEL} The rule: page Data, tab Occasions.")
            if manifest.margin_assumption is not None:
                st.caption(f":material/info: Costs assumed: margin {percent(manifest.margin_assumption, digits=0)}")
        if state.run_id is not None:
            trained = record(runs.list_runs(state.ws), "run_id", state.run_id)
            st.caption(f":material/model_training: Model **{state.run_id}** · trained {ago(trained['created_at'])}")
            _form(state)
        access.who(state)


def _form(state: PageState) -> None:
    """Say when a compressed form of the model answers in its place."""
    from pricing_core.models import forms

    try:
        name = forms.serving_form(runs.run_dir(state.ws, state.run_id))
        label = forms.form(name).label
    except PricingError:  # a damaged run, or a form of a later version: the Models page says what to do
        return
    if name != forms.ORIGINAL:
        st.caption(f":material/compress: Its smaller form answers: {markdown(label)} (page Models, tab Size)")
