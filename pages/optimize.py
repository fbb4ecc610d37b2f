"""Optimize: what should prices be?"""

from __future__ import annotations

import streamlit as st

from pages.components import assumptions, cautions, guardrails, job_panel, price_lists, pricing, results, rule_receipt
from pages.components.frame import start_page

with start_page("Optimize", "What should prices be?", icon=":material/tune:", needs="model") as page:
    job_panel.show(page.ws, ("price_list",))
    job_panel.ready(page.ws, "price_list", page="pages/price_list.py", label="Review the price list")
    strategy = guardrails.form(page)
    rules = guardrails.chosen(page.ws)
    priced = results.prices(page, strategy, rules)
    compared = tuple(dict.fromkeys(["status_quo", "uniform", strategy]))
    simulated = results.simulation(page, compared, results.base_case(page), rules)
    page.finding(pricing.sentence(priced, simulated, strategy))
    assumptions.margin_note(page)
    pricing.discounts_note(strategy)
    cautions.doubt(page)
    pricing.tiles(page, simulated, strategy)
    cautions.one_unit(page)
    price_lists.make(page, strategy)
    changes, binding, receipt, held = st.tabs(["Prices", "What stops them", "What rules cost", "Held rows"])
    with changes:
        pricing.changes(page, priced, simulated)
    with binding:
        pricing.binding(priced)
    with receipt:
        rule_receipt.show(page, strategy, rules, priced)
    with held:
        pricing.held(page, priced)
