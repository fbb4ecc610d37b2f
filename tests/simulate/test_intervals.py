"""Intervals from draws: by hand, and their coverage where draws are bootstrap replicates of two halves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pricing_core.simulate.intervals import draw_interval

MEMBER, FOLD = np.arange(8).repeat(2), np.array([0, 1]).repeat(8)


def test_interval_equals_the_formula_over_member_averages() -> None:
    values = np.random.default_rng(0).normal(10, 1, 16)
    found = draw_interval(values, MEMBER, FOLD)
    means = values.reshape(8, 2).mean(axis=1)
    half = stats.t.ppf(0.95, 7) * means.std(ddof=1) * np.sqrt(1 + 1 / 8)
    assert found.estimate == pytest.approx(values.mean())
    assert (found.low, found.high) == (pytest.approx(values.mean() - half), pytest.approx(values.mean() + half))


def test_two_heads_that_say_the_same_do_not_narrow_the_range() -> None:
    once = np.random.default_rng(1).normal(10, 1, 8)
    twice = draw_interval(once.repeat(2), MEMBER, FOLD)
    single = draw_interval(once, np.arange(8), np.array([0, 1]).repeat(4))
    assert twice.high - twice.low == pytest.approx(single.high - single.low)


def test_folds_count_alike_whatever_their_number_of_draws() -> None:
    values = np.array([1.0, 1.0, 1.0, 4.0])
    assert draw_interval(values, np.arange(4), np.array([0, 0, 0, 1])).estimate == 2.5


def test_one_member_leaves_the_range_unknown() -> None:
    found = draw_interval(np.array([3.0, 5.0]), np.zeros(2, dtype=int), np.zeros(2, dtype=int))
    assert found.estimate == 4.0
    assert np.isnan(found.low) and np.isnan(found.high)
    assert np.isnan(found.probability_below(0.0))


def test_probability_below_follows_student_t() -> None:
    found = draw_interval(np.random.default_rng(2).normal(1, 1, 16), MEMBER, FOLD)
    assert found.probability_below(found.low) == pytest.approx(0.05)
    assert found.probability_below(found.estimate) == pytest.approx(0.5)


def test_range_covers_the_truth_at_least_at_its_stated_rate() -> None:
    """Each half estimates the mean of its own sample; its members are bootstrap replicates of that sample."""
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(400):
        draws = []
        for _ in range(2):
            sample = rng.normal(0, 1, 200)
            weight = rng.exponential(size=(4, 200))
            draws.append((weight @ sample / weight.sum(axis=1)).repeat(2) + rng.normal(0, 0.01, 8))
        found = draw_interval(np.concatenate(draws), MEMBER, FOLD)
        hits += found.low <= 0 <= found.high
    assert hits / 400 > 0.9
