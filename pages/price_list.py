"""Price list."""

from __future__ import annotations

import streamlit as st

from pages.components.frame import start_page

with start_page("Price list", "What goes live?", icon=":material/tune:", needs="model") as page:
    st.write("soon")
