"""A folder on the server from which files too large for an upload are imported, and from nowhere else.

It is ``incoming`` in the workspace, or the folder that the environment variable ``PRICING_INCOMING`` names. Whoever
runs the server puts files there; whoever uses the pages chooses among them by name. A name never leads out of the
folder: not by ``..``, not as an absolute path, and not through a link.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pandas as pd

from pricing_core.data.read import FORMATS
from pricing_core.errors import FileReadError
from pricing_core.store.workspace import Workspace

VARIABLE: Final = "PRICING_INCOMING"
_FOLDER: Final = "incoming"
_DEEPEST: Final = 3
MOST_LISTED: Final = 500


def incoming_folder(ws: Workspace) -> Path:
    """Folder from which files on the server may be imported; the workspace's own is made where it is missing."""
    named = os.environ.get(VARIABLE)
    folder = Path(named) if named else ws.root / _FOLDER
    if not named:
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder.resolve()


def list_incoming(ws: Workspace) -> pd.DataFrame:
    """Files that can be imported, the newest first: ``name`` (within the folder), ``size`` (bytes), ``modified`` (UTC).

    Hidden files, files of other kinds and whatever lies behind a link that leaves the folder are not listed.
    """
    folder = incoming_folder(ws)
    rows = []
    for place, folders, files in os.walk(folder):  # links to folders are not followed
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if depth < _DEEPEST else []
        for file in sorted(files):
            path = _inside(folder, str((Path(place) / file).relative_to(folder)))
            if path is not None:
                about = path.stat()
                name = (Path(place) / file).relative_to(folder).as_posix()
                rows.append({"name": name, "size": about.st_size, "modified": about.st_mtime})
    frame = pd.DataFrame(rows, columns=["name", "size", "modified"]).astype({"size": "int64", "modified": "float64"})
    frame = frame.sort_values(["modified", "name"], ascending=[False, True], kind="stable", ignore_index=True)
    return frame.assign(modified=pd.to_datetime(frame["modified"], unit="s", utc=True)).head(MOST_LISTED)


def incoming_path(ws: Workspace, name: str) -> Path:
    """Path of a file of the folder, with every link resolved.

    Raises
    ------
    FileReadError
        If there is no such file, or the name leads out of the folder. Which of the two is not told: nobody learns
        from the answer what else is on the server.
    """
    path = _inside(incoming_folder(ws), name)
    if path is None:
        raise FileReadError(
            f"The folder for large files has no file {name!r} that can be imported.",
            fix="Choose one that the Data page lists.",
        )
    return path


def _inside(folder: Path, name: str) -> Path | None:
    """Resolved path of a regular, readable-looking file inside the folder; None for anything else."""
    if not name or "\0" in name or Path(name).is_absolute() or ".." in Path(name).parts:
        return None
    if any(part.startswith(".") for part in Path(name).parts):
        return None
    try:
        path = (folder / name).resolve(strict=True)
    except (OSError, RuntimeError):  # missing, or links in a circle
        return None
    if not path.is_relative_to(folder) or not path.is_file():
        return None
    return path if _format(name) in FORMATS and _format(path.name) in FORMATS else None


def _format(name: str) -> str:
    return Path(name).suffix.lower().removeprefix(".")
