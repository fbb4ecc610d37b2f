"""Calibration of demand curves against simulated answers."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.models.calibration import CurveCalibration, fit_calibration


def simulate(n: int, shift: float, stretch: float, slope: float, seed: int = 0):  # type: ignore[no-untyped-def]
    """Curves of two draws, and outcomes whose logit is shift + stretch · level − slope · β (x − ê)."""
    rng = np.random.default_rng(seed)
    expected = rng.uniform(0.8, 1.1, n)
    x = expected + 0.1 * rng.standard_normal(n)
    sensitivity = np.exp(rng.normal(1.2, 0.4, n))
    level = rng.normal(-1, 1, n)
    intercept = level + sensitivity * expected
    logit = shift + stretch * level - slope * sensitivity * (x - expected)
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    return np.column_stack([intercept] * 2), np.column_stack([sensitivity] * 2), expected, x, y, logit


@pytest.mark.parametrize(("shift", "stretch", "slope"), [(0.0, 1.0, 1.0), (0.3, 0.7, 1.4), (-0.4, 1.3, 0.6)])
def test_known_faults_are_found_and_undone(shift: float, stretch: float, slope: float) -> None:
    n = 100_000
    intercept, sensitivity, expected, x, y, logit = simulate(n, shift, stretch, slope)
    found = fit_calibration(intercept, sensitivity, expected, x, y, np.ones(n))
    # Three standard errors of a logistic regression on these rows (about 0.010, 0.009 and 0.022).
    assert found.shift[0] == pytest.approx(shift, abs=0.03)
    assert found.stretch[0] == pytest.approx(stretch, abs=0.03)
    alpha, beta = found.apply(intercept, sensitivity, expected)
    assert beta.mean() == pytest.approx(slope * sensitivity.mean(), rel=0.05)
    # Slope and common part share the work, so each of them is known less well than their sum.
    assert found.slope[0] == pytest.approx(slope, abs=0.2)
    np.testing.assert_allclose(alpha[:, 0] - beta[:, 0] * x, logit, atol=0.5)  # the rarest rows, through a weak prior
    assert np.abs(alpha[:, 0] - beta[:, 0] * x - logit).mean() < 0.03
    assert (beta > 0).all()


def test_weights_count_like_repeated_rows() -> None:
    intercept, sensitivity, expected, x, y, _ = simulate(3_000, 0.2, 0.8, 1.2)
    twice = np.arange(3_000) % 2 == 0
    weighted = fit_calibration(intercept, sensitivity, expected, x, y, np.where(twice, 2.0, 1.0))
    rows = np.concatenate([np.arange(3_000), np.flatnonzero(twice)])
    repeated = fit_calibration(*(v[rows] for v in (intercept, sensitivity, expected, x, y)), np.ones(len(rows)))
    np.testing.assert_allclose(weighted.slope, repeated.slope, rtol=1e-9)
    np.testing.assert_allclose(weighted.shift, repeated.shift, atol=1e-9)


def test_few_rows_correct_little() -> None:
    found = [fit_calibration(*simulate(40, 0.0, 1.0, 3.0, seed)[:5], np.ones(40)).slope[0] for seed in range(20)]
    assert np.abs(np.array(found) - 1).max() < 0.6  # forty rows cannot tell a slope of three from one


def test_corrections_stay_within_bounds_where_the_sign_is_wrong() -> None:
    intercept, sensitivity, expected, x, y, _ = simulate(20_000, 0.0, 1.0, -2.0)
    found = fit_calibration(intercept, sensitivity, expected, x, y, np.ones(20_000))
    assert found.slope.tolist() == [0.3, 0.3]  # demand still falls with price


def test_noise_of_single_draws_does_not_flatten_their_mean() -> None:
    """Draws that err on their own are right on average: correcting the average must leave it where it is."""
    n, draws = 60_000, 24
    intercept, sensitivity, expected, x, y, _ = simulate(n, 0.0, 1.0, 1.0)
    rng = np.random.default_rng(5)
    turned = sensitivity[:, :1] * np.exp(rng.normal(-0.02, 0.2, (n, draws)))
    moved = intercept[:, :1] + rng.normal(0, 0.3, (n, draws)) + (turned - sensitivity[:, :1]) * expected[:, None]
    found = fit_calibration(moved, turned, expected, x, y, np.ones(n))
    _, beta = found.apply(moved, turned, expected)
    assert beta.mean() == pytest.approx(sensitivity.mean(), rel=0.04)
    assert found.stretch[0] == pytest.approx(1.0, abs=0.05)


def test_false_differences_between_customers_go_and_their_mean_stays() -> None:
    n = 60_000
    intercept, sensitivity, expected, x, y, _ = simulate(n, 0.0, 1.0, 1.0)
    false = np.random.default_rng(7).permutation(sensitivity[:, 0])[:, None]
    bent = intercept[:, :1] + (false - sensitivity[:, :1]) * expected[:, None]
    found = fit_calibration(bent, false, expected, x, y, np.ones(n))
    _, beta = found.apply(bent, false, expected)
    # Slopes are held near what was learned: the rows must speak up against it.
    assert found.slope[0] < 0.65
    assert found.common is not None and found.common[0] > 0
    assert beta.mean() == pytest.approx(sensitivity.mean(), rel=0.1)


def test_leaving_curves_as_they_are() -> None:
    intercept, sensitivity, expected, *_ = simulate(50, 0, 1, 1)
    alpha, beta = CurveCalibration.none(2).apply(intercept, sensitivity, expected)
    np.testing.assert_allclose(alpha, intercept)
    np.testing.assert_allclose(beta, sensitivity)
