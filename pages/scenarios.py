"""Scenarios: what if?"""

from __future__ import annotations

import streamlit as st

from pages.components import (
    assumptions,
    cautions,
    figures,
    guardrails,
    off_policy,
    results,
    scenario_form,
    scenario_saved,
)
from pages.components import scenarios as shown
from pages.components.frame import start_page
from pricing_core.charts.scenarios import scenario_data, scenario_figure

with start_page("Scenarios", "What if?", icon=":material/compare_arrows:", needs="model") as page:
    scenario_saved.open_next(page)
    chosen = scenario_form.form(page)
    answer = results.answer(page, chosen.strategies, chosen.scenario, guardrails.chosen(page.ws))
    focus = shown.focus_of(answer, chosen)
    page.finding(shown.sentence(page, answer, chosen))
    guardrails.line(page, chosen.scenario.horizon_weeks)
    assumptions.margin_note(page)
    cautions.doubt(page)
    cautions.season(page, chosen.scenario)
    shown.tiles(page, answer, focus)
    shown.table(page, answer)
    shown.notes(page, answer)
    cautions.units_of_a_purchase(page)
    scenario_saved.save(page, answer, chosen)
    names = ["Strategies side by side", "Why profit changes", "Do past offers confirm it?", "Saved scenarios"]
    side, why, past, saved = st.tabs(names, key="scenario_tab", on_change="rerun")
    if side.open:
        data = scenario_data(answer.table)
        figures.show(scenario_figure(data, currency=page.currency), key="scenario_chart", place=side)
    if why.open:
        with why:
            shown.why(page, answer, chosen, focus)
    if past.open:
        with past:
            off_policy.show(page, focus)
    if saved.open:
        with saved:
            scenario_saved.compare(page, chosen)
    results.warm(page)
