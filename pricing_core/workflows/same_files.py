"""Files that were imported already and have not changed since: told at once, without reading them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from pricing_core.data.importing import Sources
from pricing_core.data.quality import Finding, QualityReport
from pricing_core.data.read import File, NamedPath, files_of
from pricing_core.engines.importing import ImportRequest
from pricing_core.store import datasets, settings
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.adding import ORIGIN

_KEY: Final = "known_files"
_KEPT: Final = 200


@dataclass(frozen=True)
class KnownFiles:
    """What is known of files that were imported: the version, its base, report and rows set aside of these files."""

    version: str
    report: QualityReport
    set_aside: pd.DataFrame
    words: str


def mark_of(ws: Workspace, sources: Sources, request: ImportRequest) -> str:
    """Mark that the same files, read in the same way, share; empty where a file cannot be told from others.

    A file is the same if its place, size and time of the last change are; an upload, which is kept under the hash of
    its content, if that is. The mark is taken before the files are read: one that changes meanwhile is another one.
    """
    files: dict[str, list[list[str]]] = {}
    for table, source in sources.items():
        if isinstance(source, pd.DataFrame):
            return ""
        told = _told(ws, files_of(source))
        if told is None:
            return ""
        files[table] = told
    asked: dict[str, Any] = {
        "files": files, "options": asdict(request.options), "currency": request.currency,
        "mapping": {table: dict(given) for table, given in request.mapping.items()},
        "pseudonymized": request.pseudonymize is not None,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def remember(ws: Workspace, mark: str, version: str, files: QualityReport) -> None:
    """Keep what files were imported as; of the marks only the latest 200 are kept."""
    if not mark:
        return
    known: dict[str, Any] = settings.get(ws, _KEY, {})
    known.pop(mark, None)
    known[mark] = {"version": version, "counts": [files.rows_in, files.rows_kept, files.rows_set_aside]}
    settings.set(ws, _KEY, dict(list(known.items())[-_KEPT:]))


def find(ws: Workspace, mark: str, base: str) -> KnownFiles | None:
    """What is known of files whose rows version ``base`` holds already; None where it may not."""
    known = settings.get(ws, _KEY, {}).get(mark) if mark else None
    if known is None or known["version"] not in _ancestors(ws, base):
        return None
    version = str(known["version"])
    aside = pd.read_csv(datasets.set_aside_path(ws, version), dtype=str, keep_default_na=False)
    if ORIGIN in aside:
        aside = aside[aside[ORIGIN] == ""].drop(columns=ORIGIN).reset_index(drop=True)
    in_use = datasets.latest_dataset_id(ws)
    held = " and ".join(f"{rows:,} {table}" for table, rows in known["counts"][1].items())
    words = (
        f"Nothing is new: version {base} holds all {held} of these files, which are unchanged since they were imported "
        f"as {version} and were not read again. No new version was made; {in_use} stays in use, with its name and its "
        "choices."
    )
    finding = Finding("info", "offers", "", 0, (), words, "None: the data are as they were.", scope="tables")
    return KnownFiles(version, QualityReport((finding,), *known["counts"]), aside, words)


def _told(ws: Workspace, files: Sequence[File]) -> list[list[str]] | None:
    """What tells files from others: None where one is not on the disk."""
    told = []
    for file in files:
        if isinstance(file, tuple):
            return None
        path = file.path if isinstance(file, NamedPath) else Path(file)
        if path.parent == ws.root / "uploads":
            told.append(["content", path.stem])
            continue
        try:
            found = path.stat()
        except OSError:
            return None
        told.append([str(path.resolve()), str(found.st_size), str(found.st_mtime_ns)])
    return told


def _ancestors(ws: Workspace, version: str) -> list[str]:
    """A version and those whose rows it holds too."""
    held = [version]
    while before := _before(ws, held[-1]):
        held.append(before)
    return held


def _before(ws: Workspace, version: str) -> str:
    manifest = datasets.load_manifest(ws, version)
    return manifest.extends or manifest.copied
