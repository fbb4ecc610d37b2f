"""What every page knows: the workspace, its newest data set and the model in use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from pricing_core.data.dataset import Dataset, DatasetManifest
from pricing_core.store import datasets, runs
from pricing_core.store.workspace import Workspace

from . import cache
from .words import markdown

if TYPE_CHECKING:
    from pricing_core.workflows.runs import TrainedRun


@st.cache_resource(show_spinner=False)
def _open(path: str | None) -> Workspace:
    return Workspace.open(path)


def current_workspace() -> Workspace:
    """Return the workspace of ``PRICING_WORKSPACE``, or ``./workspace``."""
    return _open(os.environ.get("PRICING_WORKSPACE"))


@dataclass(frozen=True)
class PageState:
    """Ids that decide what a page shows; frames and models are fetched through the cache, by id.

    Attributes
    ----------
    dataset_id
        Newest data set; None while there is none.
    run_id
        Model in use; None while there is none.
    basis_id
        Data set that the figures rest on: the one that the model in use learned from, else the newest.
    """

    ws: Workspace
    dataset_id: str | None
    run_id: str | None
    basis_id: str | None
    place: Any

    @property
    def manifest(self) -> DatasetManifest:
        """Manifest of the basis, read fresh: its margin assumption and exclusions can change."""
        return datasets.load_manifest(self.ws, self.basis_id)

    @property
    def dataset(self) -> Dataset:
        """Tables of the newest data set, from the cache."""
        return cache.dataset(self.ws, str(self.dataset_id))

    @property
    def run(self) -> TrainedRun:
        """The trained models in use, from the cache."""
        return cache.run(self.ws, str(self.run_id), str(self.basis_id))

    @property
    def currency(self) -> str:
        """ISO 4217 code of the money on the page."""
        return self.manifest.currency

    def finding(self, sentence: str) -> None:
        """Show the page's one plain sentence under its question."""
        self.place.subheader(markdown(sentence), anchor=False)


def page_state(place: Any) -> PageState:
    """Look up which data set and which model the page works with."""
    ws = current_workspace()
    dataset_id, run_id, basis_id = datasets.latest_dataset_id(ws), runs.latest_run_id(ws), None
    if run_id is not None:
        basis_id = str(runs.list_runs(ws).set_index("run_id").loc[run_id, "dataset_id"])
    return PageState(ws, dataset_id, run_id, basis_id or dataset_id, place)
