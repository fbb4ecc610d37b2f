"""Starting from the last model: weights are taken over, new products begin as their category, and it is faster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pricing_core.features import EncodedBatch, FeatureEncoder
from pricing_core.models.behavior import BehaviorConfig, BehaviorModel
from pricing_core.models.learning_rows import LearningRows
from pricing_core.models.network_loss import network_log_loss
from pricing_core.models.serving import ServingNetwork
from pricing_core.models.warm_start import Previous, WarmStart, warm_start

BatchOf = Callable[..., EncodedBatch]
SMALL = BehaviorConfig(members=2, max_epochs=12, batch_size=256, learning_rate=3e-3)


def rows_of(batch: EncodedBatch, seed: int) -> LearningRows:
    """Customers whose taste bends with two of their features."""
    rng = np.random.default_rng([seed, 1])
    x = batch.expected_price + 0.1 * rng.standard_normal(batch.n)
    logit = -1 + np.sin(2 * batch.customer[:, 0]) + batch.customer[:, 1] - 4 * (x - 1)
    y = (rng.random(batch.n) < 1 / (1 + np.exp(-logit))).astype(float)
    customer = np.array([f"c{i:04d}" for i in rng.integers(0, 400, batch.n)], dtype=object)
    return LearningRows(batch, x, y, customer, np.ones(batch.n))


@pytest.fixture(scope="module")
def last(batch_of: BatchOf) -> tuple[BehaviorModel, LearningRows]:
    rows = rows_of(batch_of(4_000, 1), 1)
    return BehaviorModel(SMALL).fit(rows, 8), rows


def encoder(products: list[str], levels: list[str] | None = None, mean: float = 0.0) -> FeatureEncoder:
    made = FeatureEncoder(sequence_length=6)
    made.products_ = products
    made.columns_ = {
        "customer": [{"name": "age", "kind": "number", "mean": mean, "scale": 1.0, "missing": False}],
        "product": [{"name": "brand", "kind": "category", "levels": levels or ["a", "b"]}],
        "market": [],
    }
    return made


def test_a_warm_start_begins_where_the_last_model_ended(last: tuple[BehaviorModel, LearningRows]) -> None:
    model, rows = last
    warm = replace(rows, start=WarmStart(tuple(model.networks_)))
    fitters = BehaviorModel(SMALL)._fitters(warm)
    again = [ServingNetwork.from_keras(fitter.model) for fitter in fitters]
    for old, new in zip(model.networks_, again, strict=True):
        for got, wanted in zip(new.curves(rows.batch), old.curves(rows.batch), strict=True):
            np.testing.assert_allclose(got, wanted, atol=2e-3)


@pytest.mark.extra
def test_fewer_passes_for_equal_quality_with_the_same_result_twice(
    last: tuple[BehaviorModel, LearningRows], batch_of: BatchOf
) -> None:
    model, rows = last
    new = rows_of(batch_of(1_000, 2), 2)
    cold = BehaviorModel(SMALL).choose_epochs(rows, new)
    warm_rows = replace(rows, start=WarmStart(tuple(model.networks_)))
    warm, twice = (BehaviorModel(SMALL).choose_epochs(warm_rows, new) for _ in range(2))
    assert len(warm.history_) < 0.7 * len(cold.history_)
    assert network_log_loss(warm.networks_, new) < network_log_loss(cold.networks_, new) + 0.005
    for one, two in zip(warm.networks_, twice.networks_, strict=True):
        assert all(np.array_equal(one.weights[name], two.weights[name]) for name in one.weights)


def test_a_new_product_starts_as_the_mean_of_its_category(last: tuple[BehaviorModel, LearningRows]) -> None:
    model = last[0]
    old, today = encoder(["p1", "p2", "p3", "p4", "p5"], mean=1.0), encoder(["p1", "p2", "p3", "p3b", "p4", "p5", "z"])
    category = {"p1": "tea", "p2": "tea", "p3b": "tea", "p3": "nuts", "p4": "nuts", "p5": "nuts", "z": "new"}
    found = warm_start(model.networks_, old, today, category, 2)
    assert isinstance(found, WarmStart)
    table, new = model.networks_[0].weights["product_embedding"], found.networks[0].weights["product_embedding"]
    np.testing.assert_array_equal(new[[0, 1, 2, 3, 5, 6]], table)
    np.testing.assert_allclose(new[4], table[[1, 2]].mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(new[7], table[0])  # a category never seen
    assert today.columns_["customer"][0]["mean"] == 1.0  # the scale that the weights belong to


def test_what_does_not_fit_is_said(last: tuple[BehaviorModel, LearningRows]) -> None:
    networks = last[0].networks_
    same = ["p1", "p2", "p3", "p4", "p5"]
    assert isinstance(warm_start(networks, encoder(same), encoder(same, ["b", "a"]), {}, 2), WarmStart)
    for today, members, words in (
        (encoder(same, ["a", "c"]), 2, "the features of product have changed"),
        (encoder(same), 4, "it has 2 members a half, today's settings ask for 4"),
    ):
        assert warm_start(networks, encoder(same), today, {}, members) == words


def test_offers_that_the_last_model_saw_do_not_judge_it(last: tuple[BehaviorModel, LearningRows]) -> None:
    times = pd.Series(pd.date_range("2025-01-01", periods=100, freq="D", tz="UTC"))
    late, same = np.arange(100) >= 85, ["p1", "p2", "p3", "p4", "p5"]
    for seen, used, first in ((99, True, 99), (90, True, 90), (60, True, 85), (97, False, 85)):
        before = Previous("r1", last[0].networks_, encoder(same), times.iloc[seen - 1] if seen < 99 else times.iloc[93])
        start, judges, account = before.begin(encoder(same), {}, 2, times, late)
        if seen == 99:
            first = 94
        assert (start is not None) == used == account["used"]
        assert int(np.flatnonzero(judges)[0]) == first
    assert "only 3.0% of the offers are newer" in account["reason"]
