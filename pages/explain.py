"""Explain."""

from __future__ import annotations

import streamlit as st

from pages.components.frame import start_page

with start_page("Explain", "Why this price?", icon=":material/tune:", needs="model") as page:
    st.write("soon")
