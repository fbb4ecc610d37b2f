"""Past sales and groups for the Measure page, computed once per data version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from . import cache
from .state import PageState

if TYPE_CHECKING:
    from pricing_core.evaluate.replay import Rehearsal
    from pricing_core.evaluate.test_design import DesignConfig, DesignResult


def groups(state: PageState) -> list[str]:
    """Return the groups by which a test can be randomized."""
    return _groups(*_key(state), state)


def designs(state: PageState, config: DesignConfig, promised: float | None) -> dict[str, DesignResult | str]:
    """Return every design with these settings: its result, or why it cannot be done."""
    return _designs(*_key(state), repr(config), promised, state, config)


def rehearsal(state: PageState, config: DesignConfig) -> Rehearsal | None:
    """Return how often tests without an effect would have raised an alarm; None where that cannot be tried."""
    return _rehearsal(*_key(state), repr(config), state, config)


def _key(state: PageState) -> tuple[str, str, str]:
    newest = str(state.dataset_id)
    return str(state.ws.root), newest, cache.stamp(state.ws, newest)


@st.cache_data(max_entries=4, show_spinner=False)
def _groups(root: str, dataset_id: str, stamp: str, _state: PageState) -> list[str]:
    from pricing_core.workflows import past_sales

    return past_sales.group_labels(_state.ws, dataset_id, lambda: _state.dataset)


@st.cache_resource(max_entries=16, show_spinner="Working out what each design can see …")
def _designs(
    root: str, dataset_id: str, stamp: str, config: str, promised: float | None, _state: PageState,
    _config: DesignConfig,
) -> dict[str, DesignResult | str]:  # fmt: skip
    from pricing_core.evaluate.compared_designs import compare_designs
    from pricing_core.workflows import past_sales

    label, opened = _config.label, lambda: _state.dataset
    customers = past_sales.recent_customer_weeks(_state.ws, dataset_id, opened)
    sold = past_sales.group_weeks(_state.ws, dataset_id, label, opened) if label else None
    groups = None if sold is None else sold["group"]
    return compare_designs(customers, _config, groups=groups, group_sales=sold, promised_rate=promised)


@st.cache_resource(max_entries=16, show_spinner="Rehearsing the test on past weeks …")
def _rehearsal(
    root: str, dataset_id: str, stamp: str, config: str, _state: PageState, _config: DesignConfig
) -> Rehearsal | None:
    from pricing_core.workflows import past_sales

    return past_sales.rehearsal(_state.ws, dataset_id, _config, lambda: _state.dataset)
