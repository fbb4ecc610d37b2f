"""The behavior network in plain NumPy: prices without importing TensorFlow.

A page or a command answers in a fraction of the time that importing TensorFlow alone takes. The mirror computes the
same function as the saved Keras model (a test holds the two together).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.array_files import read_array_file
from pricing_core.features.batch import EncodedBatch
from pricing_core.features.history import EVENT_TYPES
from pricing_core.models.threads import in_blocks

Floats32 = NDArray[np.float32]

_BLOCK = 4096
MEMBER_LAYERS = (
    "customer_tower", "product_tower", "market_tower", "expected_price_tower", "joint_1", "joint_2", "head_1", "head_2",
    "product_view", "market_view", "cross_path", "wide_path",
)  # fmt: skip


class ServingNetwork:
    """Forward pass of one behavior network.

    Parameters
    ----------
    weights
        ``<layer>.kernel``, ``<layer>.bias``, ``product_embedding``, ``event_convolution.kernel`` and ``.bias``, and
        ``demand`` = (base logit, base sensitivity, mean price).
    """

    def __init__(self, weights: Mapping[str, Floats32]) -> None:
        self.weights = {name: np.asarray(value, dtype=np.float32) for name, value in weights.items()}
        self.members = int(self.weights["head_1.kernel"].shape[0])

    @classmethod
    def from_keras(cls, model: Any) -> ServingNetwork:
        """Copy the weights of a Keras model built by :func:`~pricing_core.models.network.build_network`."""
        weights: dict[str, Floats32] = {}
        for name in (*MEMBER_LAYERS, "event_convolution"):
            layer = model.get_layer(name)
            weights[f"{name}.kernel"] = np.asarray(layer.kernel)
            weights[f"{name}.bias"] = np.asarray(layer.bias)
        weights["product_embedding"] = np.asarray(model.get_layer("product_embedding").table())
        demand = model.get_layer("demand")
        weights["demand"] = np.array([demand.base_logit, demand.base_sensitivity, demand.mean_price])
        return cls(weights)

    def base(self) -> tuple[float, float, float]:
        """Base logit, base sensitivity and mean price, around which the raw outputs lie."""
        logit, slope, price = (float(v) for v in self.weights["demand"])
        return logit, slope, price

    def control(self, otherwise: float) -> float:
        """Mean coefficient of the first stage's residual; ``otherwise`` where the network learned none."""
        found = self.weights.get("control")
        return otherwise if found is None else float(found.mean())

    def save(self, path: Path) -> None:
        """Write the weights as ``.npz`` (no pickle)."""
        np.savez(path, **self.weights)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> ServingNetwork:
        """Read what :meth:`save` wrote."""
        return cls(read_array_file(path, what="network file"))

    def curves(self, batch: EncodedBatch) -> tuple[Floats32, Floats32]:
        """Intercept and sensitivity of each row, both (n, 2 · members), the two heads of a member side by side."""
        intercept = np.empty((batch.n, 2 * self.members), dtype=np.float32)
        sensitivity = np.empty_like(intercept)

        def work(rows: slice) -> None:
            out = self._forward(batch, rows)
            intercept[rows] = out[..., 0].transpose(1, 0, 2).reshape(-1, 2 * self.members)
            sensitivity[rows] = out[..., 1].transpose(1, 0, 2).reshape(-1, 2 * self.members)

        in_blocks(batch.n, _BLOCK, work)
        return intercept, sensitivity

    def _dense(self, name: str, inputs: Floats32, *, rectify: bool = True) -> Floats32:
        out = np.matmul(inputs, self.weights[f"{name}.kernel"]) + self.weights[f"{name}.bias"]
        return np.maximum(out, 0) if rectify else out

    def events(self, history: Floats32, sequence: Floats32, mask: Floats32) -> Floats32:
        """Mean and maximum of the convolution over recent events, (n, 2 · filters)."""
        kernel, bias = self.weights["event_convolution.kernel"], self.weights["event_convolution.bias"]
        values = np.concatenate([history, sequence], axis=-1)
        n, length, width = values.shape
        padded = np.zeros((n, length + 2, width), dtype=np.float32)
        padded[:, 1:-1] = values
        out = sum(padded[:, k : k + length].reshape(-1, width) @ kernel[k] for k in range(3)) + bias
        kept = np.maximum(out, 0).reshape(n, length, -1) * mask[:, :, None]
        count = np.maximum(mask.sum(axis=1, keepdims=True), 1.0)
        return np.concatenate([kept.sum(axis=1) / count, kept.max(axis=1)], axis=-1)

    def _forward(self, batch: EncodedBatch, rows: slice) -> Floats32:
        table = self.weights["product_embedding"]
        customer, product, market = batch.customer[rows], batch.product[rows], batch.market[rows]
        sequence, mask = batch.sequence[rows], batch.sequence_mask[rows]
        identity, history = table[batch.product_code[rows]], table[batch.sequence_item[rows]]
        kinds = sequence[:, :, : len(EVENT_TYPES)]
        near = np.einsum("nld,nd->nl", history, identity)[:, :, None]
        match = (near * kinds).sum(axis=1) / (2.0 + kinds.sum(axis=1))
        events = self.events(history, sequence, mask)
        what = np.concatenate([product, identity], axis=-1)
        towers = np.concatenate(
            [
                self._dense("customer_tower", np.concatenate([customer, events, match], axis=-1)),
                self._dense("product_tower", what),
                self._dense("market_tower", market),
            ],
            axis=-1,
        )
        joint = self._dense("joint_2", self._dense("joint_1", towers))
        expected = batch.expected_price[rows][:, None]
        level = self._dense("expected_price_tower", expected)
        second = np.concatenate([joint, level], axis=-1)
        raw = np.concatenate(
            [self._dense("head_1", joint, rectify=False), self._dense("head_2", second, rectify=False)], axis=-1
        )
        wide = np.concatenate([customer, product, market, match], axis=-1)
        cross = self._dense("product_view", what, rectify=False) * self._dense("market_view", market, rectify=False)
        raw = raw + self._dense("wide_path", wide, rectify=False) + self._dense("cross_path", cross, rectify=False)
        base_logit, base_slope, mean_price = (float(v) for v in self.weights["demand"])
        slope = np.logaddexp(0, raw[..., [1, 3]] + np.float32(np.log(np.expm1(base_slope))))
        level_1 = base_logit + raw[..., 0] + slope[..., 0] * expected[:, 0]
        level_2 = base_logit + base_slope * mean_price + raw[..., 2]
        return np.stack([np.stack([level_1, level_2], axis=-1), slope], axis=-1)
