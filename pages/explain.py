"""Explain: why this price?"""

from __future__ import annotations

import streamlit as st

from pages.components import explain
from pages.components.frame import start_page

with start_page("Explain", "Why this price?", icon=":material/psychology_alt:", needs="model") as page:
    one, everything = st.tabs(["One recommendation", "The model as a whole"])
    with one:
        chosen = explain.choose(page)
        explanation = explain.explanation(page, chosen)
        page.finding(explain.sentence(page, explanation))
        explain.steps(page, explanation)
        explain.drivers(explanation)
        explain.cross_check(explanation)
    with everything:
        explain.importance(page.run)
