"""The value ladder: from one change for all to personal prices, what each step adds and which step is enough."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pricing_core.charts.value_ladder import value_ladder_data, value_ladder_figure
from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.settings import STATUS_QUO
from pricing_core.simulate.value_ladder import STEPS, ladder_of

from . import figures, results
from .guardrails import strategy_name
from .state import PageState
from .tables import number_column, signed, text_column

SHOWN = "ladder_shown"
RANGES = {"gain": "Gain over today", "step": "Added by this step"}


def show(state: PageState, rules: Guardrails) -> None:
    """Show the ladder once it is asked for: five strategies take some seconds."""
    st.caption(
        "Prices that know more about the customer can earn more, and ask more of customers' trust. "
        "The fair question is what each step adds to the one before."
    )
    if not st.session_state.get(SHOWN):
        if not st.button("Compare the steps", icon=":material/stairs:"):
            return
        st.session_state[SHOWN] = True
    simulated = results.simulation(state, (STATUS_QUO, *STEPS), results.base_case(state), rules)
    ladder = ladder_of(simulated)
    chart = value_ladder_data(ladder, currency=state.currency)
    figures.show(value_ladder_figure(chart, currency=state.currency), key="value_ladder")
    _table(state, ladder.table)
    weeks = f"{simulated.scenario.horizon_weeks:.0f} weeks"
    st.caption(
        f"Expected profit over {weeks}, each price judged by customers who had no part in choosing it; "
        "ranges are the model's 90%. Guardrails as set above."
    )


def _table(state: PageState, table: pd.DataFrame) -> None:
    shown = table.assign(name=table["strategy"].map(strategy_name), share=table["share"] * 100)
    amounts = [f"{name}{end}" for name in RANGES for end in ("", "_low", "_high")]
    columns = {"name": text_column("Strategy, least personal first", pinned=True)}
    for name, label in RANGES.items():
        columns[name] = number_column(label)
        columns |= {f"{name}_low": number_column("90% low"), f"{name}_high": number_column("90% high")}
    columns["share"] = st.column_config.NumberColumn(
        "Of the largest gain", format="%.0f%%", help="Gain over today's prices as a share of the best strategy's."
    )
    first = shown["strategy"] == STATUS_QUO
    shown = shown.assign(**{name: shown[name].mask(first) for name in [*amounts, "share"]})
    st.dataframe(
        signed(shown, state.currency, money=amounts), hide_index=True, height="content", placeholder="–",
        column_order=["name", *amounts, "share"], column_config=columns,
    )  # fmt: skip
