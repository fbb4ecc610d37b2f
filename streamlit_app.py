"""The navigation table: which page answers which question, in the order of a pricing manager's day."""

from __future__ import annotations

import streamlit as st

st.session_state["navigation_ran"] = True  # a deep link can start a page without this file; see start_page

PAGES = {
    "": [st.Page("pages/today.py", title="Today", icon=":material/wb_sunny:", default=True)],
    "Understand": [
        st.Page("pages/data.py", title="Data", icon=":material/table_chart:"),
        st.Page("pages/models.py", title="Models", icon=":material/model_training:"),
        st.Page("pages/demand.py", title="Demand", icon=":material/show_chart:"),
        st.Page("pages/explain.py", title="Explain", icon=":material/psychology_alt:"),
    ],
    "Decide": [
        st.Page("pages/optimize.py", title="Optimize", icon=":material/tune:"),
        st.Page("pages/scenarios.py", title="Scenarios", icon=":material/compare_arrows:"),
        st.Page("pages/price_list.py", title="Price list", icon=":material/sell:"),
    ],
    "Follow up": [
        st.Page("pages/measure.py", title="Measure", icon=":material/science:"),
    ],
}

st.navigation(PAGES).run()
