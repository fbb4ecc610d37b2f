"""Calibration by level and by price band, on data whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from pricing_core.errors import ConfigError, DataError
from pricing_core.evaluate.band_forecasts import band_forecasts
from pricing_core.evaluate.calibration import (
    calibration_table,
    expected_calibration_error,
    price_band_calibration,
    wilson_interval,
)
from pricing_core.response.price_response import PriceResponse


def _market(n: int, seed: int, sensitivity: float = 2.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, taste = rng.normal(1, 0.15, n), rng.normal(1, 0.7, n)
    truth = 1 / (1 + np.exp(-(taste - sensitivity * x)))
    return x, taste, (rng.random(n) < truth).astype(float)


def _predict(taste: np.ndarray, x: np.ndarray, sensitivity: float) -> np.ndarray:
    return 1 / (1 + np.exp(-(taste - 2.0 - sensitivity * (x - 1))))


def test_groups_are_equal_in_size_and_their_rates_are_plain_means() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(1_000)
    y = (rng.random(1_000) < p).astype(float)
    table = calibration_table(y, p, bins=10)
    assert table["n"].tolist() == [100] * 10
    lowest = np.sort(p)[:100]
    assert table["predicted_rate"][0] == pytest.approx(lowest.mean())
    assert table["observed_rate"][0] == pytest.approx(y[np.argsort(p)][:100].mean())
    assert (table["low"][0], table["high"][0]) == (lowest[0], lowest[-1])


def test_equal_predictions_stay_together_and_no_row_is_lost() -> None:
    p = np.array([0.2] * 70 + [0.6] * 30)
    table = calibration_table(np.tile([0.0, 1.0], 50), p, bins=10)
    assert table["n"].tolist() == [70, 30]
    assert table["predicted_rate"].tolist() == pytest.approx([0.2, 0.6])


def test_rows_of_zero_weight_do_not_count() -> None:
    table = calibration_table([0, 1, 1], [0.1, 0.5, 0.9], [1, 1, 0], bins=3)
    assert table["n"].sum() == 2


def test_the_interval_of_a_rate_agrees_with_scipy() -> None:
    low, high = wilson_interval([0.0, 7 / 40, 1.0], [25, 40, 3])
    for k, (hits, n) in enumerate([(0, 25), (7, 40), (3, 3)]):
        exact = binomtest(hits, n).proportion_ci(0.9, method="wilson")
        assert (low[k], high[k]) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_the_true_probabilities_have_a_small_calibration_error_and_wrong_ones_a_known_one() -> None:
    x, taste, y = _market(40_000, 1)
    truth = _predict(taste, x, 2.0)
    assert expected_calibration_error(calibration_table(y, truth)) < 0.01
    assert expected_calibration_error(calibration_table(y, 0.9 * truth + 0.1)) == pytest.approx(
        0.1 * (1 - truth).mean(), abs=0.01
    )


def test_the_slope_by_price_band_tells_an_overstated_reaction_from_the_true_one() -> None:
    x, taste, y = _market(60_000, 2)
    true = price_band_calibration(x, y, _predict(taste, x, 2.0))
    steep = price_band_calibration(x, y, _predict(taste, x, 4.0))
    assert true.slope_low < 1 < true.slope_high
    assert steep.slope == pytest.approx(0.5, abs=0.1)
    assert steep.slope_high < 1
    assert list(np.sign(np.diff(true.table["mean_price"]))) == [1] * 5
    assert true.table["n"].sum() == 60_000


def test_the_interval_of_the_slope_covers_the_truth_at_about_its_rate() -> None:
    covered = 0
    for seed in range(100):
        x, taste, y = _market(3_000, 100 + seed)
        found = price_band_calibration(x, y, _predict(taste, x, 2.0))
        covered += found.slope_low <= 1 <= found.slope_high
    assert 82 <= covered <= 98  # 90 expected, three standard errors


def test_predictions_that_ignore_the_price_have_no_slope() -> None:
    found = price_band_calibration([1, 2, 3, 4], [0, 1, 0, 1], [0.5] * 4, bands=2)
    assert math.isnan(found.slope) and math.isnan(found.slope_low)


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match="1 prices are missing"):
        price_band_calibration([1, float("nan")], [0, 1], [0.5, 0.5])
    with pytest.raises(DataError, match="3 prices for 2 outcomes"):
        price_band_calibration([1, 2, 3], [0, 1], [0.5, 0.5])
    with pytest.raises(ConfigError, match="number of groups is 0"):
        calibration_table([0, 1], [0.5, 0.6], bins=0)


def test_ranges_of_price_bands_hold_what_is_observed_nine_times_in_ten() -> None:
    covered = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        n, members = 3_000, 8
        x = rng.uniform(0.8, 1.2, n)
        error = 0.05 * rng.standard_normal(members)  # what each member has wrong of the level, as the truth has too
        level = -1 + 0.05 * rng.standard_normal() + 3
        response = PriceResponse(
            np.full(n, 10.0), np.broadcast_to(-1 + 3 + error, (n, members)), np.full((n, members), 3.0)
        )
        y = rng.random(n) < 1 / (1 + np.exp(-(level - 3 * x)))
        covered += band_forecasts(response, 10 * x, y)["covered"].tolist()
    assert len(covered) == 180
    assert 0.82 < np.mean(covered) < 0.98


@pytest.mark.parametrize("sampled", [False, True])
def test_luck_is_as_large_as_it_shows_whether_refusals_are_sampled_or_not(sampled: bool) -> None:
    n, chance, told, seen = 40_000, 0.02, [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        y, x = (rng.random(n) < chance).astype(float), rng.uniform(0.8, 1.2, n)
        kept = (y == 1) | (rng.random(n) < 0.1) if sampled else np.ones(n, dtype=bool)
        weight = np.where(y[kept] == 1, 1.0, 10.0 if sampled else 1.0)
        level = np.log(chance / (1 - chance))
        curve = PriceResponse(
            np.ones(kept.sum()), np.full((kept.sum(), 2), level + 1e-9), np.full((kept.sum(), 2), 1e-9)
        )
        found = band_forecasts(curve, x[kept], y[kept], weight, bands=2)
        told.append(found["from_luck"].mean())
        seen += found["observed_rate"].tolist()
    assert np.mean(told) == pytest.approx(np.sqrt(chance * (1 - chance) / (n / 2)), rel=0.02)
    assert np.mean(told) == pytest.approx(np.std(seen), rel=0.1)


def test_where_sales_are_sampled_too_each_stands_for_several() -> None:
    y = np.array([1.0, 0.0, 0.0, 1.0] * 50)
    curve = PriceResponse(np.ones(200), np.zeros((200, 2)), np.full((200, 2), 1e-9))
    one = band_forecasts(curve, np.linspace(0.9, 1.1, 200), y, bands=1)
    four = band_forecasts(curve, np.linspace(0.9, 1.1, 200), y, np.full(200, 4.0), bands=1)
    none = band_forecasts(curve, np.linspace(0.9, 1.1, 200), 0 * y, np.full(200, 4.0), bands=1)
    assert four["from_luck"].tolist() == pytest.approx(one["from_luck"].tolist())  # as many offers were seen
    assert none["from_luck"].tolist() == pytest.approx(one["from_luck"].tolist(), rel=1e-3)
