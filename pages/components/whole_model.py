"""What moves the models' answers over many recent offers: bars, beeswarm and dependence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pricing_core.charts import explain as charts
from pricing_core.charts import shap
from pricing_core.explain.expected_gradients import additivity_share
from pricing_core.explain.readable import axis_title

from . import figures, results
from .state import PageState
from .words import markdown

if TYPE_CHECKING:
    from pricing_core.workflows.whole_model import WholeModel

MODELS = {"behavior": "Behavior", "pricing": "Pricing (LightGBM)"}
OUTCOMES = {
    "behavior": {
        "probability": "Chance of a purchase",
        "taste": "Taste",
        "sensitivity": "Price sensitivity",
        "price": "Best price before rules",
    },
    "pricing": {"reference": "Going price", "expected": "Usual price"},
}
ABOUT = {
    "probability": "Chance of a purchase at the going price.",
    "taste": "Log-odds of a purchase at the going price.",
    "sensitivity": "Fall of the log-odds of a purchase when the price doubles.",
    "price": "The price that earns most without any rule, as a share of the going price.",
    "reference": "What an offer goes for, against the product's price level. The customer plays no part.",
    "expected": "The price that the shop's habit would set for this customer now, as a share of the going price.",
}
METHODS = {
    "expected gradients": "Expected gradients: slopes of the network along lines from typical offers.",
    "permutations": "Shapley values by permutation: features of typical offers are switched one by one.",
    "trees": "Exact Shapley values along LightGBM's trees.",
}
RATES = ("probability", "price", "expected", "reference")


def show(state: PageState) -> None:
    """Let the user choose model and outcome, and show what moves it."""
    left, right = st.columns([1, 2])
    model = str(
        left.segmented_control("Model", list(MODELS), format_func=MODELS.__getitem__, default="behavior",
                               required=True, key="whole_model", persist_state="session")
    )  # fmt: skip
    outcomes = OUTCOMES[model]
    outcome = str(
        right.segmented_control("Answer", list(outcomes), format_func=outcomes.__getitem__,
                                default=next(iter(outcomes)), required=True, key=f"whole_{model}")
    )  # fmt: skip
    found = _whole(results.key(state), model, state)
    result, name, rate = found.results[outcome], outcomes[outcome].lower(), outcome in RATES
    checked = shap.additivity_text(additivity_share(result), result.additivity_error, n=len(result.values))
    st.caption(markdown(f"{ABOUT[outcome]} {METHODS[found.method]} {checked}"))
    bars, swarm = st.columns(2)
    table = result.importance().assign(outcome=outcome)
    figures.show(
        charts.shap_global_figure(
            charts.shap_global_data(table, outcome=outcome, name=name), unit="Mean effect, up or down", is_rate=rate
        ),
        key=f"bars_{outcome}",
        place=bars,
    )  # fmt: skip
    values = found.values[list(result.feature_names)]
    figures.show(
        shap.beeswarm_figure(shap.beeswarm_data(result, values, name=name), unit="Effect of each offer", is_rate=rate),
        key=f"swarm_{outcome}",
        place=swarm,
    )  # fmt: skip
    _dependence(found, outcome, name, rate)


def _dependence(found: WholeModel, outcome: str, name: str, rate: bool) -> None:
    result = found.results[outcome]
    ordered = list(result.importance()["feature"])
    feature = str(st.selectbox("One feature against its values", ordered, key=f"depends_{outcome}", width=420))
    data = shap.dependence_data(result, found.values[list(result.feature_names)], feature, name=name)
    title = axis_title(feature, found.names[feature])
    figures.show(
        shap.dependence_figure(data, x=title, unit="Effect", is_rate=rate, x_rate=found.is_share(feature)),
        key=f"dependence_{outcome}",
    )  # fmt: skip
    st.caption("Points: recent offers; line: mean over offers with such values. It shows what the model has learned.")


@st.cache_resource(max_entries=4, show_spinner="Explaining recent offers …")
def _whole(stamp: str, model: str, _state: PageState) -> WholeModel:
    from pricing_core.workflows.whole_model import behavior_as_a_whole, pricing_as_a_whole

    return behavior_as_a_whole(_state.run) if model == "behavior" else pricing_as_a_whole(_state.run)
