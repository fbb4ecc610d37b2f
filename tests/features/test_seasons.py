"""The time of year is learned only where a log is long enough to tell it from a trend."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pricing_core.data.checks import day_findings, offer_days
from pricing_core.data.dataset import Dataset
from pricing_core.features import FeatureEncoder, build_features
from pricing_core.features.builder import YEAR_TERMS
from pricing_core.features.variants import knows_season
from pricing_core.models.held_out import table_rows

Shop = Callable[..., Dataset]


def lasting(dataset: Dataset, days: float) -> Dataset:
    """The same shop with its offers spread over so many days."""
    offers = dataset.offers.sort_values("offered_at", ignore_index=True)
    start = offers["offered_at"].iloc[0]
    times = start + pd.to_timedelta(np.linspace(0, days, len(offers)), unit="D").astype("timedelta64[us]")
    return replace(dataset, offers=offers.assign(offered_at=times))


@pytest.mark.parametrize(("days", "learned"), [(300, False), (429, False), (431, True), (800, True)])
def test_the_time_of_year_is_learned_from_fourteen_months_on(shop: Shop, days: float, learned: bool) -> None:
    table = build_features(lasting(shop(), days))
    encoder = FeatureEncoder().fit(table)
    names = {spec["name"] for spec in encoder.columns_["market"]}
    assert set(YEAR_TERMS) <= set(table.frame.columns)  # models of earlier versions ask for them
    assert names & set(YEAR_TERMS) == (set(YEAR_TERMS) if learned else set())
    assert knows_season(encoder, table) is learned
    assert encoder.untold_ == ([] if learned else list(YEAR_TERMS))
    assert "weekday (sine)" in names


@pytest.mark.parametrize("days", [428.6, 429.4, 429.9, 430.1])
def test_what_data_says_of_a_log_and_what_is_learned_from_it_agree(shop: Shop, days: float) -> None:
    dataset = lasting(shop(), days)
    told = [each for each in day_findings(offer_days(dataset.offers)) if "time of year" in each.message]
    assert bool(told) is bool(build_features(dataset).untold)


def test_rows_of_a_table_and_a_kept_encoder_remember_what_is_not_learned(shop: Shop) -> None:
    table = table_rows(build_features(lasting(shop(), 400)), np.arange(100))
    encoder = FeatureEncoder().fit(table)
    assert encoder.untold_ == list(YEAR_TERMS)
    again = FeatureEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    assert again.untold_ == encoder.untold_
    np.testing.assert_array_equal(again.transform(table).market, encoder.transform(table).market)


def test_a_model_of_an_earlier_version_still_reads_the_time_of_year(shop: Shop) -> None:
    long = build_features(lasting(shop(), 431))
    state = FeatureEncoder().fit(long).to_dict()
    del state["untold"]
    old = FeatureEncoder.from_dict(state)
    short = build_features(lasting(shop(), 300))
    place = next(columns[0] for name, _, columns in old.transform(short).groups if name == "season (cosine)")
    assert old.untold_ == [] and old.transform(short).market[:, place].std() > 0.1


def test_shorter_logs_have_no_terms_of_the_year_at_all(shop: Shop) -> None:
    table = build_features(lasting(shop(), 200))
    assert not set(YEAR_TERMS) & set(table.frame.columns)
    assert FeatureEncoder().fit(table).untold_ == []
