"""What if, with trained models: moved markets, the fast answer, and past offers as a judge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.data.dataset import Dataset, DatasetManifest
from pricing_core.errors import DataError
from pricing_core.features.variants import week_labels
from pricing_core.simulate.response_surface import ResponseSurface
from pricing_core.simulate.scenario import Scenario
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.off_policy import judge_on_past
from pricing_core.workflows.what_if import (
    MarketRows,
    competitor_moves,
    market_knowledge,
    measured_satisfaction,
    what_if,
)

STRATEGIES = ("status_quo", "uniform", "personalized_discount")


@pytest.fixture(scope="module")
def run(trained) -> workflows.TrainedRun:
    return workflows.load_run(Workspace.open(trained.workspace))


@pytest.fixture(scope="module")
def surface(run) -> ResponseSurface:
    return what_if(run.ws, STRATEGIES, base=Scenario(occasions_per_week=500.0), moves=competitor_moves(run))


def test_moved_features_equal_features_computed_with_moved_prices(run):
    offers = run.targets.tail(200).reset_index(drop=True)
    moved = MarketRows(run, offers).at(0.2)
    encoded = run.model.encode(run.dataset, offers, competitor_change_rate=0.2)
    anew = run.model.rows(run.dataset, encoded)
    np.testing.assert_allclose(moved.response.intercept, anew.response.intercept, atol=1e-5)
    np.testing.assert_allclose(moved.competitor_price, anew.competitor_price)
    np.testing.assert_allclose(moved.support_low, anew.support_low)


@pytest.mark.extra
def test_a_rival_who_gets_cheaper_takes_demand_and_one_who_follows_dampens_our_moves(run):
    plain = workflows.simulate(run.ws, STRATEGIES)
    cheaper = workflows.simulate(run.ws, STRATEGIES, scenario=Scenario(competitor_change_rate=-0.2))
    assert cheaper.row("status_quo")["units"] < plain.row("status_quo")["units"]
    follows = workflows.simulate(run.ws, STRATEGIES, scenario=Scenario(competitor_reaction_rate=1.0))
    assert follows.row("status_quo")["units"] == pytest.approx(plain.row("status_quo")["units"])
    slopes = [each.rows.response.sensitivity.mean() for each in (follows, plain)]
    assert slopes[0] < slopes[1]


def test_the_season_is_the_models_own_and_moves_named_columns_along(run):
    market = MarketRows(run, run.targets.tail(300).reset_index(drop=True))
    winter, summer = market.at(season_week=3), market.at(season_week=29)
    assert not np.allclose(winter.response.intercept, summer.response.intercept)
    assert market_knowledge(run) == (True, True, True)
    assert week_labels(run.dataset.market, 3) == {"season": "winter"}
    assert week_labels(run.dataset.market, 29) == {"season": "summer"}


def test_week_labels_skip_columns_that_differ_within_the_week():
    dates = pd.to_datetime(["2025-01-15"] * 10, utc=True)
    market = pd.DataFrame({"date": dates, "season": "winter", "weather": ["sun", "rain"] * 5, "level": 1.0})
    assert week_labels(market, 3) == {"season": "winter"}
    assert week_labels(None, 3) == {} and week_labels(market, 30) == {}


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario(cost_change_rate=0.1, horizon_weeks=6),
        Scenario(competitor_change_rate=-0.15),
        Scenario(competitor_change_rate=0.1, competitor_reaction_rate=0.5),
        Scenario(stock_share=0.2, horizon_weeks=8),
    ],
)
def test_the_fast_answer_equals_the_full_simulation(run, surface, scenario):
    scenario = replace(scenario, occasions_per_week=500.0)
    answer = surface.answer(scenario).table.set_index("strategy")
    full = workflows.simulate(run.ws, STRATEGIES, scenario=scenario).table.set_index("strategy")
    for total in ("profit", "revenue", "units", "profit_low", "profit_high"):
        near = 0.025 if total == "units" else 0.01  # where profit is flat in price, units move more than money
        np.testing.assert_allclose(answer.loc[full.index, total], full[total], rtol=near, err_msg=total)
    # Prices are found once more on each way; where profit is flat they differ a little, and so does the uplift.
    np.testing.assert_allclose(answer.loc[full.index, "profit_uplift_rate"], full["profit_uplift_rate"], atol=0.01)


def test_past_offers_are_priced_by_who_never_saw_the_customer(run):
    found = judge_on_past(run.ws, "uniform")
    log = run.dataset.offers
    later = log[log["offered_at"] >= pd.Timestamp(run.metrics["held_out_from"])]
    assert found.n_period == len(later) and found.n_offers == min(12_000, len(later))
    assert found.logged.purchased.mean() == pytest.approx(later["purchased"].mean())
    assert set(found.value.table["estimator"]) == {
        "direct", "snips", "doubly_robust", "self_normalized_doubly_robust"
    }  # fmt: skip
    assert found.value.reliable == (not found.value.reason)
    everything = judge_on_past(run.ws, "uniform", every_offer=True, most=500)
    assert everything.n_offers == 500 and everything.n_period == len(log)


def test_satisfaction_is_measured_where_reviews_and_returns_are(run):
    found = measured_satisfaction(run.dataset)
    stars = run.dataset.events.dropna(subset=["rating"])
    by_hand = stars.groupby("product_id")["rating"].mean()
    np.testing.assert_allclose(found.set_index("product_id")["rating"].dropna(), by_hand.sort_index())
    assert found["return_rate"].isna().all()


def test_returns_count_against_purchases():
    offers = pd.DataFrame({"product_id": ["a", "b"]})
    events = pd.DataFrame({"product_id": ["a"] * 5 + ["b"], "event_type": ["purchase"] * 4 + ["return", "purchase"]})
    manifest = DatasetManifest(name="x", source="x")
    dataset = Dataset(offers, None, None, None, events, manifest)
    found = measured_satisfaction(dataset).set_index("product_id")
    assert found.loc["a", "return_rate"] == 0.25 and np.isnan(found.loc["b", "return_rate"])
    none = measured_satisfaction(replace(dataset, events=None))
    assert none[["rating", "return_rate"]].isna().all().all()


def test_what_the_data_do_not_know_is_refused_in_words(run):
    market = MarketRows(run, run.targets.tail(5).reset_index(drop=True))
    frame = market.table.frame
    market._encoded = replace(market._encoded, table=replace(market.table, frame=frame.drop(columns="competitor gap")))
    with pytest.raises(DataError, match="The data hold no competitor prices"):
        market.at(0.1)
    gone = [name for name in frame.columns if "cosine" in name or "sine" in name]
    market._encoded = replace(market._encoded, table=replace(market.table, frame=frame.drop(columns=gone)))
    with pytest.raises(DataError, match="the model knows no season"):
        market.at(season_week=4)
