"""Folders that appear all at once, and their index: the ground that data sets, runs and price lists share.

A folder is complete before it gets its name, and it carries its own index entry as ``record.json``. So the two
accidents that a crash can leave are repaired when the shelf is next looked at: a folder without an entry gets one
from its record, and an entry without a folder goes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pricing_core.drafts import draft_path
from pricing_core.errors import WorkspaceError, reason
from pricing_core.store import database, settings
from pricing_core.store.workspace import Workspace

RECORD: Final = "record.json"


@dataclass(frozen=True)
class Shelf:
    """One kind of stored folder: its index table, its place under the workspace, and the letter of its ids."""

    table: sa.Table
    folder: str
    prefix: str
    noun: str

    def path(self, ws: Workspace, item_id: str) -> Path:
        """Return the folder of one item, whether or not it exists."""
        return ws.root / self.folder / item_id

    def number(self, item_id: str) -> int | None:
        """Return the number in an id such as ``d0012``; None if the text is no id of this shelf."""
        digits = item_id[len(self.prefix) :]
        return int(digits) if item_id.startswith(self.prefix) and digits.isascii() and digits.isdigit() else None


@dataclass(frozen=True)
class Entry:
    """Index entry of one item: its id, when it was made (ISO 8601, UTC) and its record."""

    id: str
    created_at: str
    record: dict[str, Any]


@contextmanager
def drafting(ws: Workspace, label: str) -> Iterator[Path]:
    """Give a new temporary folder to write into; whatever is still there at the end is removed.

    Raises
    ------
    WorkspaceError
        If a file cannot be written, for example because the disk is full.
    """
    draft = ws.new_temp_dir(label)
    try:
        yield draft
    except OSError as error:
        raise WorkspaceError(
            f"Writing to the workspace failed: {error.strerror or error}.",
            fix="Free some space and try again.",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def commit(
    ws: Workspace,
    shelf: Shelf,
    draft: Path,
    record: Mapping[str, Any],
    *,
    entered: Callable[[Connection, str], None] | None = None,
) -> str:
    """Give a complete draft folder its final name, enter it in the index, and return its new id.

    Parameters
    ----------
    entered
        What else belongs into the transaction that enters the item; gets the connection and the id.
    """
    if draft.parent != ws.temp_dir or not draft.is_dir():
        raise WorkspaceError(
            f"The folder {draft.name} is not an open draft of this workspace.",
            fix="Write into a folder made for this workspace, and commit it once.",
        )
    entry_record = {**record, "created_at": _now()}
    write_json(draft / RECORD, entry_record)
    _flush(draft)
    with database.writing(ws) as connection:
        item_id = _next_id(ws, connection, shelf)
    os.rename(draft, shelf.path(ws, item_id))
    with database.writing(ws, durable=entered is not None) as connection:
        _enter(connection, shelf, item_id, entry_record)
        if entered is not None:
            entered(connection, item_id)
    return item_id


def entries(ws: Workspace, shelf: Shelf) -> list[Entry]:
    """Return the shelf's items, newest first, after repairing the index."""
    present = _folders(ws, shelf)
    found = _rows(ws, shelf)
    missing_rows = present - set(found)
    missing_folders = [item_id for item_id in found if not shelf.path(ws, item_id).is_dir()]
    if missing_rows or missing_folders:
        _repair(ws, shelf, missing_rows, missing_folders)
        found = _rows(ws, shelf)
    return list(found.values())


def entry(ws: Workspace, shelf: Shelf, item_id: str) -> Entry:
    """Return one item.

    Raises
    ------
    WorkspaceError
        If the workspace does not hold it.
    """
    found = {each.id: each for each in entries(ws, shelf)}
    if item_id not in found:
        known = ", ".join(list(found)[:5]) or "none"
        raise WorkspaceError(f"The workspace holds no {shelf.noun} {item_id!r}.", fix=f"Choose one of: {known}.")
    return found[item_id]


