"""The behavior model on small simulated customers: form, folds, seeds, files."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pricing_core.errors import ConfigError, ModelError
from pricing_core.features import EncodedBatch
from pricing_core.models.behavior import (
    BehaviorConfig,
    BehaviorModel,
    LearningRows,
    bootstrap_weights,
)
from pricing_core.models.fitting import network_inputs, pooled_start
from pricing_core.models.folds import customer_fold, customer_labels
from pricing_core.models.network import NetworkShape, build_network
from pricing_core.models.serving import ServingNetwork
from pricing_core.progress import SilentProgress

BatchOf = Callable[..., EncodedBatch]
TINY = BehaviorConfig(members=2, max_epochs=2, batch_size=256, learning_rate=3e-3)


def learning_rows(batch: EncodedBatch, seed: int = 0, n_customers: int = 300) -> LearningRows:
    """Customers whose slope is 4, and whose price follows their taste."""
    rng = np.random.default_rng([seed, 1])
    x = batch.expected_price + 0.1 * rng.standard_normal(batch.n)
    logit = -1 + batch.customer[:, 0] - 4 * (x - 1)
    y = (rng.random(batch.n) < 1 / (1 + np.exp(-logit))).astype(float)
    customer = np.array([f"c{i:04d}" for i in rng.integers(0, n_customers, batch.n)], dtype=object)
    return LearningRows(batch, x, y, customer, np.ones(batch.n))


@pytest.fixture(scope="module")
def rows(batch_of: BatchOf) -> LearningRows:
    return learning_rows(batch_of(2_000, 1))


@pytest.fixture(scope="module")
def fitted(rows: LearningRows) -> BehaviorModel:
    return BehaviorModel(TINY).fit(rows, 2)


def test_the_numpy_mirror_and_the_saved_file_are_the_keras_network(
    fitted: BehaviorModel, batch_of: BatchOf, tmp_path: Path
) -> None:
    import keras

    batch = batch_of(700, 2)
    inputs = network_inputs(batch)
    fitted.save(tmp_path)
    for fold, network in enumerate(fitted.networks_):
        out = np.asarray(fitted._keras[fold](inputs))  # (members, n, 2 heads, 2)
        alpha, beta = network.curves(batch)
        np.testing.assert_allclose(alpha, out[..., 0].transpose(1, 0, 2).reshape(700, 4), atol=1e-4)
        np.testing.assert_allclose(beta, out[..., 1].transpose(1, 0, 2).reshape(700, 4), atol=1e-4)
        again = keras.models.load_model(tmp_path / f"behavior_{fold}.keras")
        np.testing.assert_allclose(np.asarray(again(inputs)), out, atol=1e-6)
        stored = ServingNetwork.load(tmp_path / f"behavior_{fold}.npz")
        np.testing.assert_array_equal(stored.curves(batch)[0], alpha)


def test_a_saved_model_answers_alike_without_tensorflow(
    fitted: BehaviorModel, batch_of: BatchOf, tmp_path: Path
) -> None:
    fitted.save(tmp_path)
    for path in tmp_path.glob("*.keras"):
        path.unlink()
    batch = batch_of(100, 3)
    one, two = (m.respond(batch, np.full(100, 5.0)) for m in (fitted, BehaviorModel.load(tmp_path)))
    np.testing.assert_array_equal(one.intercept, two.intercept)
    np.testing.assert_array_equal(one.sensitivity, two.sensitivity)
    (tmp_path / "behavior.json").write_text('{"config": {"members": 0}}')
    with pytest.raises(ConfigError, match=re.escape("members is 0; it must be at least 1.")):
        BehaviorModel.load(tmp_path)
    (tmp_path / "behavior.json").write_text("{")
    with pytest.raises(ModelError, match=r"The behavior model in .* cannot be read: .* Train again\."):
        BehaviorModel.load(tmp_path)


def test_who_ends_a_training_ends_both_halves(rows: LearningRows) -> None:
    class Impatient(SilentProgress):
        def stage(self, name: str, fraction: float, message: str = "") -> None:
            if "pass 2" in message:
                raise InterruptedError(message)

    before = threading.active_count()
    with pytest.raises(InterruptedError, match=re.escape("Training on all rows, pass 2 of 400")):
        BehaviorModel(TINY).fit(rows, 400, Impatient())
    assert threading.active_count() <= before  # no half goes on learning


@pytest.mark.extra
def test_with_many_rows_the_graph_is_compiled_and_learns_the_same(
    rows: LearningRows, fitted: BehaviorModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pricing_core.models.behavior.MANY_ROWS", rows.batch.n)
    compiled, again = (BehaviorModel(TINY).fit(rows, 2) for _ in range(2))
    for network, twin, plain in zip(compiled.networks_, again.networks_, fitted.networks_, strict=True):
        for one, two in zip(network.curves(rows.batch), twin.curves(rows.batch), strict=True):
            np.testing.assert_array_equal(one, two)  # the same seed gives the same bits
        for one, two in zip(network.curves(rows.batch), plain.curves(rows.batch), strict=True):
            assert np.abs(one - two).mean() < 0.02  # the compiler rounds otherwise


def test_demand_falls_with_price_for_any_input(fitted: BehaviorModel, batch_of: BatchOf) -> None:
    batch = batch_of(500, 4)
    wild = replace(batch, customer=6 * np.sign(batch.customer), product=-6 * np.sign(batch.product))
    response = fitted.respond(wild, np.ones(500))
    assert (response.sensitivity > 0).all() and np.isfinite(response.intercept).all()
    assert response.draws == 2 * 2 * TINY.members
    assert response.draw_fold.tolist() == [0] * 4 + [1] * 4
    assert response.draw_member.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    rising = [response.probability(np.full(500, p)) for p in (0.5, 1.0, 2.0)]
    assert (rising[0] >= rising[1]).all() and (rising[1] >= rising[2]).all()


def test_an_unseen_product_is_priced_by_its_attributes(fitted: BehaviorModel, batch_of: BatchOf) -> None:
    batch = batch_of(50, 5)
    unseen = replace(batch, product_code=np.zeros(50, dtype=np.int32))
    response = fitted.respond(unseen, np.ones(50))
    assert np.isfinite(response.probability(np.ones(50))).all()
    cheap = fitted.respond(replace(unseen, product=batch.product + 1), np.ones(50))
    assert not np.allclose(response.intercept, cheap.intercept)


def test_a_network_starts_as_the_pooled_logit_of_its_rows(batch_of: BatchOf) -> None:
    import keras

    rows = learning_rows(batch_of(20_000, 6))
    level, slope, _ = pooled_start(rows.x, rows.y, rows.batch.expected_price.astype(float), rows.weight)
    # The heterogeneity that the pooled logit leaves out pulls its slope of 4 toward zero by a tenth or so.
    assert 3.0 < slope < 4.3
    keras.utils.set_random_seed(0)
    shape = NetworkShape(4, 3, 2, 5, 6, 8, 3, level, slope, 1.0)
    alpha, beta = ServingNetwork.from_keras(build_network(shape)).curves(rows.batch.take(np.arange(500)))
    assert beta.mean() == pytest.approx(slope, rel=0.25)
    assert (alpha - beta).mean() == pytest.approx(level, abs=0.4)


def test_the_same_seed_gives_the_same_weights_to_the_last_bit(fitted: BehaviorModel, rows: LearningRows) -> None:
    again = BehaviorModel(TINY).fit(rows, 2)
    other = BehaviorModel(replace(TINY, random_state=1)).fit(rows, 2)
    for fold in (0, 1):
        one, two, three = (m.networks_[fold].weights for m in (fitted, again, other))
        assert all(np.array_equal(one[name], two[name]) for name in one)
        assert not np.array_equal(one["head_1.kernel"], three["head_1.kernel"])
    np.testing.assert_array_equal(fitted.calibrations_[0].slope, again.calibrations_[0].slope)


@pytest.mark.extra
def test_a_product_that_appears_only_later_is_no_obstacle_to_choosing_epochs(batch_of: BatchOf) -> None:
    early, late = learning_rows(batch_of(1_000, 7)), learning_rows(batch_of(300, 8), 1)
    codes = early.batch.product_code.clip(max=3), early.batch.sequence_item.clip(max=3)
    early = replace(early, batch=replace(early.batch, product_code=codes[0], sequence_item=codes[1]))
    assert late.batch.product_code.max() == 5
    model = BehaviorModel(TINY).choose_epochs(early, late)
    assert model.epochs_ in (1, 2)
    losses = [h["validation_loss"] for h in model.history_]
    assert model.epochs_ == 1 + int(np.argmin(losses)) and np.isfinite(losses).all()


def test_a_half_of_the_customers_without_purchases_is_an_error(rows: LearningRows) -> None:
    message = (
        "One half of the customers has no purchases, so the behavior model cannot be judged on the other."
        " Bring more customers or a longer period."
    )
    fold = customer_fold(rows.customer_id)
    with pytest.raises(ModelError) as caught:
        BehaviorModel(TINY).fit(replace(rows, y=np.where(fold == 0, rows.y, 0.0)), 1)
    assert str(caught.value) == message
    with pytest.raises(ModelError) as caught:
        BehaviorModel(TINY).fit(rows.take(fold == 1), 1)
    assert str(caught.value) == message


@pytest.mark.extra
def test_a_training_that_does_not_converge_is_an_error(rows: LearningRows) -> None:
    broken = replace(rows, batch=replace(rows.batch, market=np.full_like(rows.batch.market, np.nan)))
    with pytest.raises(ModelError, match=r"did not converge: its loss is not a number"):
        BehaviorModel(replace(TINY, max_epochs=1)).choose_epochs(broken, broken)


def test_halves_of_customers_are_even_and_for_ever() -> None:
    labels = np.array([f"{i}" for i in range(20_000)], dtype=object)
    fold = customer_fold(labels)
    assert fold.mean() == pytest.approx(0.5, abs=0.012)  # three standard errors
    np.testing.assert_array_equal(customer_fold(labels[::-1])[::-1], fold)
    # Stored rows carry these halves: they must not change between versions.
    assert fold[:8].tolist() == [0, 0, 1, 1, 1, 0, 1, 0]


def test_a_customer_is_labelled_by_the_order_of_first_offers_whatever_the_id() -> None:
    times = pd.to_datetime(["2025-01-03", "2025-01-01", "2025-01-02", "2025-01-04"], utc=True)
    log = pd.DataFrame({"customer_id": ["007", "7", "07", "7"], "product_id": "p", "offered_at": times})
    asked = pd.Series(["7", "07", "007", "new"])
    assert customer_labels(asked, log).tolist() == ["0", "1", "2", "new"]
    renamed = log.assign(customer_id=log["customer_id"].map({"7": "z", "07": "y", "007": "x"}))
    assert customer_labels(pd.Series(["z", "y", "x"]), renamed).tolist() == ["0", "1", "2"]


def test_bootstrap_weights_belong_to_customers() -> None:
    customer = np.array(["a", "b", "a", "c"] * 500, dtype=object)
    weight = bootstrap_weights(customer, 3, 0)
    assert weight.shape == (2_000, 3) and (weight > 0).all()
    np.testing.assert_array_equal(weight[0], weight[2])
    assert not np.array_equal(weight[0], weight[1])
    many = bootstrap_weights(np.array([f"{i}" for i in range(20_000)], dtype=object), 2, 0)
    assert many.mean() == pytest.approx(1, abs=0.03) and many.std() == pytest.approx(1, abs=0.05)
    order = np.random.default_rng(0).permutation(2_000)
    np.testing.assert_array_equal(bootstrap_weights(customer[order], 3, 0), weight[order])
