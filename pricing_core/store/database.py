"""The workspace's database: tables and connections. A SQLite file, or a schema of a PostgreSQL server.

The browser, the job runner, its worker and the command line use it at the same time. Readers never wait; every writer
takes the workspace's one write lock at the start of its transaction and waits for it up to :data:`BUSY_SECONDS`, and
transactions are short. Statements are SQLAlchemy's own, so that both kinds of database run the same code.
"""

from __future__ import annotations

import atexit
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pricing_core.errors import WorkspaceError
from pricing_core.store import append_only, postgresql, sqlite
from pricing_core.store.migrations import SCHEMA_VERSION as SCHEMA_VERSION
from pricing_core.store.workspace import Workspace

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

# Test designs, readouts and backtests by name; ``content`` holds their tables as Parquet by key.
measurements = sa.Table(
    "measurements",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("record", sa.JSON, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("kind", "name"),
    sqlite_autoincrement=True,
)

guardrail_sets = sa.Table(
    "guardrail_sets",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("saved_at", sa.Text, nullable=False),
    sa.Column("saved_by", sa.Text, nullable=False),
    sa.Column("rules", sa.Text, nullable=False),
)

settings = sa.Table(
    "settings",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)

# What may change about a price list after it was made; the proposals in its folder do not.
price_list_states = sa.Table(
    "price_list_states",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("state", sa.JSON, nullable=False),
)

price_list_comments = sa.Table(
    "price_list_comments",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("price_list_id", sa.Text, nullable=False, index=True),
    sa.Column("row", sa.Integer),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("verified", sa.Boolean, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

# The audit log; rows are only ever added, see ``audit``.
audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("verified", sa.Boolean, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("object_id", sa.Text, nullable=False, index=True),
    sa.Column("before", sa.Text, nullable=False),
    sa.Column("after", sa.Text, nullable=False),
    sa.Column("previous_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
)
append_only.protect(audit)

_engines: dict[tuple[str, int, int], Engine] = {}
_engines_lock = threading.Lock()
OPTIONS: Final[dict[str, Any]] = {"wait_seconds": BUSY_SECONDS, "json_serializer": lambda value: to_json(value)}
"""How every engine is opened."""


@atexit.register
def _close_engines() -> None:
    """Close all connections, whereupon SQLite moves what stands in a file beside the database into it."""
    for (_, process, _), engine in list(_engines.items()):
        if process == os.getpid():  # those of a process that this one was forked from are its own
            engine.dispose()


def close(ws: Workspace) -> None:
    """Close this process's connections to the workspace's SQLite file, which may then be taken away."""
    with _engines_lock:
        for key in [key for key in _engines if key[:2] == (str(ws.database_path), os.getpid())]:
            _engines.pop(key).dispose()


def get_engine(ws: Workspace) -> Engine:
    """Return the engine of the workspace's database, made once per database and process; create it if needed.

    Raises
    ------
    WorkspaceError
        If the database is not one of this program, was written by a newer version of it, or is not the one that the
        workspace was opened with before.
    """
    url = postgresql.database_url(ws)
    _refuse_another_kind(ws, url)
    with _engines_lock:
        return _file_engine(ws) if url is None else _server_engine(ws, url)


def _file_engine(ws: Workspace) -> Engine:
    path = ws.database_path
    if not path.exists():
        if not ws.create:
            raise WorkspaceError("The workspace's database is gone.", fix="Open the workspace again.")
        sqlite.create(ws, METADATA, **OPTIONS)
    key = (str(path), os.getpid(), path.stat().st_ino)
    if key not in _engines:
        _engines[key] = sqlite.open_engine(path, METADATA, **OPTIONS)
    return _engines[key]


def _server_engine(ws: Workspace, url: sa.URL) -> Engine:
    schema = postgresql.schema_name(ws)
    key = (f"{url.render_as_string(hide_password=False)} {schema}", os.getpid(), 0)
    if key not in _engines:
        _engines[key] = postgresql.open_engine(url, schema, METADATA, **OPTIONS)
    return _engines[key]


def _refuse_another_kind(ws: Workspace, url: sa.URL | None) -> None:
    """Refuse to start a second, empty index beside the one that the workspace has."""
    if ws.database_path.exists():
        if url is not None:
            raise WorkspaceError(
                f"The workspace keeps its index in {ws.database_path.name}, and a PostgreSQL server is named.",
                fix="Move it there: python -m pricing_core database-move. Or name no server.",
            )
    elif url is None and ws.schema_marker.exists():
        raise WorkspaceError(
            "The workspace keeps its index on a PostgreSQL server, and no server is named.",
            fix=f"Set {postgresql.ENVIRONMENT_VARIABLE}, as when the workspace was made.",
        )


@contextmanager
def reading(ws: Workspace) -> Iterator[Connection]:
    """Open a connection that sees one moment's state and never waits for writers."""
    with get_engine(ws).connect() as connection:
        yield connection


@contextmanager
def writing(ws: Workspace, *, durable: bool = False) -> Iterator[Connection]:
    """Open a connection that holds the write lock from the start; committed on exit, undone on an exception.

    Taking the lock first matters: SQLite refuses at once, without waiting, to turn a reader whose view is out of
    date into a writer.

    Parameters
    ----------
    durable
        Whether not even a power cut may undo what was committed; costs SQLite a wait for the disk.
    """
    options = {"takes_write_lock": True, "durable": durable}
    with get_engine(ws).connect().execution_options(**options) as connection, connection.begin():
        yield connection


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
