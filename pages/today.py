"""Today: what needs me?"""

from __future__ import annotations

from pages.components import assumptions, cautions, decisions, job_panel, results
from pages.components.frame import start_page

with start_page("Today", "What needs me?", icon=":material/wb_sunny:", needs="dataset") as page:
    job_panel.show(page.ws, ("train", "demo", "price_list", "import", "import_sample"))
    decisions.figures(page, results.weekly(page))
    cautions.quantities(page)
    assumptions.margin_note(page)
    found = decisions.collect(page)
    page.finding(decisions.sentence(found))
    if decisions.promises_profit(found):
        cautions.doubt(page)
    decisions.show(found)
