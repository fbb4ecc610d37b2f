"""Behavior networks with weights of eight and of four bits: less than a quarter of the size, the same layers.

Every matrix is stored as whole numbers and one scale per output channel, which the members share:

    w ≈ scale · code, scale = max |w| / top, top = 127 in eight bits and 7 in four

so that no weight moves by more than half a scale. The four matrices that hold most of the weights take four bits, and
learn to live with them (:mod:`pricing_core.models.pruning`); with eight alone, the graph around the numbers would
already make an ONNX or LiteRT file larger than a quarter. Biases and the few numbers of the demand heads stay as they
are. A network is read back into 32-bit numbers before it answers: only the rounding of the weights changes its answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.array_files import read_array_file
from pricing_core.errors import ModelError, reason
from pricing_core.models.serving import ServingNetwork

Floats32 = NDArray[np.float32]
Codes = NDArray[np.int8]

FOUR_BITS: Final = tuple(f"{name}.kernel" for name in ("customer_tower", "product_tower", "joint_1", "joint_2"))


def is_quantized(name: str) -> bool:
    """Whether a weight of that name is stored as codes: matrices and the table of products."""
    return name.endswith(".kernel") or name.endswith("embedding")


def largest_code(name: str) -> int:
    """Largest code of a weight: 7 where it is stored in four bits, else 127."""
    return 7 if name in FOUR_BITS else 127


def channel_scale(name: str, values: Floats32) -> Floats32:
    """Scale of each output channel, of a shape that multiplies with the codes.

    Kernels (members, in, out) have one per output, the convolution (steps, in, out) one per filter, the table of
    products (codes, width) one per column.
    """
    largest = np.abs(values).max(axis=tuple(range(values.ndim - 1)), keepdims=True)
    return np.asarray(np.where(largest > 0, largest, 1.0) / largest_code(name), dtype=np.float32)


def quantize(name: str, values: Floats32) -> tuple[Codes, Floats32]:
    """Codes and scales of a weight."""
    scale = channel_scale(name, values)
    return np.rint(values / scale).astype(np.int8), scale


def packed(codes: Codes) -> bytes:
    """Codes of four bits, two in a byte, the first in the lower half; zero fills the last byte of an odd number."""
    halves = np.append(codes.ravel(), np.zeros(codes.size % 2, dtype=np.int8)).view(np.uint8) & 15
    return bytes((halves[::2] | (halves[1::2] << 4)).tobytes())


def rounded(weights: Mapping[str, Floats32]) -> dict[str, Floats32]:
    """Weights as they are after a round trip through codes."""
    found = {}
    for name, values in weights.items():
        if is_quantized(name):
            codes, scale = quantize(name, np.asarray(values, dtype=np.float32))
            values = codes * scale
        found[name] = np.asarray(values, dtype=np.float32)
    return found


def save_quantized(weights: Mapping[str, Floats32], path: Path) -> None:
    """Write a network as one ``.npz``: ``codes`` int8, ``scales`` and ``rest`` float32, ``layout`` JSON text."""
    layout: list[dict[str, Any]] = []
    codes, scales, rest = [], [], []
    for name, values in weights.items():
        values = np.asarray(values, dtype=np.float32)
        layout.append({"name": name, "shape": list(values.shape)})
        if is_quantized(name):
            code, scale = quantize(name, values)
            layout[-1]["scales"] = list(scale.shape)
            codes.append(code.ravel())
            scales.append(scale.ravel())
        else:
            rest.append(values.ravel())
    text = np.frombuffer(json.dumps(layout).encode("utf-8"), dtype=np.uint8)
    np.savez_compressed(path, codes=_joined(codes), scales=_joined(scales), rest=_joined(rest), layout=text)


def _scales_by_member(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of the scales in files that do not state it: each member has its own."""
    axes = (0,) if len(shape) == 2 else (0, 1) if name.startswith("event_convolution") else (1,)
    return tuple(1 if axis in axes else size for axis, size in enumerate(shape))


def load_quantized(path: Path) -> ServingNetwork:
    """Read what :func:`save_quantized` wrote.

    Raises
    ------
    ModelError
        If the file is missing or damaged.
    """
    stored = read_array_file(
        path, ("layout", "codes", "scales", "rest"), what="compressed network", fix="Compress the run again."
    )
    try:
        layout = json.loads(stored["layout"].tobytes().decode("utf-8"))
        streams = {name: _Stream(stored[name]) for name in ("codes", "scales", "rest")}
        weights = {}
        for entry in layout:
            name, shape = str(entry["name"]), tuple(int(size) for size in entry["shape"])
            if is_quantized(name):
                scales = tuple(int(size) for size in entry.get("scales") or _scales_by_member(name, shape))
                weights[name] = streams["codes"].next(shape) * streams["scales"].next(scales)
            else:
                weights[name] = streams["rest"].next(shape)
        return ServingNetwork(weights)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"The compressed network {path.name} cannot be read: {reason(error)}.", fix="Compress the run again."
        ) from error


class _Stream:
    """Numbers of many arrays one behind the other."""

    def __init__(self, values: NDArray[Any]) -> None:
        self._values, self._at = values, 0

    def next(self, shape: tuple[int, ...]) -> NDArray[Any]:
        """Take the next array of this shape."""
        start, self._at = self._at, self._at + int(np.prod(shape))
        return self._values[start : self._at].reshape(shape)


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)
