"""Prices by segment: the rules as a tree and in words, what they keep of personal prices, and how they are formed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pricing_core import glossary
from pricing_core.charts.segments import (
    segment_shares_data,
    segment_shares_figure,
    segment_tree_data,
    segment_tree_figure,
)
from pricing_core.errors import ConfigError
from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.segment_words import feature_words
from pricing_core.optimize.settings import BASES, SegmentSettings

from . import access, figures, results
from .state import PageState
from .tables import count_column, number_column, signed, text_column
from .words import markdown

if TYPE_CHECKING:
    from pricing_core.optimize.segments import Segments
    from pricing_core.simulate.segment_shares import SegmentShares
    from pricing_core.workflows import PricedTable

BASE_LABELS = {"product": "the product's best single price", "list": "the list price", "current": "today's price"}


def show(state: PageState, rules: Guardrails, priced: PricedTable) -> None:
    """Show the segments of priced offers, and let the user change how they are formed."""
    segments: Segments = priced.prices.details["segments"]
    st.subheader("Segments", anchor=False, help=glossary.define("segment"))
    figures.show(segment_tree_figure(segment_tree_data(segments)), key="segment_tree")
    left, right = st.columns([3, 2])
    with left:
        _table(state, segments)
    with right:
        chart = segment_shares_data(_shares(results.key(state), repr(rules), state, rules), segments.settings.depth)
        figures.show(segment_shares_figure(chart), key="segment_shares")
        st.caption(
            "Judged on customers who had no part in forming the segments, with the 90% range of the model. "
            "The smallest depth that keeps enough is the easiest to explain."
        )
    with st.expander("How segments are formed", icon=":material/account_tree:"):
        _form(state, segments.settings, [*segments.tree.features])


def _table(state: PageState, segments: Segments) -> None:
    table = segments.to_frame()
    shown = table.assign(change=table["change_rate"] * 100)
    st.dataframe(
        signed(shown, state.currency, money=[], percent=["change"]),
        hide_index=True, height="content", column_order=["segment", "change", "rows", "rule"],
        column_config={
            "segment": text_column("Segment", width="small"), "rule": text_column("Who and when", width="large"),
            "change": number_column("Change"), "rows": count_column("Offers"),
        },
    )  # fmt: skip
    st.caption(
        f"Changes are against {BASE_LABELS[segments.settings.base]}, the same for all products, before guardrails and "
        "price endings. "
        "Protected attributes are never asked for."
    )


def _form(state: PageState, now: SegmentSettings, features: list[str]) -> None:
    from pricing_core import workflows

    with st.form("segment_form", border=False):
        one, two, three = st.columns(3)
        depth = one.number_input(
            "Questions at most", 0, 6, now.depth, key="segment_depth",
            help="Two questions make up to four segments, three up to eight.",
        )  # fmt: skip
        leaf = two.number_input(
            "Offers in a segment at least", 1, None, now.min_leaf_rows, 50, key="segment_leaf",
            help="Smaller groups are not split off: their price would rest on few customers.",
        )  # fmt: skip
        base = three.selectbox(
            "Changes count against", BASES, BASES.index(now.base), format_func=BASE_LABELS.__getitem__,
            key="segment_base", help="What a segment's percentage is taken of.",
        )  # fmt: skip
        options = sorted({*features, *now.exclude})
        left_out = st.multiselect(
            "Never ask for", options, list(now.exclude), format_func=feature_words, key="segment_exclude",
            help="Attributes that must not decide a price. Protected attributes never do.",
        )  # fmt: skip
        if access.form_button(state, "edit", "Form segments again", icon=":material/refresh:"):
            chosen = workflows.chosen_settings(state.ws)
            try:
                changed = replace(
                    now, depth=int(depth), min_leaf_rows=int(leaf), base=str(base), exclude=tuple(left_out)
                )
            except ConfigError as error:
                st.error(markdown(str(error)))
                return
            workflows.choose_settings(state.ws, replace(chosen, segments=changed))
            st.rerun()


@st.cache_resource(max_entries=8, show_spinner="Judging segments on other customers …")
def _shares(stamp: str, rules: str, _state: PageState, _rules: Guardrails) -> SegmentShares:
    from pricing_core import workflows

    return workflows.judge_segments(_state.ws, guardrails=_rules, run_id=_state.run_id)
