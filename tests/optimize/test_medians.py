"""Weighted medians against repetition of the values."""

from __future__ import annotations

import numpy as np

from pricing_core.optimize.medians import grouped_median, weighted_median


def test_integer_weights_are_repetitions() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        values, weight = rng.normal(size=9), rng.integers(1, 5, 9)
        repeated = np.sort(np.repeat(values, weight))
        assert weighted_median(values, weight.astype(float)) == repeated[(len(repeated) - 1) // 2]


def test_groups_are_independent_and_empty_ones_unknown() -> None:
    values, code = np.array([5.0, 1.0, 3.0, 8.0, 2.0]), np.array([0, 2, 2, 2, 0])
    found = grouped_median(values, np.ones(5), code, 4)
    np.testing.assert_array_equal(found, [2.0, np.nan, 3.0, np.nan])
