"""Today: what needs me?"""

from __future__ import annotations

import streamlit as st

from pages.components import assumptions, job_panel
from pages.components.frame import start_page

with start_page("Today", "What needs me?", icon=":material/wb_sunny:", needs="dataset") as page:
    job_panel.show(page.ws, ("train", "demo", "price_list", "import", "import_sample"))
    page.finding("soon")
    assumptions.margin_note(page)
