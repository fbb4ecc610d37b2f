"""What a page shows while there is nothing to show: the next step, and a button that takes it."""

from __future__ import annotations

import streamlit as st

from . import access, job_panel
from .state import PageState

SAMPLES = {"demo_shop": "Load the sample shop", "grocery": "Load the real grocery sample"}
DEMO = {"sample": "demo_shop", "quick": True}


def no_data(state: PageState, *, link: bool = True) -> None:
    """Lead to the sample shop, or (with ``link``) to the upload of the user's own files."""
    if job_panel.show(state.ws, ("import_sample", "import", "demo")):
        return
    with st.container(border=True):
        st.subheader("No data yet. Try the sample shop (about a minute).", anchor=False)
        st.write(
            "A simulated shop with customers, products, competitor prices and browsing events, whose true demand is "
            "known. Or bring your own files: one table of offers or of orders is enough. Your data stay on this "
            "computer."
        )
        samples(state, link=link)


def samples(state: PageState, *, link: bool = False) -> None:
    """Show the buttons that load a sample, and the way to the user's own files."""
    with st.container(horizontal=True, vertical_alignment="center"):
        for name, label in SAMPLES.items():
            first = name == "demo_shop" and state.dataset_id is None  # beside data of one's own it is one way of many
            kind = "primary" if first else "secondary"
            if access.button(state, "import", label, key=f"load_{name}", type=kind):
                job_panel.start(state.ws, "import_sample", {"name": name})
        if link:
            about = "Sample, quick training and a price list."
            if access.button(state, "train", "Load and train in one go", key="demo", help=about):
                job_panel.start(state.ws, "demo", DEMO)
            st.page_link("pages/data.py", label="Upload my own files", icon=":material/upload_file:")


def no_model(state: PageState) -> None:
    """Lead from data without a model to a training run."""
    if job_panel.show(state.ws, ("train", "demo")):
        return
    with st.container(border=True):
        st.subheader("The data is here, but no model has learned from it yet.", anchor=False)
        st.write(
            "A quick training takes about a minute and runs in the background; you can go on using every page "
            "meanwhile."
        )
        with st.container(horizontal=True):
            icon = ":material/play_arrow:"
            if access.button(state, "train", "Train now (quick)", key="train_quick", type="primary", icon=icon):
                job_panel.start(state.ws, "train", {"dataset_id": state.dataset_id, "quick": True, "seed": 0})
            st.page_link("pages/models.py", label="Choose how to train", icon=":material/model_training:")
