"""The tuning component on a page of its own, for the tests."""

import streamlit as st

from pages.components import tuning
from pages.components.frame import start_page

st.session_state["navigation_ran"] = True
with start_page("Models", "Is it learning something true?", icon=":material/tune:", needs="dataset") as page:
    tuning.show(page)
