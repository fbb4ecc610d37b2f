"""Exact derivatives of the behavior network in plain NumPy, by running its layers backward.

The forward pass repeats :class:`~pricing_core.models.serving.ServingNetwork` and keeps what the way back needs. Product
codes are not numbers that can be differentiated, so the inputs are the embeddings that they stand for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.features.batch import EncodedBatch
from pricing_core.features.history import EVENT_TYPES
from pricing_core.models.serving import ServingNetwork

Floats32 = NDArray[np.float32]
Inputs = dict[str, Floats32]

INPUTS = ("customer", "product", "market", "identity", "history", "sequence", "mask", "expected")
_KINDS = len(EVENT_TYPES)


def network_inputs(network: ServingNetwork, batch: EncodedBatch) -> Inputs:
    """Inputs of the network as numbers, each (n, …), with product codes looked up in its embedding table."""
    table = network.weights["product_embedding"]
    return {
        "customer": batch.customer,
        "product": batch.product,
        "market": batch.market,
        "identity": table[batch.product_code],
        "history": table[batch.sequence_item],
        "sequence": batch.sequence,
        "mask": batch.sequence_mask,
        "expected": batch.expected_price[:, None],
    }


@dataclass(frozen=True)
class NetworkTrace:
    """Forward pass of *n* rows: ``intercept`` and ``sensitivity`` (n, 2 · members), and what the way back needs."""

    intercept: Floats32
    sensitivity: Floats32
    kept: dict[str, Any]


def trace(network: ServingNetwork, inputs: Inputs) -> NetworkTrace:
    """Run the network forward on inputs of :func:`network_inputs`, or on any mixture of such inputs."""
    w, customer, product, market = network.weights, inputs["customer"], inputs["product"], inputs["market"]
    k: dict[str, Any] = {"x": inputs}
    k["events"], k["match"] = _events_forward(w, inputs, k), _match_forward(inputs, k)
    k["what"] = np.concatenate([product, inputs["identity"]], axis=-1)
    who = np.concatenate([customer, k["events"], k["match"]], axis=-1)
    towers = [
        _rectified(w, name, part)
        for name, part in (("customer_tower", who), ("product_tower", k["what"]), ("market_tower", market))
    ]
    k["widths"] = np.cumsum([part.shape[-1] for part in towers])[:-1]
    k["towers"] = np.concatenate(towers, axis=-1)
    k["joint_1"] = _rectified(w, "joint_1", k["towers"])
    k["joint_2"] = _rectified(w, "joint_2", k["joint_1"])
    k["level"] = _rectified(w, "expected_price_tower", inputs["expected"])
    second = np.concatenate([k["joint_2"], k["level"]], axis=-1)
    raw = np.concatenate([_linear(w, "head_1", k["joint_2"]), _linear(w, "head_2", second)], axis=-1)
    k["product_view"], k["market_view"] = _linear(w, "product_view", k["what"]), _linear(w, "market_view", market)
    wide = np.concatenate([customer, product, market, k["match"]], axis=-1)
    raw = raw + _linear(w, "wide_path", wide) + _linear(w, "cross_path", k["product_view"] * k["market_view"])
    base_logit, base_slope, mean_price = (float(v) for v in w["demand"])
    bent = raw[..., [1, 3]] + np.float32(np.log(np.expm1(base_slope)))
    slope = np.logaddexp(0, bent)
    k["slope"], k["bend"] = slope, np.exp(bent - slope)  # the derivative of softplus is the logistic function
    level_1 = base_logit + raw[..., 0] + slope[..., 0] * inputs["expected"][:, 0]
    level_2 = base_logit + base_slope * mean_price + raw[..., 2]
    intercept = np.stack([level_1, level_2], axis=-1)
    return NetworkTrace(_side_by_side(intercept), _side_by_side(slope), k)


def pull_back(network: ServingNetwork, traced: NetworkTrace, intercept: Floats32, sensitivity: Floats32) -> Inputs:
    """Derivative of an outcome by every input, given its derivative by the network's answers (n, 2 · members)."""
    w, k, x = network.weights, traced.kept, traced.kept["x"]
    d_level, d_slope = _by_member(intercept), _by_member(sensitivity).copy()
    d_slope[..., 0] += d_level[..., 0] * x["expected"][:, 0]
    d_raw = np.empty((*d_level.shape[:2], 4), dtype=np.float32)
    d_raw[..., 0], d_raw[..., 2] = d_level[..., 0], d_level[..., 1]
    d_raw[..., [1, 3]] = d_slope * k["bend"]
    d_second = _back(w, "head_2", d_raw[..., 2:])
    d_joint_2 = (_back(w, "head_1", d_raw[..., :2]) + d_second[..., : k["joint_2"].shape[-1]]) * (k["joint_2"] > 0)
    d_level_tower = d_second[..., k["joint_2"].shape[-1] :] * (k["level"] > 0)
    d_expected = _back(w, "expected_price_tower", d_level_tower).sum(axis=0)
    d_expected += (d_level[..., 0] * k["slope"][..., 0]).sum(axis=0)[:, None]
    d_joint_1 = _back(w, "joint_2", d_joint_2) * (k["joint_1"] > 0)
    d_towers = _back(w, "joint_1", d_joint_1) * (k["towers"] > 0)
    d_who, d_what, d_market = np.split(d_towers, k["widths"], axis=-1)
    d_cross = _back(w, "cross_path", d_raw)
    product_view, market_view = d_cross * k["market_view"], d_cross * k["product_view"]
    by_what = (_back(w, "product_tower", d_what) + _back(w, "product_view", product_view)).sum(axis=0)
    by_market = (_back(w, "market_tower", d_market) + _back(w, "market_view", market_view)).sum(axis=0)
    by_who = _back(w, "customer_tower", d_who).sum(axis=0)
    by_wide = _back(w, "wide_path", d_raw).sum(axis=0)
    a, b, c = (x[name].shape[-1] for name in ("customer", "product", "market"))
    width = k["events"].shape[-1]
    found: Inputs = {
        "customer": by_who[:, :a] + by_wide[:, :a],
        "product": by_what[:, :b] + by_wide[:, a : a + b],
        "market": by_market + by_wide[:, a + b : a + b + c],
        "identity": by_what[:, b:],
        "expected": d_expected,
    }
    _events_back(w, k, by_who[:, a : a + width], found)
    _match_back(k, by_who[:, a + width :] + by_wide[:, a + b + c :], found)
    return found


