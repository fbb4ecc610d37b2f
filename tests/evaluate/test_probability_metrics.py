"""Metrics against scikit-learn, plain Python and data with known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from pricing_core.errors import DataError
from pricing_core.evaluate.metrics import evaluate_probabilities


def _sample(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = np.round(1 / (1 + np.exp(-rng.normal(-1, 1.2, n))), 2)  # rounded, so that there are ties
    return (rng.random(n) < p).astype(float), np.clip(p, 0.01, 0.99), rng.uniform(0.2, 3, n)


def test_figures_agree_with_scikit_learn_with_ties_and_weights() -> None:
    y, p, weight = _sample(3_000, 0)
    found = evaluate_probabilities(y, p, weight)
    assert found.log_loss == pytest.approx(log_loss(y, p, sample_weight=weight), rel=1e-12)
    assert found.auc == pytest.approx(roc_auc_score(y, p, sample_weight=weight), rel=1e-12)
    assert found.brier == pytest.approx(brier_score_loss(y, p, sample_weight=weight), rel=1e-12)
    logit = np.log(p / (1 - p))[:, None]
    line = LogisticRegression(C=1e12, tol=1e-10, max_iter=1000).fit(logit, y, sample_weight=weight)
    assert found.calibration_slope == pytest.approx(line.coef_[0, 0], abs=1e-5)
    assert found.calibration_intercept == pytest.approx(line.intercept_[0], abs=1e-5)


def test_a_small_case_worked_out_by_hand() -> None:
    found = evaluate_probabilities([1, 0, 0, 1], [0.9, 0.2, 0.6, 0.4])
    assert found.n == 4
    assert found.base_rate == 0.5
    assert found.accuracy == 0.5
    assert found.auc == 0.75  # of the four pairs, only (0.4, 0.6) is in the wrong order
    assert found.log_loss == pytest.approx(-sum(map(math.log, (0.9, 0.8, 0.4, 0.4))) / 4)
    assert found.baseline_log_loss == pytest.approx(math.log(2))
    assert found.brier == pytest.approx((0.01 + 0.04 + 0.36 + 0.36) / 4)


def test_weights_count_like_repeated_rows() -> None:
    y, p, _ = _sample(400, 1)
    times = np.random.default_rng(2).integers(0, 4, 400)
    weighted = evaluate_probabilities(y, p, times).to_dict()
    repeated = evaluate_probabilities(np.repeat(y, times), np.repeat(p, times)).to_dict()
    for name in set(weighted) - {"n", "n_certain"}:
        assert weighted[name] == pytest.approx(repeated[name], abs=1e-9), name


def test_predictions_that_are_too_extreme_have_a_slope_below_one() -> None:
    rng = np.random.default_rng(3)
    logit = rng.normal(-1, 1, 40_000)
    y = (rng.random(40_000) < 1 / (1 + np.exp(-logit))).astype(float)
    found = evaluate_probabilities(y, 1 / (1 + np.exp(-2 * logit)))
    assert found.calibration_slope == pytest.approx(0.5, abs=0.02)
    assert evaluate_probabilities(y, 1 / (1 + np.exp(-logit))).calibration_slope == pytest.approx(1, abs=0.04)


def test_what_the_rows_cannot_answer_is_not_a_number() -> None:
    found = evaluate_probabilities([1, 1], [0.7, 0.8])
    assert math.isnan(found.auc) and math.isnan(found.calibration_slope)
    assert found.baseline_log_loss == 0
    separated = evaluate_probabilities([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9])
    assert separated.auc == 1 and math.isnan(separated.calibration_slope)
    assert math.isnan(evaluate_probabilities([0, 1], [0.5, 0.5]).calibration_slope)


def test_certain_predictions_are_counted_and_cost_much_but_not_infinitely() -> None:
    found = evaluate_probabilities([0, 1], [1.0, 0.5])
    assert found.n_certain == 1
    assert found.log_loss == pytest.approx((-math.log(1e-12) + math.log(2)) / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("y", "p", "weight", "message"),
    [
        ([], [], None, "There are no rows to evaluate"),
        ([1, 0], [0.5], None, "they have 2, 1 and 2 rows"),
        ([1, 2], [0.5, 0.5], None, "1 outcomes are not 0 or 1; the first is in row 2"),
        ([1, 0], [0.5, float("nan")], None, "1 predicted probabilities are missing or outside 0 to 1"),
        ([1, 0], [1.2, 0.5], None, "first is in row 1"),
        ([1, 0], [0.5, 0.5], [1, -1], "1 weights are negative"),
        ([1, 0], [0.5, 0.5], [0, 0], "All weights are zero"),
    ],
)
def test_bad_input_is_refused_with_what_and_where(
    y: list[float], p: list[float], weight: list[float] | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        evaluate_probabilities(y, p, weight)
