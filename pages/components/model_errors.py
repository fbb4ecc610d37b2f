"""Where the model errs: by level of the forecast, by price, by group of offers, and how well it finds the buyers."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pricing_core.charts import calibration
from pricing_core.charts.group_errors import group_error_data, group_error_figure
from pricing_core.charts.lift import lift_data, lift_figure

from . import figures
from .state import PageState
from .tables import count_column, more_columns, number_column, rate_column, text_column, visible_table
from .words import count, points

VERDICTS = {"as forecast": "✓ as forecast", "too high": "▲ forecast too high", "too low": "▼ forecast too low",
            "too few": "too few offers"}  # fmt: skip
HALF = 470  # pixels: two fit beside each other on a wide screen, and one on a narrow one
OLD = "This model was trained by an earlier version, which kept no held-out offers. Train again to see more."


def show(state: PageState) -> None:
    """Show calibration, reaction by price band, lift, and errors by group."""
    metrics = state.run.metrics
    with st.container(horizontal=True):  # side by side where there is room, else one below the other
        level = calibration.calibration_figure(calibration.calibration_data(metrics))
        figures.show(level, key="calibration", width=HALF)
        bands = calibration.price_band_figure(calibration.price_band_data(metrics))
        figures.show(bands, key="price_bands", width=HALF)
    held = _held_out(str(state.ws.root), str(state.run_id), state)
    if held is None:
        st.info(OLD)
        return
    _groups(state, held)
    _lift(state)


def _groups(state: PageState, held: pd.DataFrame) -> None:
    from pricing_core.workflows.held_out import groupings_of

    st.subheader("By group of offers", anchor=False)
    names = groupings_of(held)
    chosen = str(
        st.segmented_control(
            "Split the held-out offers by", list(names), format_func=names.__getitem__, default=next(iter(names)),
            required=True, key="error_grouping",
        )
    )  # fmt: skip
    table = _errors(str(state.ws.root), str(state.run_id), chosen, state)
    figures.show(group_error_figure(group_error_data(table, names[chosen])), key="group_errors")
    percent = ["predicted_rate", "observed_rate", "error_se"]
    shown = table.assign(**{name: table[name] * 100 for name in percent}, verdict=table["verdict"].map(VERDICTS))
    written: dict[Any, Any] = {"error": points}  # sorts as a number, and has a true minus sign
    st.dataframe(
        visible_table(shown).style.format(written), hide_index=True, height="content",
        column_order=more_columns(
            "errors_more", ["group", "verdict", "n", "predicted_rate", "observed_rate", "error"],
            ["error_se", "purchases", "log_loss", "log_loss_se"],
        ),
        column_config={
            "group": text_column(names[chosen], pinned=True), "n": count_column("Offers"),
            "purchases": count_column("Purchases"), "predicted_rate": rate_column("Forecast"),
            "observed_rate": rate_column("Bought"),
            "error": number_column("Error", help="Forecast minus observed conversion."),
            "error_se": st.column_config.NumberColumn(
                "± points", format="%.1f", help="Standard error: how far off chance alone puts a right forecast."
            ),
            "verdict": text_column("Verdict", help="An error beyond two standard errors is more than chance."),
            "log_loss": st.column_config.NumberColumn("Log loss", format="%.3f", help="Forecast error per offer."),
            "log_loss_se": st.column_config.NumberColumn("± log loss", format="%.3f", help="Its standard error."),
        },
    )  # fmt: skip
    if chosen in ("earlier_offers", "earlier_events"):
        what = "offers" if chosen == "earlier_offers" else "views, carts, purchases and reviews"
        st.caption(f"How many {what} of the same customer the shop had seen before the offer.")
    if chosen == "price":
        st.caption("Price as a share of the going price; about equally many offers in each band.")


def _lift(state: PageState) -> None:
    st.subheader("Does it find the buyers?", anchor=False)
    data = lift_data(_lift_table(str(state.ws.root), str(state.run_id), state))
    figures.show(lift_figure(data), key="lift")
    st.caption(
        f"The {count(data.table['n'].sum())} held-out offers in ten groups, sorted by forecast; where refusals were "
        "sampled, each group stands for as many offers as the others. The dashed line is the average of all."
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _held_out(root: str, run_id: str, _state: PageState) -> pd.DataFrame | None:
    from pricing_core.workflows.held_out import load_held_out

    return load_held_out(_state.run.folder)


@st.cache_resource(max_entries=16, show_spinner=False)
def _errors(root: str, run_id: str, grouping: str, _state: PageState) -> pd.DataFrame:
    from pricing_core.workflows.held_out import errors_by

    held = _held_out(root, run_id, _state)
    assert held is not None
    return errors_by(held, grouping)


@st.cache_resource(max_entries=4, show_spinner=False)
def _lift_table(root: str, run_id: str, _state: PageState) -> pd.DataFrame:
    from pricing_core.evaluate.lift import lift_table

    held = _held_out(root, run_id, _state)
    assert held is not None
    return lift_table(held["purchased"], held["probability"], held["weight"])
