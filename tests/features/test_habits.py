"""Buying habits against plain-Python oracles."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pricing_core.data.dataset import Dataset
from pricing_core.features import FeatureEncoder, build_features
from pricing_core.features.habits import RATES, product_habits

Shop = Callable[..., Dataset]
START = pd.Timestamp("2025-01-01", tz="UTC")


def days_before(moment: pd.Timestamp, earlier: pd.Timestamp) -> float:
    return (moment.floor("s") - earlier.floor("s")).total_seconds() / 86_400


def test_a_habit_is_told_from_what_the_customer_did_with_this_product_before(shop: Shop) -> None:
    log = shop().offers.to_dict("records")
    frame = build_features(shop()).frame
    met = 0
    for index in range(0, 300, 7):
        offer = log[index]
        earlier = [e for e in log if days_before(offer["offered_at"], e["offered_at"]) > 0]
        mine = [e for e in earlier if e["customer_id"] == offer["customer_id"]]
        same = [e for e in mine if e["product_id"] == offer["product_id"]]
        met += len(same)
        assert np.expm1(frame["offers of this product"][index]) == pytest.approx(len(same))
        # The rate in the category comes from features that have tests of their own.
        shop_rate = (sum(e["purchased"] for e in earlier) + 1) / (len(earlier) + 10)
        rate = shop_rate * math.exp(frame["purchase rate"][index] + frame["purchase rate in category"][index])
        for name, days, prior in zip(RATES, (1e9, 91, 28), (5, 5, 3), strict=True):
            near = [e for e in same if days_before(offer["offered_at"], e["offered_at"]) <= days]
            bought = sum(e["purchased"] for e in near)
            expected = math.log((bought + prior * rate) / ((len(near) + prior) * rate))
            assert frame[name][index] == pytest.approx(expected)
    assert met > 10


def steady(weeks: int, bought: Callable[[int], bool]) -> pd.Series:
    """Habits of a customer to whom a product was offered every day, on the day after."""
    days = range(7 * weeks)
    log: list[dict[str, Any]] = [
        {"customer_id": "a", "product_id": "p", "offered_at": START + pd.Timedelta(days=d), "purchased": +bought(d)}
        for d in days
    ]
    asked = START + pd.Timedelta(days=7 * weeks)
    offers = pd.DataFrame({"customer_id": ["a"], "product_id": ["p"], "offered_at": [asked]})
    return product_habits(pd.DataFrame(log), offers, np.array([0.1]), np.array([int(asked.timestamp())])).iloc[0]


def test_a_habit_does_not_grow_with_the_length_of_the_log() -> None:
    short, long = (steady(weeks, lambda day: day % 7 < 3) for weeks in (20, 80))
    for name in RATES[1:]:
        assert short[name] == pytest.approx(long[name])
    assert abs(short[RATES[0]] - long[RATES[0]]) < 0.1
    assert long["offers of this product"] > short["offers of this product"] + 1


def test_what_is_always_refused_is_worth_less_than_its_category_and_a_lapsed_habit_shows() -> None:
    never, lapsed = steady(20, lambda day: False), steady(20, lambda day: day < 40)
    assert (never[list(RATES)] < -1).all()
    assert lapsed[RATES[0]] > 0.5 > -1 > lapsed[RATES[2]]


def test_rates_that_hardly_differ_are_not_blown_up_by_the_encoding(shop: Shop) -> None:
    table = build_features(shop())
    thin = table.frame[RATES[2]].std()
    assert 0 < thin < 1
    batch = FeatureEncoder().fit(table).transform(table)
    columns = {name: found for name, _, found in batch.groups}
    assert batch.customer[:, columns[RATES[2]][0]].std() == pytest.approx(thin, rel=0.01)
    assert batch.customer[:, columns["offers seen"][0]].std() == pytest.approx(1.0, rel=0.01)
