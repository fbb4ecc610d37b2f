"""Keras layers of the behavior network. Importing this module imports TensorFlow."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("pricing_core")
class MemberDense(keras.layers.Layer):
    """One dense layer per ensemble member: ``(n, i)`` or ``(members, n, i)`` → ``(members, n, units)``."""

    def __init__(
        self, members: int, units: int, activation: str | None = None, gain: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.members, self.units, self.gain = members, units, gain
        self.activation_name = activation
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create a kernel and a bias per member."""
        width = int(input_shape[-1] or 1)
        start = keras.initializers.RandomNormal(stddev=self.gain / math.sqrt(width))
        self.kernel = self.add_weight(shape=(self.members, width, self.units), initializer=start, name="kernel")
        self.bias = self.add_weight(shape=(self.members, 1, self.units), initializer="zeros", name="bias")

    def call(self, inputs: Any) -> Any:
        """Multiply, add, activate."""
        return self.activation(ops.matmul(inputs, self.kernel) + self.bias)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Members first."""
        return (self.members, input_shape[-2], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the settings for saving."""
        own = {"members": self.members, "units": self.units, "activation": self.activation_name, "gain": self.gain}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("pricing_core")
class BorrowingEmbedding(keras.layers.Layer):
    """Embedding in which a thin product counts in part as one never seen: ``e₀ + w_j (e_j − e₀)``.

    The own shares ``w`` are set with :meth:`set_share` and not learned; see :mod:`pricing_core.models.thin_data`.
    """

    def __init__(self, codes: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.codes, self.width = codes, width

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the table and the shares."""
        self.embeddings = self.add_weight(shape=(self.codes, self.width), initializer="uniform", name="embeddings")
        self.share = self.add_weight(shape=(self.codes, 1), initializer="ones", trainable=False, name="share")
        super().build(input_shape)

    def table(self) -> Any:
        """Embedding of every code after borrowing, (codes, width)."""
        unseen = self.embeddings[:1]
        return unseen + self.share * (self.embeddings - unseen)

    def call(self, codes: Any) -> Any:
        """Look codes up."""
        return ops.take(self.table(), ops.cast(codes, "int32"), axis=0)

    def set_share(self, share: Any) -> None:
        """Set the own share of every code, (codes,)."""
        self.share.assign(share[:, None])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """One vector per code."""
        return (*input_shape, self.width)

    def get_config(self) -> dict[str, Any]:
        """Return the settings for saving."""
        return {**super().get_config(), "codes": self.codes, "width": self.width}


@keras.saving.register_keras_serializable("pricing_core")
class TasteMatch(keras.layers.Layer):
    """How close the offered product lies to the products of recent events, per event type.

    ``m_k = Σ_l 1{type_l = k} e_l · e_j / (2 + Σ_l 1{type_l = k})`` for embeddings ``e`` of events *l* and of the
    product *j*.
    """

    def call(self, product: Any, events: Any, kinds: Any) -> Any:
        """``product`` (n, d), ``events`` (n, L, d), ``kinds`` (n, L, types) one-hot → (n, types)."""
        near = ops.sum(events * ops.expand_dims(product, 1), axis=-1, keepdims=True)
        return ops.sum(near * kinds, axis=1) / (2.0 + ops.sum(kinds, axis=1))

    def compute_output_shape(self, product_shape: Any, events_shape: Any, kinds_shape: Any) -> tuple[int | None, int]:
        """One number per event type."""
        return (kinds_shape[0], kinds_shape[-1])


@keras.saving.register_keras_serializable("pricing_core")
class MaskedPool(keras.layers.Layer):
    """Mean and maximum over the events that are there: ``(n, L, f), (n, L)`` → ``(n, 2f)``."""

    def call(self, values: Any, present: Any) -> Any:
        """Pool; all zeros where there is no event. ``values`` must be ≥ 0."""
        kept = values * ops.expand_dims(present, -1)
        count = ops.maximum(ops.sum(present, axis=1, keepdims=True), 1.0)
        return ops.concatenate([ops.sum(kept, axis=1) / count, ops.max(kept, axis=1)], axis=-1)

    def compute_output_shape(self, values_shape: Any, present_shape: Any) -> tuple[int | None, int]:
        """Twice the width."""
        return (values_shape[0], 2 * values_shape[-1])


@keras.saving.register_keras_serializable("pricing_core")
class DemandHeads(keras.layers.Layer):
    """Turn raw outputs into two demand curves per member.

    Raw outputs ``(members, n, 4)`` are ``a₁, b₁, a₂, b₂``. With ``β = softplus(b + softplus⁻¹(β₀))``:

    * price-centered head: ``logit = α₀ + a₁ − β₁ (x − ê)``, so its intercept is ``α₀ + a₁ + β₁ ê``;
    * expected-price head: ``logit = α₀ + β₀ x̄ + a₂ − β₂ x``.

    Output ``(members, n, 2 heads, 2)``: intercept and sensitivity.
    """

    def __init__(self, base_logit: float, base_sensitivity: float, mean_price: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.base_logit, self.base_sensitivity, self.mean_price = base_logit, base_sensitivity, mean_price

    def call(self, raw: Any, expected: Any) -> Any:
        """``raw`` (members, n, 4), ``expected`` (n, 1) → (members, n, 2, 2)."""
        shift = math.log(math.expm1(self.base_sensitivity))
        slope_1, slope_2 = ops.softplus(raw[..., 1] + shift), ops.softplus(raw[..., 3] + shift)
        level_1 = self.base_logit + raw[..., 0] + slope_1 * expected[:, 0]
        level_2 = self.base_logit + self.base_sensitivity * self.mean_price + raw[..., 2]
        return ops.stack([ops.stack([level_1, slope_1], -1), ops.stack([level_2, slope_2], -1)], axis=2)

    def compute_output_shape(self, raw_shape: Any, expected_shape: Any) -> tuple[int | None, ...]:
        """Members, rows, heads, (intercept, sensitivity)."""
        return (raw_shape[0], raw_shape[1], 2, 2)

    def get_config(self) -> dict[str, Any]:
        """Return the settings for saving."""
        own = {"base_logit": self.base_logit, "base_sensitivity": self.base_sensitivity, "mean_price": self.mean_price}
        return {**super().get_config(), **own}
