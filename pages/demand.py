"""Demand: how do buyers react to price?"""

from __future__ import annotations

import streamlit as st

from pages.components import assumptions, cautions, demand, demand_groups, figures
from pages.components.frame import start_page
from pricing_core.charts.demand import demand_curve_figure

with start_page("Demand", "How do buyers react to price?", icon=":material/show_chart:", needs="model") as page:
    product = demand.choose(page)
    curve = demand.curve_of(page, product)
    page.finding(demand.sentence(page, product))
    demand.tiles(page, product, curve)
    demand_groups.check(page, product, curve)
    assumptions.margin_note(page)
    cautions.doubt(page)
    left, right = st.columns([3, 2])
    figures.show(demand_curve_figure(curve, currency=page.currency), key="demand_curve", place=left)
    with right:
        demand.try_a_price(page, product)
    names = ["All products", "Elasticity by group", "Segment × product", "Willingness to pay", "Others' prices"]
    table, groups, heat, willing, others = st.tabs(names)
    with table:
        demand.table(page)
    with groups:
        demand_groups.spread(page)
    with heat:
        demand_groups.heat_map(page)
    with willing:
        demand_groups.willingness(page, product)
    with others:
        demand_groups.cross_prices(page)
