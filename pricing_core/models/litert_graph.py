"""The behavior network as a LiteRT file, from its numbers: a graph of few operations, then smaller constants.

TensorFlow is imported inside the functions, and only to write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.features.history import EVENT_TYPES
from pricing_core.models.litert_file import smaller_file
from pricing_core.models.serving import ServingNetwork

Floats32 = NDArray[np.float32]

_KINDS = len(EVENT_TYPES)
_STEEPEST = 20.0  # above it, ln(1 + eˣ) is x in 32 bits


def write_litert(network: ServingNetwork, path: Path, *, sequence_length: int) -> None:
    """Write a rounded network; inputs bear the names of the encoded batch, the output ``curve`` is (members, n, 2, 2).

    Matrices take four or eight bits, as :mod:`pricing_core.models.quantized` stores them, and the program turns them
    back into 32-bit numbers before it multiplies: it computes what the rounded network computes.
    """
    import tensorflow as tf

    answer = _answer(tf, network.weights)
    inputs = _inputs(tf, network.weights, sequence_length)
    serve = tf.function(lambda **given: {"curve": answer(given)}, autograph=False).get_concrete_function(**inputs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([serve], tf.Module())
    path.write_bytes(smaller_file(converter.convert(), network.weights))


def _inputs(tf: Any, weights: Mapping[str, Floats32], length: int) -> dict[str, Any]:
    embedding, market = weights["product_embedding"].shape[1], weights["market_tower.kernel"].shape[1]
    product = weights["product_tower.kernel"].shape[1] - embedding
    channels = weights["event_convolution.kernel"].shape[1] - embedding
    customer = weights["wide_path.kernel"].shape[1] - _KINDS - product - market
    shapes = {
        "customer": (customer,), "product": (product,), "market": (market,), "product_code": (),
        "sequence": (length, channels), "sequence_item": (length,), "sequence_mask": (length,), "expected_price": (1,),
    }  # fmt: skip
    return {
        name: tf.TensorSpec([None, *shape], tf.int32 if name in ("product_code", "sequence_item") else tf.float32, name)
        for name, shape in shapes.items()
    }


def _last_bias(weights: Mapping[str, Floats32]) -> Floats32:
    """Everything that is added to the raw outputs whatever the row, (members, 1, 4)."""
    level, slope, mean = (float(value) for value in weights["demand"])
    shift = np.log(np.expm1(slope))
    start = np.array([level, shift, level + slope * mean, shift], dtype=np.float32)
    heads = np.concatenate([weights["head_1.bias"], weights["head_2.bias"]], axis=2)
    return np.asarray(start + heads + weights["wide_path.bias"] + weights["cross_path.bias"], dtype=np.float32)


def _answer(tf: Any, w: Mapping[str, Floats32]) -> Callable[[Mapping[str, Any]], Any]:
    """Return the function that computes the demand curves of a block of rows."""

    def dense(name: str, value: Any) -> Any:
        return tf.nn.relu(tf.matmul(value, w[f"{name}.kernel"]) + w[f"{name}.bias"])

    def match(identity: Any, history: Any, kinds: Any) -> Any:
        near = tf.reduce_sum(history * tf.expand_dims(identity, 1), axis=2, keepdims=True)
        return tf.reduce_sum(near * kinds, axis=1) / (tf.reduce_sum(kinds, axis=1) + 2.0)

    def events(history: Any, sequence: Any, mask: Any) -> tuple[Any, Any]:
        values = tf.expand_dims(tf.concat([history, sequence], axis=2), 1)
        kernel = w["event_convolution.kernel"]
        out = tf.nn.conv2d(values, kernel[None], strides=1, padding="SAME") + w["event_convolution.bias"]
        kept = tf.nn.relu(out) * tf.reshape(mask, [-1, 1, mask.shape[1], 1])
        count = tf.maximum(tf.reduce_sum(mask, axis=1, keepdims=True), 1.0)
        return tf.reduce_sum(kept, axis=[1, 2]) / count, tf.reduce_max(kept, axis=[1, 2])

    def cross(what: Any, market: Any) -> Any:
        views = (("product_view", what), ("market_view", market))
        by_product, by_market = (tf.matmul(value, w[f"{n}.kernel"]) + w[f"{n}.bias"] for n, value in views)
        return tf.matmul(by_product * by_market, w["cross_path.kernel"])

    def curve(raw: Any, expected: Any) -> Any:
        levels, slopes = tf.unstack(tf.reshape(raw, [len(w["head_1.kernel"]), -1, 2, 2]), axis=3)
        slopes = tf.maximum(slopes, tf.math.log(tf.exp(tf.minimum(slopes, _STEEPEST)) + 1.0))
        levels += slopes * (expected * np.array([1.0, 0.0], dtype=np.float32))
        return tf.stack([levels, slopes], axis=3)

    def answer(given: Mapping[str, Any]) -> Any:
        customer, product, market, sequence = (given[n] for n in ("customer", "product", "market", "sequence"))
        identity = tf.gather(w["product_embedding"], given["product_code"])
        history = tf.gather(w["product_embedding"], given["sequence_item"])
        taste = match(identity, history, sequence[:, :, :_KINDS])
        what, expected = tf.concat([product, identity], axis=1), given["expected_price"]
        who = tf.concat([customer, *events(history, sequence, given["sequence_mask"]), taste], axis=1)
        towers = [dense("customer_tower", who), dense("product_tower", what), dense("market_tower", market)]
        joint = dense("joint_2", dense("joint_1", tf.concat(towers, axis=2)))
        level = tf.nn.relu(expected * w["expected_price_tower.kernel"] + w["expected_price_tower.bias"])
        one = tf.matmul(joint, w["head_1.kernel"])
        two = tf.matmul(tf.concat([joint, level], axis=2), w["head_2.kernel"])
        wide = tf.matmul(tf.concat([customer, product, market, taste], axis=1), w["wide_path.kernel"])
        raw = tf.concat([one, two], axis=2) + wide + (cross(what, market) + _last_bias(w))
        return curve(raw, expected)

    return answer
