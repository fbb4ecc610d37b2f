"""Whether two models differ on the same offers by more than luck."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.errors import DataError
from pricing_core.evaluate.paired import GROUPS, group_sums, paired_difference


def test_the_range_covers_the_true_difference_nine_times_in_ten_although_customers_go_together() -> None:
    rng, hits, apart = np.random.default_rng(4), 0, 0
    for _ in range(400):
        customer = rng.integers(0, 300, 2_000)
        hard = rng.gamma(2.0, 0.2, 2_000)  # the same for both models: it cancels
        gap = 0.01 + 0.05 * rng.normal(size=300)[customer] + 0.05 * rng.normal(size=2_000)
        weight = rng.choice([1.0, 4.0], 2_000)
        group = customer % GROUPS
        one, two = group_sums(group, hard + gap, weight), group_sums(group, hard, weight)
        found = paired_difference(one["loss"], two["loss"], two["weight"])
        assert found.value == pytest.approx(np.average(gap, weights=weight))
        hits += found.low <= 0.01 <= found.high
        apart += found.told_apart
    assert 0.86 < hits / 400 < 0.94 and apart > 300


def test_a_model_does_not_differ_from_itself() -> None:
    sums = group_sums(np.arange(50) % 7, np.linspace(0, 1, 50), np.ones(50))
    found = paired_difference(sums["loss"], sums["loss"], sums["weight"])
    assert (found.value, found.low, found.high, found.told_apart) == (0.0, 0.0, 0.0, False)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(DataError, match="not judged on the same groups"):
        paired_difference([1.0, 2.0], [1.0], [1.0, 1.0])
    with pytest.raises(DataError, match="1 groups of customers have offers"):
        paired_difference([1.0, 0.0], [1.0, 0.0], [1.0, 0.0])
