"""Fit the plain network with Keras. Importing this module imports TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from pricing_core.models.families.learner import FoldRows
from pricing_core.models.layers import MemberDense

if TYPE_CHECKING:
    from pricing_core.models.families.plain_network import PlainNetworkConfig, Weights

_STEPS_PER_EPOCH = 50  # of a small shop, whose steps are made smaller to come to this number
_SMALLEST_STEP = 64  # rows
_EMBEDDING = 6


class PlainFitter:
    """Members of one fold side by side: each sees the same rows with weights of its own."""

    def __init__(
        self,
        config: PlainNetworkConfig,
        seed: int,
        rows: FoldRows,
        inputs: NDArray[np.float32],
        price: NDArray[np.float64],
    ) -> None:
        tf.config.experimental.enable_op_determinism()
        keras.utils.set_random_seed(seed)
        self.n, members = len(price), rows.weight.shape[1]
        width = inputs.shape[1] + _EMBEDDING + 1
        start = keras.initializers.RandomNormal(stddev=0.1)
        codes = max(rows.batch.n_products, int(rows.batch.product_code.max())) + 1
        self._embedding = keras.Variable(start((members, codes, _EMBEDDING)), name="embedding")
        self._layers = [
            MemberDense(members, config.units, "relu", gain=2**0.5),
            MemberDense(members, max(config.units // 2, 1), "relu", gain=2**0.5),
            MemberDense(members, 1),
        ]
        for layer, size in zip(self._layers, (width, config.units, max(config.units // 2, 1)), strict=True):
            layer.build((None, size))
        rate = float(np.clip(np.average(rows.y, weights=rows.mean_weight), 1e-6, 1 - 1e-6))
        self._layers[-1].bias.assign(np.full((members, 1, 1), np.log(rate / (1 - rate)), dtype=np.float32))
        self._inputs, self._code = tf.constant(inputs), tf.constant(rows.batch.product_code)
        self._price, self._y = (tf.constant(v.astype(np.float32)) for v in (price, rows.y))
        self._weight = tf.constant(rows.weight.astype(np.float32))
        self._rows = min(config.batch_size, max(self.n // _STEPS_PER_EPOCH, _SMALLEST_STEP), self.n)
        self._steps = self.n // self._rows
        self._rng = np.random.default_rng(seed)
        momentum = float(np.clip(np.exp(-1.0 / self._steps), 0.8, 0.995))
        self._optimizer = keras.optimizers.AdamW(
            config.learning_rate, weight_decay=config.weight_decay, use_ema=True, ema_momentum=momentum
        )
        self._variables = [self._embedding, *(v for layer in self._layers for v in layer.trainable_variables)]
        self._optimizer.build(self._variables)
        self._step = tf.function(self._training_step, autograph=False)

    def run_epoch(self) -> Weights:
        """One pass in random order; returns the averaged weights after it."""
        order = self._rng.permutation(self.n).astype(np.int32)
        for step in range(self._steps):
            self._step(tf.constant(order[step * self._rows : (step + 1) * self._rows]))
        current = [variable.numpy() for variable in self._variables]
        self._optimizer.finalize_variable_values(self._variables)
        found = {"embedding": self._embedding.numpy()}
        for k, layer in enumerate(self._layers, start=1):
            found[f"kernel_{k}"], found[f"bias_{k}"] = layer.kernel.numpy(), layer.bias.numpy()
        for variable, value in zip(self._variables, current, strict=True):
            variable.assign(value)
        return found

    def _training_step(self, rows: Any) -> None:
        inputs, price = tf.gather(self._inputs, rows), tf.gather(self._price, rows)
        y, weight = tf.gather(self._y, rows), tf.gather(self._weight, rows)
        with tf.GradientTape() as tape:
            looked_up = tf.gather(self._embedding.value, tf.gather(self._code, rows), axis=1)
            members = tf.shape(looked_up)[0]
            shared = tf.tile(inputs[None], [members, 1, 1])
            last = tf.tile(price[None, :, None], [members, 1, 1])
            hidden = tf.concat([shared, looked_up, last], axis=-1)
            for layer in self._layers:
                hidden = layer(hidden)
            logit = hidden[..., 0]
            each = tf.nn.sigmoid_cross_entropy_with_logits(tf.broadcast_to(y[None], tf.shape(logit)), logit)
            # Summed over members so that each of them takes the step it would take alone.
            loss = tf.reduce_sum(tf.reduce_mean(each * tf.transpose(weight), axis=1))
        gradients = tape.gradient(loss, self._variables)
        self._optimizer.apply_gradients(zip(gradients, self._variables, strict=True))
