"""Ranges of price bands where offers share what no column shows, on data whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from pricing_core.errors import DataError
from pricing_core.evaluate.band_forecasts import Shared, band_forecasts
from pricing_core.evaluate.shared_shocks import shared_shocks
from pricing_core.models.past_offers import PastOffers
from pricing_core.response.price_response import PriceResponse


@dataclass(frozen=True)
class Market:
    """How far customers, weeks, and weeks of one price band move the log odds; how long shocks last; its size."""

    customers: float = 0.0
    weeks: float = 0.0
    lasting: float = 0.0
    bands: float = 0.0
    n: int = 12_000
    n_customers: int = 300
    n_weeks: int = 60
    held_weeks: int = 9
    rate: float = -1.5


def _series(rng: np.random.Generator, spread: float, lasting: float, weeks: int) -> np.ndarray:
    shock = spread * rng.standard_normal(weeks)
    for t in range(1, weeks):
        shock[t] = lasting * shock[t - 1] + np.sqrt(1 - lasting**2) * shock[t]
    return shock


def _window(market: Market, seed: int) -> tuple[PriceResponse, np.ndarray, np.ndarray, Shared]:
    """Forecasts of a model that knows all but what is shared: curves, prices and outcomes of the last weeks."""
    rng = np.random.default_rng([seed, 11])
    customer = rng.choice(market.n_customers, market.n, p=rng.dirichlet(np.ones(market.n_customers)))
    week = rng.integers(0, market.n_weeks, market.n)
    x = rng.uniform(0.8, 1.2, market.n)
    band = np.minimum((15 * (x - 0.8)).astype(int), 5)
    chance = market.rate + 0.5 * rng.standard_normal(market.n) - 3 * (x - 1)
    shared = market.customers * rng.standard_normal(market.n_customers)[customer]
    shared += _series(rng, market.weeks, market.lasting, market.n_weeks)[week]
    shared += np.stack([_series(rng, market.bands, market.lasting, market.n_weeks) for _ in range(6)])[band, week]
    bought = (rng.random(market.n) < expit(chance + shared)).astype(float)
    late = week >= market.n_weeks - market.held_weeks
    known, early = expit(chance[~late]), ~late
    level = (bought[early] - known).sum() / (known * (1 - known)).sum()  # what a model learns from the earlier weeks
    members = chance[:, None] + level + 0.02 * rng.standard_normal(8)
    past = PastOffers(x[early], bought[early], expit(members[early]).mean(1), np.ones(len(known)), customer[early],
                      week[early])  # fmt: skip
    response = PriceResponse(
        np.full(late.sum(), 10.0), members[late] + 3 * x[late, None], np.full((late.sum(), 8), 3.0)
    )
    days = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(7 * week[late], unit="D"))
    return response, 10 * x[late], bought[late], Shared(customer[late], days, past)


def _coverage(market: Market, repeats: int) -> tuple[float, float, float]:
    """Share of bands covered without and with what is shared, and how many times as wide the ranges become."""
    before, after, wider = [], [], []
    for seed in range(repeats):
        response, price, bought, shared = _window(market, seed)
        plain = band_forecasts(response, price, bought)
        found = band_forecasts(response, price, bought, shared=shared)
        before.append(plain["covered"].mean())
        after.append(found["covered"].mean())
        wider.append((found["high"] - found["low"]).mean() / (plain["high"] - plain["low"]).mean())
    return float(np.mean(before)), float(np.mean(after)), float(np.mean(wider))


def test_where_nothing_is_shared_ranges_hardly_widen() -> None:
    before, after, wider = _coverage(Market(), 25)
    assert 0.84 < before < 0.96 and 0.84 < after < 0.985
    assert 1.0 <= wider < 1.12


def test_ranges_hold_nine_in_ten_where_weeks_and_customers_share_what_no_column_shows() -> None:
    before, after, wider = _coverage(Market(customers=0.4, weeks=0.25, lasting=0.6), 25)
    assert before < 0.75
    assert 0.84 < after < 0.97
    assert wider < 3


def test_ranges_hold_nine_in_ten_where_each_band_has_shocks_of_its_own() -> None:
    before, after, _ = _coverage(Market(bands=0.35, lasting=0.5, n=20_000), 25)
    assert before < 0.75
    assert 0.84 < after < 0.97


@pytest.mark.extra
@pytest.mark.parametrize(
    "market",
    [
        Market(customers=0.6),
        Market(weeks=0.15),
        Market(weeks=0.2, lasting=0.9),
        Market(customers=0.3, weeks=0.12, lasting=0.6, bands=0.1),
        Market(customers=0.3, weeks=0.15, lasting=0.5, n=4_000, n_weeks=26, held_weeks=4),
        Market(weeks=0.1, n=60_000, n_customers=5_000, rate=-4.0),
    ],
)
def test_ranges_hold_in_many_markets(market: Market) -> None:
    _, after, _ = _coverage(market, 150)
    assert 0.86 < after < 0.975


def test_the_spread_of_shocks_and_of_customers_is_found() -> None:
    found = []
    for seed in range(8):
        market = Market(customers=0.5, weeks=0.3, lasting=0.7, n=30_000, n_weeks=120)
        past = _window(market, seed)[3].past
        found.append(shared_shocks(past, np.zeros(len(past.week), dtype=np.int64), 9))
    assert np.mean([each.customer for each in found]) == pytest.approx(0.25, abs=0.05)
    assert np.mean([each.common.spread for each in found]) == pytest.approx(0.3, abs=0.05)
    lasting = [each.common.chance @ each.common.persistence for each in found]
    assert np.mean(lasting) == pytest.approx(0.7, abs=0.12)


def test_a_shock_that_lasts_does_not_average_out_over_weeks() -> None:
    def spread(lasting: float) -> float:
        past = _window(Market(weeks=0.3, lasting=lasting, n=30_000, n_weeks=90), 1)[3].past
        shocks = shared_shocks(past, np.zeros(len(past.week), dtype=np.int64), 9).common
        mean, dof = shocks.of_mean(np.arange(9), np.full(9, 1 / 9))
        assert dof > 4
        return float(np.sqrt(mean)) / shocks.spread

    assert spread(0.0) < 0.55 < spread(0.9)


def test_outcomes_of_the_weeks_to_be_forecast_take_no_part_in_the_ranges() -> None:
    response, price, bought, shared = _window(Market(weeks=0.3), 3)
    one = band_forecasts(response, price, bought, shared=shared)
    other = band_forecasts(response, price, 1 - bought, shared=shared)
    for name in ("forecast_rate", "low", "high"):
        assert one[name].tolist() == other[name].tolist()


def test_refusals_that_stand_for_others_change_the_ranges_little() -> None:
    response, price, bought, shared = _window(Market(weeks=0.2, n=40_000, rate=-3.0), 4)
    past = shared.past
    keep = (past.purchased == 1) | (np.random.default_rng(0).random(len(past.week)) < 0.5)
    thin = PastOffers(*(getattr(past, name)[keep] for name in past.__dataclass_fields__))
    thin = replace(
        thin,
        weight=np.where(thin.purchased == 1, 1.0, (past.purchased == 0).sum() / (keep & (past.purchased == 0)).sum()),
    )
    full = band_forecasts(response, price, bought, shared=shared)
    some = band_forecasts(response, price, bought, shared=replace(shared, past=thin))
    assert np.allclose(some["high"] - some["low"], full["high"] - full["low"], rtol=0.1)


def test_customers_seen_once_and_a_single_week_are_no_errors() -> None:
    rng = np.random.default_rng(0)
    n = 500
    past = PastOffers(np.ones(n), (rng.random(n) < 0.2).astype(float), np.full(n, 0.2), np.ones(n), np.arange(n),
                      np.zeros(n, dtype=np.int64))  # fmt: skip
    found = shared_shocks(past, np.zeros(n, dtype=np.int64), 2)
    assert found.customer == 0
    assert 0 < found.common.spread < 1
    empty = PastOffers(*(np.empty(0),) * 4, *(np.empty(0, dtype=np.int64),) * 2)
    with pytest.raises(DataError, match="0 earlier offers"):
        shared_shocks(empty, np.empty(0, dtype=np.int64), 2)
    response = PriceResponse(np.full(4, 10.0), np.full((4, 2), logit(0.2) + 3), np.full((4, 2), 3.0))
    with pytest.raises(DataError, match="1 customers and 4 times for 4 offers"):
        days = pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(4), unit="D"))
        band_forecasts(response, np.full(4, 10.0), np.zeros(4), shared=Shared(["a"], days, past))
