"""Scenarios: what if?"""

from __future__ import annotations

import streamlit as st

from pages.components import assumptions, cautions, guardrails, results, scenarios
from pages.components.frame import start_page
from pricing_core.charts.scenarios import scenario_data, scenario_figure

with start_page("Scenarios", "What if?", icon=":material/compare_arrows:", needs="model") as page:
    scenario, strategies = scenarios.form(page)
    simulated = results.simulation(page, strategies, scenario, guardrails.chosen(page.ws))
    page.finding(scenarios.sentence(page, simulated, scenario))
    guardrails.line(page)
    assumptions.margin_note(page)
    cautions.doubt(page)
    scenarios.table(page, simulated)
    cautions.one_unit(page)
    st.plotly_chart(scenario_figure(scenario_data(simulated.table), currency=page.currency), key="scenario_chart")
    scenarios.save(page, scenario, simulated)
    scenarios.compare(page)
