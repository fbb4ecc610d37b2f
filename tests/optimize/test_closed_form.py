"""Closed form of one demand curve against SciPy's Wright omega function and a grid."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, wrightomega

from pricing_core.optimize.closed_form import lambert_of_exp, optimal_relative_price


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 2e-14), (np.float32, 2e-6)])
def test_lambert_of_exp_equals_the_wright_omega_function(dtype: type, tolerance: float) -> None:
    a = np.concatenate([np.linspace(-79, 200, 4001), np.geomspace(200, 1e8, 200)]).astype(dtype)
    found = lambert_of_exp(a)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, wrightomega(a.astype(float)), rtol=tolerance)


def test_arguments_far_below_add_nothing() -> None:
    assert lambert_of_exp(np.array([-1e6]))[0] < 1e-30


def test_price_beats_every_price_of_a_dense_grid() -> None:
    rng = np.random.default_rng(3)
    alpha, beta, cost = rng.normal(1, 3, 500), np.exp(rng.normal(1.5, 0.8, 500)), rng.uniform(0, 2, 500)
    best = optimal_relative_price(alpha, beta, cost)
    reached = (best - cost) * expit(alpha - beta * best)
    grid = np.linspace(0.001, 20, 20001)
    for i in range(500):
        assert reached[i] >= ((grid - cost[i]) * expit(alpha[i] - beta[i] * grid)).max() * (1 - 1e-12)


def test_markup_condition_holds() -> None:
    """At the optimum the margin times b times the chance not to buy is one."""
    alpha, beta, cost = np.array([2.0]), np.array([4.0]), np.array([0.5])
    x = optimal_relative_price(alpha, beta, cost)
    assert (x - cost) * beta * (1 - expit(alpha - beta * x)) == pytest.approx(1.0)


def test_blocks_and_threads_do_not_change_the_answer_or_the_shape() -> None:
    rng = np.random.default_rng(4)
    alpha, beta = rng.normal(1, 1, (90_000, 2)), np.exp(rng.normal(1, 0.3, (90_000, 2)))
    whole = optimal_relative_price(alpha, beta, np.float64(0.4))
    assert whole.shape == alpha.shape
    np.testing.assert_array_equal(
        whole[70_001:70_004], optimal_relative_price(alpha[70_001:70_004], beta[70_001:70_004], 0.4)
    )


def test_single_precision_stays_single() -> None:
    one = np.ones(3, dtype=np.float32)
    assert optimal_relative_price(one, one, one).dtype == np.float32
