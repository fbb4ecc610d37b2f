"""Lift by tenth of the offers."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.errors import ConfigError
from pricing_core.evaluate.lift import lift_table


def test_a_perfect_order_puts_all_buyers_into_the_first_groups() -> None:
    y = np.repeat([1.0, 0.0], [20, 80])
    table = lift_table(y, np.linspace(0.9, 0.1, 100))
    assert table["n"].tolist() == [10] * 10
    assert table["observed_rate"].tolist() == [1, 1] + [0] * 8
    assert table["lift"].tolist()[:2] == [5, 5]
    assert table["cumulative_share"].tolist() == [0.5] + [1.0] * 9


def test_weighted_rows_count_as_that_many_offers() -> None:
    rng = np.random.default_rng(1)
    y, p = (rng.random(60) < 0.3).astype(float), rng.random(60)
    weight = rng.integers(1, 4, 60)
    short = lift_table(y, p, weight, groups=4)
    long = lift_table(np.repeat(y, weight), np.repeat(p, weight), groups=4)
    # A row that straddles two groups stays whole in one of them, so that the rates differ by at most such a row.
    assert np.allclose(short["observed_rate"], long["observed_rate"], atol=0.12)
    assert short["cumulative_share"].iloc[-1] == pytest.approx(1.0)
    assert np.average(short["predicted_rate"]) == pytest.approx(np.average(p, weights=weight), abs=0.05)


def test_an_order_without_knowledge_lifts_nothing() -> None:
    rng = np.random.default_rng(2)
    table = lift_table((rng.random(20_000) < 0.2).astype(float), rng.random(20_000))
    # Standard error of a group's rate: sqrt(.2 · .8 / 2000) / .2 = 0.045
    assert np.abs(table["lift"] - 1).max() < 4 * 0.045
    assert ((table["observed_low"] < 0.2) & (table["observed_high"] > 0.2)).mean() >= 0.6


def test_nobody_bought_and_too_few_groups() -> None:
    table = lift_table([0, 0, 0], [0.1, 0.2, 0.3])
    assert table["lift"].isna().all() and len(table) == 3
    with pytest.raises(ConfigError, match="at least 2"):
        lift_table([0, 1], [0.1, 0.2], groups=1)
