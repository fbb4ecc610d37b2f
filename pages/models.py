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
    model_verdict,
    run_registry,
    training,
    tuning,
)
from pages.components.frame import start_page
from pricing_core.charts.verdict import verdict

TABS = ["How good", "Errors", "Going price", "Shocks", "New data", "Train", "Tune", "Size", "Runs"]

with start_page("Models", "Is it learning something true?", icon=":material/model_training:", needs="dataset") as page:
    busy = job_panel.show(page.ws, ("train", "demo"))
    if page.run_id is None:
        page.finding(training.first_words(busy))
        if not busy:
            training.form(page)
        st.stop()
    found = verdict(page.run.metrics)
    page.finding(found.sentence)
    good, errors, going, shocks, fresh, train, tune, size, all_runs = st.tabs(TABS, key="models_tab", on_change="rerun")
    if good.open:
        with good:
            model_verdict.checks(found)
            model_verdict.tiles(page.run.metrics)
            model_verdict.leaderboard(page)
            model_verdict.policy_value(page)
    if errors.open:
        with errors:
            model_errors.show(page)
    if going.open:
        with going:
            going_price.show(page)
    if shocks.open:
        with shocks:
            endogeneity.show(page)
    if fresh.open:
        with fresh:
            data_drift.show(page)
    if train.open:
        with train:
            if busy:
                st.info("A training is running; the next one can start when it has finished.")
            else:
                training.form(page)
            training.curves(page)
    if tune.open:
        with tune:
            tuning.show(page)
    if size.open:
        with size:
            compression.show(page)
    if all_runs.open:
        with all_runs:
            run_registry.show(page)
