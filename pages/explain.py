"""Explain: why this price?"""

from __future__ import annotations

import streamlit as st

from pages.components import cautions, explain, explain_more, whole_model
from pages.components.frame import start_page

with start_page("Explain", "Why this price?", icon=":material/psychology_alt:", needs="model") as page:
    one, everything = st.tabs(["One recommendation", "The model as a whole"])
    with one:
        chosen = explain.choose(page)
        found = explain.explanation(page, chosen)
        page.finding(explain.sentence(page, found))
        explain.reason(page, chosen)
        cautions.doubt(page)
        explain.steps(page, found)
        names = ["What drives it", "What would change it", "Recent events", "What if", "Similar customers"]
        drivers, change, events, curves, similar = st.tabs(names)
        with drivers:
            explain.drivers(page, found)
        with change:
            explain_more.flips(page, chosen)
        with events:
            explain_more.events(found)
        with curves:
            explain_more.curves(page, chosen, found)
        with similar:
            explain_more.similar(page, chosen)
    with everything:
        whole_model.show(page)
