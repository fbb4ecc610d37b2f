"""What prices are to make as large as possible: the choice in the form of Optimize, kept for every page."""

from __future__ import annotations

import streamlit as st

from pricing_core import glossary
from pricing_core.errors import ConfigError
from pricing_core.optimize.objectives import Objective
from pricing_core.workflows.objectives import choose_objective, chosen_objective

from . import access
from .state import PageState
from .words import markdown, money, percent

KINDS = {
    "profit": "Most profit",
    "revenue": "Most revenue",
    "units": "Most units",
    "conversion": "Highest conversion",
    "mix": "A mix of profit and revenue",
    "goodwill": "Profit, minus what lost customers cost",
    "cautious": "Profit that is safe, not just likely",
}
HELP = {
    "revenue": "Unit costs do not count; rules such as the margin floor still do.",
    "units": "The lowest allowed prices; profit only decides between equal ones.",
    "conversion": "The lowest allowed prices; profit only decides between equal ones.",
    "mix": "Profit and revenue weighed by the share beside, plus what a sale is worth beyond its price.",
    "goodwill": "Each customer who does not buy costs the amount beside, such as churn or a second contact.",
    "cautious": "The profit that is reached with the chance beside: prices stay where the model is sure.",
}

_SEEN = "objective_seen"


def inputs(state: PageState) -> None:
    """Ask for the objective and its numbers; inside the form."""
    now = chosen_objective(state.ws)
    st.selectbox(
        "Choose prices for", list(KINDS), index=list(KINDS).index(now.kind), format_func=KINDS.__getitem__,
        key="objective_kind", persist_state="session", help=glossary.define("objective"),
    )  # fmt: skip
    with st.expander("Numbers of the mix, of lost customers, and of safety"):
        st.number_input(
            "Mix: weight of revenue (%)", 0.0, 100.0, 100.0 * _revenue_share(now), 5.0, key="objective_revenue",
            persist_state="session", help="The rest is the weight of profit.",
        )  # fmt: skip
        st.number_input(
            f"Mix: worth of one more sale ({state.currency})", 0.0, None, now.unit_value, 0.5, key="objective_unit",
            persist_state="session", help="Beyond its price, such as what a new customer brings later.",
        )  # fmt: skip
        st.number_input(
            f"A customer who does not buy costs ({state.currency})", 0.0, None, now.goodwill_cost, 0.5,
            key="objective_goodwill", persist_state="session", help="Per offer that is declined.",
        )  # fmt: skip
        st.number_input(
            "Safe means reached with a chance of (%)", 55.0, 99.0, 100.0 * now.confidence, 5.0,
            key="objective_confidence", persist_state="session", help="By the spread between the models that learned.",
        )  # fmt: skip


def keep(state: PageState) -> Objective:
    """Keep what the form was submitted with; return the objective in force.

    Inputs of a form change only when it is submitted: a change since the last run of the page is a submission, and
    another session's choice is not undone by opening the page.
    """
    now = chosen_objective(state.ws)
    try:
        asked = _asked(now)
    except ConfigError as error:
        st.error(markdown(str(error)))
        return now
    before = st.session_state.get(_SEEN, asked)
    st.session_state[_SEEN] = asked
    if asked in (before, now):
        return now
    access.require(state.ws, "edit")
    choose_objective(state.ws, asked)
    return asked


def in_words(objective: Objective, currency: str) -> str:
    """Name the objective with its numbers."""
    name = KINDS[objective.kind].lower()
    if objective.kind == "mix":
        share = _revenue_share(objective)
        worth = f", and {money(objective.unit_value, currency)} for each sale" if objective.unit_value else ""
        return f"{percent(1 - share, digits=0)} profit and {percent(share, digits=0)} revenue{worth}"
    if objective.kind == "goodwill":
        return f"profit, with {money(objective.goodwill_cost, currency)} lost for each customer who does not buy"
    if objective.kind == "cautious":
        return f"the profit that is reached with a chance of {percent(objective.confidence, digits=0)}"
    return name


def note(objective: Objective, currency: str) -> None:
    """Say what prices were chosen for, unless it is plain profit."""
    if objective.kind != "profit":
        more = f" {HELP[objective.kind]}" if objective.kind in HELP else ""
        st.caption(f":material/flag: Prices are chosen for {markdown(in_words(objective, currency))}.{more}")


def _revenue_share(objective: Objective) -> float:
    return objective.revenue_weight / (objective.profit_weight + objective.revenue_weight)


def _asked(now: Objective) -> Objective:
    """Read the form's inputs; only the numbers of the chosen kind count."""
    asked = st.session_state
    kind = asked.get("objective_kind", now.kind)
    share = asked.get("objective_revenue", 100.0 * _revenue_share(now)) / 100.0
    return Objective(
        kind,
        profit_weight=1.0 - share,
        revenue_weight=share,
        unit_value=asked.get("objective_unit", now.unit_value),
        goodwill_cost=asked.get("objective_goodwill", now.goodwill_cost),
        confidence=asked.get("objective_confidence", 100.0 * now.confidence) / 100.0,
    )
