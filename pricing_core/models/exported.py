"""The behavior network as a file of another program: LiteRT (``.tflite``) and ONNX (``.onnx``).

Such a file answers without TensorFlow and without this product. Here it is read by ``ai-edge-litert`` and
``onnxruntime``, which are optional; a page or a command that needs one of them says how to install it.
"""

from __future__ import annotations

import threading
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import MissingDependencyError, ModelError, reason
from pricing_core.features.batch import EncodedBatch
from pricing_core.models.serving import ServingNetwork

Floats32 = NDArray[np.float32]

INSTALL: Final = "Run: pip install -r requirements/export.txt"
BLOCK: Final = 4096
_THREADS: Final = 2
_INPUTS: Final = (
    "customer", "product", "market", "product_code", "sequence", "sequence_item", "sequence_mask", "expected_price",
)  # fmt: skip


def optional(module: str, package: str) -> Any:
    """Import an optional module.

    Raises
    ------
    MissingDependencyError
        If its package is not installed; the message carries the install command.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingDependencyError(f"This form of the model needs the package {package}.", fix=INSTALL) from error


class ExportedNetwork(ServingNetwork):
    """A network whose answers come from an exported file.

    Parameters
    ----------
    network
        The same network as numbers, which explanations differentiate.
    """

    def __init__(self, network: ServingNetwork) -> None:
        super().__init__(network.weights)
        self._lock = threading.Lock()

    def answer(self, inputs: dict[str, NDArray[Any]]) -> Floats32:
        """Ask the file about one block of rows: (members, rows or more, 2, 2)."""
        raise NotImplementedError

    def shaped(self, value: NDArray[Any]) -> NDArray[Any]:
        """Fill an input up to the size that the program asks for; here any size will do."""
        return value

    def _forward(self, batch: EncodedBatch, rows: slice) -> Floats32:
        n = rows.stop - rows.start
        inputs = {}
        for name in _INPUTS:
            value = getattr(batch, name)[rows]
            value = value[:, None] if name == "expected_price" else value
            inputs[name] = self.shaped(value)
        with self._lock:  # neither program answers two threads at once
            return self.answer(inputs)[:, :n]


class LiteRtNetwork(ExportedNetwork):
    """A network read by LiteRT, in blocks of one size."""

    def __init__(self, path: Path, network: ServingNetwork) -> None:
        super().__init__(network)
        litert = optional("ai_edge_litert.interpreter", "ai-edge-litert")
        try:
            self._interpreter = litert.Interpreter(model_path=str(path), num_threads=_THREADS)
            for entry in self._interpreter.get_input_details():
                self._interpreter.resize_tensor_input(entry["index"], [BLOCK, *entry["shape"][1:]])
            self._interpreter.allocate_tensors()
            self._run = self._interpreter.get_signature_runner()
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"{path.name} cannot be read by LiteRT: {reason(error)}.", fix="Compress the run again."
            ) from error

    def shaped(self, value: NDArray[Any]) -> NDArray[Any]:
        """Fill a block up with zeros."""
        return np.concatenate([value, np.zeros((BLOCK - len(value), *value.shape[1:]), value.dtype)])

    def answer(self, inputs: dict[str, NDArray[Any]]) -> Floats32:
        """Ask LiteRT."""
        return np.asarray(self._run(**inputs)["curve"])


class OnnxNetwork(ExportedNetwork):
    """A network read by ONNX Runtime."""

    def __init__(self, path: Path, network: ServingNetwork) -> None:
        super().__init__(network)
        onnxruntime = optional("onnxruntime", "onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = _THREADS, 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's errors share no other base
            raise ModelError(
                f"{path.name} cannot be read by ONNX: {reason(error)}.", fix="Compress the run again."
            ) from error
        self._names = {entry.name for entry in self._session.get_inputs()}

    def answer(self, inputs: dict[str, NDArray[Any]]) -> Floats32:
        """Ask ONNX Runtime."""
        asked = {name: value for name, value in inputs.items() if name in self._names}
        return np.asarray(self._session.run(["curve"], asked)[0])
