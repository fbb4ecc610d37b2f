"""Networks in four and eight bits, in other programs' files, and answered in pairs: the same function, smaller."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pricing_core.errors import ConfigError, ModelError
from pricing_core.features import EncodedBatch
from pricing_core.models.leaf_masks import PairedTrees, fits
from pricing_core.models.paired_network import PairedNetwork
from pricing_core.models.pruning import PruningConfig, magnitude_mask
from pricing_core.models.quantized import largest_code, load_quantized, packed, quantize, rounded, save_quantized
from pricing_core.models.serving import ServingNetwork
from pricing_core.models.threads import in_blocks, one_blas_thread

BatchOf = Callable[..., EncodedBatch]
MEMBERS, EMBEDDING, FILTERS = 3, 8, 16


def network_for(batch: EncodedBatch, seed: int = 0, members: int = MEMBERS) -> ServingNetwork:
    """A network of random weights for a batch."""
    rng = np.random.default_rng(seed)
    a, b, c = batch.customer.shape[1], batch.product.shape[1], batch.market.shape[1]
    widths = {
        "customer_tower": (a + 2 * FILTERS + 4, 32), "product_tower": (b + EMBEDDING, 24), "market_tower": (c, 12),
        "expected_price_tower": (1, 8), "joint_1": (68, 48), "joint_2": (48, 24), "head_1": (24, 2), "head_2": (32, 2),
        "product_view": (b + EMBEDDING, 8), "market_view": (c, 8), "cross_path": (8, 4),
        "wide_path": (a + b + c + 4, 4),
    }  # fmt: skip
    weights = {"product_embedding": rng.standard_normal((batch.n_products + 1, EMBEDDING))}
    for name, (width, units) in widths.items():
        weights[f"{name}.kernel"] = rng.standard_normal((members, width, units)) / np.sqrt(width)
        weights[f"{name}.bias"] = 0.1 * rng.standard_normal((members, 1, units))
    weights["event_convolution.kernel"] = 0.2 * rng.standard_normal((3, EMBEDDING + batch.sequence.shape[2], FILTERS))
    weights["event_convolution.bias"] = 0.1 * rng.standard_normal(FILTERS)
    weights["demand"] = np.array([-1.5, 4.0, 1.0])
    return ServingNetwork({name: np.asarray(value, dtype=np.float32) for name, value in weights.items()})


def test_codes_move_no_weight_by_more_than_half_a_step(batch_of: BatchOf, tmp_path: Path) -> None:
    network = network_for(batch_of(10, 1))
    for name, top in (("customer_tower.kernel", 7), ("event_convolution.kernel", 127), ("product_embedding", 127)):
        codes, scale = quantize(name, network.weights[name])
        assert np.abs(codes).max() == largest_code(name) == top
        assert (np.abs(codes * scale - network.weights[name]) <= scale * 0.5001).all()
    save_quantized(network.weights, tmp_path / "small.npz")
    network.save(tmp_path / "large.npz")
    again = load_quantized(tmp_path / "small.npz")
    expected = rounded(network.weights)
    assert list(again.weights) == list(expected)
    assert all(np.array_equal(again.weights[name], expected[name]) for name in expected)
    assert (tmp_path / "small.npz").stat().st_size < 0.25 * (tmp_path / "large.npz").stat().st_size
    twice = rounded(expected)
    assert all(np.allclose(twice[name], expected[name], atol=1e-7) for name in expected)
    (tmp_path / "small.npz").write_bytes(b"PK")
    with pytest.raises(ModelError, match="Compress the run again"):
        load_quantized(tmp_path / "small.npz")


def test_a_file_that_does_not_state_its_scales_has_one_for_each_member(batch_of: BatchOf, tmp_path: Path) -> None:
    weights = dict(network_for(batch_of(10, 1)).weights)
    layout, codes, scales, rest, expected = [], [], [], [], {}
    for name, values in weights.items():
        layout.append({"name": name, "shape": list(values.shape)})
        if not (name.endswith(".kernel") or name.endswith("embedding")):
            rest.append(values.ravel())
            expected[name] = values
            continue
        axes = (0,) if values.ndim == 2 else (0, 1) if name.startswith("event_convolution") else (1,)
        scale = np.abs(values).max(axis=axes, keepdims=True) / np.float32(127)
        code = np.rint(values / scale).astype(np.int8)
        codes.append(code.ravel())
        scales.append(scale.ravel())
        expected[name] = code * scale
    text = np.frombuffer(json.dumps(layout).encode("utf-8"), dtype=np.uint8)
    np.savez(
        tmp_path / "old.npz",
        codes=np.concatenate(codes), scales=np.concatenate(scales), rest=np.concatenate(rest), layout=text,
    )  # fmt: skip
    again = load_quantized(tmp_path / "old.npz")
    assert all(np.array_equal(again.weights[name], expected[name]) for name in expected)


def test_pruning_takes_the_smallest_weights_of_each_member() -> None:
    values = np.arange(1, 25, dtype=np.float32).reshape(2, 3, 4)
    mask = magnitude_mask(values, 0.25)
    assert mask.sum() == 18
    assert (mask[0, 0] == [0, 0, 0, 1]).all() and (mask[1, 0] == [0, 0, 0, 1]).all()
    assert magnitude_mask(values, 0.0).all()
    with pytest.raises(ConfigError, match=r"between 0 and 0\.9"):
        PruningConfig(sparsity=0.95)


def test_codes_of_four_bits_lie_two_in_a_byte() -> None:
    assert packed(np.array([1, -1, 7, -7, 3], dtype=np.int8)) == bytes([0xF1, 0x97, 0x03])
    assert packed(np.zeros((0,), dtype=np.int8)) == b""


def test_litert_answers_like_the_rounded_network(batch_of: BatchOf, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    pytest.importorskip("tensorflow")
    from pricing_core.models.exported import LiteRtNetwork
    from pricing_core.models.litert_graph import write_litert

    batch = batch_of(5_000, 2)
    plain = network_for(batch, members=6)
    network = ServingNetwork(rounded(plain.weights))
    write_litert(network, tmp_path / "net.tflite", sequence_length=batch.sequence.shape[1])
    answers = LiteRtNetwork(tmp_path / "net.tflite", network).curves(batch)
    for one, two in zip(network.curves(batch), answers, strict=True):
        np.testing.assert_allclose(one, two, atol=2e-4)
    plain.save(tmp_path / "large.npz")
    assert (tmp_path / "net.tflite").stat().st_size < 0.25 * (tmp_path / "large.npz").stat().st_size
    (tmp_path / "net.tflite").write_bytes(b"x")
    with pytest.raises(ModelError, match="cannot be read by LiteRT"):
        LiteRtNetwork(tmp_path / "net.tflite", network)


def test_onnx_answers_like_the_rounded_network(batch_of: BatchOf, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from pricing_core.models.exported import OnnxNetwork
    from pricing_core.models.onnx_graph import write_onnx

    batch = batch_of(5_000, 2)
    plain = network_for(batch)
    network = ServingNetwork(rounded(plain.weights))
    write_onnx(network, tmp_path / "net.onnx", sequence_length=batch.sequence.shape[1])
    plain.save(tmp_path / "large.npz")
    assert (tmp_path / "net.onnx").stat().st_size < 0.25 * (tmp_path / "large.npz").stat().st_size
    for one, two in zip(network.curves(batch), OnnxNetwork(tmp_path / "net.onnx", network).curves(batch), strict=True):
        np.testing.assert_allclose(one, two, atol=2e-4)
    (tmp_path / "net.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match="cannot be read by ONNX"):
        OnnxNetwork(tmp_path / "net.onnx", network)


def test_pairs_are_answered_like_rows(batch_of: BatchOf) -> None:
    left, right = batch_of(300, 3), batch_of(40, 4)
    network = network_for(left, 5)
    rng = np.random.default_rng(6)
    who, what = rng.integers(0, 300, 9_000), rng.integers(0, 40, 9_000)
    people, goods = left.take(who), right.take(what)
    rows = EncodedBatch(
        people.customer, goods.product, goods.market, goods.product_code, people.sequence, people.sequence_item,
        people.sequence_mask, people.expected_price, left.groups, left.n_products,
    )  # fmt: skip
    paired = PairedNetwork(network, left, right).curves(who, what, people.expected_price)
    for one, two in zip(network.curves(rows), paired, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-4)


def test_trees_asked_about_pairs_reach_the_same_leaves() -> None:
    import lightgbm as lgb

    rng = np.random.default_rng(7)
    left, right = rng.standard_normal((200, 4)).astype(np.float32), rng.standard_normal((30, 3)).astype(np.float32)
    who, what = rng.integers(0, 200, 5_000), rng.integers(0, 30, 5_000)
    matrix = np.hstack([left[who], right[what]])
    target = matrix[:, 0] * matrix[:, 5] + np.sin(3 * matrix[:, 1]) + 0.1 * rng.standard_normal(5_000)
    parameters = {"objective": "regression", "num_leaves": 31, "verbosity": -1, "num_threads": 1}
    models = [lgb.train({**parameters, "seed": k}, lgb.Dataset(matrix, target), 20) for k in (0, 1)]
    expected = np.mean([model.predict(matrix) for model in models], axis=0)
    assert fits(models)
    np.testing.assert_allclose(PairedTrees(models, left, right).predict(who, what), expected, atol=1e-12)
    wide = lgb.train({**parameters, "num_leaves": 63}, lgb.Dataset(matrix, target), 2)
    assert not fits([wide])


def test_blocks_cover_all_rows_and_threads_are_given_back() -> None:
    from threadpoolctl import threadpool_info

    def blas() -> list[int]:
        return [each["num_threads"] for each in threadpool_info() if "numpy" in each["filepath"]]

    before, seen = blas(), np.zeros(10_001, dtype=int)

    def work(rows: slice) -> None:
        seen[rows] += 1

    with one_blas_thread():
        in_blocks(len(seen), 100, work)
        assert set(blas()) <= {1}
    assert (seen == 1).all() and blas() == before
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        raise ZeroDivisionError
    assert blas() == before
