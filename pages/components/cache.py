"""Large things are loaded once per id and shared by all sessions; pages pass ids, never frames.

``cache_resource`` hands out the same object without a copy, so nothing returned here may be changed in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pricing_core.data.dataset import Dataset
from pricing_core.store import datasets, runs
from pricing_core.store.workspace import Workspace

if TYPE_CHECKING:
    from pricing_core.workflows.runs import TrainedRun


def dataset(ws: Workspace, dataset_id: str) -> Dataset:
    """Return the tables of a data set."""
    return _dataset(str(ws.root), dataset_id, stamp(ws, dataset_id), ws)


def run(ws: Workspace, run_id: str, dataset_id: str) -> TrainedRun:
    """Return a trained run (metrics, history, pricing rows) that learned from this data set."""
    return _run(str(ws.root), run_id, stamp(ws, dataset_id), ws)


def stamp(ws: Workspace, dataset_id: str | None) -> str:
    """Return what can change without a new id: margin assumption and exclusions of the data, form of the model."""
    manifest = datasets.load_manifest(ws, dataset_id)
    return f"{manifest.margin_assumption}|{sorted(manifest.excluded)}|{_form(ws)}"


def _form(ws: Workspace) -> str:
    from pricing_core.models.forms import serving_form

    run_id = runs.latest_run_id(ws)
    return "" if run_id is None else serving_form(runs.run_dir(ws, run_id))


@st.cache_resource(max_entries=2, show_spinner="Opening the data …")
def _dataset(root: str, dataset_id: str, stamp: str, _ws: Workspace) -> Dataset:
    return datasets.load_dataset(_ws, dataset_id)


@st.cache_resource(max_entries=2, show_spinner="Opening the model …")
def _run(root: str, run_id: str, stamp: str, _ws: Workspace) -> TrainedRun:
    from pricing_core.workflows.runs import load_run

    return load_run(_ws, run_id)
