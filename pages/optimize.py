"""Optimize."""

from __future__ import annotations

import streamlit as st

from pages.components.frame import start_page

with start_page("Optimize", "What should prices be?", icon=":material/tune:", needs="model") as page:
    st.write("soon")
