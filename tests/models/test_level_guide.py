"""Trees guide the level that a network learns where few offers sell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from pricing_core.errors import ConfigError
from pricing_core.features import EncodedBatch
from pricing_core.models import level_guide
from pricing_core.models.behavior import BehaviorConfig, LearningRows
from pricing_core.models.fitting import FitSettings, NetworkFitter, pooled_start
from pricing_core.models.folds import customer_fold
from pricing_core.models.level_guide import level_guides
from pricing_core.models.network import NetworkShape
from pricing_core.models.serving import ServingNetwork

BatchOf = Callable[..., EncodedBatch]
SLOPE = 3.0


def usual_logit(batch: EncodedBatch) -> np.ndarray:
    """Logit at the expected price: a few customers buy, where two features agree."""
    return -4.5 + 3.0 * ((batch.customer[:, 0] > 1) & (batch.product[:, 0] > 0)).astype(float)


@pytest.fixture(scope="module")
def rare(batch_of: BatchOf) -> LearningRows:
    """Offers of which one in fifty sells."""
    batch, rng = batch_of(16_000, 1), np.random.default_rng(2)
    x = batch.expected_price + 0.1 * rng.standard_normal(batch.n)
    y = (rng.random(batch.n) < expit(usual_logit(batch) - SLOPE * (x - batch.expected_price))).astype(float)
    customer = rng.integers(0, 2_000, batch.n).astype(str).astype(object)
    return LearningRows(batch, x, y, customer, np.ones(batch.n))


@pytest.fixture
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level_guide, "_LEAST_ROWS", 1_000)


@pytest.mark.usefixtures("few_are_enough")
def test_the_guide_of_a_half_learns_from_this_half_alone(rare: LearningRows) -> None:
    fold = customer_fold(rare.customer_id)
    first, second = level_guides(rare, fold, 0.5, 3)
    assert first is not None and second is not None
    assert [len(first), len(second)] == np.bincount(fold).tolist()
    other = replace(rare, y=np.where(fold == 1, np.roll(rare.y, 1), rare.y))
    changed = level_guides(other, fold, 0.5, 3)
    np.testing.assert_array_equal(changed[0], first)
    assert changed[1] is not None and np.abs(changed[1] - second).max() > 0.01
    # The chance is that at the expected price, whatever the price was.
    truth = expit(usual_logit(rare.batch.take(fold == 0)))
    assert np.average(first) == pytest.approx(truth.mean(), rel=0.15)
    assert np.corrcoef(first, truth)[0, 1] > 0.45


def test_there_is_no_guide_where_outcomes_are_enough(rare: LearningRows, monkeypatch: pytest.MonkeyPatch) -> None:
    fold = customer_fold(rare.customer_id)
    assert level_guides(rare, fold, 0.5, 3) == [None, None]  # few rows
    monkeypatch.setattr(level_guide, "_LEAST_ROWS", 1_000)
    assert level_guides(rare, fold, 0.0, 3) == [None, None]
    often = replace(rare, y=np.where(np.arange(rare.batch.n) % 10 == 0, 1.0, rare.y))
    assert level_guides(often, fold, 0.5, 3) == [None, None]
    assert level_guides(replace(rare, residual=rare.x), fold, 0.5, 3) == [None, None]


def learned(rows: LearningRows, guide: np.ndarray | None) -> ServingNetwork:
    """Network of one member that learns from all rows."""
    level, slope, _ = pooled_start(rows.x, rows.y, rows.batch.expected_price.astype(float), rows.weight)
    shape = NetworkShape.of(rows.batch, 1, (level, slope, float(rows.x.mean())))
    settings = FitSettings(128, 5e-3, 0.2, guidance=0.7)
    fitter = NetworkFitter(shape, settings, rows.batch, rows.x, rows.y, rows.weight[:, None], guide=guide)
    for _ in range(5):
        fitter.run_epoch(lambda _: None)
    return fitter.averaged()


def test_a_guided_network_takes_its_level_from_the_guide_and_its_slope_from_outcomes(rare: LearningRows) -> None:
    some = rare.take(np.arange(6_000))
    truth = expit(usual_logit(some.batch))
    off = []
    for guide in (truth.astype(np.float32), None):
        intercept, sensitivity = learned(some, guide).curves(some.batch)
        level = (intercept - sensitivity * some.batch.expected_price[:, None]).mean(axis=1)
        off.append(np.mean((expit(level) - truth) ** 2))
        assert sensitivity.mean() == pytest.approx(SLOPE, rel=0.3)
    assert off[0] < 0.7 * off[1]


def test_the_guide_cannot_be_all_that_counts() -> None:
    with pytest.raises(ConfigError, match="guidance is 1; it must be at least 0 and below 1"):
        BehaviorConfig(guidance=1)
