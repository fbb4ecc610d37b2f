"""Demand: how do buyers react to price?"""

from __future__ import annotations

import streamlit as st

from pages.components import demand
from pages.components.frame import start_page

with start_page("Demand", "How do buyers react to price?", icon=":material/show_chart:", needs="model") as page:
    product = demand.choose(page)
    page.finding(demand.sentence(page, product))
    demand.tiles(page, product)
    curve, spread = st.columns([3, 2])
    with curve:
        demand.curve(page, product)
    with spread:
        demand.try_a_price(page, product)
    demand.table(page)
