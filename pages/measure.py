"""Measure: did it work?"""

from __future__ import annotations

import streamlit as st

from pages.components import (
    assumptions,
    job_panel,
    measure_assignment,
    measure_backtest,
    measure_data,
    measure_design,
    measure_ledger,
    measure_readout,
)
from pages.components.frame import sentences_for_errors, start_page

with start_page("Measure", "Did it work?", icon=":material/science:", needs="dataset") as page:
    busy = job_panel.show(page.ws, ("backtest",))
    assumptions.margin_note(page)
    design, result, past, promises = st.tabs(["Design a test", "Read the result", "Backtest", "Ledger"])
    read = measure_readout.finding(page)
    advice = "Design a test, read its result, and see whether price lists keep their promise."
    with design, sentences_for_errors():
        promised = measure_design.promise(page)
        config = measure_design.form(page)
        found = measure_data.designs(page, config, promised)
        measure_design.show(page, config, found, said_above=read is None)
        advice = measure_design.sentence(found[config.design])
        measure_assignment.draw(page, config, found[config.design])
        measure_assignment.saved(page)
    with result, sentences_for_errors():
        measure_readout.form(page)
        measure_readout.show(page)
    with past, sentences_for_errors():
        measure_backtest.show(page, busy=busy)
    with promises, sentences_for_errors():
        measure_ledger.show(page)
        measure_ledger.drift(page)
    page.finding(read or advice)
