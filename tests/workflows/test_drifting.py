"""New data against those that a run learned from."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.errors import DataError
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.drifting import data_drift


@pytest.fixture
def ws(own_shop: Workspace) -> Workspace:
    return own_shop


def _import(ws: Workspace, offers: pd.DataFrame) -> str:
    return workflows.import_files(ws, {"offers": offers}, pseudonymize=False).dataset_id


def test_newer_offers_are_compared_with_the_runs_own(ws):
    run = workflows.load_run(ws)
    offers = run.dataset.offers.tail(2_000)
    later = offers.assign(offered_at=offers["offered_at"] + pd.Timedelta(days=90), price=offers["price"] * 1.4)
    made = _import(ws, pd.concat([offers, later]))
    try:
        drift = data_drift(ws, run)
    finally:
        datasets.delete_dataset(ws, made)
    assert drift.unseen and drift.later == 2_000 and drift.earlier == len(run.dataset.offers)
    assert drift.words.startswith("offers since 20") and "against the data d0001" in drift.words
    moved = drift.table[drift.table["verdict"] == "moved"]["column"].tolist()
    assert "price against the usual price" in moved and drift.moved == len(moved)
    assert drift.sentence.endswith(": train again on them.")


def test_another_version_of_the_same_time_is_compared_as_a_whole(ws):
    run = workflows.load_run(ws)
    made = _import(ws, run.dataset.offers.head(1_000))
    try:
        drift = data_drift(ws, run)
    finally:
        datasets.delete_dataset(ws, made)
    assert drift.unseen and drift.later == 1_000 and f"the data {made}, which the model has not seen" in drift.words


def test_without_newer_data_the_latest_weeks_are_compared_with_those_before(ws):
    run = workflows.load_run(ws)
    drift = data_drift(ws, run)
    assert not drift.unseen and drift.earlier + drift.later == len(run.dataset.offers)
    assert "The latest weeks look like" in drift.sentence or "watch whether forecasts still hold" in drift.sentence


def test_a_shop_of_four_weeks_has_nothing_to_compare_with(ws):
    run = workflows.load_run(ws)
    offers = run.dataset.offers
    recent = offers[offers["offered_at"] > offers["offered_at"].max() - pd.Timedelta(days=20)]
    made = _import(ws, recent)
    try:
        with pytest.raises(DataError, match="All offers are from the latest 4 weeks"):
            data_drift(ws, dataclasses.replace(run, dataset_id=made))
    finally:
        datasets.delete_dataset(ws, made)
