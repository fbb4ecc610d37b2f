"""Past sales and groups for the Measure page, computed once per data version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from . import cache
from .state import PageState

if TYPE_CHECKING:
    from pricing_core.evaluate.replay import Rehearsal
    from pricing_core.evaluate.test_design import DesignConfig, DesignResult


def sales(state: PageState) -> pd.DataFrame:
    """Return what each offer of the newest data earned."""
    return _sales(*_key(state), state)


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


@st.cache_resource(max_entries=2, show_spinner="Reading the past sales …")
def _sales(root: str, dataset_id: str, stamp: str, _state: PageState) -> pd.DataFrame:
    from pricing_core.evaluate.sales import sales_log

    return sales_log(cache.whole_dataset(_state.ws, dataset_id))


@st.cache_data(max_entries=4, show_spinner=False)
def _groups(root: str, dataset_id: str, stamp: str, _state: PageState) -> list[str]:
    from pricing_core.evaluate.sales import group_names

    return group_names(_state.dataset)


@st.cache_resource(max_entries=16, show_spinner="Working out what each design can see …")
def _designs(
    root: str, dataset_id: str, stamp: str, config: str, promised: float | None, _state: PageState,
    _config: DesignConfig,
) -> dict[str, DesignResult | str]:  # fmt: skip
    from pricing_core.evaluate.compared_designs import compare_designs
    from pricing_core.evaluate.sales import group_of

    label = _config.label
    by_group = group_of(cache.whole_dataset(_state.ws, dataset_id), label) if label else None
    return compare_designs(sales(_state), _config, groups=by_group, promised_rate=promised)


@st.cache_resource(max_entries=16, show_spinner="Rehearsing the test on past weeks …")
def _rehearsal(
    root: str, dataset_id: str, stamp: str, config: str, _state: PageState, _config: DesignConfig
) -> Rehearsal | None:
    from pricing_core.errors import DataError
    from pricing_core.evaluate.replay import rehearse

    try:
        return rehearse(sales(_state), _config)
    except DataError:
        return None
