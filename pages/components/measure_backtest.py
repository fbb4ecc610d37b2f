"""Backtest: the model on past weeks, first on those that it had not seen, then with a strategy on any."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.follow_up import (
    predicted_observed_data,
    predicted_observed_figure,
    weekly_value_data,
    weekly_value_figure,
)
from pricing_core.store import measurements

from . import access, figures, guardrails, job_panel
from .guardrails import strategy_name
from .state import PageState
from .tables import records
from .words import ago, count, markdown, percent, percent_range

NEEDS_MODEL = "A backtest needs a trained model."


def show(state: PageState, *, busy: bool) -> None:
    """Show what is known of past weeks, and start a backtest."""
    if state.run_id is None:
        st.info(NEEDS_MODEL)
        st.page_link("pages/models.py", label="Train the models", icon=":material/model_training:")
        return
    _held_out(state)
    st.subheader("A strategy on past weeks", anchor=False)
    _form(state, busy)
    _results(state)


def _held_out(state: PageState) -> None:
    from pricing_core.workflows import following_up

    weeks = following_up.held_out_weeks(state.run)
    st.subheader("Weeks that the model had not seen", anchor=False)
    if weeks.empty:
        st.caption("This run was trained before such weeks were kept. Train again to see them here.")
        return
    st.caption(
        f"Judged at training by a model that had learned only from offers before {weeks['week'].min():%Y-%m-%d}; the "
        "model in use has learned from these weeks since. The prices judged are personal ones, up or down, without "
        "guardrails."
    )
    _charts(weeks, state.currency, "held")


def _form(state: PageState, busy: bool) -> None:
    with st.form("backtest_form"), st.container(horizontal=True, vertical_alignment="bottom"):
        last = guardrails.last_strategy(state.ws)
        names = [name for name in guardrails.strategy_names(state.ws) if name != "status_quo"]
        strategy = st.selectbox(
            "Strategy", names, index=names.index(last) if last in names else 0, format_func=strategy_name,
            key="backtest_strategy", persist_state="session", width=380,
        )  # fmt: skip
        weeks = st.number_input("Past weeks", 2, 104, 12, key="backtest_weeks", persist_state="session", width=140)
        if access.form_button(
            state, "edit", "Running …" if busy else "Run the backtest", type="primary", disabled=busy,
            icon=":material/history:",
        ):  # fmt: skip
            params = {"strategy": strategy, "weeks": int(weeks), "run_id": state.run_id,
                      "guardrails": guardrails.plain(state.ws)}  # fmt: skip
            job_panel.start(state.ws, "backtest", params)
    st.caption("Guardrails as last set on Optimize. It runs in the background, a few seconds; nothing is trained.",
               help=glossary.define("backtest"))  # fmt: skip


def _results(state: PageState) -> None:
    listed = [row for row in records(measurements.list_measurements(state.ws, "backtest"))
              if row["record"]["run_id"] == state.run_id]  # fmt: skip
    if not listed:
        return
    names = {str(row["measurement_id"]): f"{strategy_name(row['record']['strategy'])} · "
             f"{ago(str(row['created_at']))}" for row in listed}  # fmt: skip
    chosen = st.selectbox("Backtests of this model", list(names), format_func=names.__getitem__, width=460,
                          key=f"backtest_{next(iter(names))}_{listed[0]['created_at']}")  # fmt: skip
    kept = measurements.load_measurement(state.ws, str(chosen))
    record, table = kept.record, kept.frame
    st.markdown(f"**{markdown(record['sentence'])}**")
    if (table["seen"] != "not seen").any():
        st.warning(
            "The model has learned from the weeks with hollow points. There its predictions fit better and its prices "
            "look better than they would in weeks to come.", icon=":material/visibility:",
        )  # fmt: skip
    rate = record["uplift_rate"]
    if record["reason"]:
        st.info(markdown(record["reason"]))
    elif rate is not None and rate == rate:
        left, middle, right = st.columns(3)
        span = percent_range(record["uplift_low"], record["uplift_high"]).removeprefix("90% range ")
        left.metric("Profit against prices charged", percent(rate, signed=True), border=True,
                    help=glossary.define("doubly robust"))  # fmt: skip
        middle.metric("90% range", span, border=True, help=glossary.define("interval"))
        right.metric("Offers judged", f"{count(record['offers'])} of {count(record['offers_there'])}", border=True)
    _charts(table, state.currency, "job")


def _charts(table: pd.DataFrame, currency: str, key: str) -> None:
    left, right = st.columns(2)
    rate, profit = predicted_observed_data(table), predicted_observed_data(table, kind="profit")
    figures.show(predicted_observed_figure(rate), key=f"{key}_rate", place=left)
    figures.show(predicted_observed_figure(profit, currency=currency), key=f"{key}_profit", place=right)
    figures.show(weekly_value_figure(weekly_value_data(table), currency=currency), key=f"{key}_value")
    st.caption("Profit counts one unit per purchase. What other prices would have earned is estimated from the offers "
               "whose price was near them (doubly robust); weeks with too few such offers stay blank.")  # fmt: skip
