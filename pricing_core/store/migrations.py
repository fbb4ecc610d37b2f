"""Versions of the metadata schema, and the steps from each to the next.

A step runs in the same transaction as the new version number, so a process that dies halfway leaves the old schema.
Tables that are only new need no step: whatever table is missing is made when the database is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pricing_core.errors import WorkspaceError

SCHEMA_VERSION: Final = 2


def bring_up_to_date(connection: Connection, metadata: sa.MetaData, version: int) -> None:
    """Make missing tables, and take the steps from ``version`` to :data:`SCHEMA_VERSION`.

    Parameters
    ----------
    connection
        Within a transaction that holds the write lock.
    version
        Version that the database says it has; 0 for an empty one.
    """
    metadata.create_all(connection)
    if version:
        for step in STEPS[version - 1 :]:
            step(connection, metadata)


def is_complete(connection: Connection, metadata: sa.MetaData, version: int) -> bool:
    """Whether the database needs no step and lacks no table."""
    return version == SCHEMA_VERSION and not set(metadata.tables) - set(sa.inspect(connection).get_table_names())


def refuse_newer(version: int) -> None:
    """Raise WorkspaceError if a newer version of the program has written the database."""
    if version > SCHEMA_VERSION:
        raise WorkspaceError(
            f"The workspace was written by a newer version (schema {version}; this version knows {SCHEMA_VERSION}).",
            fix="Update the program, or open another workspace.",
        )


def _give_lists_a_state(connection: Connection, metadata: sa.MetaData) -> None:
    """1 → 2: price lists made before there was a lifecycle become drafts that nobody has edited."""
    lists, states = metadata.tables["price_lists"], metadata.tables["price_list_states"]
    there = set(connection.scalars(sa.select(states.c.id)))
    missing = [row for row in connection.execute(sa.select(lists.c.id, lists.c.created_at)) if row.id not in there]
    rows: list[dict[str, Any]] = [{"id": row.id, "revision": 0, "state": {}} for row in missing]
    if rows:
        connection.execute(sa.insert(states), rows)


STEPS: Final[tuple[Callable[[Connection, sa.MetaData], None], ...]] = (_give_lists_a_state,)
assert len(STEPS) == SCHEMA_VERSION - 1
