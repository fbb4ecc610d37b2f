"""Why one recommendation is what it is, and what drives the model as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pricing_core import glossary
from pricing_core.charts import explain as charts
from pricing_core.charts.demand import demand_curve_data, demand_curve_figure

from . import guardrails, results
from .state import PageState
from .tables import records
from .words import markdown, money, number, percent

if TYPE_CHECKING:
    from pricing_core.workflows import RowExplanation, TrainedRun

SHOWN = 200
EXACT = 1e-9
OUTCOMES = {"probability": "chance of a purchase at this price", "sensitivity": "price sensitivity"}
GLOBAL = {"probability": "chance of a purchase", "sensitivity": "price sensitivity"}


def choose(state: PageState) -> int:
    """Let the user choose one of the recent offers of a product; the newest come first."""
    strategy = guardrails.last_strategy(state.ws)
    priced = results.prices(state, strategy, guardrails.chosen(state.ws))
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


def explanation(state: PageState, index: int) -> RowExplanation:
    """Return the explanation of one recommendation, computed once."""
    rules, strategy = guardrails.chosen(state.ws), guardrails.last_strategy(state.ws)
    return _explained(results.key(state), index, strategy, repr(rules), state, rules)


@st.cache_resource(max_entries=32, show_spinner="Taking the recommendation apart …")
def _explained(stamp: str, index: int, strategy: str, rules: str, _state: PageState, _rules: Any) -> RowExplanation:
    from pricing_core import workflows

    return workflows.explain_row(_state.run, index, strategy=strategy, guardrails=_rules)


def sentence(state: PageState, found: RowExplanation) -> str:
    """Say in one sentence what moved the price most."""
    final, currency = money(float(found.ladder.final), state.currency), state.currency
    largest = found.ladder.largest()
    if largest is None:
        return f"The price stays at the going price of {final}."
    moved = money(float(largest.change), currency, signed=True)
    return f"{final} is recommended; what moved it most: {largest.meaning[0].lower()}{largest.meaning[1:]} ({moved})."


def steps(state: PageState, found: RowExplanation) -> None:
    """Show the price step ladder, the rule that stopped the price, and the offer's demand curve."""
    left, right = st.columns(2)
    left.plotly_chart(charts.price_ladder_figure(found.ladder, currency=state.currency), key="ladder")
    left.caption(f"{markdown(_sum(found, state.currency))}  \n:material/info: {markdown(str(found.price.reason[0]))}")
    product = str(found.row.product_id[0])
    curve = demand_curve_data(
        found.row, state.run.observed(product), best_price=float(found.price.price[0]), one_customer=True
    )
    right.plotly_chart(demand_curve_figure(curve, currency=state.currency), key="offer_curve")
    right.caption("The line is this customer's; the points are what all buyers of the product did at such prices.")


def drivers(found: RowExplanation) -> None:
    """Show the Shapley values of the chance of a purchase and of the price sensitivity, with their check."""
    st.subheader("What drives it", anchor=False)
    st.caption(glossary.define("shap"))
    for place, (outcome, name) in zip(st.columns(len(OUTCOMES)), OUTCOMES.items(), strict=True):
        result = found.shap[outcome]
        data = charts.shap_local_data(result, name=name, is_rate=outcome == "probability")
        figure = charts.shap_local_figure(data, unit=name.capitalize())
        place.plotly_chart(figure, key=f"shap_{outcome}")
        place.caption(f"The bars add up to the prediction {_exactness(result.additivity_error)} (additivity error).")


def cross_check(found: RowExplanation) -> None:
    """Show LIME beside its fidelity: a second, independent answer to the same question."""
    with st.expander("Cross-check with a second method (LIME)", icon=":material/rule:"):
        st.caption(glossary.define("lime"))
        st.plotly_chart(charts.lime_figure(charts.lime_data(found.lime, name=OUTCOMES["probability"])), key="lime")
        st.caption(
            f"Fidelity R² {number(found.lime.r2)}: how much of the model's behavior around here the line catches. "
            f"Stability {number(found.lime.stability)}: how alike the answers of repeated runs are; 1 is identical."
        )


def importance(run: TrainedRun) -> None:
    """Show what moves the model's answers most, on average over recent offers."""
    st.caption("Mean size of each feature's contribution (SHAP) over a sample of recent offers.")
    for place, (outcome, name) in zip(st.columns(len(GLOBAL)), GLOBAL.items(), strict=True):
        data = charts.shap_global_data(run.importance, outcome=outcome, name=name)
        place.plotly_chart(charts.shap_global_figure(data), key=f"global_{outcome}")


def _exactness(error: float) -> str:
    return "exactly" if error < EXACT else f"within {error:.1e}"


def _sum(found: RowExplanation, currency: str) -> str:
    start = money(float(found.ladder.start), currency)
    changes = [money(float(step.change), currency, signed=True) for step in found.ladder.steps[1:] if step.change]
    return f"{' '.join([start, *changes])} = {money(float(found.ladder.final), currency)}: the steps add up exactly."


def _label(row: dict[str, Any], currency: str) -> str:
    customer = str(row["customer_id"])
    now, new = money(row["price"], currency), money(row["new_price"], currency)
    when = row["offered_at"]
    return f"{customer[:12]} · {when.day} {when:%b %Y} · {now} → {new} ({percent(row['change_rate'], signed=True)})"
