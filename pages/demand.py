"""Demand: how do buyers react to price?"""

from __future__ import annotations

import streamlit as st

from pages.components import assumptions, demand
from pages.components.frame import start_page
from pricing_core.charts.demand import demand_curve_figure
from pricing_core.charts.elasticity import elasticity_data, elasticity_figure

with start_page("Demand", "How do buyers react to price?", icon=":material/show_chart:", needs="model") as page:
    product = demand.choose(page)
    curve = demand.curve_of(page, product)
    page.finding(demand.sentence(page, product))
    demand.tiles(page, product, curve)
    assumptions.margin_note(page)
    left, right = st.columns([3, 2])
    left.plotly_chart(demand_curve_figure(curve, currency=page.currency), key="demand_curve")
    with right:
        demand.try_a_price(page, product)
    table, spread = st.tabs(["All products", "Spread of elasticities"])
    with table:
        demand.table(page)
    spread.plotly_chart(elasticity_figure(elasticity_data(page.run.rows)), key="elasticities")
