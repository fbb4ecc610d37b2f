"""The workspace of a first import: where the command fails before anything is stored, nothing of it stays."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pricing_core.commands.console import note, open_workspace

if TYPE_CHECKING:
    from pricing_core.store.workspace import Workspace


@contextmanager
def workspace_to_fill(options: argparse.Namespace) -> Iterator[Workspace]:
    """Open the workspace of a command that brings data in, or make it.

    A new one is taken away again where the command fails before anything is stored in it, so that a mistyped file
    leaves no empty workspace behind. What lay in its folder before stays; and so does the workspace if it keeps its
    index on a server, if an import was refused (the Data page shows what was found), or if another process has begun to
    use it.
    """
    folder = Path(options.workspace).expanduser().resolve()
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    before = set() if missing else {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    ws = open_workspace(options, create=True)
    try:
        yield ws
    except BaseException:
        if "datasets" not in before and _is_empty(ws, before):
            _take_away(ws, before, missing)
            note(f"nothing was imported: the new workspace {options.workspace} is taken away again")
        raise


def _is_empty(ws: Workspace, before: set[str]) -> bool:
    """Whether the workspace holds nothing but what opening it makes."""
    from pricing_core import jobs

    made = {ws.database_path.name, f"{ws.database_path.name}-wal", f"{ws.database_path.name}-shm", ws.key_path.name}
    for entry in ws.root.iterdir():
        if entry.name in before or entry.name in made:
            continue
        if not entry.is_dir() or any(path.is_file() for path in entry.rglob("*")):
            return False
    return ws.database_path.name in before or not jobs.list_jobs(ws, 1)


def _take_away(ws: Workspace, before: set[str], missing: list[Path]) -> None:
    from pricing_core.store import database

    database.close(ws)
    for entry in ws.root.iterdir():
        if entry.name in before:
            continue
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    for place in missing:
        with suppress(OSError):  # somebody else has put something there meanwhile
            place.rmdir()
