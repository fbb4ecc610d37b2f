"""Arrays of a fitted learner in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ModelError


def write_arrays(folder: Path, stem: str, arrays: dict[str, NDArray[Any]]) -> None:
    """Write ``<stem>.npz``."""
    with (folder / f"{stem}.npz").open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_arrays(folder: Path, stem: str, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Read ``<stem>.npz``.

    Raises
    ------
    ModelError
        If the file cannot be read or lacks one of the names.
    """
    try:
        with np.load(folder / f"{stem}.npz", allow_pickle=False) as stored:
            found = {name: stored[name] for name in stored.files}
            return found | {name: found[name] for name in names}
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"The model file {stem}.npz cannot be read: {error}.", fix="Train again.") from error
