"""How the buyers of one product react to price, and all products side by side."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.demand import DemandCurve, demand_curve_data
from pricing_core.charts.products import price_effect_data
from pricing_core.response.pricing_rows import PricingRows

from . import guardrails, results, side_by_side
from .decisions import PRODUCT_STRATEGY
from .state import PageState
from .tables import EVIDENCE, count_column, money_column, number_column, record, records, signed, text_column
from .words import change, count, money, money_range, note, number, percent, percent_range, plural, points

SAME = 0.0005  # a change that reads as 0.0%
LABELS = {"measured": "✓ measured", "borrowed": "≈ borrowed", "extrapolated": "? extrapolated"}


def choose(state: PageState) -> str:
    """Let the user choose a product; the address of the page keeps the choice."""
    table = results.products(state)
    names = {row["product_id"]: f"{row['product_id']} · {row['category']} · {plural(row['offers'], 'recent offer')}"
             for row in records(table)}  # fmt: skip
    return str(
        st.selectbox(
            "Product", list(names), key="product", bind="query-params", width=420,
            format_func=names.__getitem__,
            help="The most offered products come first.",
        )
    )  # fmt: skip


def rows_of(state: PageState, product: str) -> PricingRows:
    """Return the recent offers of one product."""
    rows = state.run.rows
    return rows.take(rows.product_id.astype(str) == product)


def curve_of(state: PageState, product: str) -> DemandCurve:
    """Return the demand curve of a product, with the best single price within the guardrails."""
    best = float(_row(state, product)["new_price"])
    return _curve(results.key(state), product, best, _held(state, product), state)


@st.cache_resource(max_entries=32, show_spinner="Drawing the demand curve …")
def _curve(stamp: str, product: str, best_price: float, held: bool, _state: PageState) -> DemandCurve:
    observed = _state.run.observed(product)
    return demand_curve_data(rows_of(_state, product), observed, best_price=best_price, follows=held)


def _held(state: PageState, product: str) -> bool:
    """Whether a product keeps today's prices because no single price fits its guardrails and past offers."""
    priced = results.prices(state, PRODUCT_STRATEGY, guardrails.chosen(state.ws))
    return bool(priced.prices.held[priced.rows.product_id.astype(str) == product].all())


def sentence(state: PageState, product: str) -> str:
    """Say in one sentence what to do with the product's price, and what that is worth."""
    row, currency = _row(state, product), state.currency
    if _held(state, product):
        return f"{product} keeps today's prices: no single price fits. Optimize, “Best price per product”, says why."
    if abs(row["change_rate"]) < SAME:
        return f"The price of {product} is right: no single price within the guardrails earns more."
    verb = "Raise" if row["change_rate"] > 0 else "Cut"
    gain = money(row["profit_gain"], currency, compact=True, signed=True)
    return (
        f"{verb} {product} to {money(row['new_price'], currency)} ({percent(row['change_rate'], signed=True)}): {gain} "
        f"profit in {results.GAIN_WEEKS} weeks, {money_range(row['gain_low'], row['gain_high'], currency)}."
    )


def tiles(state: PageState, product: str, curve: DemandCurve) -> None:
    """Show today's price, conversion, elasticity and where the answer comes from."""
    row, currency = _row(state, product), state.currency
    price, best, conversion, elasticity, evidence = side_by_side.places(5)
    price.metric("Average price today", money(row["current_price"], currency), help=glossary.define("current price"))
    best.metric(
        "Best single price", money(row["new_price"], currency),
        help="Within your guardrails, for the largest expected profit.",
        **change(percent(row["change_rate"], signed=True), neutral=True),
    )  # fmt: skip
    conversion.metric(
        "Conversion expected", percent(row["conversion_rate"]), help=glossary.define("conversion rate"),
        **note("at today's prices"),
    )  # fmt: skip
    elasticity.metric(
        "Elasticity", number(curve.elasticity), help=glossary.define("elasticity"),
        **note(f"90% range {number(curve.elasticity_low)} to {number(curve.elasticity_high)}"),
    )  # fmt: skip
    evidence.metric(
        "Evidence", str(row["evidence"]).capitalize(), help=EVIDENCE[row["evidence"]],
        **note(f"{plural(len(state.run.observed(product)), 'logged offer')}"),
    )  # fmt: skip


@st.fragment
def try_a_price(state: PageState, product: str) -> None:
    """Answer at once what another price would do."""
    rows, row, currency = rows_of(state, product), _row(state, product), state.currency
    low, high = float(rows.support_low.min()), float(rows.support_high.max())
    with st.container(border=True):
        st.markdown("**Try a price**", help="Between the lowest and the highest price that the data support.")
        start = min(max(float(row["current_price"]), low), high)
        label = f"Price for everyone ({currency})"
        price = st.slider(label, low, high, start, (high - low) / 100, format="%.2f", key=f"try_{product}")
        effect = price_effect_data(rows, price)
        conversion, profit = records(effect.loc[["conversion_rate", "profit"]])
        st.metric("Conversion", percent(conversion["value"]), **change(points(conversion["change"])))
        st.caption(percent_range(conversion["low"], conversion["high"], signed=False))
        st.metric(
            "Profit per 100 offers", money(profit["value"], currency),
            help=glossary.define("profit"), **change(money(profit["change"], currency, signed=True)),
        )  # fmt: skip
        st.caption(f"{money_range(profit['low'], profit['high'], currency)}; change against today's prices.")


def table(state: PageState) -> None:
    """Show all products side by side."""
    merged = _merged(state)
    shown = merged.assign(
        conversion_rate=merged["conversion_rate"] * 100, change_rate=merged["change_rate"] * 100,
        evidence=merged["evidence"].map(LABELS),
    )  # fmt: skip
    currency = state.currency
    st.dataframe(
        signed(shown, currency, money=["profit_gain", "gain_low", "gain_high"], percent=["change_rate"],
               plain=["elasticity"]),
        hide_index=True, placeholder="–",
        column_order=["product_id", "category", "offers", "current_price", "new_price", "change_rate", "elasticity",
                      "conversion_rate", "profit_gain", "gain_low", "gain_high", "evidence"],
        column_config={
            "product_id": text_column("Product", pinned=True), "category": text_column("Category"),
            "offers": count_column("Recent offers"),
            "current_price": money_column("Price today", currency), "new_price": money_column("Best price", currency),
            "change_rate": number_column("Change"),
            "elasticity": number_column("Elasticity"),
            "conversion_rate": st.column_config.NumberColumn("Conversion", format="%.1f%%"),
            "profit_gain": number_column(f"Profit gained, {results.GAIN_WEEKS} weeks"),
            "gain_low": number_column("90% low"), "gain_high": number_column("90% high"),
            "evidence": text_column("Evidence", help=" ".join(EVIDENCE.values())),
        },
    )  # fmt: skip
    st.caption(f"{count(len(shown))} products; prices are averages over the recent offers.")


def _row(state: PageState, product: str) -> dict[str, Any]:
    return record(_merged(state), "product_id", product)


def _merged(state: PageState) -> pd.DataFrame:
    gains = results.gains(state, PRODUCT_STRATEGY, guardrails.chosen(state.ws))
    wanted = gains[["product_id", "new_price", "change_rate", "profit_gain", "gain_low", "gain_high"]]
    return results.products(state).merge(wanted, on="product_id")
