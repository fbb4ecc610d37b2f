"""Forms in which a run's behavior network can answer: as it was trained, or compressed.

A run keeps its compressed forms in the folder ``compressed``, one folder a form, with one file per customer fold. Which
form serves is written in the run's manifest as ``serving_form``; where it says nothing, the original does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pricing_core.errors import ConfigError, ModelError, reason
from pricing_core.models.exported import LiteRtNetwork, OnnxNetwork
from pricing_core.models.litert_graph import write_litert
from pricing_core.models.onnx_graph import write_onnx
from pricing_core.models.quantized import load_quantized, save_quantized
from pricing_core.models.serving import ServingNetwork

ORIGINAL: Final = "original"
INT8: Final = "int8"
LITERT: Final = "litert"
ONNX: Final = "onnx"
FOLDER: Final = "compressed"
PART: Final = "part_network"  # where a blend of families keeps its network
MANIFEST: Final = "manifest.json"
MANIFEST_KEY: Final = "serving_form"


@dataclass(frozen=True)
class Form:
    """One form: its name, its label in plain words, the ending of its files, and the optional package that reads it."""

    name: str
    label: str
    suffix: str
    package: str | None = None


FORMS: Final[dict[str, Form]] = {
    form.name: form
    for form in (
        Form(ORIGINAL, "Original, 32 bits", ".npz"),
        Form(INT8, "Compressed, 4 and 8 bits", ".npz"),
        Form(LITERT, "LiteRT file, 4 and 8 bits", ".tflite", "ai_edge_litert"),
        Form(ONNX, "ONNX file, 4 and 8 bits", ".onnx", "onnxruntime"),
    )
}


def form(name: str) -> Form:
    """Return a form by name.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    if name not in FORMS:
        raise ConfigError(f"There is no form named {name!r}.", fix=f"Choose one of {', '.join(FORMS)}.")
    return FORMS[name]


def network_folder(folder: Path) -> Path:
    """Folder of a run's network: the run's own, or that of its part in a blend."""
    part = folder / PART
    return part if part.is_dir() else folder


def form_file(folder: Path, name: str, fold: int) -> Path:
    """File of a form of one customer fold in a network's folder."""
    inner = folder if name == ORIGINAL else folder / FOLDER / name
    return inner / f"behavior_{fold}{form(name).suffix}"


def stored_forms(folder: Path, n_folds: int = 2) -> list[str]:
    """Names of the forms that a network's folder has, the original first."""
    return [name for name in FORMS if all(form_file(folder, name, fold).exists() for fold in range(n_folds))]


def form_size(folder: Path, name: str, n_folds: int = 2) -> int:
    """Bytes of a form's files."""
    return sum(form_file(folder, name, fold).stat().st_size for fold in range(n_folds))


def serving_form(folder: Path) -> str:
    """Name of the form that serves, as the manifest of the run says that the network's folder belongs to."""
    path = (folder.parent if folder.name == PART else folder) / MANIFEST
    if not path.exists():  # a model that is not (yet) a run
        return ORIGINAL
    try:
        return str(json.loads(path.read_text(encoding="utf-8")).get(MANIFEST_KEY, ORIGINAL))
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(
            f"The manifest of {folder.name} cannot be read: {reason(error)}.", fix="Train again."
        ) from error


def load_networks(folder: Path, n_folds: int, name: str | None = None) -> list[ServingNetwork]:
    """Read the networks of a folder, one per customer fold, in the form that serves or in the one named.

    Raises
    ------
    ModelError
        If a file is missing or damaged.
    MissingDependencyError
        If the form is read by an optional package that is not installed.
    """
    name = serving_form(folder) if name is None else form(name).name
    if name == ORIGINAL:
        return [ServingNetwork.load(form_file(folder, name, fold)) for fold in range(n_folds)]
    networks = []
    for fold in range(n_folds):
        network, path = load_quantized(form_file(folder, INT8, fold)), form_file(folder, name, fold)
        if name in (LITERT, ONNX):
            network = (LiteRtNetwork if name == LITERT else OnnxNetwork)(path, network)
        networks.append(network)
    return networks


def write_form(folder: Path, name: str, fold: int, network: ServingNetwork, sequence_length: int) -> None:
    """Write one form of one fold into a folder, from the network as rounded numbers."""
    path = form_file(folder, name, fold)
    path.parent.mkdir(parents=True, exist_ok=True)
    if name == INT8:
        save_quantized(network.weights, path)
    elif name == LITERT:
        write_litert(network, path, sequence_length=sequence_length)
    elif name == ONNX:
        write_onnx(network, path, sequence_length=sequence_length)
    else:
        raise ConfigError(f"{name!r} is no compressed form.", fix=f"Choose one of {', '.join(FORMS)}.")
