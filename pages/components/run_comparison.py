"""Two or more trained models side by side: what differs in their settings, their figures, and their prices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from . import results
from .guardrails import chosen as chosen_rules
from .guardrails import last_strategy, strategy_name, strategy_names
from .state import PageState
from .tables import count_column, more_columns, number_column, records, signed, text_column, visible_table
from .words import count, duration, money, number, percent

if TYPE_CHECKING:
    from pricing_core.workflows.comparing_runs import RunComparison

FIGURES = {
    "log_loss": "Log loss, all later offers (lower is better)", "auc": "Ranks buyers first", "accuracy": "Accuracy",
    "calibration_slope": "Calibration slope (1 is right)", "mean_prediction": "Conversion, forecast",
    "base_rate": "Conversion, observed", "price_slope": "Reaction to price (1 is as forecast)",
    "held_out_offers": "Later offers, held out", "seconds": "Training time", "size_bytes": "Size of the whole model",
}  # fmt: skip
RATES = ("auc", "accuracy", "mean_prediction", "base_rate")


def show(state: PageState, ids: Sequence[str]) -> None:
    """Let the user pick runs and a strategy, and show what differs."""
    from pricing_core.workflows.comparing_runs import MOST_RUNS

    picked = st.multiselect(
        "Compare", list(ids), list(ids[:2]), key="compare", max_selections=MOST_RUNS, bind="query-params",
        help="The first one is what the others are compared with.",
    )  # fmt: skip
    names = [name for name in strategy_names(state.ws) if name != "status_quo"]
    now = last_strategy(state.ws)
    strategy = st.selectbox(
        "Prices of the strategy", names, names.index(now) if now in names else 0, format_func=strategy_name,
        key="compare_strategy", width=420,
    )  # fmt: skip
    if len(picked) < 2:
        st.caption("Pick two to four models.")
        return
    found = compared(state, tuple(picked), str(strategy))
    _prices(found, state.currency)
    if not found.same_offers:
        st.caption(":material/info: Judged on different offers, so that the figures do not compare exactly.")
    _figures(found, state.currency)
    with st.expander("Settings that differ", icon=":material/tune:"):
        _settings(found)


def compared(state: PageState, run_ids: tuple[str, ...], strategy: str) -> RunComparison:
    """Return the runs side by side, with the prices of a strategy within the chosen guardrails."""
    return _compared(results.key(state), run_ids, strategy, repr(chosen_rules(state.ws)), state)


def _prices(found: RunComparison, currency: str) -> None:
    table = found.prices.assign(
        **{name: found.prices[name] * 100 for name in ("mean_change", "moved_share", "up_share", "down_share",
                                                       "largest_change")}
    )  # fmt: skip
    st.markdown(f"**{sentence(found)}**")
    st.dataframe(
        signed(table, currency, money=[], percent=["mean_change", "largest_change"]), hide_index=True, height="content",
        column_order=more_columns(
            "compare_more", ["run_id", "mean_change", "moved_share", "largest_change"],
            ["up_share", "down_share", "offers"],
        ),
        column_config={
            "run_id": text_column(f"Prices against {found.run_ids[0]}"), "offers": count_column("Same offers"),
            "mean_change": number_column("Mean change"),
            "moved_share": st.column_config.NumberColumn("Move by more than 1%", format="%.1f%%"),
            "up_share": st.column_config.NumberColumn("Up", format="%.1f%%"),
            "down_share": st.column_config.NumberColumn("Down", format="%.1f%%"),
            "largest_change": number_column("Largest change"),
        },
    )  # fmt: skip


def sentence(found: RunComparison) -> str:
    """Say in one sentence how far the prices of the models are apart."""
    rows = records(found.prices)
    moves = [
        f"{row['run_id']}'s are {percent(abs(row['mean_change']))} "
        f"{'higher' if row['mean_change'] >= 0 else 'lower'} on average, and "
        f"{percent(row['moved_share'], digits=0)} of them move by more than 1%"
        for row in rows
    ]
    offers = count(rows[0]["offers"])
    return f"Against the prices of {found.run_ids[0]} for the same {offers} offers, {'; '.join(moves)}."


def _figures(found: RunComparison, currency: str) -> None:
    rows = [
        {"figure": _name(row["figure"]), **{run_id: _value(row["figure"], row[run_id], currency)
                                            for run_id in found.run_ids}}
        for row in records(found.figures)
    ]  # fmt: skip
    _texts(pd.DataFrame(rows), "figure", "Figure on held-out time", found.run_ids)


def _settings(found: RunComparison) -> None:
    if found.settings.empty:
        st.caption("They were made with the same settings from the same data.")
        return
    _texts(found.settings, "setting", "Setting that differs", found.run_ids)


def _texts(table: pd.DataFrame, key: str, label: str, run_ids: Sequence[str]) -> None:
    columns: dict[str, Any] = {run_id: text_column(run_id) for run_id in run_ids}
    st.dataframe(
        visible_table(table), hide_index=True, height="content", placeholder="–",
        column_config={key: text_column(label, pinned=True), **columns},
    )  # fmt: skip


def _name(figure: str) -> str:
    kind, _, strategy = figure.partition(": ")
    if kind == "policy_value":
        return f"Profit per 1,000 offers, {strategy_name(strategy)}"
    return FIGURES.get(figure, figure)


def _value(figure: str, value: float, currency: str) -> str | None:
    if pd.isna(value):
        return None
    if figure.startswith("policy_value"):
        return money(1000 * value, currency)
    if figure in RATES:
        return percent(value)
    if figure == "seconds":
        return duration(value)
    if figure == "size_bytes":
        return f"{value / 1e6:.1f} MB"
    return count(value) if figure == "held_out_offers" else number(value, digits=4 if figure == "log_loss" else 2)


@st.cache_resource(max_entries=8, show_spinner="Pricing the same offers with each model …")
def _compared(
    stamp: str, run_ids: tuple[str, ...], strategy: str, rules: str, _state: PageState
) -> RunComparison:
    from pricing_core.workflows.comparing_runs import compare_runs

    return compare_runs(_state.ws, run_ids, strategy=strategy, guardrails=chosen_rules(_state.ws))