def update_record(ws: Workspace, shelf: Shelf, item_id: str, changes: Mapping[str, Any]) -> None:
    """Change fields of an item's record, in its folder and in the index."""
    with database.writing(ws) as connection:
        path = shelf.path(ws, item_id) / RECORD
        record = {**read_json(path), **changes}
        write_json(path, record)
        connection.execute(sa.update(shelf.table).where(shelf.table.c.id == item_id).values(record=record))


def remove(ws: Workspace, shelf: Shelf, item_id: str) -> None:
    """Remove an item; its id is never given again."""
    entry(ws, shelf, item_id)
    with drafting(ws, "removed") as grave:
        os.rename(shelf.path(ws, item_id), grave / item_id)
        with database.writing(ws) as connection:
            connection.execute(sa.delete(shelf.table).where(shelf.table.c.id == item_id))


def write_json(path: Path, value: Any) -> None:
    """Write JSON in one step: a reader sees the old file or the new one."""
    draft = draft_path(path)
    draft.write_text(database.to_json(value, indent=2), encoding="utf-8")
    os.replace(draft, path)


def read_json(path: Path) -> Any:
    """Read a JSON file of the workspace; WorkspaceError if it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WorkspaceError(
            f"The file {path.parent.name}/{path.name} of the workspace cannot be read: {reason(error, of=path.name)}.",
            fix="Restore it from a copy, or delete the folder and make it again.",
        ) from error


def _folders(ws: Workspace, shelf: Shelf) -> set[str]:
    try:
        return {name for name in os.listdir(ws.root / shelf.folder) if shelf.number(name) is not None}
    except FileNotFoundError as error:
        raise WorkspaceError(
            f"The workspace's folder {shelf.folder} is gone.", fix="Restore it, or open the workspace again."
        ) from error


def _rows(ws: Workspace, shelf: Shelf) -> dict[str, Entry]:
    with database.reading(ws) as connection:
        rows = connection.execute(sa.select(shelf.table).order_by(shelf.table.c.number.desc())).all()
    return {row.id: Entry(id=row.id, created_at=row.created_at, record=dict(row.record)) for row in rows}


def _repair(ws: Workspace, shelf: Shelf, missing_rows: set[str], missing_folders: list[str]) -> None:
    # A folder without a readable record is not one of ours: it is left alone and not listed.
    records = {item_id: _record_or_none(shelf.path(ws, item_id)) for item_id in sorted(missing_rows)}
    if not missing_folders and not any(records.values()):
        return
    with database.writing(ws) as connection:
        for item_id in missing_folders:
            connection.execute(sa.delete(shelf.table).where(shelf.table.c.id == item_id))
        for item_id, record in records.items():
            if record and shelf.path(ws, item_id).is_dir():
                _enter(connection, shelf, item_id, record)


def _record_or_none(folder: Path) -> dict[str, Any] | None:
    try:
        record = read_json(folder / RECORD)
    except WorkspaceError:
        return None
    return record if isinstance(record, dict) and "created_at" in record else None


def _enter(connection: Connection, shelf: Shelf, item_id: str, record: Mapping[str, Any]) -> None:
    # Another process may have found the folder and entered it between our rename and now.
    if connection.execute(sa.select(shelf.table.c.id).where(shelf.table.c.id == item_id)).first() is None:
        values = {"number": shelf.number(item_id), "created_at": record["created_at"], "record": dict(record)}
        connection.execute(sa.insert(shelf.table).values(id=item_id, **values))


def _next_id(ws: Workspace, connection: Connection, shelf: Shelf) -> str:
    key = f"last_number.{shelf.folder}"
    on_disk = [shelf.number(name) or 0 for name in _folders(ws, shelf)]
    number = max([settings.read(connection, key, 0), *on_disk]) + 1
    settings.write(connection, key, number)
    return f"{shelf.prefix}{number:04d}"


def _flush(folder: Path) -> None:
    """Have the system write the folder's files out, so that not even a power cut leaves a half-written item."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
