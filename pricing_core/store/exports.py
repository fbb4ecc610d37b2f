"""Files that were handed out: written whole or not at all, and each in the audit log."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any

from pricing_core.errors import ConfigError, WorkspaceError
from pricing_core.store import audit
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor, require


def keep_export(ws: Workspace, name: str, data: bytes, *, actor: Actor, price_list_id: str, kind: str) -> Path:
    """Write a file under ``exports/`` in one step, enter it in the audit log, and return its path.

    A process that dies on the way leaves the file of that name that was there before, or the new one; an entry in the
    log is only ever about a file that is there.

    Raises
    ------
    ConfigError
        If the name would lead out of the folder.
    """
    require(actor, "export")
    if not name or Path(name).name != name or name.startswith("."):
        raise ConfigError(f"{name!r} is no name for an exported file.", fix="Give a plain file name.")
    path, draft = ws.exports_dir / name, ws.temp_dir / f"export.{secrets.token_hex(8)}"
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        entry = _entry(name, audit.file_hash(draft), len(data), kind)
        with audit.recording(ws) as connection:
            audit.append(connection, actor=actor, action="export", object_id=price_list_id, after=entry)
            os.replace(draft, path)  # last before the entry counts
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise WorkspaceError(
            f"The file {name} cannot be written: {error.strerror or error}.", fix="Free some space and try again."
        ) from error
    return path


def note_export(
    ws: Workspace, name: str, sha256: str, size: int, *, actor: Actor, price_list_id: str, kind: str
) -> None:
    """Enter a file that somebody took away in the audit log: its name, format, size in bytes and SHA-256."""
    require(actor, "export")
    audit.append(
        ws, actor=actor, action="export", object_id=price_list_id, after=_entry(name, sha256, size, kind)
    )  # fmt: skip


def _entry(name: str, sha256: str, size: int, kind: str) -> dict[str, Any]:
    return {"file": name, "format": kind, "bytes": size, "sha256": sha256}
