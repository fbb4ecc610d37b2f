"""Keras challenger of the pricing model: a small network for the going price, and its forward pass in plain NumPy.

``log(price / base) = f(product, market)``: an embedding of the product beside the standardized product and market
features, two hidden layers, and a linear path. One *member* is fitted per fold without that fold, and a last one on
all rows, so that every row has a prediction by a member that did not see it. All members are trained at once. How long
to train is the pass after which left-out rows are predicted best, as the trees' number is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.array_files import read_array_file
from pricing_core.features.batch import EncodedBatch

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]

_LAYERS: Final = ("hidden_1", "hidden_2", "linear", "level")
_BLOCK: Final = 16_384


@dataclass(frozen=True)
class PricingNetworkConfig:
    """Size and training of the network.

    Parameters
    ----------
    units, embedding
        Width of each hidden layer, and of the product's embedding.
    max_epochs, patience, batch_size, learning_rate, weight_decay
        Most passes over the rows, passes without improvement after which it stops, rows per step, step size, and decay
        of the weights.
    max_rows
        Rows to learn from; of more, a random part is taken (all are predicted).
    random_state
        Seed.
    """

    units: int = 32
    embedding: int = 6
    max_epochs: int = 12
    patience: int = 2
    batch_size: int = 1024
    learning_rate: float = 4e-3
    weight_decay: float = 1e-4
    max_rows: int = 60_000
    random_state: int = 0


class PricingNetwork:
    """Network of the going price.

    Attributes
    ----------
    weights
        ``<layer>.kernel`` (members, inputs, units) and ``<layer>.bias`` of the layers, ``product_embedding``, and
        ``scale`` = (mean, standard deviation) of the target.
    epochs_
        Passes over the data that were chosen.
    crossfitted_
        Prediction of each training row by the member that did not see its fold (n,).
    """

    def __init__(self, config: PricingNetworkConfig | None = None) -> None:
        self.config = config or PricingNetworkConfig()
        self.weights: dict[str, Floats32] = {}
        self.epochs_ = 0
        self.crossfitted_: Floats = np.empty(0)

    def fit(self, batch: EncodedBatch, level: Floats, weight: Floats, fold: Ints) -> PricingNetwork:
        """Fit all members, and keep the pass that predicts left-out rows best.

        Parameters
        ----------
        level
            Log of price over base price (n,).
        weight, fold
            How many offers a row stands for (n,); number of its fold, from 0 (n,).
        """
        mean = float(np.average(level, weights=weight))
        spread = float(np.sqrt(np.average((level - mean) ** 2, weights=weight)))
        scale = np.array([mean, max(spread, 1e-6)], dtype=np.float32)
        # The rows that it learns from also say when to stop, each judged by the member that did not see it.
        rows = np.random.default_rng(self.config.random_state).permutation(batch.n)[: self.config.max_rows]
        part, held = batch.take(rows), fold[rows]
        best, passes = np.inf, self._passes(part, (level[rows] - mean) / scale[1], weight[rows], held)
        for epoch, weights in enumerate(passes, start=1):
            network = PricingNetwork(self.config)
            network.weights = {**weights, "scale": scale}
            error = float(np.average((level[rows] - network.crossfit(part, held)) ** 2, weights=weight[rows]))
            if error < best:
                best, self.weights, self.epochs_ = error, network.weights, epoch
            elif epoch >= self.epochs_ + self.config.patience:
                break
        self.crossfitted_ = self.crossfit(batch, fold)
        return self

    def predict(self, batch: EncodedBatch) -> Floats:
        """Log of the going price over the base price (n,), by the member that learned from all rows."""
        return self._members(batch)[-1]

    def crossfit(self, batch: EncodedBatch, fold: Ints) -> Floats:
        """Prediction of each row by the member that did not see its fold (n,)."""
        return self._members(batch)[fold, np.arange(batch.n)]

    def save(self, path: Path) -> None:
        """Write the weights as ``.npz`` (no pickle)."""
        np.savez(path, **self.weights)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> PricingNetwork:
        """Read what :meth:`save` wrote; TensorFlow is not needed."""
        network = cls()
        network.weights = read_array_file(path, [f"{layer}.kernel" for layer in _LAYERS], what="network file")
        return network

    def _members(self, batch: EncodedBatch) -> Floats:
        """Prediction of every member (members, n)."""
        out = np.empty((self.weights["level.kernel"].shape[0], batch.n))
        for start in range(0, batch.n, _BLOCK):
            rows = slice(start, start + _BLOCK)
            out[:, rows] = forward(self.weights, batch, rows)
        mean, spread = (float(v) for v in self.weights["scale"])
        return mean + spread * out

    def _passes(self, batch: EncodedBatch, target: Floats, weight: Floats, fold: Ints) -> Any:
        """Train, and give the averaged weights after each pass."""
        import keras
        import tensorflow as tf

        config, n_folds = self.config, int(fold.max()) + 1
        # The same seed gives bitwise the same weights, whatever else the machine is doing.
        tf.config.experimental.enable_op_determinism()
        keras.utils.set_random_seed(config.random_state)
        model = build_pricing_network(batch.product.shape[1] + batch.market.shape[1], batch.n_products, config, n_folds)
        rng = np.random.default_rng(config.random_state)
        step_rows = min(config.batch_size, max(batch.n // 25, 32), batch.n)
        steps = batch.n // step_rows
        momentum = float(np.clip(np.exp(-1.0 / steps), 0.8, 0.995))
        optimizer = keras.optimizers.AdamW(
            config.learning_rate, weight_decay=config.weight_decay, use_ema=True, ema_momentum=momentum
        )
        optimizer.build(model.trainable_variables)
        train = _training_step(model, optimizer)
        numbers = np.hstack([batch.product, batch.market]).astype(np.float32)
        # Member k does not see fold k; the last one sees every row.
        seen = (fold[:, None] != np.arange(n_folds + 1)[None, :]) * (weight / weight.mean())[:, None]
        for _ in range(config.max_epochs):
            order = rng.permutation(batch.n)
            for step in range(steps):
                part = order[step * step_rows : (step + 1) * step_rows]
                train(
                    tf.constant(numbers[part]),
                    tf.constant(batch.product_code[part]),
                    tf.constant(target[part].astype(np.float32)),
                    tf.constant(seen[part].T.astype(np.float32)),
                )
            current = [variable.numpy() for variable in model.trainable_variables]
            optimizer.finalize_variable_values(model.trainable_variables)
            yield _weights_of(model)
            for variable, value in zip(model.trainable_variables, current, strict=True):
                variable.assign(value)


def build_pricing_network(width: int, n_products: int, config: PricingNetworkConfig, n_folds: int) -> Any:
    """Build the Keras model: inputs ``numbers`` (n, width) and ``product_code`` (n,), output (members, n, 1)."""
    import keras

    from pricing_core.models.layers import MemberDense

    members = n_folds + 1
    numbers = keras.Input((width,), name="numbers")
    code = keras.Input((), name="product_code", dtype="int32")
    embed = keras.layers.Embedding(n_products + 1, config.embedding, name="product_embedding")
    joined = keras.layers.Concatenate(name="inputs")([numbers, embed(code)])
    hidden = MemberDense(members, config.units, "relu", 1.4, name="hidden_1")(joined)
    hidden = MemberDense(members, config.units, "relu", 1.4, name="hidden_2")(hidden)
    out = MemberDense(members, 1, None, 0.1, name="level")(hidden)
    out = out + MemberDense(members, 1, None, 0.1, name="linear")(joined)
    return keras.Model(inputs={"numbers": numbers, "product_code": code}, outputs=out, name="going_price")


def forward(weights: Mapping[str, Floats32], batch: EncodedBatch, rows: slice) -> Floats32:
    """Standardized prediction (members, rows) of a part of a batch, in NumPy."""
    identity = weights["product_embedding"][batch.product_code[rows]]
    joined = np.hstack([batch.product[rows], batch.market[rows], identity]).astype(np.float32)

    def dense(name: str, inputs: Floats32) -> Floats32:
        return np.matmul(inputs, weights[f"{name}.kernel"]) + weights[f"{name}.bias"]

    hidden = np.maximum(dense("hidden_1", joined), 0)
    hidden = np.maximum(dense("hidden_2", hidden), 0)
    return np.asarray((dense("level", hidden) + dense("linear", joined))[..., 0], dtype=np.float32)


def _weights_of(model: Any) -> dict[str, Floats32]:
    weights = {"product_embedding": np.asarray(model.get_layer("product_embedding").embeddings)}
    for name in _LAYERS:
        layer = model.get_layer(name)
        weights[f"{name}.kernel"], weights[f"{name}.bias"] = np.asarray(layer.kernel), np.asarray(layer.bias)
    return weights


def _training_step(model: Any, optimizer: Any) -> Any:
    import tensorflow as tf

    def step(numbers: Any, code: Any, target: Any, weight: Any) -> None:
        with tf.GradientTape() as tape:
            out = model({"numbers": numbers, "product_code": code}, training=True)[..., 0]
            # Summed over members, so that each takes the step that it would take alone.
            loss = tf.reduce_sum(tf.reduce_mean(weight * tf.square(out - target[None, :]), axis=1))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    return tf.function(step, autograph=False)
