"""Behavior networks with weights of eight bits: a quarter of the size, the same layers.

Every matrix is stored as whole numbers from −127 to 127 and one scale per output channel (and member):

    w ≈ scale · code, scale = max |w| / 127

so that no weight moves by more than half a scale. Biases and the few numbers of the demand heads stay as they are.
A network is read back into 32-bit numbers before it answers: only the rounding of the weights changes its answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ModelError
from pricing_core.models.serving import ServingNetwork

Floats32 = NDArray[np.float32]
Codes = NDArray[np.int8]

_LARGEST: Final = 127


def is_quantized(name: str) -> bool:
    """Whether a weight of that name is stored in eight bits: matrices and the table of products."""
    return name.endswith(".kernel") or name.endswith("embedding")


def channel_scale(name: str, values: Floats32) -> Floats32:
    """Scale of each output channel, of a shape that multiplies with the codes.

    Kernels (members, in, out) have one per member and output, the convolution (steps, in, out) one per filter, the
    table of products (codes, width) one per column.
    """
    axes = (0,) if values.ndim == 2 else (0, 1) if name.startswith("event_convolution") else (1,)
    largest = np.abs(values).max(axis=axes, keepdims=True)
    return np.asarray(np.where(largest > 0, largest, 1.0) / _LARGEST, dtype=np.float32)


def quantize(name: str, values: Floats32) -> tuple[Codes, Floats32]:
    """Codes and scales of a weight."""
    scale = channel_scale(name, values)
    return np.rint(values / scale).astype(np.int8), scale


def rounded(weights: Mapping[str, Floats32]) -> dict[str, Floats32]:
    """Weights as they are after a round trip through eight bits."""
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
            codes.append(code.ravel())
            scales.append(scale.ravel())
        else:
            rest.append(values.ravel())
    text = np.frombuffer(json.dumps(layout).encode("utf-8"), dtype=np.uint8)
    np.savez_compressed(path, codes=_joined(codes), scales=_joined(scales), rest=_joined(rest), layout=text)


def load_quantized(path: Path) -> ServingNetwork:
    """Read what :func:`save_quantized` wrote.

    Raises
    ------
    ModelError
        If the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            layout = json.loads(stored["layout"].tobytes().decode("utf-8"))
            streams = {name: _Stream(stored[name]) for name in ("codes", "scales", "rest")}
        weights = {}
        for entry in layout:
            name, shape = str(entry["name"]), tuple(int(size) for size in entry["shape"])
            if is_quantized(name):
                like = channel_scale(name, np.zeros(shape, dtype=np.float32))
                weights[name] = streams["codes"].next(shape) * streams["scales"].next(like.shape)
            else:
                weights[name] = streams["rest"].next(shape)
        return ServingNetwork(weights)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"The compressed network {path.name} cannot be read: {error}.", fix="Compress the run again."
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
