"""Folds that neither look ahead nor know the customers they are judged on."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_core.errors import ConfigError, DataError
from pricing_core.models.time_folds import FoldPlan, TimeFold, customer_group, time_folds


@st.composite
def logs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, FoldPlan]:
    n_folds = draw(st.integers(1, 4))
    periods = draw(st.integers(n_folds + 1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    rows = draw(st.integers(300, 600))
    week = np.concatenate([np.arange(periods), rng.integers(0, periods, rows)])
    customer = rng.integers(0, draw(st.integers(40, 200)), len(week)).astype(str)
    order = rng.permutation(len(week))
    plan = FoldPlan(n_folds, draw(st.integers(2, 4)), draw(st.floats(0.1, 0.8)), draw(st.integers(0, 5)))
    return week[order], customer[order].astype(object), plan


def folds_or_none(week: np.ndarray, customer: np.ndarray, plan: FoldPlan) -> list[TimeFold]:
    try:
        return time_folds(week, customer, plan)
    except DataError as error:
        assert "leaves nothing to learn from, or nothing to judge" in str(error)
        return []


@settings(max_examples=60, deadline=None)
@given(logs())
def test_nothing_leaks_in_time_or_through_a_customer(log: tuple[np.ndarray, np.ndarray, FoldPlan]) -> None:
    week, customer, plan = log
    found = folds_or_none(week, customer, plan)
    for fold in found:
        assert week[fold.learn].max() < min(week[fold.stop].min(), week[fold.judge].min())
        known = set(customer[fold.learn]) | set(customer[fold.stop])
        assert not known & set(customer[fold.judge])
    for earlier, later in pairwise(found):
        assert week[earlier.judge].max() < week[later.judge].min()
        assert week[earlier.learn].max() < week[later.learn].max()
    judged = np.concatenate([fold.judge for fold in found]) if found else np.empty(0)
    assert len(judged) == len(np.unique(judged))


@settings(max_examples=30, deadline=None)
@given(logs(), st.integers(0, 1_000))
def test_the_order_of_the_rows_does_not_matter(log: tuple[np.ndarray, np.ndarray, FoldPlan], seed: int) -> None:
    week, customer, plan = log
    order = np.random.default_rng(seed).permutation(len(week))
    for one, two in zip(
        folds_or_none(week, customer, plan), folds_or_none(week[order], customer[order], plan), strict=True
    ):
        for part in ("learn", "stop", "judge"):
            assert set(getattr(one, part)) == set(order[getattr(two, part)])


def test_windows_cover_the_latest_share_in_equal_parts() -> None:
    week = np.repeat(np.arange(100), 50)
    customer = np.tile(np.arange(50), 100).astype(str)
    found = time_folds(week, customer, FoldPlan(n_folds=3, n_groups=3, judged_share=0.45))
    assert [week[fold.judge].min() for fold in found] == [55, 70, 85]
    assert [week[fold.judge].max() for fold in found] == [69, 84, 99]
    # Each customer is judged in one window, and no row of the windows is left out.
    assert sorted(np.concatenate([np.unique(customer[fold.judge]) for fold in found])) == sorted(set(customer))
    for fold in found:
        assert len(fold.stop) + len(fold.judge) == 15 * 50


def test_groups_are_about_equal_stay_put_and_are_not_the_halves_of_the_models() -> None:
    from pricing_core.models.folds import customer_fold

    labels = np.arange(9_000).astype(str).astype(object)
    group, half = customer_group(labels, 3), customer_fold(labels)
    assert np.array_equal(group[100:200], customer_group(labels[100:200], 3))
    table = np.array([[np.sum((group == g) & (half == h)) for h in (0, 1)] for g in range(3)])
    assert table.min() > 1_350 and table.max() < 1_650
    assert not np.array_equal(group, customer_group(labels, 3, random_state=1))


def test_one_busy_period_still_leaves_one_period_to_each_window() -> None:
    week = np.array([0] * 5 + [1] * 5 + [2] * 5 + [3] * 500)
    customer = np.arange(len(week)) % 40
    found = time_folds(week, customer, FoldPlan(n_folds=3, n_groups=2))
    assert [sorted(set(week[fold.judge])) for fold in found] == [[1], [2], [3]]


def test_too_few_times_or_customers_are_an_error() -> None:
    with pytest.raises(DataError, match="made at 2 different times; 3 windows need at least 4"):
        time_folds([1, 1, 2, 2], ["a", "b", "c", "d"])
    with pytest.raises(DataError, match=r"Window 1 of 1 leaves nothing .* Choose fewer windows"):
        time_folds([1, 2, 3, 4], ["a"] * 4, FoldPlan(n_folds=1))
    for wrong in ({"n_folds": 0}, {"n_groups": 1}, {"judged_share": 1.0}):
        with pytest.raises(ConfigError):
            FoldPlan(**wrong)  # type: ignore[arg-type]
