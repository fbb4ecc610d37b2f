"""The behavior network asked about pairs: towers once for each customer and once for each product, then the rest.

The first layers see either the customer or the product and its market; only the match of their tastes, the joint
layers and the expected price belong to a pair. The result is that of
:class:`~pricing_core.models.serving.ServingNetwork` up to the rounding of 32-bit sums.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.features.batch import EncodedBatch
from pricing_core.features.history import EVENT_TYPES
from pricing_core.models.serving import ServingNetwork

Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]

_BLOCK: Final = 4096
_KINDS: Final = len(EVENT_TYPES)


class PairedNetwork:
    """One network with the activations of two tables at hand.

    Parameters
    ----------
    network
        The network.
    left
        Encoded rows whose customer block and events count, (A rows).
    right
        Encoded rows whose product and market count, (B rows).
    """

    def __init__(self, network: ServingNetwork, left: EncodedBatch, right: EncodedBatch) -> None:
        self.w, self.members = network.weights, network.members
        self._widths(left)
        parts = [self._left_rows(network, left, slice(at, at + _BLOCK)) for at in range(0, left.n, _BLOCK)]
        self._tower, self._taste, self._wide = (np.concatenate(values) for values in zip(*parts, strict=True))
        self._right_rows(right)

    def _widths(self, left: EncodedBatch) -> None:
        """Cut the kernels of the joined inputs into those of their parts."""
        w, a = self.w, left.customer.shape[1]
        tower, wide = w["customer_tower.kernel"], w["wide_path.kernel"]
        self.units = tower.shape[2]
        self._tower_customer, self._tower_events = _flat(tower[:, :a]), _flat(tower[:, a:-_KINDS])
        self._tower_match = _flat(tower[:, -_KINDS:])
        self._wide_customer, self._wide_match = _flat(wide[:, :a]), _flat(wide[:, -_KINDS:])
        self._wide_goods = wide[:, a:-_KINDS]
        joint = w["joint_1.kernel"]
        product_units = w["product_tower.kernel"].shape[2]
        self._joint_customer = np.ascontiguousarray(joint[:, : self.units])
        self._joint_product = joint[:, self.units : self.units + product_units]
        self._joint_market = joint[:, self.units + product_units :]
        units = w["joint_2.kernel"].shape[2]
        self._heads = np.concatenate([w["head_1.kernel"], w["head_2.kernel"][:, :units]], axis=2)
        self._heads_bias = np.concatenate([w["head_1.bias"], w["head_2.bias"]], axis=2)
        self._level_head = np.ascontiguousarray(w["head_2.kernel"][:, units:])

    def _left_rows(
        self, network: ServingNetwork, left: EncodedBatch, rows: slice
    ) -> tuple[Floats32, Floats32, Floats32]:
        """Customer tower before match and rectifier, taste vectors, and the customer part of the wide path."""
        customer, sequence = left.customer[rows], left.sequence[rows]
        history = self.w["product_embedding"][left.sequence_item[rows]]
        events = network.events(history, sequence, left.sequence_mask[rows])
        tower = customer @ self._tower_customer + events @ self._tower_events
        tower += self.w["customer_tower.bias"].reshape(1, -1)
        kinds = sequence[:, :, :_KINDS]
        taste = np.matmul(kinds.transpose(0, 2, 1), history) / (2.0 + kinds.sum(axis=1))[:, :, None]
        return tower, taste, customer @ self._wide_customer

    def _right_rows(self, right: EncodedBatch) -> None:
        """Everything that product and market add to the joint layer and to the outputs."""
        w = self.w
        self._identity = w["product_embedding"][right.product_code]
        what = np.concatenate([right.product, self._identity], axis=-1)
        product = np.maximum(np.matmul(what, w["product_tower.kernel"]) + w["product_tower.bias"], 0)
        market = np.maximum(np.matmul(right.market, w["market_tower.kernel"]) + w["market_tower.bias"], 0)
        joint = np.matmul(product, self._joint_product) + np.matmul(market, self._joint_market) + w["joint_1.bias"]
        self._joint_goods = np.ascontiguousarray(joint)
        views = [
            np.matmul(value, w[f"{name}.kernel"]) + w[f"{name}.bias"]
            for name, value in (("product_view", what), ("market_view", right.market))
        ]
        wide = np.matmul(np.concatenate([right.product, right.market], axis=-1), self._wide_goods) + w["wide_path.bias"]
        wide += np.matmul(views[0] * views[1], w["cross_path.kernel"]) + w["cross_path.bias"]
        self._goods = wide + self._heads_bias

    def curves(self, left_row: Ints, right_row: Ints, expected: Floats32) -> tuple[Floats32, Floats32]:
        """Intercept and sensitivity of pairs of rows, both (n, 2 · members), as the plain network orders them."""
        n, m = len(left_row), self.members
        intercept = np.empty((n, m, 2), dtype=np.float32)
        sensitivity = np.empty_like(intercept)
        for start in range(0, n, _BLOCK):
            rows = slice(start, min(start + _BLOCK, n))
            level, slope = self._pairs(left_row[rows], right_row[rows], expected[rows])
            intercept[rows], sensitivity[rows] = level.transpose(1, 0, 2), slope.transpose(1, 0, 2)
        return intercept.reshape(n, -1), sensitivity.reshape(n, -1)

    def _pairs(self, left_row: Ints, right_row: Ints, expected: Floats32) -> tuple[Floats32, Floats32]:
        n, m, w = len(left_row), self.members, self.w
        match = np.einsum("nkd,nd->nk", np.take(self._taste, left_row, axis=0), self._identity[right_row])
        tower = np.take(self._tower, left_row, axis=0)
        tower += match @ self._tower_match
        np.maximum(tower, 0, out=tower)
        joint = np.matmul(tower.reshape(n, m, self.units).transpose(1, 0, 2), self._joint_customer)
        joint += np.take(self._joint_goods, right_row, axis=1)
        np.maximum(joint, 0, out=joint)
        last = np.matmul(joint, w["joint_2.kernel"])
        last += w["joint_2.bias"]
        np.maximum(last, 0, out=last)
        raw = np.matmul(last, self._heads)
        level = expected[:, None] * w["expected_price_tower.kernel"] + w["expected_price_tower.bias"]
        raw[..., 2:] += np.matmul(np.maximum(level, 0, out=level), self._level_head)
        wide = self._wide[left_row]
        wide += match @ self._wide_match
        raw += wide.reshape(n, m, 4).transpose(1, 0, 2)
        raw += np.take(self._goods, right_row, axis=1)
        base_logit, base_slope, mean_price = (float(value) for value in w["demand"])
        slope = _softplus(raw[..., 1::2] + np.float32(np.log(np.expm1(base_slope))))
        intercept = raw[..., ::2] + np.float32(base_logit)
        intercept[..., 0] += slope[..., 0] * expected
        intercept[..., 1] += np.float32(base_slope * mean_price)
        return intercept, slope


def _flat(kernel: Floats32) -> Floats32:
    """Kernels of all members side by side: (members, in, units) → (in, members · units)."""
    return np.ascontiguousarray(kernel.transpose(1, 0, 2).reshape(kernel.shape[1], -1))


def _softplus(x: Floats32) -> Floats32:
    """Return ln(1 + eˣ) without overflow."""
    rest = np.exp(-np.abs(x))
    rest += np.float32(1)
    return np.asarray(np.log(rest) + np.maximum(x, 0))
