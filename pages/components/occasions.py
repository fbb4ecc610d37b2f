"""Orders without refusals: the rule that makes choice occasions of them, its counts, and how much it decides."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pricing_core.data.occasion_rule import OccasionRule

from . import side_by_side
from .state import PageState
from .words import count, markdown, plural

SCOPES = {"category": "Its category", "shop": "The whole shop"}
SOURCES = {"modal": "The commonest price paid", "median": "The median price paid", "latest": "The latest price paid"}
NEAR_ZERO = 0.3
MANY = 0.1  # share of the order lines that were not considered from which on the page says what to change
LABEL = "Occasions built from orders: conversion is per shopping trip and product, by a rule."


def form() -> dict[str, Any]:
    """Ask for the assumptions of the rule; return them as JSON values."""
    usual = OccasionRule()
    with st.expander("How orders become choice occasions", expanded=True, icon=":material/shopping_basket:"):
        st.caption(
            "Orders say what was bought, not what was declined. A customer with an order in a period chose among the "
            "products on offer then; the price of each is what **other** customers paid for it in that period."
        )
        left, right = st.columns(2)
        days = left.number_input(
            "Length of a period (days)", 1, 90, usual.period_days, 1, key="occasion_days", persist_state="session",
            help="Prices count as constant within it, and several orders within it as one shopping trip.",
        )  # fmt: skip
        scope = right.selectbox(
            "An order puts its customer into the market of", list(SCOPES), format_func=SCOPES.__getitem__,
            key="occasion_scope", persist_state="session",
            help="The whole shop finds more declined products, and lower conversion. Needs a category column.",
        )  # fmt: skip
        source = left.selectbox(
            "Price of a product in a period", list(SOURCES), format_func=SOURCES.__getitem__, key="occasion_source",
            persist_state="session", help="Over the lines of other customers in the same store.",
        )  # fmt: skip
        age = right.number_input(
            "Carry a price forward for at most (days)", 1, 365, usual.max_age_days, 7, key="occasion_age",
            persist_state="session", help="Where nobody else bought the product in the period.",
        )  # fmt: skip
        best = right.number_input(
            "Bestsellers that everyone considers", 1, 10_000, usual.bestsellers, 10, key="occasion_bestsellers",
            persist_state="session", help="Of each category, besides the products that the customer had bought before. "
            "With more, fewer purchases are left out and more products count as declined.",
        )  # fmt: skip
        most = left.number_input(
            "Occasions at most, about", 10_000, 10_000_000, usual.max_occasions, 100_000, key="occasion_most",
            persist_state="session", help="Of more, whole shopping trips are left out, drawn without a look at what "
            "was bought; the report says how many. More take longer.",
        )  # fmt: skip
    rule = OccasionRule(int(days), scope, source, int(age), int(best), int(most))
    return rule.to_dict()


def built(state: PageState) -> bool:
    """Whether the offers of the newest data were built from orders."""
    return bool(state.dataset_id) and bool(_evidence(state))


def noun(state: PageState) -> str:
    """Return what the rows of the newest data are called: offers, or occasions where they were built from orders."""
    return "choice occasions" if built(state) else "offers"


def show(state: PageState) -> None:
    """Show rule, counts and sensitivity of occasions built from orders."""
    evidence = _evidence(state)
    rule, counts = evidence["rule"], evidence["counts"]
    st.info(LABEL, icon=":material/shopping_basket:")
    tiles = side_by_side.places(4)
    tiles[0].metric("Order lines", count(counts["lines"]))
    tiles[1].metric("Shopping trips", count(counts["trips"]))
    tiles[2].metric("Choice occasions", count(counts["occasions"]), help="Trips times products considered.")
    tiles[3].metric("Purchases among them", count(counts["purchases"]))
    place = "a category" if rule["scope"] == "category" else "the shop"
    st.markdown(
        f"**The rule.** A customer with an order (or a view or cart) in {place} within a period of "
        f"{plural(rule['period_days'], 'day')} was in the market. On offer was what at least two customers bought in "
        f"that period, or anyone up to {rule['max_age_days']} days before. Considered were the products that the "
        f"customer had bought before and the {rule['bestsellers']} bestsellers of the category. The price is "
        f"{markdown(SOURCES[rule['price_source']].lower())} by others in that store and period; "
        f"{counts['carried_share']:.0%} of the prices were carried from an earlier period."
    )
    _unused(counts)
    _sensitivity(pd.DataFrame(evidence["sensitivity"]))


def _unused(counts: dict[str, float]) -> None:
    words = {
        "lines_price_unknown": "a price known from nobody else",
        "lines_not_considered": "a product neither bought before nor a bestseller",
        "lines_thinned": "a trip that was left out, so that the data stay at a size that trains",
    }
    found = [f"{count(counts[key])} had {text}" for key, text in words.items() if counts[key]]
    if found:
        text = f"Order lines that are history but no occasion: {'; '.join(found)}."
        if counts["lines_thinned"]:
            share = f"{counts['kept_share']:.1%}"
            text += f" {share} of the shopping trips were used; a higher limit at the import uses more."
        if counts["lines_not_considered"] > MANY * counts["lines"]:
            text += " With more bestsellers at the import, more of them become occasions."
        st.caption(text)


def _sensitivity(table: pd.DataFrame) -> None:
    if table.empty:
        return
    st.markdown("**How much the assumptions decide** (up to 1,000 customers)")
    raw = list(zip(table["elasticity"], table["elasticity_error"], strict=True))
    shown = pd.DataFrame(
        {
            "Assumption": table["variant"].str.capitalize(),
            "Occasions": table["occasions"],
            "Bought": 100 * table["purchase_rate"],
            "Carried": 100 * table["carried_share"],
            "Price spread": 100 * table["price_spread"],
            "Raw elasticity": [
                f"{value:+.2f} ± {1.645 * error:.2f}" if value == value else "–" for value, error in raw
            ],
            "What it says": [elasticity_words(value, 1.645 * error) for value, error in raw],
        }
    )
    st.dataframe(
        shown, hide_index=True, height="content",
        column_config={
            "Occasions": st.column_config.NumberColumn(format="localized"),
            **{name: st.column_config.NumberColumn(format="%.1f%%", help=about) for name, about in (
                ("Bought", "Share of the occasions that ended in a purchase."),
                ("Carried", "Share of the prices that come from an earlier period."),
                ("Price spread", "How far prices lie apart within a product."),
            )},
            "Raw elasticity": st.column_config.TextColumn(
                help="Within products, not corrected for anything; ± is the 90% range. The models do better; this only "
                "shows how far the assumptions move the answer."
            ),
            "What it says": st.column_config.TextColumn(width="large"),
        },
    )  # fmt: skip
    if (table["elasticity"].abs() < NEAR_ZERO).any():
        st.caption(
            "A raw elasticity near zero does not say that your buyers ignore prices. Orders show the prices at which "
            "something was bought, these hardly move within a product, and a shop tends to raise a price when demand "
            "is high, which hides the reaction. The models compare like with like and borrow from similar products; "
            "a price test (page Measure) settles it."
        )


def elasticity_words(value: float, reach: float) -> str:
    """Say what a raw elasticity tells, and what it does not; ``reach`` is half the width of its 90% range."""
    if value != value or reach != reach:
        return "Prices did not move within products."
    if value + reach < 0:
        return "Cheaper weeks sold more." if value < -NEAR_ZERO else "Cheaper weeks sold slightly more."
    if value - reach > 0:
        return "Dearer weeks sold more: demand moved the prices."
    return "Near zero or uncertain: prices moved too little to tell."


def _evidence(state: PageState) -> dict[str, Any]:
    from pricing_core.store import datasets

    return datasets.load_manifest(state.ws, state.dataset_id).evidence
