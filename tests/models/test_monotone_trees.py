"""The boosted-trees challenger."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pricing_core.errors import ConfigError
from pricing_core.features import EncodedBatch
from pricing_core.models.monotone_trees import MonotoneTrees, MonotoneTreesConfig

BatchOf = Callable[..., EncodedBatch]


@pytest.mark.parametrize("constraint", ["basic", "intermediate", "advanced"])
def test_the_probability_never_rises_with_price_even_where_the_data_say_so(constraint: str, batch_of: BatchOf) -> None:
    rng = np.random.default_rng(0)
    batch, x = batch_of(4_000), rng.uniform(0.6, 1.4, 4_000)
    upward = batch.customer[:, 0] > 1  # a sixth of the customers buy more when it is dear
    logit = -1 - np.where(upward, -5, 4) * (x - 1) + batch.product[:, 0]
    y = (rng.random(4_000) < 1 / (1 + np.exp(-logit))).astype(float)
    trees = MonotoneTrees(MonotoneTreesConfig(n_trees=40, constraint=constraint)).fit(batch, x, y)
    rows = batch.take(np.arange(300))
    curve = np.array([trees.probability(rows, np.full(300, p)) for p in np.linspace(0.6, 1.4, 41)])
    assert (np.diff(curve, axis=0) <= 1e-12).all()
    assert curve[0].mean() - curve[-1].mean() > 0.1


def test_the_best_price_is_the_best_of_the_grid(batch_of: BatchOf) -> None:
    rng = np.random.default_rng(0)
    batch, x = batch_of(3_000), rng.uniform(0.6, 1.4, 3_000)
    y = (rng.random(3_000) < 1 / (1 + np.exp(5 * (x - 1)))).astype(float)
    trees = MonotoneTrees(MonotoneTreesConfig(n_trees=40)).fit(batch, x, y)
    rows, one = batch.take(np.arange(20)), np.ones(20)
    best = trees.best_price(rows, reference=2 * one, unit_cost=one, low=1.4 * one, high=2.4 * one, points=11)
    grid = np.linspace(1.4, 2.4, 11)
    profits = np.array([(p - 1) * trees.probability(rows, np.full(20, p / 2)) for p in grid])
    np.testing.assert_allclose(best, grid[profits.argmax(axis=0)])


def test_a_row_limit_samples_rows(batch_of: BatchOf) -> None:
    rng = np.random.default_rng(0)
    batch, x, y = batch_of(2_000), rng.uniform(0.6, 1.4, 2_000), (rng.random(2_000) < 0.3).astype(float)
    trees = MonotoneTrees(MonotoneTreesConfig(n_trees=5, max_rows=500)).fit(batch, x, y, np.ones(2_000))
    assert trees.booster_.trees_to_dataframe().query("node_depth == 1")["count"].max() == 500


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"constraint": "strict"}, "The constraint is 'strict'; allowed are basic, intermediate, advanced."),
        ({"max_rows": 0}, "max_rows is 0; it must be at least 1."),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        MonotoneTreesConfig(**settings)  # type: ignore[arg-type]
    assert str(caught.value) == message
