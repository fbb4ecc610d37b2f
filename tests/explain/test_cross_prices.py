"""Cross-price effects: found where they are, not where they are not, and silent where nothing can be seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from pricing_core.errors import DataError
from pricing_core.explain.cross_price import cross_prices, with_competitor
from pricing_core.response import PricingRows
from tests.pricing_cases import make_rows

N = 12_000


def _shop(gamma: float, seed: int) -> tuple[PricingRows, np.ndarray, np.ndarray]:
    """Two products of one category at every visit; the other's relative price enters the log-odds with ``gamma``."""
    rng = np.random.default_rng(seed)
    rows = make_rows(N, 4, products=4, seed=seed)
    relative = rng.uniform(0.8, 1.2, N)
    response = replace(rows.response, intercept=rows.response.intercept + 2.0)
    rows = replace(rows, current_price=rows.response.reference_price * relative, response=response)
    visit = np.array([f"v{k // 4}" for k in range(N)], dtype=object)  # products 0, 2 are of k0, and 1, 3 of k1
    other = relative.reshape(-1, 4)[:, [2, 3, 0, 1]].ravel()
    chance = rows.response.probability_draws(rows.current_price)
    unseen = np.where(rows.customer_fold == 0, chance[:, 2:].mean(axis=1), chance[:, :2].mean(axis=1))
    bought = rng.random(N) < expit(logit(unseen) + gamma * np.log(other))
    return rows, bought.astype(float), visit


@pytest.mark.parametrize("gamma", [1.2, -1.2])
def test_an_effect_is_measured_with_its_sign_and_size(gamma: float) -> None:
    rows, bought, visit = _shop(gamma, 1)
    for each in cross_prices(rows, bought, visit):
        mine = rows.category == each.category
        wanted = gamma * (1 - bought[mine].mean())
        assert each.low < wanted < each.high and each.offers == N // 2
        assert each.verdict == ("substitutes" if gamma > 0 else "complements")


def test_where_there_is_none_the_ranges_hold_zero_nine_times_in_ten_for_all_categories_together() -> None:
    covered = 0
    for seed in range(20):
        rows, bought, visit = _shop(0.0, seed)
        covered += all(each.verdict == "no effect seen" for each in cross_prices(rows, bought, visit))
    assert covered >= 15  # 18 expected; fewer than 15 has a chance of one in two hundred


def test_offers_seen_alone_say_nothing() -> None:
    rows, bought, _ = _shop(1.2, 2)
    alone = np.array([f"v{k}" for k in range(N)], dtype=object)
    for each in cross_prices(rows, bought, alone):
        assert each.verdict == "not measurable" and np.isnan(each.elasticity) and each.offers == 0
        assert each.assumed > 0  # an assumption needs no data, which is why it is labeled
    with pytest.raises(DataError, match="12000 rows, 3 outcomes"):
        cross_prices(rows, bought[:3], alone)


def test_the_competitor_effect_is_the_slope_of_log_sales() -> None:
    rows, bought, visit = _shop(0.0, 3)
    shift = 0.4
    higher = replace(rows, response=rows.response.shift_intercept(shift))
    found = with_competitor(cross_prices(rows, bought, visit), rows, higher, log_ratio=0.1)
    for each in found:
        mine = rows.category == each.category
        before, after = (r.response.probability_draws(rows.current_price)[mine].sum(axis=0) for r in (rows, higher))
        assert each.competitor == pytest.approx((np.log(after) - np.log(before)).mean() / 0.1)
        assert each.competitor_low < each.competitor < each.competitor_high
    unknown = replace(rows, competitor_price=np.full(N, np.nan))
    blank = with_competitor(cross_prices(rows, bought, visit), unknown, higher, log_ratio=0.1)
    assert np.isnan(blank[0].competitor)
