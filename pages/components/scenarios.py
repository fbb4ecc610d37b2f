"""What if: the sentence to repeat, figures of one strategy, all strategies side by side, and why profit changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.bridge import BridgeChart, bridge_data, bridge_figure
from pricing_core.charts.scenarios import TODAY, strategy_words
from pricing_core.simulate.bridge import bridge
from pricing_core.simulate.satisfaction import NOT_MEASURED, satisfaction

from . import figures, guardrails, results, side_by_side
from .cautions import WHICH_PROFIT
from .guardrails import strategy_name
from .scenario_form import Chosen, words
from .state import PageState
from .tables import money_column, number_column, record, signed, text_column
from .words import chance, change, markdown, money, money_range, number, percent, percent_range, plural, points

if TYPE_CHECKING:
    from pricing_core.simulate.response_surface import Answer

RATES = (
    "conversion_rate", "margin_rate", "share_paying_less", "profit_uplift_rate", "profit_uplift_rate_low",
    "profit_uplift_rate_high", "profit_uplift_rate_uncorrected",
)  # fmt: skip


def focus_of(answer: Answer, chosen: Chosen) -> str:
    """Return the strategy to look at closely: the one that was picked, else the one that earns most."""
    return chosen.focus or str(answer.table.nlargest(1, "profit")["strategy"].iloc[0])


def sentence(state: PageState, answer: Answer, chosen: Chosen) -> str:
    """Say what to expect of the strategy looked at, how sure that is, and what the model claimed before correction."""
    focus, said = focus_of(answer, chosen), words(answer.scenario)
    row = record(answer.table, "strategy", focus)
    start = f"With {said}, the" if said else "The"
    verb = "would earn" if chosen.focus else "would earn most:"
    text = (
        f"{start} strategy “{strategy_name(focus)}” {verb} "
        f"{money(row['profit'], state.currency, compact=True)} in {plural(answer.scenario.horizon_weeks, 'week')}"
    )
    if focus == TODAY:
        return text + "."
    uplift = percent(row["profit_uplift_rate"], signed=True)
    return (
        f"{text}, {uplift} against today's prices "
        f"({percent_range(row['profit_uplift_rate_low'], row['profit_uplift_rate_high'])}), "
        f"with a {chance(row['probability_loss'])} chance of earning less."
    )


def tiles(state: PageState, answer: Answer, focus: str) -> None:
    """Show the strategy's figures over the horizon against today's prices under the same assumptions."""
    row, today = record(answer.table, "strategy", focus), record(answer.table, "strategy", TODAY)
    currency = state.currency
    one, two, three, four, five = side_by_side.places(5)
    weeks = plural(answer.scenario.horizon_weeks, "week")
    one.metric(f"Profit, {weeks}", money(row["profit"], currency, compact=True), help=glossary.define("profit"),
               **_against(row, today, "profit"))  # fmt: skip
    one.caption(markdown(money_range(row["profit_low"], row["profit_high"], currency)))
    two.metric(f"Revenue, {weeks}", money(row["revenue"], currency, compact=True), help=glossary.define("revenue"),
               **_against(row, today, "revenue"))  # fmt: skip
    two.caption(markdown(money_range(row["revenue_low"], row["revenue_high"], currency)))
    three.metric("Conversion", percent(row["conversion_rate"], digits=2), help=glossary.define("conversion rate"),
                 **change(points(row["conversion_rate"] - today["conversion_rate"], digits=2)))  # fmt: skip
    three.caption(markdown(percent_range(row["conversion_rate_low"], row["conversion_rate_high"], signed=False)))
    four.metric("Customers keep", money(row["consumer_surplus"], currency, compact=True),
                help="What buyers would have paid beyond their price, over the horizon.",
                **_against(row, today, "consumer_surplus"))  # fmt: skip
    four.caption(f"{percent(row['share_paying_less'], digits=0)} of offers cheaper than one change for all")
    five.metric("Satisfaction", liking(state, answer, focus), help="Average stars of what is sold, from reviews.")
    five.caption(_stock_words(answer, row))
    if focus != TODAY:
        raw, fair = (percent(row[f"profit_uplift_rate{end}"], signed=True) for end in ("_uncorrected", ""))
        low, high = (money(row[f"profit_outcome_{end}"], currency, compact=True) for end in ("low", "high"))
        st.caption(
            markdown(
                f"Changes are against today's prices under the same assumptions. Corrected for prices that flatter the "
                f"model that chose them: {raw} before, {fair} after. With the luck of sales, profit may come out "
                f"anywhere from {low} to {high} (90%), and the chance that it falls short of today's prices is "
                f"{chance(row['probability_loss_outcome'])}, if the model is right."
            )
        )


def _against(row: dict[str, Any], today: dict[str, Any], name: str) -> dict[str, Any]:
    if today[name] <= 0:
        return {}
    return change(percent(row[name] / today[name] - 1, signed=True))


def _stock_words(answer: Answer, row: dict[str, Any]) -> str:
    if not answer.scenario.limits_stock:
        return "stock does not limit sales"
    return f"{number(row['stock_outs'], digits=0)} products sell out, {row['units_missed']:,.0f} purchases missed"


def liking(state: PageState, answer: Answer, strategy: str) -> str:
    """Return stars and returns of what a strategy sells, or that they are not measured."""
    found = satisfaction(answer.products(strategy), results.satisfaction(state))
    parts = [f"{found.rating:.2f} ★"] if found.rating is not None else []
    parts += [f"{percent(found.return_rate)} returned"] if found.return_rate is not None else []
    return ", ".join(parts) or NOT_MEASURED


def named(state: PageState, answer: Answer) -> pd.DataFrame:
    """Return the table with names of strategies and satisfaction in words."""
    strategies = answer.table["strategy"]
    return answer.table.assign(
        name=strategies.map(strategy_name), satisfaction=[liking(state, answer, str(each)) for each in strategies]
    )


def table(state: PageState, answer: Answer) -> None:
    """Show the strategies side by side."""
    currency, found = state.currency, named(state, answer)
    shown = found.assign(
        **{name: found[name] * 100 for name in RATES},
        probability_loss=found["probability_loss"].map(chance).mask(found["strategy"] == TODAY),
    )
    stock = ["stock_outs", "units_missed"] if answer.scenario.limits_stock else []
    lost = ["share_lost"] if answer.scenario.churn_rate else []
    shown["share_lost"] *= 100
    st.dataframe(
        signed(
            shown, currency,
            money=["profit", "profit_low", "profit_high", "profit_outcome_low", "profit_outcome_high"],
            percent=["profit_uplift_rate", "profit_uplift_rate_low", "profit_uplift_rate_high",
                     "profit_uplift_rate_uncorrected"],
        ),
        hide_index=True, placeholder="–", height="content",
        column_order=["name", "profit", "profit_low", "profit_high", "profit_uplift_rate",
                      "profit_uplift_rate_low", "profit_uplift_rate_high", "probability_loss",
                      "profit_uplift_rate_uncorrected", "profit_outcome_low", "profit_outcome_high", "revenue",
                      "conversion_rate", "units", "average_price", "margin_rate", "consumer_surplus",
                      "share_paying_less", *stock, *lost, "satisfaction", "held_rows"],
        column_config=_columns(currency),
    )  # fmt: skip


def _columns(currency: str) -> dict[str, Any]:
    plain = st.column_config.NumberColumn
    return {
        "name": text_column("Strategy", pinned=True),
        "profit": number_column("Profit", help=glossary.define("profit")),
        "profit_low": number_column("90% low"), "profit_high": number_column("90% high"),
        "profit_uplift_rate": number_column("Against today"),
        "profit_uplift_rate_low": number_column("90% low"), "profit_uplift_rate_high": number_column("90% high"),
        "probability_loss": text_column(
            "Chance of a loss", help="Of earning less than at today's prices, if the model is right."
        ),
        "profit_uplift_rate_uncorrected": number_column(
            "Before correction", help="As claimed by the very forecasts that chose the prices, which flatter them."
        ),
        "profit_outcome_low": number_column("May come low", help="90% range with the luck of sales in it."),
        "profit_outcome_high": number_column("May come high", help="90% range with the luck of sales in it."),
        "revenue": money_column("Revenue", currency, help=glossary.define("revenue")),
        "conversion_rate": plain("Conversion", format="%.2f%%"),
        "units": plain("Units", format="%,.0f", help="Expected units sold over the horizon."),
        "average_price": money_column("Average price", currency),
        "margin_rate": plain("Margin", format="%.1f%%", help=glossary.define("margin")),
        "consumer_surplus": money_column("Customers keep", currency, help=glossary.define("consumer surplus")),
        "share_paying_less": plain("Pay less than uniform", format="%.0f%%", help=glossary.define("share paying less")),
        "stock_outs": plain("Products sold out", format="%.1f"),
        "units_missed": plain("Purchases missed", format="%,.0f"),
        "share_lost": plain("Visits lost", format="%.1f%%", help="By customers who leave because of dearer prices."),
        "satisfaction": text_column("Satisfaction", help="Average stars and returns of what is sold, where measured."),
        "held_rows": plain("Held", format="%,d", help=glossary.define("hold")),
    }  # fmt: skip


def steps(state: PageState, answer: Answer, focus: str) -> BridgeChart | None:
    """Return the bridge from today's prices to the strategy under the same assumptions; None for today's prices."""
    if focus == TODAY:
        return None
    found = bridge(answer.products(TODAY), answer.products(focus))
    name = strategy_words(focus)
    return bridge_data(found, "today's prices", name, currency=state.currency)


def why(state: PageState, answer: Answer, chosen: Chosen, focus: str) -> None:
    """Show why profit changes: from today's prices to the strategy, and from today's assumptions to these."""
    left, right = st.columns(2)
    data = steps(state, answer, focus)
    with left:
        if data is None:
            st.caption("Today's prices earn most here, so there is no step to explain.")
        else:
            figures.show(bridge_figure(data, currency=state.currency), key="bridge_strategy")
            st.caption("From today's prices to the strategy, under the assumptions above.")
    with right:
        if not words(answer.scenario):
            st.caption("Move a slider to see what the assumptions change.")
            return
        base = results.base_of(state, chosen.strategies, answer.scenario, guardrails.chosen(state.ws))
        found = bridge(base.products(focus), answer.products(focus))
        data = bridge_data(found, "as things are", "with these assumptions", currency=state.currency)
        figures.show(bridge_figure(data, currency=state.currency), key="bridge_scenario")
        st.caption(f"The strategy “{markdown(strategy_name(focus))}”, from today's assumptions to these.")


def notes(state: PageState, answer: Answer) -> None:
    """Say how the figures came about, and what the strategies do not foresee."""
    said = [] if answer.exact else [
        "Computed on a sample of the recent offers and scaled to all of them: within 1% of the full computation."
    ]  # fmt: skip
    if answer.scenario.limits_stock:
        said.append(
            "Strategies do not plan for scarce stock here; a capacity rule on Optimize, or markdowns, do. Where stock "
            "is short, lower prices only sell it sooner."
        )
    if answer.scenario.churn_rate:
        said.append("Customers lost is your assumption, not a forecast.")
    st.caption(" ".join([*said, WHICH_PROFIT]))
