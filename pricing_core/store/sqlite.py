"""The workspace's own SQLite file: made, opened and brought up to date.

The file is in write-ahead mode (readers never wait); whoever writes takes the write lock at the start of the
transaction and waits for it up to a limit.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pricing_core.errors import WorkspaceError, reason
from pricing_core.store import migrations
from pricing_core.store.workspace import Workspace

_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def create(ws: Workspace, metadata: sa.MetaData, **options: Any) -> None:
    """Make the database beside its place and link it there: of two processes that do so at once, one wins."""
    try:
        folder = ws.new_temp_dir("database")
        draft = folder / ws.database_path.name
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(draft)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        engine = _connectable(draft, **options)
        _update(engine, metadata, 0)
        engine.dispose()
        _place(draft, ws.database_path)
        shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise WorkspaceError(
            f"The workspace's database cannot be created: {error.strerror or error}.",
            fix="Check that the folder exists, is writable and has free space.",
        ) from error


def open_engine(path: Path, metadata: sa.MetaData, **options: Any) -> Engine:
    """Open the file, with the schema of this version.

    Raises
    ------
    WorkspaceError
        If the file is not a database of this program, or was written by a newer version of it.
    """
    version = _checked_version(path, options["wait_seconds"])
    engine = _connectable(path, **options)
    with engine.connect() as connection:
        complete = migrations.is_complete(connection, metadata, version)
    if not complete:
        _update(engine, metadata, version)
    return engine


def _connectable(path: Path, *, wait_seconds: float, json_serializer: Callable[[Any], str]) -> Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": wait_seconds},
        json_serializer=json_serializer,
    )

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where _on_begin says, not where the driver guesses
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "handle_error")
    def _on_error(context: sa.engine.ExceptionContext) -> None:
        # The head of a damaged file may be sound, so that opening it went well.
        error = context.original_exception
        if isinstance(error, sqlite3.DatabaseError) and error.sqlite_errorcode & 0xFF in _DAMAGED:
            raise _damaged(path, error) from error

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        immediate = options.get("takes_write_lock", False)
        connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if options.get('durable') else 'NORMAL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _update(engine: Engine, metadata: sa.MetaData, version: int) -> None:
    with engine.connect().execution_options(takes_write_lock=True) as connection, connection.begin():
        if version:  # another process may have been first
            version = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
        migrations.bring_up_to_date(connection, metadata, version)
        connection.exec_driver_sql(f"PRAGMA user_version={migrations.SCHEMA_VERSION}")


def _place(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            os.replace(draft, path)


def _damaged(path: Path, error: BaseException) -> WorkspaceError:
    return WorkspaceError(
        f"The workspace's database {path.name} cannot be read: {reason(error)}.",
        fix="Restore it from a copy, or move the file away: data sets, runs and price lists are then found again.",
    )


def _checked_version(path: Path, wait_seconds: float) -> int:
    try:
        with closing(sqlite3.connect(path, timeout=wait_seconds)) as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from error
    migrations.refuse_newer(version)
    if version < 1:
        raise WorkspaceError(
            f"The file {path.name} in the workspace is not a database of this program.",
            fix="Move it away, or open another workspace.",
        )
    return version
