"""Move a workspace's index from its SQLite file to a PostgreSQL server."""

from __future__ import annotations

import os
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pricing_core.errors import ConfigError, WorkspaceError
from pricing_core.store import database, postgresql, sqlite
from pricing_core.store.workspace import Workspace

KEPT: Final = "workspace.moved.sqlite"


def to_server(ws: Workspace) -> dict[str, int]:
    """Copy every table to the server that the environment or the workspace names; return the rows per table.

    The rows arrive in a new schema, in one transaction. Then the SQLite file gets another name: that is the switch, and
    a process that dies before it has moved nothing. Nobody else can write to the workspace meanwhile.

    Raises
    ------
    ConfigError
        If no server is named.
    WorkspaceError
        If the index is on a server already, or a job is running.
    """
    url = postgresql.database_url(ws)
    if url is None:
        raise ConfigError(
            "No PostgreSQL server is named.", fix=f"Set {postgresql.ENVIRONMENT_VARIABLE} to its address first."
        )
    if not ws.database_path.exists():
        raise WorkspaceError("The workspace has no SQLite file to move.", fix="It may be on the server already.")
    schema = postgresql.new_schema_name()
    source = sqlite.open_engine(ws.database_path, database.METADATA, **database.OPTIONS)
    target = postgresql.open_engine(url, schema, database.METADATA, **database.OPTIONS)
    try:
        with source.connect() as connection:
            connection.exec_driver_sql("COMMIT")  # a checkpoint is no part of a transaction
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        with source.connect().execution_options(takes_write_lock=True) as old, old.begin():
            counts = _copy(old, target)
            postgresql.write_schema_name(ws, schema)
            os.replace(ws.database_path, ws.root / KEPT)
    finally:
        source.dispose()
        target.dispose()
    for leftover in ws.root.glob(f"{ws.database_path.name}-*"):
        leftover.unlink(missing_ok=True)
    return counts


def _copy(old: Connection, target: sa.Engine) -> dict[str, int]:
    running = sa.select(database.jobs.c.number).where(database.jobs.c.status == "running")
    if old.execute(running).first():
        raise WorkspaceError("A job is running in the workspace.", fix="Wait for it, or cancel it.")
    with target.connect().execution_options(takes_write_lock=True) as new, new.begin():
        return {table.name: _copy_table(old, new, table) for table in database.METADATA.sorted_tables}


def _copy_table(old: Connection, new: Connection, table: sa.Table) -> int:
    rows = [dict(row) for row in old.execute(sa.select(table)).mappings()]
    if rows:
        new.execute(sa.insert(table), rows)
    counter = table.autoincrement_column
    if counter is not None and rows:
        sequence = f"pg_get_serial_sequence('{table.name}', '{counter.name}')"
        new.execute(sa.text(f"SELECT setval({sequence}, :last)"), {"last": max(row[counter.name] for row in rows)})
    return len(rows)
