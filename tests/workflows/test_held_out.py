"""Held-out offers kept with a run: where the model errs can be shown without asking it again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.evaluate.group_errors import HISTORY_BANDS
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.held_out import errors_by, groupings_of, load_held_out


@pytest.fixture(scope="module")
def run(trained):
    return workflows.load_run(Workspace.open(trained.workspace))


def test_the_stored_offers_are_those_that_judged_the_run(run):
    held = load_held_out(run.folder)
    assert len(held) == run.metrics["held_out_offers"]
    assert np.average(held["purchased"], weights=held["weight"]) == pytest.approx(run.metrics["base_rate"])
    assert np.average(held["probability"], weights=held["weight"]) == pytest.approx(run.metrics["mean_prediction"])
    bands = pd.DataFrame(run.metrics["price_bands"])
    assert (bands["forecast_low"] < bands["predicted_rate"]).all()
    assert (bands["predicted_rate"] < bands["forecast_high"]).all()
    assert not set(held.columns) & {"customer_id", "product_id"}


def test_history_counts_what_came_before_each_offer(run):
    held = load_held_out(run.folder)
    offers = run.dataset.offers
    last = offers.loc[offers["offered_at"].idxmax()]
    mine = offers[(offers["customer_id"] == last["customer_id"]) & (offers["offered_at"] < last["offered_at"])]
    events = run.dataset.events
    seen = events[(events["customer_id"] == last["customer_id"]) & (events["occurred_at"] < last["offered_at"])]
    assert held["earlier_offers"].iloc[-1] == len(mine)
    assert held["earlier_events"].iloc[-1] == len(seen)


def test_errors_by_any_grouping_count_every_offer(run):
    held = load_held_out(run.folder)
    assert set(groupings_of(held)) == {"category", "segment", "price", "earlier_offers", "earlier_events"}
    for grouping in groupings_of(held):
        table = errors_by(held, grouping)
        assert table["n"].sum() == len(held) and (table["error_se"] > 0).all()
    assert set(errors_by(held, "earlier_offers")["group"]) <= set(HISTORY_BANDS)
    bare = held.drop(columns=["segment", "earlier_events"])
    assert list(groupings_of(bare)) == ["category", "price", "earlier_offers"]


def test_going_price_is_judged_by_category_with_the_part_of_the_pressure(run):
    figures = run.metrics["pricing_model"]["going_price"]
    assert figures["chosen"] in ("trees", "network")
    assert {"level", "trees", "network", "without_pressure"} == set(figures["errors"])
    assert 0 <= figures["pressure_share"] <= 1
    assert set(figures["by_category"]["category"]) == set(run.dataset.products["category"])


def test_a_run_of_an_earlier_version_has_none(tmp_path):
    assert load_held_out(tmp_path) is None
