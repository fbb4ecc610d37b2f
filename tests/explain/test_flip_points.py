"""Flip points against thresholds that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.explain.flip import flip_points
from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.strategies import price_strategy
from tests.pricing_cases import make_rows

LIMITS = np.array([0.05, 0.31, 0.9, 2.0])


def _decide(change: np.ndarray) -> np.ndarray:
    """Raise until the change reaches the row's limit, cut beyond; falling below −0.4 holds the third row."""
    found = np.where(change >= LIMITS, "cut", "raise").astype(object)
    found[(np.arange(4) == 2) & (change < -0.4)] = "hold"
    return found


def test_the_threshold_is_found_within_the_tolerance() -> None:
    found = flip_points(_decide, np.array([10.0, 10.0, 10.0, 10.0]), circumstance="unit cost")
    assert found.up[:3] == pytest.approx(LIMITS[:3], abs=5e-4)
    assert np.isnan(found.up[3])  # beyond the range that was searched
    assert found.down[2] == pytest.approx(-0.4, abs=5e-4) and np.isnan(found.down[[0, 1, 3]]).all()
    assert found.up_decision.tolist() == ["cut", "cut", "cut", ""] and found.down_decision[2] == "hold"
    assert found.nearest[:3] == pytest.approx([0.05, 0.31, -0.4], abs=5e-4) and np.isnan(found.nearest[3])
    assert found.to_frame().loc[0, "value_up"] == pytest.approx(10.5, abs=0.01)


def test_an_unknown_value_has_no_flip_point() -> None:
    found = flip_points(_decide, np.array([np.nan, 1.0, 1.0, 1.0]), circumstance="stock")
    assert np.isnan(found.up[0]) and found.up_decision[0] == ""


def test_beyond_the_flip_cost_the_strategy_decides_otherwise_and_before_it_does_not() -> None:
    rows = make_rows(60, seed=4)
    rules = Guardrails()

    def decide(change: np.ndarray) -> np.ndarray:
        dearer = replace(rows, unit_cost=rows.unit_cost * (1 + change))
        return price_strategy("personalized", dearer, rules, with_reasons=False).status

    found = flip_points(decide, rows.unit_cost, circumstance="unit cost")
    assert (found.decision == decide(np.zeros(rows.n))).all()
    known = np.isfinite(found.nearest)
    assert known.sum() > 30
    beyond, before = np.where(known, found.nearest, 0.0), np.where(known, found.nearest * 0.98, 0.0)
    # The change that is reported is on the far side, and 2% less of it is on the near side.
    assert (decide(beyond)[known] != found.decision[known]).all()
    assert (decide(before)[known] == found.decision[known]).mean() > 0.95
    # A dearer unit never turns a raise into a cut.
    raised = (found.decision == "raise") & np.isfinite(found.up)
    assert set(found.up_decision[raised].tolist()) <= {"hold"}


def test_a_search_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"The range is 0\.1 to 1\.0"):
        flip_points(_decide, np.ones(4), circumstance="unit cost", lowest=0.1)
    with pytest.raises(ConfigError, match="steps is 0"):
        flip_points(_decide, np.ones(4), circumstance="unit cost", steps=0)
    with pytest.raises(DataError, match="there are 3 rows"):
        flip_points(lambda change: np.array(["raise"] * 4), np.ones(3), circumstance="unit cost")
