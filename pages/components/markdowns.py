"""Markdown to a date: every product's weekly prices until then, what they gain, and what is left over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.markdown import markdown_data, markdown_figure
from pricing_core.errors import ConfigError
from pricing_core.optimize.settings import MarkdownSettings

from . import access, figures
from .state import PageState
from .tables import count_column, money_column, number_column, signed, text_column
from .words import count, markdown, money, percent, plural

if TYPE_CHECKING:
    from pricing_core.optimize.markdown import Markdowns
    from pricing_core.workflows import PricedTable


def show(state: PageState, priced: PricedTable) -> None:
    """Show the plans behind the first week's prices, and let the user set date, salvage and depth."""
    found: Markdowns = priced.prices.details["markdowns"]
    st.subheader("Markdown until the stock is sold", anchor=False, help=glossary.define("markdown"))
    if found.plans:
        _summary(state, found)
        left, right = st.columns([3, 2])
        with left:
            _table(state, found)
        with right:
            product = st.selectbox("Product", _by_gain(found)["product_id"].tolist(), key="markdown_product")
            chart = markdown_data(found.plans[product], currency=state.currency)
            figures.show(markdown_figure(chart, currency=state.currency), key="markdown_path")
            st.caption(
                "Later prices are those for sales as expected; slower sales bring them forward. "
                "The price list holds the first week's prices: run it again every week."
            )
    else:
        st.info("No product has a known stock and a price that may be charged.", icon=":material/inventory_2:")
    with st.expander("Date, left-overs and depth", icon=":material/event:", expanded=not found.plans):
        _form(state, found.settings)


def _summary(state: PageState, found: Markdowns) -> None:
    table, weeks = found.to_frame(), found.settings.weeks
    gain, base = table["gain"].sum(), table["constant_value"].sum()
    more = f" ({percent(gain / base, signed=True)})" if base > 0 else ""
    st.markdown(
        markdown(
            f"{plural(len(table), 'product')} with {count(table['stock'].sum())} units to sell in {weeks} weeks: "
            f"{money(table['value'].sum(), state.currency, compact=True)} expected, "
            f"{money(gain, state.currency, compact=True, signed=True)}{more} over the best single price of each; "
            f"{count(table['leftover'].sum())} units left over, with single prices "
            f"{count(table['constant_leftover'].sum())}."
        )
    )


def _table(state: PageState, found: Markdowns) -> None:
    currency, table = state.currency, _by_gain(found)
    table = table.assign(sold_out=table["sold_out"] * 100)
    st.dataframe(
        signed(table, currency, money=["gain"]), hide_index=True, height=460,
        column_order=["product_id", "stock", "price", "last_price", "constant_price", "value", "gain", "leftover",
                      "sold_out"],
        column_config={
            "product_id": text_column("Product"), "stock": count_column("Stock"),
            "price": money_column("Week 1", currency), "last_price": money_column("Last week", currency),
            "constant_price": money_column("Single price", currency, help="The best price if it may never change."),
            "value": money_column("Expected", currency, help="Revenue until the date, plus what left-overs bring."),
            "gain": number_column("Gain", help="Over the best single price."),
            "leftover": st.column_config.NumberColumn("Left over", format="%,.0f"),
            "sold_out": st.column_config.NumberColumn("Sold out", format="%.0f%%", help="Chance that nothing is left."),
        },
    )  # fmt: skip


def _by_gain(found: Markdowns) -> pd.DataFrame:
    """Products, those that gain most from falling prices first."""
    return found.to_frame().sort_values("gain", ascending=False, kind="stable")


def _form(state: PageState, now: MarkdownSettings) -> None:
    from pricing_core import workflows

    with st.form("markdown_form", border=False):
        one, two, three = st.columns(3)
        weeks = one.number_input(
            "Weeks until the date", 1, 52, now.weeks, key="markdown_weeks",
            help="By then everything should be sold; what is left is worth only its salvage value.",
        )  # fmt: skip
        salvage = two.number_input(
            "A left-over unit brings (% of its cost)", 0.0, 1000.0, now.salvage_rate * 100, 5.0, key="markdown_salvage",
            help=glossary.define("salvage value") + " From a liquidator or in the next season; 0 if it is thrown away.",
        )  # fmt: skip
        deepest = three.number_input(
            "Deepest discount from today's price (%)", 1.0, 99.0, now.deepest_rate * 100, 5.0, key="markdown_deepest",
            help="Guardrails and supported prices may stop earlier.",
        )  # fmt: skip
        end = datetime.now(UTC).date() + timedelta(weeks=now.weeks)
        st.caption(f"From today until {end.day} {end:%B %Y}.")
        if access.form_button(state, "edit", "Plan again", icon=":material/refresh:"):
            try:
                changed = replace(
                    now, weeks=int(weeks), salvage_rate=salvage / 100, deepest_rate=deepest / 100, offers_per_week=None
                )
            except ConfigError as error:
                st.error(markdown(str(error)))
                return
            chosen = workflows.chosen_settings(state.ws)
            workflows.choose_settings(state.ws, replace(chosen, markdown=changed))
            st.rerun()
