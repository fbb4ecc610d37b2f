"""What a strategy's prices would do, which rules stop them, and which rows are held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.price_list import price_change_data, price_change_figure
from pricing_core.charts.rules import binding_rules_data, status_data
from pricing_core.charts.scenarios import scenario_data, scenario_figure
from pricing_core.charts.strategy import against_today_data
from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.held import held_help

from . import cache, figures, side_by_side
from .state import PageState
from .tables import count_column, money_column, number_column, record, signed, text_column
from .words import chance, change, count, markdown, money, money_range, percent, percent_range, plural, points

if TYPE_CHECKING:
    from pricing_core.simulate.strategies import SimulationResult
    from pricing_core.workflows import PricedTable

SHOWN_ROWS = 2_000
SHOWN_HELP = 3
HELD_AT = r"^held at [^:]*: "
DISCOUNTS = "personalized_discount"
CHART_HEIGHT = 520
NEUTRAL = ("average_price", "margin_rate")
TERMS = {
    "profit": "profit", "revenue": "revenue", "conversion_rate": "conversion rate",
    "average_price": "transaction price", "margin_rate": "margin",
}  # fmt: skip


def sentence(priced: PricedTable, simulated: SimulationResult, strategy: str) -> str:
    """Say how many prices move and what that does to profit, with its range."""
    moves, row = status_data(priced.prices), record(simulated.table, "strategy", strategy)
    smaller = " (a smaller discount than today)" if strategy == DISCOUNTS and moves["raise"] else ""
    held = count(moves["keep"] + moves["hold"])
    text = f"Raise {count(moves['raise'])}{smaller}, cut {count(moves['cut'])}, hold {held} offers"
    if strategy == "status_quo":
        return f"{text}: every price stays as it is."
    table = against_today_data(simulated.table, strategy)
    uplift = percent(row["profit_uplift_rate"], signed=True)
    others = (
        f"{percent(table['change']['revenue'], signed=True)} revenue and {points(table['change']['conversion_rate'])}"
    )
    return f"{text}: {uplift} profit, {_uplift_range(row)}, with {others} of conversion."


def discounts_note(strategy: str, *, list_price_known: bool = True) -> None:
    """Say what a raise is where prices are discounts from the list price, or that no list price is known."""
    if strategy != DISCOUNTS:
        return
    if not list_price_known:
        st.info(
            "The data have no list price, so that these discounts start from today's prices: none can rise. Map a list "
            "price when you import, or choose another strategy, such as “Best price per product”.",
            icon=":material/sell:",
        )
        return
    st.caption(
        "A raise is a smaller discount than today: no price is moved above the list price "
        "(or above today's price where the list price is unknown)."
    )


def list_price_known(state: PageState) -> bool:
    """Whether any table of the data has a list price."""
    data = cache.dataset(state.ws, str(state.basis_id))
    tables = (data.offers, data.products, data.market)
    return any(table is not None and "list_price" in table.columns for table in tables)


def coupled_note(priced: PricedTable) -> None:
    """Say how good prices under rules for several prices are, and which of these rules cannot be kept."""
    prices = priced.prices
    if prices.duals and np.isfinite(prices.gap_rate):
        st.caption(
            f":material/verified: Rules for several prices are met at no more than {_gap(prices.gap_rate)} below the "
            "best that they allow."
        )
    for note in prices.notes:
        st.caption(f":material/info: {markdown(sentence_of(note))}")


def sentence_of(text: str) -> str:
    """Write a note as a sentence: a capital letter and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _gap(rate: float) -> str:
    return "0.01%" if rate < 1e-4 else percent(rate, digits=2)


def tiles(state: PageState, simulated: SimulationResult, strategy: str) -> None:
    """Show the strategy's figures over the horizon against today's prices, each with its range."""
    table, currency = against_today_data(simulated.table, strategy), state.currency
    weeks = f"{simulated.scenario.horizon_weeks:.0f} weeks"
    labels = {
        "profit": f"Profit, {weeks}", "revenue": f"Revenue, {weeks}", "conversion_rate": "Conversion",
        "average_price": "Average price sold", "margin_rate": "Margin",
    }  # fmt: skip
    for place, (name, label) in zip(side_by_side.places(len(labels)), labels.items(), strict=True):
        value, low, high, step = (float(table[column][name]) for column in ("value", "low", "high", "change"))
        is_rate = name.endswith("_rate")
        moved = points(step) if is_rate else percent(step, signed=True)
        text = percent(value) if is_rate else money(value, currency, compact=True)
        place.metric(label, text, help=glossary.define(TERMS[name]), **change(moved, neutral=name in NEUTRAL))
        if np.isfinite(low):
            span = percent_range(low, high, signed=False) if is_rate else money_range(low, high, currency)
            place.caption(markdown(span))
    loss = record(simulated.table, "strategy", strategy)["probability_loss"]
    st.caption(
        "Changes are against today's prices; "
        f"chance of earning less than today: {markdown(chance(loss))}, if the model is right."
    )


