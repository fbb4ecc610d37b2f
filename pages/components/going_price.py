"""What the pricing model is for, in words and with the shop's own numbers, and how far off it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.going_price import NAMES, going_price_data, going_price_figure

from . import cache, figures
from .state import PageState
from .tables import count_column, text_column, visible_table
from .words import count, markdown, percent

if TYPE_CHECKING:
    from pricing_core.workflows.price_support import PriceSupport

SHORT = {"level": "Price level", "trees": "Trees", "network": "Network", "without_pressure": "No pressure"}


def show(state: PageState) -> None:
    """Show the three uses of the pricing model, its error by category, and the part of the demand pressure."""
    found: dict[str, Any] = state.run.metrics["pricing_model"]
    judged = found.get("going_price")
    _uses(state, found, judged)
    if not judged:
        st.info("This model was trained by an earlier version. Train again to see its errors by category.")
        return
    st.subheader("How far off it is", anchor=False)
    st.markdown(markdown(str(judged["reason"])))
    data = going_price_data(judged)
    figures.show(going_price_figure(data), key="going_price")
    _table(data.table, data.models)
    st.caption(
        f"Mean distance of charged and going price, as a share of the going price, on {count(judged['n'])} offers of "
        "customers that the model had not seen. Discounts, tests and personal prices are part of it: the going price "
        "is not meant to follow them."
    )
    _pressure(judged)


def _uses(state: PageState, found: dict[str, Any], judged: dict[str, Any] | None) -> None:
    support = _support(str(state.ws.root), str(state.run_id), cache.stamp(state.ws, state.basis_id), state)
    st.markdown("The pricing model never sees who bought. It is used for three things:")
    explained = float(found["reference_r2"])
    distance = percent(float(found["reference_mean_absolute_error_rate"]))
    habit, left = float(found["expected_r2_crossfitted"]), float(found["residual_price_sd"])
    with st.container(border=True):
        st.markdown(
            "**1 · The going price.** What an offer goes for, whoever asks. All prices are measured against it, so "
            "that cheap and dear products can teach the same lesson. In the recent offers it ranges from "
            f"{markdown(support.reference_low)} to {markdown(support.reference_high)}, and a charged price is "
            f"{distance} from it on average.",
            help=glossary.define("reference price"),
        )
        st.markdown(
            f"**2 · Chance told from habit.** The shop's habit explains {percent(max(habit, 0.0), digits=0)} of how "
            f"prices differ from the going price. The rest, ±{percent(left)}, follows no feature: only this part tells "
            "how buyers react to price, and not how the shop reacts to buyers.",
            help=glossary.define("confounding"),
        )
        st.markdown(
            "**3 · Prices that data support.** Past prices say between which prices the data can speak: typically "
            f"{support.low} to {support.high} around the going price. Recommendations stay inside. {_outside(support)}",
            help=glossary.define("supported prices"),
        )
    st.caption(
        f"Product and market features explain {percent(max(explained, 0.0), digits=0)} of how prices differ from each "
        "product's usual price level."
    )


def _outside(support: PriceSupport) -> str:
    if not support.outside:
        return f"None of the {count(support.offers)} recent offers is priced outside today."
    verb = "is" if support.outside == 1 else "are"
    return f"{count(support.outside)} of {count(support.offers)} recent offers {verb} priced outside today."


def _table(table: pd.DataFrame, models: tuple[str, ...]) -> None:
    shown = table.assign(**{name: table[name] * 100 for name in models})
    error = {
        name: st.column_config.NumberColumn(
            SHORT[name], format="%.2f%%", help=f"{NAMES[name][:1].upper()}{NAMES[name][1:]}."
        )
        for name in models
    }
    st.dataframe(
        visible_table(shown), hide_index=True, height=420 if len(shown) > 11 else "content",
        column_order=["category", "n", *models],
        column_config={"category": text_column("Category", pinned=True), "n": count_column("Offers"), **error},
    )  # fmt: skip


def _pressure(judged: dict[str, Any]) -> None:
    st.subheader("Supply–demand pressure", anchor=False, help=glossary.define("supply-demand pressure"))
    share = judged["pressure_share"]
    if share is None:
        st.markdown("The data do not say what was in stock, so that the pressure is unknown and plays no part.")
        return
    errors = judged["errors"]
    with_it, without = float(errors["trees"]), float(errors["without_pressure"])
    change = without / with_it - 1
    effect = (
        f"without it the error would rise from {percent(with_it, digits=2)} to {percent(without, digits=2)}"
        if change > 0.001
        else f"without it the error would be the same ({percent(without, digits=2)}), since other features say as much"
    )
    st.markdown(
        f"The pressure carries {percent(float(share), digits=1)} of what the boosted trees learn about the going "
        f"price; {effect}."
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _support(root: str, run_id: str, stamp: str, _state: PageState) -> PriceSupport:
    from pricing_core.workflows.price_support import price_support

    return price_support(_state.run)
