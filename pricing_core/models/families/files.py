"""Arrays of a fitted learner in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.array_files import read_array_file


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
    return read_array_file(folder / f"{stem}.npz", names)
