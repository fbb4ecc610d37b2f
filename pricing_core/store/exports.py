"""Files that were handed out: written whole or not at all, and each in the audit log."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from pricing_core.errors import ConfigError, WorkspaceError
from pricing_core.store import audit, database
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor, require

_PENDING: Final = ".pending"
_STALE_SECONDS: Final = 24 * 3600.0


def keep_export(ws: Workspace, name: str, data: bytes, *, actor: Actor, price_list_id: str, kind: str) -> Path:
    """Write a file under ``exports/`` in one step, enter it in the audit log, and return its path.

    The file lies ready under a hidden name before its entry is committed, and gets its own name after. The entry is the
    switch: a process that dies before it leaves the old file, and one that dies after it a file that the next call of
    :func:`finish_pending` puts in place.

    Raises
    ------
    ConfigError
        If the name would lead out of the folder.
    """
    require(actor, "export")
    if not name or Path(name).name != name or name.startswith("."):
        raise ConfigError(f"{name!r} is no name for an exported file.", fix="Give a plain file name.")
    finish_pending(ws)
    draft = ws.temp_dir / f"export.{secrets.token_hex(8)}"
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        sha256 = audit.file_hash(draft)
        os.replace(draft, ws.exports_dir / f".{sha256}{_PENDING}")
        note_export(ws, name, sha256, len(data), actor=actor, price_list_id=price_list_id, kind=kind)
        with contextlib.suppress(FileNotFoundError):  # another process may have finished it
            os.replace(ws.exports_dir / f".{sha256}{_PENDING}", ws.exports_dir / name)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise WorkspaceError(
            f"The file {name} cannot be written: {error.strerror or error}.", fix="Free some space and try again."
        ) from error
    return ws.exports_dir / name


def finish_pending(ws: Workspace) -> list[str]:
    """Put files in place whose process died right after their entry was committed; return their names."""
    finished = []
    for pending in sorted(ws.exports_dir.glob(f".*{_PENDING}"), key=lambda path: path.stat().st_mtime):
        name = _noted_name(ws, pending.name[1 : -len(_PENDING)])
        if name is not None:
            os.replace(pending, ws.exports_dir / name)
            finished.append(name)
        elif time.time() - pending.stat().st_mtime > _STALE_SECONDS:
            pending.unlink(missing_ok=True)
    return finished


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


def _noted_name(ws: Workspace, sha256: str) -> str | None:
    """Name under which the newest entry about a file of this content knows it; None if there is no entry."""
    table = database.audit
    statement = sa.select(table.c.after).where(table.c.action == "export", table.c.after.contains(sha256))
    with database.reading(ws) as connection:
        row = connection.execute(statement.order_by(table.c.number.desc()).limit(1)).first()
    return None if row is None else str(json.loads(row.after)["file"])
