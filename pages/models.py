"""Models: is it learning something true?"""

from __future__ import annotations

import streamlit as st

from pages.components import job_panel, training
from pages.components.frame import start_page
from pricing_core.charts import calibration
from pricing_core.charts import training as curves

with start_page("Models", "Is it learning something true?", icon=":material/model_training:", needs="dataset") as page:
    busy = job_panel.show(page.ws, ("train", "demo"))
    if page.run_id is None:
        page.finding(training.first_words(busy))
        if not busy:
            training.form(page)
        st.stop()
    metrics = page.run.metrics
    page.finding(training.sentence(metrics))
    training.tiles(metrics)
    good, learned, again, history = st.tabs(["How good", "How it learned", "Train again", "Runs"])
    with good:
        training.leaderboard(metrics)
        left, right = st.columns(2)
        left.plotly_chart(calibration.calibration_figure(calibration.calibration_data(metrics)), key="calibration")
        right.plotly_chart(calibration.price_band_figure(calibration.price_band_data(metrics)), key="price_bands")
        training.policy_value(page, metrics)
    with learned:
        st.plotly_chart(curves.training_figure(curves.training_data(page.run.history)), key="history")
        training.receipt(page.run.manifest)
    with again:
        if busy:
            st.info("A training is running; the next one can start when it has finished.")
        else:
            training.form(page)
    with history:
        training.registry(page)
