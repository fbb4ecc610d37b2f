"""The workspace's SQLite file: tables, connections and the version of the schema.

The browser, the job runner, its worker and the command line use the file at the same time. It is therefore in
write-ahead mode (readers never wait), every writer takes the write lock at the start of its transaction and waits
for it up to :data:`BUSY_SECONDS`, and transactions are short.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pricing_core.errors import WorkspaceError
from pricing_core.store.workspace import Workspace

SCHEMA_VERSION: Final = 1
BUSY_SECONDS: Final = 30.0

METADATA: Final = sa.MetaData()

jobs = sa.Table(
    "jobs",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("params", sa.JSON, nullable=False),
    sa.Column("handlers", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False, index=True),
    sa.Column("stage", sa.Text, nullable=False, default=""),
    sa.Column("fraction", sa.Float, nullable=False, default=0.0),
    sa.Column("message", sa.Text, nullable=False, default=""),
    sa.Column("eta_seconds", sa.Float),
    sa.Column("submitted_at", sa.Float, nullable=False),
    sa.Column("started_at", sa.Float),
    sa.Column("updated_at", sa.Float),
    sa.Column("finished_at", sa.Float),
    sa.Column("cancel_requested_at", sa.Float),
    sa.Column("error", sa.Text),
    sa.Column("result", sa.JSON(none_as_null=True)),
    sa.Column("pid", sa.Integer),
    sa.Column("process_mark", sa.Text),
    sa.Column("retry_of", sa.Integer),
    sqlite_autoincrement=True,
)

job_metrics = sa.Table(
    "job_metrics",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("job_number", sa.Integer, sa.ForeignKey("jobs.number"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("value", sa.Float),
)

# At most one row: the process that starts and watches the workspace's jobs.
runner = sa.Table(
    "runner",
    METADATA,
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("pid", sa.Integer),
    sa.Column("process_mark", sa.Text),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("heartbeat_at", sa.Float, nullable=False),
    sa.Column("starts", sa.Integer, nullable=False, default=0),
)


def _shelf(name: str) -> sa.Table:
    """Index of the folders of one kind; what differs between kinds is in ``record``."""
    return sa.Table(
        name,
        METADATA,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False, unique=True),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("record", sa.JSON, nullable=False),
    )


datasets = _shelf("datasets")
runs = _shelf("runs")
price_lists = _shelf("price_lists")

scenarios = sa.Table(
    "scenarios",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("results", sa.LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

settings = sa.Table(
    "settings",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)

_engines: dict[tuple[str, int, int], Engine] = {}
_engines_lock = threading.Lock()


def get_engine(ws: Workspace) -> Engine:
    """Return the engine of the workspace's database, made once per file and process; create the file if needed.

    Raises
    ------
    WorkspaceError
        If the file is not a database of this program, or was written by a newer version of it.
    """
    path = ws.database_path
    with _engines_lock:
        if not path.exists():
            if not ws.create:
                raise WorkspaceError("The workspace's database is gone.", fix="Open the workspace again.")
            _create(ws)
        key = (str(path), os.getpid(), path.stat().st_ino)
        if key not in _engines:
            _check_version(path)
            _engines[key] = _connectable(path)
        return _engines[key]


@contextmanager
def reading(ws: Workspace) -> Iterator[Connection]:
    """Open a connection that sees one moment's state and never waits for writers."""
    with get_engine(ws).connect() as connection:
        yield connection


@contextmanager
def writing(ws: Workspace) -> Iterator[Connection]:
    """Open a connection that holds the write lock from the start; committed on exit, undone on an exception.

    Taking the lock first matters: SQLite refuses at once, without waiting, to turn a reader whose view is out of
    date into a writer.
    """
    with get_engine(ws).connect().execution_options(takes_write_lock=True) as connection, connection.begin():
        yield connection


def _connectable(path: Path) -> Engine:
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        json_serializer=to_json,
    )

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where _on_begin says, not where the driver guesses
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("takes_write_lock", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _create(ws: Workspace) -> None:
    """Make the database beside its place and link it there: of two processes that do so at once, one wins."""
    try:
        folder = ws.new_temp_dir("database")
        draft = folder / ws.database_path.name
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(draft)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        engine = _connectable(draft)
        METADATA.create_all(engine)
        with engine.begin() as sa_connection:
            sa_connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")
        engine.dispose()
        _place(draft, ws.database_path)
        shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise WorkspaceError(
            f"The workspace's database cannot be created: {error.strerror or error}.",
            fix="Check that the folder exists, is writable and has free space.",
        ) from error


def _place(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not path.exists():
            os.replace(draft, path)


def _check_version(path: Path) -> None:
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise WorkspaceError(
            f"The workspace's database {path.name} cannot be read: {error}.",
            fix="Restore it from a copy, or move the file away: data sets, runs and price lists are then found again.",
        ) from error
    if version > SCHEMA_VERSION:
        raise WorkspaceError(
            f"The workspace was written by a newer version (schema {version}; this version knows {SCHEMA_VERSION}).",
            fix="Update the program, or open another workspace.",
        )
    if version < 1:
        raise WorkspaceError(
            f"The file {path.name} in the workspace is not a database of this program.",
            fix="Move it away, or open another workspace.",
        )


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Return JSON text; NumPy scalars become plain numbers, times ISO 8601 text, paths text."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    for method in ("item", "isoformat"):
        if hasattr(value, method):
            return getattr(value, method)()
    raise TypeError(f"a value of type {type(value).__name__} cannot be kept as JSON")
