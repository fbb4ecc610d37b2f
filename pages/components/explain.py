"""Why one recommendation is what it is: the choice, the reason in words, the price steps, and the drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pricing_core import glossary
from pricing_core.charts import explain as charts
from pricing_core.charts.demand import demand_curve_data, demand_curve_figure
from pricing_core.charts.price_steps import price_ladder_figure
from pricing_core.explain.reasons import LANGUAGES
from pricing_core.optimize.settings import PERSONAL
from pricing_core.workflows.objectives import chosen_objective

from . import figures, guardrails, results
from .state import PageState
from .tables import records
from .words import markdown, money, number, percent

if TYPE_CHECKING:
    from pricing_core.workflows import RowExplanation
    from pricing_core.workflows.pricing import PricedTable

SHOWN = 200
EXACT = 1e-9
OUTCOMES = {
    "probability": "Chance of a purchase",
    "taste": "Taste",
    "sensitivity": "Price sensitivity",
    "price": "Best price before rules",
}
ABOUT = {
    "probability": "Chance that this customer buys at the recommended price.",
    "taste": "How much this customer likes the product: log-odds of a purchase at the going price.",
    "sensitivity": "How much this customer minds the price: fall of the log-odds when the price doubles.",
    "price": "The price of most profit here if there were no rule and no limit of supported prices.",
}


def choose(state: PageState) -> int:
    """Let the user choose one of the recent offers of a product; the newest come first."""
    strategy, priced = guardrails.last_strategy(state.ws), priced_rows(state)
    product_place, offer_place = st.columns([1, 2])
    listed = list(results.products(state)["product_id"])
    product = product_place.selectbox("Product", listed, key="explain_product", persist_state="session")
    frame = priced.frame.assign(index=range(len(priced.frame)), change_rate=priced.prices.change_rate)
    mine = frame[frame["product_id"].astype(str) == product]
    labels = {int(row["index"]): _label(row, state.currency) for row in reversed(records(mine.tail(SHOWN)))}
    return int(
        offer_place.selectbox(
            "Recommendation", list(labels), format_func=labels.__getitem__, key=f"explain_row_{product}",
            help=f"Under the strategy chosen on Optimize: {guardrails.strategy_name(strategy)}. Newest offers first.",
        )
    )  # fmt: skip


def priced_rows(state: PageState) -> PricedTable:
    """Return the recent offers priced as chosen on Optimize."""
    return results.prices(state, guardrails.last_strategy(state.ws), guardrails.chosen(state.ws))


def stamp(state: PageState) -> str:
    """Return what an explanation depends on besides its row."""
    return f"{results.key(state)}|{guardrails.last_strategy(state.ws)}|{guardrails.chosen(state.ws)!r}"


def explanation(state: PageState, index: int) -> RowExplanation:
    """Return the explanation of one recommendation, computed once."""
    return _explained(stamp(state), index, state)


@st.cache_resource(max_entries=32, show_spinner="Taking the recommendation apart …")
def _explained(stamp: str, index: int, _state: PageState) -> RowExplanation:
    from pricing_core import workflows

    rules, strategy = guardrails.chosen(_state.ws), guardrails.last_strategy(_state.ws)
    return workflows.explain_row(
        _state.run, index, strategy=strategy, guardrails=rules, prices=priced_rows(_state).prices
    )  # fmt: skip


def sentence(state: PageState, found: RowExplanation) -> str:
    """Say in one sentence what moved the price most."""
    final, currency = money(float(found.ladder.final), state.currency), state.currency
    largest = found.ladder.largest()
    if largest is None:
        return f"The price stays at the going price of {final}."
    moved = money(float(largest.change), currency, signed=True)
    return f"{final} is recommended; what moved it most: {largest.meaning[0].lower()}{largest.meaning[1:]} ({moved})."


def reason(state: PageState, index: int) -> None:
    """Show the reason in the language that the user chooses."""
    with st.container(border=True):
        text, choice = st.columns([5, 1], vertical_alignment="center")
        language = choice.segmented_control(
            "Language of reasons", list(LANGUAGES), format_func=LANGUAGES.__getitem__, default="en", required=True,
            key="reason_language", persist_state="session", label_visibility="collapsed",
        )  # fmt: skip
        text.markdown(markdown(_reason(stamp(state), index, str(language), state)))


@st.cache_data(max_entries=64, show_spinner=False)
def _reason(stamp: str, index: int, language: str, _state: PageState) -> str:
    from pricing_core.workflows.reasoning import reason_of

    return reason_of(_state.run, index, priced_rows(_state).prices, guardrails.chosen(_state.ws), language)


def steps(state: PageState, found: RowExplanation) -> None:
    """Show the price step ladder, the rule that stopped the price, and the offer's demand curve."""
    left, right = st.columns(2)
    figures.show(price_ladder_figure(found.ladder, currency=state.currency), key="ladder", place=left)
    left.caption(f"{markdown(_sum(found, state.currency))}  \n:material/info: {markdown(str(found.price.reason[0]))}")
    product = str(found.row.product_id[0])
    best = guardrails.last_strategy(state.ws) in PERSONAL and chosen_objective(state.ws).kind == "profit"
    curve = demand_curve_data(
        found.row, state.run.observed(product), best_price=float(found.price.price[0]), one_customer=True,
        limit=str(found.price.binding[0]), follows=not best or bool(found.price.held[0]),
    )  # fmt: skip
    figures.show(demand_curve_figure(curve, currency=state.currency), key="offer_curve", place=right)
    right.caption("The line is this customer's; the points are what all buyers of the product did at such prices.")


