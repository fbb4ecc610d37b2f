"""Where two methods disagree, and response curves with their support."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.explain.agreement import agreement
from pricing_core.explain.curves import response_curves, support_grid
from pricing_core.explain.lime import LimeResult
from pricing_core.explain.shapley import ShapResult

NAMES = tuple("abcdefg")


def _shap(values: list[float], error: float = 0.0) -> ShapResult:
    table = np.array([values], dtype=float)
    return ShapResult(NAMES, table, 0.0, table.sum(axis=1), 0.0, np.full_like(table, error))


def _lime(values: list[float], spread: float = 0.0) -> LimeResult:
    line = np.array(values, dtype=float)
    return LimeResult(NAMES, line, np.full(7, spread), 0.0, 1.0, 1.0, 0.9, np.array([0.9, 0.9]), 1.0, 1.0)


def test_the_same_effects_agree_whatever_their_size() -> None:
    found = agreement(_shap([5, -4, 3, 2, 1, 0, 0]), _lime([2.5, -2, 1.5, 1, 0.5, 0, 0]))
    assert found.agrees and found.compared == tuple("abcde")
    assert found.sentence == "SHAP and LIME name 5 of the same 5 top drivers and agree on their direction."


def test_an_opposite_sign_is_named_unless_it_is_slight_or_unsure() -> None:
    opposed = agreement(_shap([5, -4, 3, 2, 1, 0, 0]), _lime([5, 4, 3, 2, 1, 0, 0]))
    assert opposed.opposed == ("b",) and not opposed.agrees
    assert "disagree on the direction of b: do not build on these." in opposed.sentence
    slight = agreement(_shap([5, 4, 3, 2, -0.1, 0, 0]), _lime([5, 4, 3, 2, 0.2, 0, 0]))
    assert not slight.opposed
    unsure = agreement(_shap([5, -1, 3, 2, 1, 0, 0], error=0.6), _lime([5, 1, 3, 2, 1, 0, 0]))
    assert not unsure.opposed


def test_other_top_drivers_are_named_with_the_method_that_has_them() -> None:
    found = agreement(_shap([5, 4, 3, 2, 1, 0, 0]), _lime([5, 4, 3, 0, 0, 2, 1]))
    assert found.only_shap == ("d", "e") and found.only_lime == ("f", "g") and not found.agrees
    assert found.sentence.endswith("only SHAP has d, e, only LIME has f, g.")
    with pytest.raises(DataError, match="explain different features"):
        agreement(_shap([1] * 7), LimeResult(("x",), np.ones(1), np.ones(1), 0, 1, 1, 1, np.ones(2), 1, 1))


def test_curves_vary_one_thing_and_the_mean_leaves_the_own_offer_out() -> None:
    level = np.array([10.0, 1.0, 3.0])
    found = response_curves(
        lambda value: level * value,
        np.array([1.0, 2.0, 4.0]),
        own=0,
        own_value=2.0,
        past=np.array([1, 1, 2, 9, np.nan]),
    )
    assert found.own.tolist() == [10, 20, 40] and found.mean.tolist() == [2, 4, 8]
    assert found.support["share"].sum() == pytest.approx(3 / 4)  # nine lies beyond, and what is unknown does not count
    assert found.support["low"].iloc[0] == 1 and found.support["high"].iloc[-1] == 4


def test_the_grid_stays_where_past_values_are() -> None:
    values = np.concatenate([np.random.default_rng(0).normal(5, 1, 10_000), [1e6]])
    grid = support_grid(values)
    assert 2 < grid[0] < 3 and 7 < grid[-1] < 8 and (np.diff(grid) > 0).all()
    assert support_grid(np.array([0.0, 1.0] * 50)).tolist()[0] == 0.0
    with pytest.raises(DataError, match="never varied"):
        support_grid(np.full(20, 3.0))
    with pytest.raises(ConfigError, match="ascending"):
        response_curves(lambda v: np.ones(2), np.array([2.0, 1.0]), own=0, own_value=1.0, past=np.ones(2))
    with pytest.raises(DataError, match="not finite"):
        response_curves(lambda v: np.full(2, np.nan), np.array([1.0, 2.0]), own=0, own_value=1.0, past=np.ones(2))
