"""Pruning of a behavior network: its smallest weights become zero, and the others learn to make up for them.

The matrices that will be stored in four bits answer with their rounded weights meanwhile, while the steps go to the
weights behind them (the straight-through estimator of Bengio, Léonard & Courville, 2013): the network learns to live
with the rounding as well.

The masked epochs learn from the network's own answers rather than from purchases: prices hang on level and slope of
the demand curves, and these are what must not move. For a row with expected price ê the loss is

    Σ over draws of (Δ(α − β ê))² + (Δβ)²

where Δ is the difference to the network before pruning. TensorFlow is imported inside the functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.features.batch import EncodedBatch
from pricing_core.models.fitting import network_inputs
from pricing_core.models.quantized import FOUR_BITS, largest_code
from pricing_core.progress import Progress, SilentProgress

Floats32 = NDArray[np.float32]

_SMALLEST_MATRIX: Final = 256  # weights per member; smaller layers are kept whole
_REPORT_EVERY: Final = 10


@dataclass(frozen=True)
class PruningConfig:
    """How much is cut away, and how the rest learns to make up for it.

    Parameters
    ----------
    sparsity
        Share of the weights of each large matrix that becomes zero, in [0, 0.9].
    epochs
        Masked passes over the rows.
    batch_size, learning_rate
        Of the optimizer; the step size falls to zero along a cosine.
    random_state
        Seed of the order of rows.
    """

    sparsity: float = 0.3
    epochs: int = 2
    batch_size: int = 512
    learning_rate: float = 1e-3
    random_state: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.sparsity <= 0.9:
            raise ConfigError(f"The share of weights to cut is {self.sparsity}; it must lie between 0 and 0.9.")
        if self.epochs < 1 or self.batch_size < 1 or not self.learning_rate > 0:
            raise ConfigError("epochs and batch_size must be at least 1, and learning_rate above zero.")


def magnitude_mask(values: Floats32, sparsity: float) -> Floats32:
    """Mask of a weight (…, in, out): 0 for the smallest of each matrix (or of the convolution), else 1."""
    flat = np.abs(values).reshape(values.shape[0] if values.ndim == 3 else 1, -1)
    cut = int(sparsity * flat.shape[1])
    mask = np.ones_like(flat)
    order = np.argsort(flat, axis=1, kind="stable")[:, :cut]
    np.put_along_axis(mask, order, 0.0, axis=1)
    return mask.reshape(values.shape).astype(np.float32)


def prune(model: Any, batch: EncodedBatch, config: PruningConfig, progress: Progress | None = None) -> dict[str, float]:
    """Cut the smallest weights of a Keras network in place, and let the others make up for them on ``batch``.

    Returns
    -------
    dict
        ``sparsity`` over the pruned matrices, and ``loss_before`` and ``loss_after`` the masked passes.
    """
    import keras
    import tensorflow as tf

    progress = progress or SilentProgress()
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.random_state)
    data = {name: tf.constant(value) for name, value in network_inputs(batch).items()}
    wanted = _answers(model, data, batch.n)
    cuts = [
        _Cut(variable, config.sparsity)
        for variable in model.trainable_variables
        if variable.path.endswith("/kernel") and variable.numpy()[0].size >= _SMALLEST_MATRIX
    ]
    behind = {id(cut.variable): cut.behind for cut in cuts}
    learned = [behind.get(id(variable), variable) for variable in model.trainable_variables]
    size = min(config.batch_size, batch.n)
    steps = batch.n // size
    decay = keras.optimizers.schedules.CosineDecay(config.learning_rate, steps * config.epochs)
    optimizer = keras.optimizers.Adam(decay)
    optimizer.build(learned)

    @tf.function(autograph=False)
    def step(rows: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = _distance(model({n: tf.gather(v, rows) for n, v in data.items()}, training=True), wanted, data, rows)
        gradients = tape.gradient(loss, model.trainable_variables, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        optimizer.apply_gradients(zip(gradients, learned, strict=True))
        for cut in cuts:
            cut.show()
        return loss

    rng = np.random.default_rng(config.random_state)
    losses = []
    for epoch in range(config.epochs):
        order = rng.permutation(batch.n).astype(np.int32)
        for k in range(steps):
            losses.append(float(step(tf.constant(order[k * size : (k + 1) * size]))))
            if k % _REPORT_EVERY == 0:
                done = (epoch * steps + k) / (steps * config.epochs)
                progress.stage("Pruning", done, "The remaining weights make up for those that were cut")
    kept, total = sum(float(cut.mask.sum()) for cut in cuts), sum(cut.mask.size for cut in cuts)
    tail = max(1, len(losses) // 10)
    return {
        "sparsity": 1 - kept / total if total else 0.0,
        "loss_before": float(np.mean(losses[: max(1, tail // 5)])),
        "loss_after": float(np.mean(losses[-tail:])),
    }


class _Cut:
    """A matrix that is pruned, and rounded to four bits where it will be stored so; ``behind`` is what learns."""

    def __init__(self, variable: Any, sparsity: float) -> None:
        import keras

        self.variable, self.mask = variable, magnitude_mask(variable.numpy(), sparsity)
        name = variable.path.replace("/", ".")
        self._top = largest_code(name) if name in FOUR_BITS else 0
        self.behind = keras.Variable(variable.numpy() * self.mask, name=name.replace(".", "_"))
        self.show()

    def show(self) -> None:
        """Let the matrix answer with what was learned behind it."""
        import tensorflow as tf

        values = self.behind * self.mask
        self.behind.assign(values)
        if self._top:
            largest = tf.reduce_max(tf.abs(values), axis=(0, 1), keepdims=True)
            scale = tf.where(largest > 0, largest, 1.0) / self._top
            values = tf.round(values / scale) * scale
        self.variable.assign(values)


def _answers(model: Any, data: dict[str, Any], n: int, block: int = 8192) -> Any:
    import tensorflow as tf

    parts = [
        model({name: value[start : start + block] for name, value in data.items()}, training=False)
        for start in range(0, n, block)
    ]
    return tf.concat(parts, axis=1)


def _distance(curve: Any, wanted: Any, data: dict[str, Any], rows: Any) -> Any:
    import tensorflow as tf

    off = curve - tf.gather(wanted, rows, axis=1)
    expected = tf.gather(data["expected_price"], rows)[None, :, :]
    level, slope = off[..., 0] - off[..., 1] * expected, off[..., 1]
    return tf.reduce_sum(tf.reduce_mean(tf.square(level) + tf.square(slope), axis=1))