def changes(state: PageState, priced: PricedTable, simulated: SimulationResult) -> None:
    """Show how far prices move, what the strategy earns beside the others, and the prices themselves."""
    left, right = st.columns(2)
    histogram = price_change_figure(price_change_data(priced.prices.change_rate))
    figure = scenario_figure(scenario_data(simulated.table), currency=state.currency)
    height = max(CHART_HEIGHT, int(figure.layout.height))
    figures.show(histogram, key="optimize_changes", place=left, height=height)
    figures.show(figure, key="optimize_strategies", place=right, height=height)
    frame, currency = priced.frame.head(SHOWN_ROWS), state.currency
    shown = frame.assign(
        change=priced.prices.change_rate[:SHOWN_ROWS] * 100, conversion=frame["expected_conversion_rate"] * 100,
        current_price=priced.rows.current_price[:SHOWN_ROWS],
        **{name: frame[name] * 100 for name in ("expected_profit", "profit_low", "profit_high")},
    )  # fmt: skip
    order = ["product_id", "customer_id", "current_price", "new_price", "change", "conversion", "expected_profit",
             "profit_low", "profit_high", "reason"]  # fmt: skip
    st.dataframe(
        signed(shown[order], currency, money=order[6:9], percent=["change"]),
        hide_index=True, placeholder="–", height=380,
        column_config={
            "product_id": text_column("Product"), "customer_id": text_column("Customer"),
            "current_price": money_column("Price today", currency), "new_price": money_column("New price", currency),
            "change": number_column("Change"),
            "reason": text_column("Why", width="large"),
            "conversion": st.column_config.NumberColumn("Conversion", format="%.1f%%"),
            "expected_profit": number_column("Profit per 100 offers"),
            "profit_low": number_column("90% low"), "profit_high": number_column("90% high"),
        },
    )  # fmt: skip
    st.caption(f"The first {count(len(shown))} of {plural(len(priced.frame), 'recent offer')}; the price list has all.")


def binding(priced: PricedTable) -> None:
    """Show how often each rule is what stops a price."""
    table = binding_rules_data(priced.prices)
    st.caption(glossary.define("binding constraint"))
    st.dataframe(
        table.assign(share=table["share"] * 100), hide_index=True, placeholder="–", width=620,
        column_config={
            "rule": text_column("Stopped by", width="medium"), "n": count_column("Prices"),
            "share": st.column_config.ProgressColumn("Share", format="%.0f%%", min_value=0, max_value=100),
        },
    )  # fmt: skip


def held(state: PageState, priced: PricedTable, rules: Guardrails) -> None:
    """Show the rows for which no price is allowed, why, and which data would help."""
    table = held_help(priced.rows, priced.prices, rules.with_changes(decimals=minor_unit_digits(state.currency)))
    if table.empty:
        st.success(
            "Every row has an allowed price; those that stay are at their best price already.",
            icon=":material/check_circle:",
        )
        return
    st.caption(
        f"{plural(len(table), 'row')} stay at today's price: no price keeps all rules and the supported range. "
        "Prices are supported where at least 1% of past offers in such situations were beyond them; offers at the "
        "prices named here would widen that range at the next training."
    )
    for words, rows in table["help"].value_counts().head(SHOWN_HELP).items():
        st.markdown(f"- **{plural(rows, 'row')}:** {markdown(str(words))}")
    shown = table.assign(why=table["reason"].str.replace(HELD_AT, "", regex=True))
    st.dataframe(
        shown[["product_id", "customer_id", "current_price", "help", "why"]].head(SHOWN_ROWS),
        hide_index=True, placeholder="–",
        column_config={
            "product_id": text_column("Product"), "customer_id": text_column("Customer"),
            "current_price": money_column("Price today", state.currency),
            "help": text_column("What would help", width="large"), "why": text_column("Why", width="large"),
        },
    )  # fmt: skip
    if len(shown) > SHOWN_ROWS:
        st.caption(f"The first {count(SHOWN_ROWS)} of {plural(len(shown), 'held row')}.")


def _uplift_range(row: dict[str, Any]) -> str:
    return percent_range(row["profit_uplift_rate_low"], row["profit_uplift_rate_high"])
