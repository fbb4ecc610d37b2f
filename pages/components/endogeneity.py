"""What the effect of the price rests on: an instrument, or changes that no feature explains."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pricing_core.charts import endogeneity as charts
from pricing_core.charts.endogeneity import AT_RANDOM
from pricing_core.charts.style import number, percent

from . import figures
from .cautions import WHICH_PROFIT
from .state import PageState
from .words import markdown


def show(page: PageState) -> None:
    """Say how the effect of the price is told from unseen demand, and how large a shock would change the decision."""
    known = page.run.metrics.get("endogeneity")
    if not known:
        st.info("This run was trained by an earlier version. Train again to see what unseen demand could change.")
        return
    if known.get("warning"):
        st.warning(markdown(str(known["warning"])), icon=":material/visibility_off:")
        st.caption(
            "An instrument is something that moved prices and not the wish to buy, such as a cost shock or an exchange"
            " rate. Map it to the field instrument when you import; it is never a feature."
        )
    elif known.get("at_random"):
        st.info(AT_RANDOM, icon=":material/shuffle:")
    else:
        _instrument(known["instrument"])
    data = charts.shock_data(page.run.metrics)
    currency = str(page.run.manifest.get("currency", ""))
    figures.show(charts.shock_figure(data, currency), key="unseen_shock")
    st.caption(
        f"What each set of prices would earn if {data.direction}. The upright line: as strong as the strongest feature "
        f"that is seen. {WHICH_PROFIT}"
    )
    if len(data.benchmarks):
        st.markdown(
            "To judge how likely that is: the share of price changes and of demand that each seen feature explains, "
            "and the unseen shock that would bend the reaction to price as much."
        )
        st.dataframe(_benchmarks(data.benchmarks), hide_index=True, column_config=_COLUMNS, key="seen_strengths")


def _instrument(facts: dict[str, Any]) -> None:
    left, middle, right = st.columns(3)
    left.metric(
        "F of the instrument", number(float(facts["f_statistic"]), 0), help="At least 10 is needed.", border=True
    )
    middle.metric("Of the price changes explained", percent(float(facts["partial_r2"])), border=True)
    right.metric("Offers without it", f"{int(facts['missing']):,}", border=True)
    st.caption("What else moved the price enters the model beside it, and prices are chosen for its average.")


def _benchmarks(table: pd.DataFrame) -> pd.DataFrame:
    shown = table[["feature", "strength", "price_share", "demand_share"]].copy()
    shown[["price_share", "demand_share", "strength"]] *= 100
    return shown


_COLUMNS = {
    "feature": st.column_config.TextColumn("Feature that is seen"),
    "strength": st.column_config.NumberColumn(
        "Like a shock of", format="%.1f%%", help="Its place on the axis of the chart above."
    ),
    "price_share": st.column_config.NumberColumn("Of price changes", format="%.1f%%"),
    "demand_share": st.column_config.NumberColumn("Of demand", format="%.1f%%"),
}
