"""What to keep in mind beside a promised profit: doubtful reaction to price, and what a purchase counts as."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pricing_core.charts.cautions import doubts
from pricing_core.charts.quantity import quantity_sentence, units_per_purchase
from pricing_core.data.seasons import LEAST_SEASON_DAYS, log_days
from pricing_core.simulate.scenario import Scenario

from . import cache
from .state import PageState
from .words import markdown, number

WHICH_PROFIT = (
    "The same strategy has three figures. Models, How good: what past offers near its prices earned, without your "
    "rules. Models, Shocks: what the model forecasts for those past offers, without your rules. Scenarios: what it "
    "forecasts for the coming weeks, within your rules."
)
"""Which profit of a strategy is which; it stands wherever one of them does."""


def doubt(state: PageState) -> None:
    """Warn where later offers did not confirm the reaction to price, or do not say where raising prices ends."""
    if state.run_id is None:
        return
    found = doubts(state.run.metrics)
    if found:
        st.warning("\n\n".join(map(markdown, found)), icon=":material/warning:")
        st.page_link("pages/models.py", label="See forecasts and later offers by price band", icon=":material/rule:")


def season(state: PageState, scenario: Scenario) -> None:
    """Warn where a scenario asks for another time of year of a model that could not tell it from a trend."""
    if scenario.season_week is None or state.run_id is None:
        return
    days = log_days(*(pd.Timestamp(state.run.manifest[name]) for name in ("log_from", "log_to")))
    if days < LEAST_SEASON_DAYS:
        st.warning(
            f"This model learned the time of year from a log of {days} days, which cannot tell it from a trend. Train "
            f"again: from {LEAST_SEASON_DAYS} days on it is learned.",
            icon=":material/warning:",
        )


def units_of_a_purchase(state: PageState) -> None:
    """Say how many units forecasts count per purchase, where the data know quantities."""
    known = state.run.metrics.get("quantity") if state.run_id is not None else None
    if known:
        st.caption(markdown(quantity_sentence(known)))
        return
    units = _units(str(state.ws.root), str(state.basis_id), cache.stamp(state.ws, state.basis_id), state)
    if units is not None:
        st.caption(
            f"Forecasts count one unit per purchase; in your data a purchase has {number(units)} units on average. "
            "Train again to count them."
        )


def quantities(state: PageState) -> None:
    """Say that revenue and profit of the past count quantities, where the data know them."""
    newest = str(state.dataset_id)
    units = _units(str(state.ws.root), newest, cache.stamp(state.ws, newest), state)
    if units is not None:
        st.caption(f"Revenue and profit count quantities: {number(units)} units per purchase on average.")


@st.cache_data(max_entries=8, show_spinner=False)
def _units(root: str, dataset_id: str, stamp: str, _state: PageState) -> float | None:
    return units_per_purchase(cache.dataset(_state.ws, dataset_id).offers)