def _linear(w: dict[str, Floats32], name: str, inputs: Floats32) -> Floats32:
    return np.asarray(np.matmul(inputs, w[f"{name}.kernel"]) + w[f"{name}.bias"])


def _rectified(w: dict[str, Floats32], name: str, inputs: Floats32) -> Floats32:
    return np.maximum(_linear(w, name, inputs), 0)


def _back(w: dict[str, Floats32], name: str, d_out: Floats32) -> Floats32:
    return np.asarray(np.matmul(d_out, w[f"{name}.kernel"].transpose(0, 2, 1)))


def _side_by_side(values: Floats32) -> Floats32:
    """From (members, n, 2 heads) to (n, 2 · members)."""
    return values.transpose(1, 0, 2).reshape(values.shape[1], -1)


def _by_member(values: Floats32) -> Floats32:
    """From (n, 2 · members) to (members, n, 2 heads)."""
    return values.astype(np.float32).reshape(len(values), -1, 2).transpose(1, 0, 2)


def _events_forward(w: dict[str, Floats32], x: Inputs, k: dict[str, Any]) -> Floats32:
    kernel, mask = w["event_convolution.kernel"], x["mask"]
    values = np.concatenate([x["history"], x["sequence"]], axis=-1)
    n, length, width = values.shape
    padded = np.zeros((n, length + 2, width), dtype=np.float32)
    padded[:, 1:-1] = values
    out = sum(padded[:, j : j + length].reshape(-1, width) @ kernel[j] for j in range(3)) + w["event_convolution.bias"]
    k["filtered"] = np.maximum(out, 0).reshape(n, length, -1)
    kept = k["filtered"] * mask[:, :, None]
    k["count"] = np.maximum(mask.sum(axis=1, keepdims=True), 1.0)
    k["mean"], k["largest"] = kept.sum(axis=1) / k["count"], kept.argmax(axis=1)
    largest = np.take_along_axis(kept, k["largest"][:, None], axis=1)[:, 0]
    return np.concatenate([k["mean"], largest], axis=-1)


def _events_back(w: dict[str, Floats32], k: dict[str, Any], d_events: Floats32, found: Inputs) -> None:
    """Write the derivative by ``history``, ``sequence`` and ``mask`` through the convolution."""
    x, filtered = k["x"], k["filtered"]
    n, length, filters = filtered.shape
    d_mean, d_largest = d_events[:, :filters], d_events[:, filters:]
    d_kept = np.repeat((d_mean / k["count"])[:, None], length, axis=1)
    rows, columns = np.ogrid[:n, :filters]
    d_kept[rows, k["largest"], columns] += d_largest
    counted = x["mask"].sum(axis=1, keepdims=True) > 1
    d_count = -(d_mean * k["mean"]).sum(axis=1, keepdims=True) / k["count"] * counted
    found["mask"] = (d_kept * filtered).sum(axis=2) + d_count
    d_out = (d_kept * x["mask"][:, :, None] * (filtered > 0)).reshape(-1, filters)
    kernel = w["event_convolution.kernel"]
    d_padded = np.zeros((n, length + 2, kernel.shape[1]), dtype=np.float32)
    for j in range(3):
        d_padded[:, j : j + length] += (d_out @ kernel[j].T).reshape(n, length, -1)
    size = x["history"].shape[-1]
    found["history"], found["sequence"] = d_padded[:, 1:-1, :size].copy(), d_padded[:, 1:-1, size:].copy()


def _match_forward(x: Inputs, k: dict[str, Any]) -> Floats32:
    kinds = x["sequence"][:, :, :_KINDS]
    k["near"] = np.matmul(x["history"], x["identity"][:, :, None])[:, :, 0]
    k["kinds"] = 2.0 + kinds.sum(axis=1)
    return np.asarray(np.matmul(k["near"][:, None], kinds)[:, 0] / k["kinds"])


def _match_back(k: dict[str, Any], d_match: Floats32, found: Inputs) -> None:
    """Add the derivative by ``history``, ``sequence`` and ``identity`` through the match of product and events."""
    x = k["x"]
    d_near_kind = d_match / k["kinds"]
    d_near = np.matmul(x["sequence"][:, :, :_KINDS], d_near_kind[:, :, None])[:, :, 0]
    found["sequence"][:, :, :_KINDS] += (
        k["near"][:, :, None] * d_near_kind[:, None] - (d_near_kind * k["match"])[:, None]
    )
    found["history"] += d_near[:, :, None] * x["identity"][:, None]
    found["identity"] = found["identity"] + np.matmul(d_near[:, None], x["history"])[:, 0]
