"""Small tables computed from a data set and kept in its folder, so that a page never computes them twice."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from pricing_core.drafts import draft_path
from pricing_core.errors import WorkspaceError
from pricing_core.store.parquet import read_parquet, write_parquet

_FOLDER = "derived"


def kept(folder: Path, name: str, basis: str, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return a table that was computed before, or compute and keep it.

    Parameters
    ----------
    folder
        The data set's folder.
    name
        What the table is.
    basis
        Whatever it depends on besides the data, such as the assumed margin; another basis is another table.
    """
    place = folder / _FOLDER / f"{name}_{hashlib.sha256(basis.encode()).hexdigest()[:16]}.parquet"
    if place.exists():
        try:
            return read_parquet(place)
        except WorkspaceError:
            place.unlink(missing_ok=True)  # damaged: it can be computed again
    frame = compute()
    draft = draft_path(place)
    try:
        place.parent.mkdir(exist_ok=True)
        write_parquet(frame, draft, name)
        os.replace(draft, place)
    except OSError:
        draft.unlink(missing_ok=True)  # a full disk keeps nobody from the figures
    return frame
