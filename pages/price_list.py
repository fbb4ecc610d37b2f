"""Price list: what goes live?"""

from __future__ import annotations

import streamlit as st

from pages.components import (
    assumptions,
    cautions,
    downloads,
    job_panel,
    list_explanations,
    list_origin,
    list_review,
    list_status,
    list_views,
    price_lists,
)
from pages.components.frame import start_page

with start_page("Price list", "What goes live?", icon=":material/sell:", needs="model") as page:
    busy = job_panel.show(page.ws, ("price_list",))
    stored = price_lists.choose(page)
    if stored is None:
        if not busy:
            price_lists.none_yet(page)
        st.stop()
    page.finding(price_lists.sentence(stored))
    list_status.show(page, stored)
    list_status.terms(page, stored)
    list_views.alarm(stored)
    view = list_views.choose(page, stored)
    if view == list_views.PRICES:
        list_review.show(page, stored)
        list_views.changes(stored)
    elif view == list_views.DIFFERENCE:
        list_views.difference(page, stored)
    elif view == list_views.VIOLATIONS:
        list_views.violating(page, stored)
    elif view == list_views.EXPLANATIONS:
        list_explanations.show(page, stored.price_list_id)
    elif view == list_views.COMMENTS:
        list_views.comments(page, stored)
    elif view == list_views.VERSIONS:
        list_views.history(page, stored)
    elif view == list_views.LOG:
        list_views.log(page, stored)
    elif view == list_views.DOWNLOADS:
        downloads.show(page, stored)
    list_origin.show(page, stored, page.currency)
    assumptions.margin_note(page)
    cautions.doubt(page)
    cautions.units_of_a_purchase(page)
