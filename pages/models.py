"""Models: is it learning something true?"""

from __future__ import annotations

import streamlit as st

from pages.components import (
    compression,
    data_drift,
    endogeneity,
    going_price,
    job_panel,
    model_errors,
    model_news,
    model_verdict,
    run_registry,
    training,
    tuning,
)
from pages.components.frame import sentences_for_errors, start_page
from pricing_core.charts.verdict import Verdict, verdict

SHOWN = {
    "Errors": model_errors.show,
    "Going price": going_price.show,
    "Shocks": endogeneity.show,
    "New data": data_drift.show,
    "Tune": tuning.show,
    "Size": compression.show,
}
TABS = ["How good", "Errors", "Going price", "Shocks", "New data", "Train", "Tune", "Size", "Runs"]
WAYS_OUT = ["Train", "Runs"]
UNREADABLE = "The model in use cannot be read: train a new one, or put another one in use."

with start_page("Models", "Is it learning something true?", icon=":material/model_training:", needs="dataset") as page:
    busy = job_panel.show(page.ws, ("train", "demo"))
    if page.run_id is None:
        page.finding(training.first_words(busy))
        if not busy:
            training.form(page)
        st.stop()
    found: Verdict | None = None
    with sentences_for_errors():  # a damaged run must not hide the ways out of it
        found = verdict(page.run.metrics)
    page.finding(UNREADABLE if found is None else found.sentence)
    if found is not None:
        model_news.show(page)
    # The address names the open tab, and the browser remembers it by its key: one that is not offered now must not be
    # asked for.
    names, key = (WAYS_OUT, "way_out") if found is None else (TABS, "tab")
    for name, tab in zip(names, st.tabs(names, key=key, on_change="rerun", bind="query-params"), strict=True):
        if not tab.open:
            continue
        with tab:
            if name == "How good" and found is not None:
                model_verdict.show(page, found)
            elif name == "Train":
                if busy:
                    st.info("A training is running; the next one can start when it has finished.")
                else:
                    training.form(page)
                if found is not None:
                    training.curves(page, busy=busy)
            elif name == "Runs":
                run_registry.show(page, compare=found is not None)
            else:
                SHOWN[name](page)
