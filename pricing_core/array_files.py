"""Arrays in a file: ``.npz``, read without pickle, and a damaged file told in one sentence."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ModelError, reason


def read_array_file(
    path: Path, names: Sequence[str] = (), *, what: str = "model file", fix: str = "Train again."
) -> dict[str, NDArray[Any]]:
    """Read every array of a ``.npz`` file, by name.

    Parameters
    ----------
    names
        Arrays that must be there.
    what, fix
        What the file is and what to do without it, for the message.

    Raises
    ------
    ModelError
        If the file is missing, cut off, changed, of another kind, or lacks one of the names.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            found = {name: np.asarray(stored[name]) for name in stored.files}
    except OSError as error:
        raise ModelError(f"The {what} {path.name} cannot be read: {reason(error, of=path.name)}.", fix=fix) from error
    except (ValueError, KeyError, TypeError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f"The {what} {path.name} cannot be read: it is damaged or cut off.", fix=fix) from error
    missing = [name for name in names if name not in found]
    if missing:
        raise ModelError(f"The {what} {path.name} cannot be read: it lacks {', '.join(missing)}.", fix=fix)
    return found
