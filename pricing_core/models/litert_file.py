"""A LiteRT file made smaller: matrices as codes of four or eight bits, and nothing that the program does not read.

LiteRT's own converter rounds large matrices only, with one scale each, writes the table of products in 32 bits, and
spends on names and empty fields what a small network takes itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.models.quantized import Codes, is_quantized, largest_code, packed, quantize

Floats32 = NDArray[np.float32]

_FOUR_BITS: Final = 7  # largest code of a symmetric number of four bits
_FEWEST: Final = 64  # numbers; fewer take less room than what turns codes into numbers
_DEQUANTIZE_VERSION: Final = 6  # the first that reads numbers of four bits


def smaller_file(content: bytes, weights: Mapping[str, Floats32]) -> bytes:
    """Rewrite a LiteRT file of 32-bit constants.

    Parameters
    ----------
    content
        The file as the converter wrote it.
    weights
        Weights of the network, rounded; a constant of the file is known by its numbers.
    """
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    graph = model.subgraphs[0]
    known = {}
    for name, values in weights.items():
        if is_quantized(name) and values.size >= _FEWEST:
            known.update(_as_stored(name, values))
    for place, tensor in enumerate(list(graph.tensors)):
        data = model.buffers[tensor.buffer].data
        if data is not None and (found := known.get((tuple(tensor.shape), bytes(data)))):
            _store_codes(model, place, *found)
    _strip(model)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _as_stored(name: str, values: Floats32) -> dict[Any, tuple[Codes, Floats32, int, int]]:
    """Codes, scales, axis of the scales and largest code of a weight, by shape and numbers of its constant."""
    codes, scale = quantize(name, values)
    axis = values.ndim - 1
    if name.startswith("event_convolution"):  # (steps, in, filters): LiteRT has (filters, 1, steps, in)
        values, codes, axis = values.transpose(2, 0, 1)[:, None], codes.transpose(2, 0, 1)[:, None], 0
    return {(values.shape, values.tobytes()): (codes, scale.ravel(), axis, largest_code(name))}


def _store_codes(model: Any, place: int, codes: Codes, scale: Floats32, axis: int, largest: int) -> None:
    """Put codes in the place of a constant, and an operation before all others that turns them into its numbers."""
    from tensorflow.lite.python import schema_py_generated as schema

    graph = model.subgraphs[0]
    stored, constant = schema.TensorT(), graph.tensors[place]
    small = largest <= _FOUR_BITS
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(packed(codes) if small else codes.tobytes(), dtype=np.uint8)
    model.buffers.append(buffer)
    stored.shape, stored.buffer = constant.shape, len(model.buffers) - 1
    stored.type = schema.TensorType.INT4 if small else schema.TensorType.INT8
    stored.quantization = schema.QuantizationParametersT()
    stored.quantization.scale = scale.astype(np.float32)
    stored.quantization.zeroPoint = np.zeros(scale.size, dtype=np.int64)
    stored.quantization.quantizedDimension = axis
    constant.buffer = 0
    graph.tensors.append(stored)
    operation = schema.OperatorT()
    operation.opcodeIndex = _dequantize(model, schema)
    operation.inputs, operation.outputs = [len(graph.tensors) - 1], [place]
    graph.operators.insert(0, operation)


def _dequantize(model: Any, schema: Any) -> int:
    """Place of the operation among those of the file, which knows it afterwards."""
    wanted = schema.BuiltinOperator.DEQUANTIZE
    for place, code in enumerate(model.operatorCodes):
        if code.builtinCode == wanted:
            return place
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = wanted
    code.version = _DEQUANTIZE_VERSION
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def _strip(model: Any) -> None:
    """Leave out names of inner tensors, empty fields, notes of the converter, and constants that occur twice."""
    from tensorflow.lite.python import schema_py_generated as schema

    graph = model.subgraphs[0]
    outer = {*(int(k) for k in graph.inputs), *(int(k) for k in graph.outputs)}
    buffers, places = [schema.BufferT()], {}
    for place, tensor in enumerate(graph.tensors):
        if place not in outer:
            tensor.name = tensor.shapeSignature = None
        if tensor.quantization is not None and tensor.quantization.scale is None:
            tensor.quantization = None
        data = model.buffers[tensor.buffer].data
        if data is None:
            tensor.buffer = 0
            continue
        key = bytes(data)
        if key not in places:
            places[key] = len(buffers)
            buffers.append(model.buffers[tensor.buffer])
        tensor.buffer = places[key]
    model.buffers, model.metadata, model.metadataBuffer, model.description = buffers, None, None, None
