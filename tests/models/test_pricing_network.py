"""The network that challenges the trees of the pricing model, and who sets the going price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pricing_core.errors import ModelError
from pricing_core.features import EncodedBatch
from pricing_core.models.pricing_challenge import NETWORK, PRESSURE, TREES
from pricing_core.models.pricing_model import PricingConfig, PricingModel
from pricing_core.models.pricing_network import PricingNetwork, PricingNetworkConfig, build_pricing_network, forward

Floats = NDArray[np.float64]
BatchOf = Callable[..., EncodedBatch]
TRIAL = PricingConfig(n_trees=40, n_folds=2)
N = 3_000


def smooth_level(batch: EncodedBatch, noise: float, seed: int) -> Floats:
    """Log price that bends smoothly with product and market, which steps of trees only approach."""
    rng = np.random.default_rng(seed)
    curve = 0.4 * batch.product[:, 0] + 0.3 * batch.product[:, 1] * batch.market[:, 0]
    curve = curve + 0.3 * np.sin(batch.market[:, 1])
    return np.asarray(curve + noise * rng.standard_normal(batch.n), dtype=float)


def fit(batch: EncodedBatch, level: Floats) -> PricingModel:
    who = np.arange(batch.n, dtype=np.int64)
    category = np.where(batch.product_code > 2, "tea", "cups").astype(object)
    price = 5 * np.exp(level)
    return PricingModel(TRIAL).fit(batch, np.full(N, 5.0), price, who, category=category, challenger_rows=N)


@pytest.fixture(scope="module")
def smooth(batch_of: BatchOf) -> PricingModel:
    batch = batch_of(N, 1)
    return fit(batch, smooth_level(batch, 0.02, 1))


def test_numpy_computes_what_keras_computes(batch_of: BatchOf) -> None:
    import keras

    keras.utils.set_random_seed(3)
    batch = batch_of(50, 3)
    model = build_pricing_network(5, batch.n_products, PricingNetworkConfig(units=8, embedding=3), 2)
    from pricing_core.models.pricing_network import _weights_of

    inputs = {"numbers": np.hstack([batch.product, batch.market]), "product_code": batch.product_code}
    assert np.allclose(forward(_weights_of(model), batch, slice(0, 50)), np.asarray(model(inputs))[..., 0], atol=1e-5)


def test_the_same_seed_gives_the_same_network_and_each_row_is_left_out_once(batch_of: BatchOf) -> None:
    batch = batch_of(600, 4)
    level, fold = smooth_level(batch, 0.1, 4), np.arange(600, dtype=np.int64) % 2
    config = PricingNetworkConfig(max_epochs=2)
    one, two = (PricingNetwork(config).fit(batch, level, np.ones(600), fold) for _ in range(2))
    assert np.array_equal(one.predict(batch), two.predict(batch))
    # A row whose price is absurd does not move its own left-out prediction, but it moves the final one.
    wild = level.copy()
    wild[fold == 0] += 3.0
    other = PricingNetwork(config).fit(batch, wild, np.ones(600), fold)
    assert other.crossfitted_[fold == 0].mean() < other.crossfitted_[fold == 1].mean()


def test_a_clearly_better_network_sets_the_going_price_and_is_kept(
    smooth: PricingModel, batch_of: BatchOf, tmp_path: Path
) -> None:
    figures = smooth.metrics_["going_price"]
    assert figures["chosen"] == NETWORK and smooth.network_ is not None
    assert figures["errors"][NETWORK] < figures["errors"][TREES] < figures["errors"]["level"]
    assert figures["reason"].startswith("The network sets the going price: on customers not seen it is off by ")
    smooth.save(tmp_path)
    batch, base = batch_of(200, 9), np.full(200, 5.0)
    again = PricingModel.load(tmp_path)
    assert np.array_equal(again.predict(batch, base).reference, smooth.predict(batch, base).reference)
    truth = 5 * np.exp(smooth_level(batch, 0.0, 9))
    assert np.mean(np.abs(smooth.predict(batch, base).reference / truth - 1)) < 0.06
    (tmp_path / "pricing_network.npz").write_bytes(b"no zip")
    with pytest.raises(ModelError, match=r"pricing_network\.npz cannot be read"):
        PricingModel.load(tmp_path)


def test_trees_stay_where_the_network_gains_nothing(batch_of: BatchOf) -> None:
    batch = batch_of(N, 5)
    steps = np.where(batch.product[:, 0] > 0.3, 0.3, 0.0) + np.where(batch.market[:, 0] > 0.7, 0.2, 0.0)
    model = fit(batch, steps + 0.02 * np.random.default_rng(5).standard_normal(N))
    figures = model.metrics_["going_price"]
    assert figures["chosen"] == TREES and model.network_ is None
    assert figures["reason"].startswith("The boosted trees set the going price")


def test_errors_by_category_add_up_to_the_whole(smooth: PricingModel) -> None:
    figures = smooth.metrics_["going_price"]
    table = figures["by_category"]
    assert table["category"] == ["cups", "tea"] and sum(table["n"]) == figures["n"] == N
    for name, error in figures["errors"].items():
        assert np.average(table[name], weights=table["n"]) == pytest.approx(error)


def test_the_part_of_the_supply_demand_pressure_is_measured_where_the_data_know_it(
    smooth: PricingModel, batch_of: BatchOf
) -> None:
    assert smooth.metrics_["going_price"]["pressure_share"] is None
    assert "without_pressure" not in smooth.metrics_["going_price"]["errors"]
    batch = batch_of(N, 6)
    named = tuple((PRESSURE if name == "product 0" else name, block, columns) for name, block, columns in batch.groups)
    figures = fit(replace(batch, groups=named), smooth_level(batch, 0.02, 6)).metrics_["going_price"]
    assert 0.3 < figures["pressure_share"] < 1
    assert figures["errors"]["without_pressure"] > 2 * figures["errors"][TREES]
