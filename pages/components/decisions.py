"""What needs the manager: unfinished steps first, then the products with the most money in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.overview import latest_change_data
from pricing_core.pricelist import lifecycle
from pricing_core.store import datasets, list_states, pricelists
from pricing_core.workflows import measuring

from . import guardrails, results, side_by_side
from .state import PageState
from .tables import records
from .words import ago, change, markdown, money, money_range, percent, plural, points

SHOWN = 6
LISTS = 3
PRODUCT_STRATEGY = "product"
FIGURES = {
    "revenue": ("Revenue", "revenue"),
    "profit": ("Profit", "profit"),
    "conversion_rate": ("Conversion", "conversion rate"),
    "average_price": ("Average offer", "offered price"),
    "margin_rate": ("Margin", "margin"),
}


@dataclass(frozen=True)
class Decision:
    """One thing to decide: what, why, and the page where it is done."""

    icon: str
    title: str
    why: str
    page: str
    action: str
    query: dict[str, str] | None = None


def figures(state: PageState, weekly: pd.DataFrame) -> None:
    """Show the newest complete week beside the one before, with the last twelve weeks as a line."""
    if weekly.empty:
        return
    latest = latest_change_data(weekly)
    for tile, (name, (label, term)) in zip(side_by_side.places(len(FIGURES)), FIGURES.items(), strict=True):
        value, step = float(latest["value"][name]), float(latest["change"][name])
        is_rate = name.endswith("_rate")
        text = points(step) if is_rate else percent(step, signed=True)
        moved = {} if pd.isna(step) else change(text, neutral=name == "average_price")
        tile.metric(
            label, percent(value) if is_rate else money(value, state.currency, compact=True),
            chart_data=weekly[name].dropna().round(6).tolist(), border=True, help=glossary.define(term), **moved,
        )  # fmt: skip
    week = weekly["week"].iloc[-1]
    st.caption(f"Week from {week.day} {week:%b %Y}, against the week before; the line shows {len(weekly)} weeks.")


def collect(state: PageState) -> list[Decision]:
    """Return the decisions in the order in which they should be taken."""
    found = [*_waiting_lists(state), *_unfinished(state)]
    if state.run_id is not None:
        found += _products(state)
    return found[:SHOWN]


def sentence(decisions: list[Decision]) -> str:
    """Say in one sentence what comes first."""
    if not decisions:
        return "Nothing needs you: no product has a better price within the guardrails."
    first = decisions[0]
    title = f"{first.title[0].lower()}{first.title[1:]}"
    return f"{plural(len(decisions), 'decision')} for you{'' if len(decisions) == 1 else '; first'}: {title}."


def promises_profit(decisions: list[Decision]) -> bool:
    """Whether any of the decisions says what it would earn."""
    return any(decision.page == "demand" for decision in decisions)


def show(decisions: list[Decision]) -> None:
    """Show each decision with its reason and the link to where it is taken."""
    for decision in decisions:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"{decision.icon} **{markdown(decision.title)}**  \n{markdown(decision.why)}", width="stretch")
            st.page_link(
                f"pages/{decision.page}.py", label=decision.action, icon=":material/arrow_forward:",
                query_params=decision.query,
            )  # fmt: skip


def _unfinished(state: PageState) -> list[Decision]:
    findings = datasets.load_quality(state.ws, state.dataset_id)
    warnings = int((findings["severity"] == "warning").sum())
    found = []
    if state.run_id is None:
        why = "Without them there is no recommendation. A quick training takes about a minute."
        found.append(Decision(":material/model_training:", "Train the models", why, "models", "Train"))
    elif state.basis_id != state.dataset_id:
        why = f"The model in use learned from {state.basis_id}."
        title = f"Train on the newer data {state.dataset_id}"
        found.append(Decision(":material/update:", title, why, "models", "Train"))
    elif pricelists.latest_price_list_id(state.ws) is None:
        why = "The models are ready and no price list has been made yet."
        found.append(Decision(":material/sell:", "Make the first price list", why, "optimize", "Set prices"))
    for name, last in measuring.unread_tests(state.ws)[:1]:
        why = f"It ran until {last:%Y-%m-%d}; what the new prices earned has not been read yet."
        found.append(Decision(":material/science:", f"Read the result of the test “{name}”", why, "measure", "Read"))
    if warnings:
        worst = findings[findings["severity"] == "warning"].iloc[0]
        title = f"Look at {plural(warnings, 'warning')} about the data"
        found.append(Decision(":material/warning:", title, str(worst["message"]), "data", "Look"))
    return found


def _waiting_lists(state: PageState) -> list[Decision]:
    """Price lists that somebody has to act on: sent back, to be reviewed, or approved and not yet scheduled."""
    found = []
    for key, (_, standing) in sorted(list_states.at(state.ws).items(), reverse=True):
        query = {"list": key}
        if standing.status == lifecycle.IN_REVIEW:
            why = f"Submitted by {standing.submitted_by} {ago(standing.submitted_at)}; it needs an approval to go live."
            found.append(
                Decision(":material/rate_review:", f"Review the price list {key}", why, "price_list", "Review", query)
            )
        elif standing.status == lifecycle.APPROVED:
            why = f"Approved by {standing.approved_by} {ago(standing.approved_at)}; the shop does not charge it yet."
            found.append(
                Decision(":material/task_alt:", f"Put the price list {key} live", why, "price_list", "Open", query)
            )
        elif standing.status == lifecycle.DRAFT and standing.rejection:
            why = f"Sent back by {standing.rejection}"
            found.append(Decision(":material/undo:", f"Change the price list {key}", why, "price_list", "Open", query))
    return found[:LISTS]


def _products(state: PageState) -> list[Decision]:
    table = results.gains(state, PRODUCT_STRATEGY, guardrails.chosen(state.ws))
    sure = table[(table["gain_low"] > 0) & (table["change_rate"].abs() >= 0.005)].head(SHOWN)
    return [_product(row, state.currency) for row in records(sure)]


def _product(row: dict[str, Any], currency: str) -> Decision:
    up = row["change_rate"] > 0
    prices = f"from {money(row['current_price'], currency)} on average to {money(row['new_price'], currency)}"
    gain = money(row["profit_gain"], currency, compact=True, signed=True)
    span = money_range(row["gain_low"], row["gain_high"], currency)
    return Decision(
        ":material/trending_up:" if up else ":material/trending_down:",
        f"{'Raise' if up else 'Cut'} {row['product_id']} {prices} ({percent(row['change_rate'], signed=True)})",
        f"{gain} profit in {results.GAIN_WEEKS} weeks, {span}. Evidence: {row['evidence']}.",
        "demand",
        "Inspect",
        {"product": str(row["product_id"])},
    )