def drivers(state: PageState, found: RowExplanation) -> None:
    """Show Shapley values and LIME of one outcome side by side, with their checks and where they disagree."""
    outcome = str(
        st.segmented_control(
            "What to explain", list(OUTCOMES), format_func=OUTCOMES.__getitem__, default="probability", required=True,
            key="explain_outcome", persist_state="session",
        )
    )  # fmt: skip
    st.caption(ABOUT[outcome])
    shap, lime, both = found.shap[outcome], found.lime[outcome], found.agreement[outcome]
    name, rate = OUTCOMES[outcome].lower(), outcome == "probability"
    unit = f"{OUTCOMES[outcome]} ({state.currency})" if outcome == "price" else OUTCOMES[outcome]
    left, right = st.columns(2)
    figures.show(
        charts.shap_local_figure(charts.shap_local_data(shap, name=name, is_rate=rate), unit=unit),
        key=f"shap_{outcome}",
        place=left,
    )  # fmt: skip
    left.caption(
        f"SHAP, by {found.method}: each bar is a feature's part of the difference to a typical offer. The bars add "
        f"up to the prediction {_exactness(shap.additivity_error, rate)} (additivity error)."
    )
    figures.show(charts.lime_figure(charts.lime_data(lime, name=name)), key=f"lime_{outcome}", place=right)
    right.caption(
        f"LIME: {glossary.define('lime')} Fidelity R² {number(lime.r2)}: how much of the model's behavior around here "
        f"the line catches. Stability {number(lime.stability)}: how alike repeated runs are; 1 is identical."
    )
    icon = ":material/check_circle:" if both.agrees else ":material/warning:"
    (st.info if both.agrees else st.warning)(markdown(both.sentence), icon=icon)


def _exactness(error: float, rate: bool) -> str:
    if error < EXACT:
        return "exactly"
    return f"within {error * 100:.2g} points" if rate else f"within {error:.2g}"


def _sum(found: RowExplanation, currency: str) -> str:
    start = money(float(found.ladder.start), currency)
    changes = [money(float(step.change), currency, signed=True) for step in found.ladder.steps[1:] if step.change]
    return f"{' '.join([start, *changes])} = {money(float(found.ladder.final), currency)}: the steps add up exactly."


def _label(row: dict[str, Any], currency: str) -> str:
    customer = str(row["customer_id"])
    now, new = money(row["price"], currency), money(row["new_price"], currency)
    when = row["offered_at"]
    return f"{customer[:12]} · {when.day} {when:%b %Y} · {now} → {new} ({percent(row['change_rate'], signed=True)})"
