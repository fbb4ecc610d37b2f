"""The frontier of profit, revenue and conversion, and what products take from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pricing_core.charts.frontier import frontier_trade_data, frontier_trade_figure
from pricing_core.charts.substitutes import similarity_data, similarity_figure
from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.frontier import FrontierResult
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.substitutes import (
    DEFAULT_SIMILARITY,
    CategoryDemand,
    cannibalization,
    category_demand,
)

from . import figures, results
from .state import PageState
from .tables import money_column, number_column, signed, text_column
from .words import count, markdown, money, percent

if TYPE_CHECKING:
    from pricing_core.workflows.pricing import PricedTable


def frontier(state: PageState, strategy: str, rules: Guardrails, objective: Objective) -> None:
    """Show what a little profit would buy in conversion or revenue."""
    found = _frontier(results.key(state), strategy, repr(rules), repr(objective), state, rules, objective)
    figure = frontier_trade_figure(frontier_trade_data(found), currency=state.currency)
    figures.show(figure, key="optimize_frontier")
    weeks = f"{results.base_case(state).horizon_weeks:.0f} weeks"
    judged = "judged by the half of the models that did not choose it" if found.cross_fitted else "judged by all models"
    sample = f" {count(found.rows)} of {count(found.all_rows)} recent offers stand for all." if (
        found.rows < found.all_rows
    ) else ""  # fmt: skip
    st.caption(
        f"Totals over {weeks} at the recent pace. Each point is a full set of prices of the same strategy within the "
        f"same rules, chosen for another goal, and {judged}.{sample}"
    )


def substitutes(state: PageState, priced: PricedTable, strategy: str, rules: Guardrails) -> None:
    """Show what the prices take from other products of the category, under an assumption."""
    st.markdown(
        ":material/science: **An assumption, not a measurement.** The data show one product at a time, so how much of "
        "a product's extra sales comes out of its own category cannot be seen in them. Choose how similar the "
        "products of a category are; all other figures of this page take them as independent."
    )
    similarity = st.slider(
        "Of the sales that a price moves, this share stays in the category (%)", 0, 90,
        round(100 * DEFAULT_SIMILARITY), 5, key="similarity", persist_state="session",
        help="0: products do not compete. 60: of ten sales that a cheaper product wins, six are lost by its siblings.",
    )  # fmt: skip
    demand = _demand(results.key(state), strategy, repr(rules), state, priced)
    _gains(state, demand, similarity / 100)


def _gains(state: PageState, demand: CategoryDemand, similarity: float) -> None:
    found, currency = cannibalization(demand, similarity), state.currency
    weeks = f"{results.base_case(state).horizon_weeks:.0f} weeks"
    places = st.columns(3)
    for place, label, value, about in (
        (places[0], "These prices, if independent", found.alone,
         f"Gain over today's prices in {weeks}, if no product took sales from another."),
        (places[1], f"These prices, if {percent(similarity, digits=0)} stays", found.together,
         f"Gain in {weeks} of the same prices, with all of them in force and products competing."),
        (places[2], "Prices that mind siblings", found.best,
         f"Gain in {weeks} of one price per product, chosen for its whole category within the same ranges."),
    ):  # fmt: skip
        place.metric(label, money(value, currency, compact=True, signed=True), help=about)
    st.caption(f"Gains over today's prices in {weeks}.")
    chart = similarity_figure(similarity_data(demand, similarity), currency=currency, period=weeks)
    figures.show(chart, key="optimize_similarity")
    table = found.table.sort_values("from_siblings", kind="stable")
    st.dataframe(
        signed(table, currency, money=["own_gain", "from_siblings", "net_gain"]),
        hide_index=True, height=380,
        column_config={
            "product_id": text_column("Product"), "category": text_column("Category"),
            "current_price": money_column("Price today", currency),
            "new_price": money_column("New price", currency),
            "own_gain": number_column("Own gain", help=f"Profit of the product over {weeks}."),
            "from_siblings": number_column("Siblings", help="What its price adds to or takes from its category."),
            "net_gain": number_column("Net"),
            "best_price": money_column(
                "With siblings in mind", currency, help="Average price that earns most for the category together."
            ),
        },
    )  # fmt: skip
    worst = table.iloc[0]
    st.caption(
        f"Average prices per product, over {weeks}. Most is taken by {markdown(str(worst['product_id']))}: "
        f"{markdown(money(-float(worst['from_siblings']), currency))} from its category. Within a category, products "
        "and not buying share customers in proportion to their sales (a multinomial logit); a product's reaction to "
        "its own price stays as measured."
    )


@st.cache_resource(max_entries=6, show_spinner="Tracing the frontier …")
def _frontier(
    stamp: str, strategy: str, rules: str, aim: str, _state: PageState, _rules: Guardrails, _objective: Objective
) -> FrontierResult:
    from pricing_core.workflows.trade_offs import trace_frontier

    scene = results.base_case(_state)
    return trace_frontier(
        _state.ws, strategy, guardrails=_rules, objective=_objective, scenario=scene, run_id=_state.run_id
    )


@st.cache_resource(max_entries=6, show_spinner="Adding up the categories …")
def _demand(stamp: str, strategy: str, rules: str, _state: PageState, _priced: PricedTable) -> CategoryDemand:
    occasions = results.base_case(_state).occasions(_priced.rows)
    return category_demand(_priced.rows, _priced.prices, occasions=occasions)
