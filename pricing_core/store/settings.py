"""Small values that last, by key: choices of the user and counters of the store."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pricing_core.store import database
from pricing_core.store.workspace import Workspace


def get(ws: Workspace, key: str, default: Any = None) -> Any:
    """Return the value kept under ``key``, or ``default`` if there is none."""
    with database.reading(ws) as connection:
        return read(connection, key, default)


def set(ws: Workspace, key: str, value: Any) -> None:
    """Keep a JSON value under ``key``, replacing what was there."""
    with database.writing(ws) as connection:
        write(connection, key, value)


def read(connection: Connection, key: str, default: Any = None) -> Any:
    """Do :func:`get` within a transaction."""
    table = database.settings
    row = connection.execute(sa.select(table.c.value).where(table.c.key == key)).first()
    return default if row is None else row[0]


def write(connection: Connection, key: str, value: Any) -> None:
    """Do :func:`set` within a transaction."""
    table = database.settings
    changed = connection.execute(sa.update(table).where(table.c.key == key).values(value=value))
    if not changed.rowcount:  # writers are one at a time, so nobody can have inserted it in between
        connection.execute(sa.insert(table).values(key=key, value=value))
