"""Write the behavior network as an ONNX graph, layer by layer, with matrices of eight bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.features.history import EVENT_TYPES
from pricing_core.models.exported import optional
from pricing_core.models.quantized import Codes, is_quantized, largest_code, packed, quantize
from pricing_core.models.serving import ServingNetwork

_OPSET: Final = 21  # the first with numbers of four bits
_FORMAT: Final = 10
_FOUR_BITS: Final = 7  # largest code of a symmetric number of four bits
_KINDS: Final = len(EVENT_TYPES)


def write_onnx(network: ServingNetwork, path: Path, *, sequence_length: int) -> None:
    """Write a network as ONNX; inputs bear the names of the encoded batch, the output ``curve`` is (members, n, 2, 2).

    Raises
    ------
    MissingDependencyError
        If the package ``onnx`` is not installed.
    """
    onnx = optional("onnx", "onnx")
    graph = _Graph(onnx, network)
    curve = _network(graph, sequence_length)
    path.write_bytes(graph.model(curve).SerializeToString())


class _Graph:
    """Nodes and constants of a graph that grows."""

    def __init__(self, onnx: Any, network: ServingNetwork) -> None:
        self.onnx, self.weights = onnx, network.weights
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._inputs: list[Any] = []

    def input(self, name: str, shape: list[int | str], kind: str = "FLOAT") -> str:
        element = getattr(self.onnx.TensorProto, kind)
        self._inputs.append(self.onnx.helper.make_tensor_value_info(name, element, shape))
        return name

    def constant(self, values: Any, kind: Any = np.float32) -> str:
        name = f"c{len(self._constants)}"
        self._constants[name] = self.onnx.numpy_helper.from_array(np.asarray(values, dtype=kind), name)
        return name

    def weight(self, name: str) -> str:
        """Return a weight as 32-bit numbers: codes times scales where it is a matrix.

        The runtime multiplies once, when it reads the file.
        """
        values = self.weights[name]
        if not is_quantized(name):
            return self.constant(values)
        codes, scale = quantize(name, values)
        wide = self.op("Cast", self.codes(codes, largest_code(name)), to=self.onnx.TensorProto.FLOAT)
        return self.op("Mul", wide, self.constant(scale))

    def codes(self, codes: Codes, largest: int) -> str:
        """Whole numbers, in four bits where none is larger than 7."""
        if largest > _FOUR_BITS:
            return self.constant(codes, np.int8)
        name, four = f"c{len(self._constants)}", self.onnx.TensorProto.INT4
        self._constants[name] = self.onnx.helper.make_tensor(name, four, codes.shape, packed(codes), raw=True)
        return name

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"n{len(self._nodes)}"
        self._nodes.append(self.onnx.helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def dense(self, name: str, value: str, *, rectify: bool = True) -> str:
        out = self.op("Add", self.op("MatMul", value, self.weight(f"{name}.kernel")), self.weight(f"{name}.bias"))
        return self.op("Relu", out) if rectify else out

    def join(self, *parts: str) -> str:
        return self.op("Concat", *parts, axis=-1)

    def part(self, value: str, start: int, end: int, axis: int) -> str:
        ends = (self.constant([number], np.int64) for number in (start, end, axis))
        return self.op("Slice", value, *ends)

    def column(self, value: str, k: int) -> str:
        """One number of the last axis; the axis goes."""
        return self.op("Gather", value, self.constant(k, np.int64), axis=-1)

    def total(self, value: str, axis: int, *, keep: bool = False) -> str:
        return self.op("ReduceSum", value, self.constant([axis], np.int64), keepdims=int(keep))

    def model(self, curve: str) -> Any:
        helper, members = self.onnx.helper, int(self.weights["head_1.kernel"].shape[0])
        self._nodes.append(helper.make_node("Identity", [curve], ["curve"]))
        out = helper.make_tensor_value_info("curve", self.onnx.TensorProto.FLOAT, [members, "n", 2, 2])
        graph = helper.make_graph(self._nodes, "behavior", self._inputs, [out], list(self._constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_FORMAT)
        self.onnx.checker.check_model(model)
        return model


def _network(g: _Graph, length: int) -> str:
    w = g.weights
    width = w["wide_path.kernel"].shape[1] - _KINDS
    market_width, embedding = w["market_tower.kernel"].shape[1], w["product_embedding"].shape[1]
    product_width = w["product_tower.kernel"].shape[1] - embedding
    channels = w["event_convolution.kernel"].shape[1] - embedding
    customer = g.input("customer", ["n", width - product_width - market_width])
    product, market = g.input("product", ["n", product_width]), g.input("market", ["n", market_width])
    code = g.input("product_code", ["n"], "INT32")
    sequence = g.input("sequence", ["n", length, channels])
    item, mask = g.input("sequence_item", ["n", length], "INT32"), g.input("sequence_mask", ["n", length])
    expected = g.input("expected_price", ["n", 1])
    table = g.weight("product_embedding")
    identity, history = g.op("Gather", table, code, axis=0), g.op("Gather", table, item, axis=0)
    match = _match(g, identity, history, g.part(sequence, 0, _KINDS, 2))
    events = _events(g, history, sequence, mask, length)
    what = g.join(product, identity)
    towers = g.join(
        g.dense("customer_tower", g.join(customer, events, match)),
        g.dense("product_tower", what),
        g.dense("market_tower", market),
    )
    joint = g.dense("joint_2", g.dense("joint_1", towers))
    second = g.join(joint, g.dense("expected_price_tower", expected))
    raw = g.join(g.dense("head_1", joint, rectify=False), g.dense("head_2", second, rectify=False))
    cross = g.op("Mul", g.dense("product_view", what, rectify=False), g.dense("market_view", market, rectify=False))
    raw = g.op("Add", raw, g.dense("wide_path", g.join(customer, product, market, match), rectify=False))
    return _demand(g, g.op("Add", raw, g.dense("cross_path", cross, rectify=False)), expected)


def _match(g: _Graph, identity: str, history: str, kinds: str) -> str:
    one = g.constant([1], np.int64)
    near = g.total(g.op("Mul", history, g.op("Unsqueeze", identity, one)), 2, keep=True)
    count = g.op("Add", g.total(kinds, 1), g.constant(2.0))
    return g.op("Div", g.total(g.op("Mul", near, kinds), 1), count)


def _events(g: _Graph, history: str, sequence: str, mask: str, length: int) -> str:
    pads = g.constant([0, 1, 0, 0, 1, 0], np.int64)
    padded = g.op("Pad", g.join(history, sequence), pads)
    kernel = g.weight("event_convolution.kernel")
    out = g.weight("event_convolution.bias")
    for k in range(3):
        step = g.op("Gather", kernel, g.constant(k, np.int64), axis=0)
        out = g.op("Add", out, g.op("MatMul", g.part(padded, k, k + length, 1), step))
    kept = g.op("Mul", g.op("Relu", out), g.op("Unsqueeze", mask, g.constant([2], np.int64)))
    count = g.op("Max", g.total(mask, 1, keep=True), g.constant(1.0))
    largest = g.op("ReduceMax", kept, g.constant([1], np.int64), keepdims=0)
    return g.join(g.op("Div", g.total(kept, 1), count), largest)


def _demand(g: _Graph, raw: str, expected: str) -> str:
    level, slope, mean = (float(value) for value in g.weights["demand"])
    shift = g.constant(np.log(np.expm1(slope)))
    slopes = [g.op("Softplus", g.op("Add", g.column(raw, k), shift)) for k in (1, 3)]
    by_expected = g.op("Mul", slopes[0], g.op("Squeeze", expected, g.constant([1], np.int64)))
    first = g.op("Add", g.op("Add", g.column(raw, 0), g.constant(level)), by_expected)
    second = g.op("Add", g.column(raw, 2), g.constant(level + slope * mean))
    last = g.constant([-1], np.int64)

    def pair(one: str, two: str) -> str:
        return g.op("Concat", g.op("Unsqueeze", one, last), g.op("Unsqueeze", two, last), axis=-1)

    heads = [pair(first, slopes[0]), pair(second, slopes[1])]
    two = g.constant([2], np.int64)
    stacked: NDArray[Any] | list[str] = [g.op("Unsqueeze", head, two) for head in heads]
    return g.op("Concat", *stacked, axis=2)
