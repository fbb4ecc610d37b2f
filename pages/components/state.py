"""What every page knows: the workspace, its newest data set and the model in use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pricing_core.data.dataset import Dataset, DatasetManifest
from pricing_core.store import datasets, runs
from pricing_core.store.workspace import Workspace

from . import cache


@st.cache_resource(show_spinner=False)
def _open(path: str | None) -> Workspace:
    return Workspace.open(path)


def current_workspace() -> Workspace:
    """Return the workspace of ``PRICING_WORKSPACE``, or ``./workspace``."""
    return _open(os.environ.get("PRICING_WORKSPACE"))


@dataclass(frozen=True)
class PageState:
    """Ids that decide what a page shows; frames and models are fetched through the cache, by id."""

    ws: Workspace
    dataset_id: str | None
    run_id: str | None
    place: Any

    @property
    def manifest(self) -> DatasetManifest:
        """Manifest of the data set, read fresh: the margin assumption and the exclusions can change."""
        return datasets.load_manifest(self.ws, self.dataset_id)

    @property
    def dataset(self) -> Dataset:
        """Tables of the newest data set, from the cache."""
        return cache.dataset(self.ws, self.dataset_id)

    @property
    def run(self) -> Any:
        """The trained models in use, from the cache."""
        return cache.run(self.ws, self.run_id)

    @property
    def currency(self) -> str:
        """ISO 4217 code of the data set's money."""
        return self.manifest.currency

    def finding(self, sentence: str) -> None:
        """Show the page's one plain sentence under its question."""
        self.place.subheader(sentence.replace("$", "\\$"), anchor=False)


def page_state(place: Any) -> PageState:
    """Look up which data set and which model the page works with."""
    ws = current_workspace()
    return PageState(ws, datasets.latest_dataset_id(ws), runs.latest_run_id(ws), place)
