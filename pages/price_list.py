"""Price list: what goes live?"""

from __future__ import annotations

import streamlit as st

from pages.components import assumptions, cautions, job_panel, list_origin, price_lists
from pages.components.frame import start_page

with start_page("Price list", "What goes live?", icon=":material/sell:", needs="model") as page:
    busy = job_panel.show(page.ws, ("price_list",))
    stored = price_lists.choose(page)
    if stored is None:
        if not busy:
            price_lists.none_yet(page)
        st.stop()
    page.finding(f"{stored.summary['sentence']}.")
    list_origin.show(page, stored, page.currency)
    assumptions.margin_note(page)
    cautions.doubt(page)
    cautions.one_unit(page)
    price_lists.downloads(page, stored)
    price_lists.table(page, stored)
