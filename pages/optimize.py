"""Optimize: what should prices be?"""

from __future__ import annotations

import streamlit as st

from pages.components import (
    assumptions,
    cautions,
    guardrails,
    job_panel,
    objective,
    price_lists,
    pricing,
    results,
    rule_receipt,
    strategy_details,
    trade_offs,
    value_ladder,
)
from pages.components.frame import start_page

with start_page("Optimize", "What should prices be?", icon=":material/tune:", needs="model") as page:
    strategy = guardrails.form(page, lambda: objective.inputs(page))
    aim, rules = objective.keep(page), guardrails.chosen(page.ws)
    priced = results.prices(page, strategy, rules)
    compared = tuple(dict.fromkeys(["status_quo", "uniform", strategy]))
    simulated = results.simulation(page, compared, results.base_case(page), rules)
    page.finding(pricing.sentence(priced, simulated, strategy))
    assumptions.margin_note(page)
    pricing.discounts_note(strategy, list_price_known=pricing.list_price_known(page))
    objective.note(aim, page.currency)
    pricing.coupled_note(priced)
    cautions.doubt(page)
    pricing.tiles(page, simulated, strategy)
    cautions.units_of_a_purchase(page)
    price_lists.make(page, strategy)
    # Here and not at the top: whoever presses the button sees what comes of it.
    job_panel.show(page.ws, ("price_list",))
    job_panel.ready(page.ws, "price_list", page="pages/price_list.py", label="Review the price list")
    strategy_details.show(page, rules, priced)
    names = ["Prices", "What stops them", "What rules cost", "Frontier", "Substitutes", "Value ladder", "Held rows"]
    changes, binding, receipt, frontier, substitutes, ladder, held = st.tabs(names)
    with changes:
        pricing.changes(page, priced, simulated)
    with binding:
        pricing.binding(priced)
    with receipt:
        rule_receipt.show(page, strategy, rules, priced, aim)
    with frontier:
        trade_offs.frontier(page, strategy, rules, aim)
    with substitutes:
        trade_offs.substitutes(page, priced, strategy, rules)
    with ladder:
        value_ladder.show(page, rules)
    with held:
        pricing.held(page, priced, rules)
