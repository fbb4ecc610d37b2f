"""Logs of the workers, kept small."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Final

from pricing_core.store.workspace import Workspace

MAX_BYTES: Final = 2 * 1024 * 1024
KEPT_BYTES: Final = 512 * 1024
KEPT_LOGS: Final = 50
_CUT: Final = b"[earlier output was removed]\n"


def open_log(path: Path) -> BinaryIO:
    """Open a log to append to, readable by its owner only."""
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    return os.fdopen(descriptor, "ab", buffering=0)


def bound(path: Path) -> None:
    """Cut a log that has outgrown :data:`MAX_BYTES` to its last :data:`KEPT_BYTES`.

    The file stays the same one, because its writer, who appends, keeps it open.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return
    if size <= MAX_BYTES:
        return
    with path.open("r+b") as file:
        file.seek(size - KEPT_BYTES)
        tail = file.read(KEPT_BYTES)
        file.seek(0)
        file.truncate()
        file.write(_CUT + tail[tail.find(b"\n") + 1 :])


def drop_old(ws: Workspace) -> None:
    """Remove the logs of all but the last :data:`KEPT_LOGS` jobs."""
    found = sorted(ws.logs_dir.glob("j*.log"), key=lambda path: (len(path.name), path.name))
    for path in found[:-KEPT_LOGS]:
        path.unlink(missing_ok=True)
