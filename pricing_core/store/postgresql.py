"""A PostgreSQL server instead of the workspace's SQLite file: one schema per workspace.

The address comes from the environment variable ``PRICING_DATABASE_URL``, or else from the file ``database.url`` in
the workspace. The name of the schema is drawn when the workspace is first opened and kept in ``postgresql.schema``.
Writers queue on an advisory lock that PostgreSQL itself releases when the transaction or the connection ends, so they
behave as with SQLite: one at a time, and a killed process blocks nobody.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from pricing_core.errors import ConfigError, MissingDependencyError, WorkspaceError
from pricing_core.store import migrations
from pricing_core.store.workspace import Workspace

ENVIRONMENT_VARIABLE: Final = "PRICING_DATABASE_URL"
URL_FILE: Final = "database.url"
_DRIVER: Final = "postgresql+psycopg"
_VERSION: Final = sa.Table("schema_version", sa.MetaData(), sa.Column("version", sa.Integer, nullable=False))


def database_url(ws: Workspace) -> sa.URL | None:
    """Address of the server that the workspace uses; None for the workspace's own SQLite file.

    Raises
    ------
    ConfigError
        If the address is not one of a PostgreSQL server. The message does not repeat it: it may hold a password.
    """
    text = os.environ.get(ENVIRONMENT_VARIABLE, "").strip() or _from_file(ws)
    if not text:
        return None
    source = ENVIRONMENT_VARIABLE if os.environ.get(ENVIRONMENT_VARIABLE, "").strip() else URL_FILE
    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError as error:
        raise ConfigError(f"{source} holds no database address.", fix=_EXAMPLE) from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigError(f"{source} names a {url.get_backend_name()} database.", fix=_EXAMPLE)
    return url.set(drivername=_DRIVER)


_EXAMPLE: Final = "Give postgresql://user:password@host/database, or leave it out to use a SQLite file."


def schema_name(ws: Workspace) -> str:
    """Name of the workspace's schema, drawn once and kept in the workspace."""
    path = ws.schema_marker
    if not path.exists():
        if not ws.create:
            raise WorkspaceError("The workspace's database is gone.", fix="Open the workspace again.")
        draft = ws.temp_dir / f"schema-{secrets.token_hex(8)}"
        try:
            draft.write_text(new_schema_name() + "\n", encoding="ascii")
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first
        except OSError as error:
            raise WorkspaceError(
                f"The workspace's database cannot be created: {error.strerror or error}.",
                fix="Check that the folder exists, is writable and has free space.",
            ) from error
        finally:
            draft.unlink(missing_ok=True)
    name = path.read_text(encoding="ascii").strip()
    if not re.fullmatch(r"pricing_[0-9a-f]{16}", name):
        raise WorkspaceError(f"The file {path.name} in the workspace is damaged.", fix="Restore it from a copy.")
    return name


def new_schema_name() -> str:
    """Draw a name that no other workspace has."""
    return f"pricing_{secrets.token_hex(8)}"


def write_schema_name(ws: Workspace, name: str) -> None:
    """Have the workspace use this schema, in place of another that it may name."""
    draft = ws.temp_dir / f"schema-{secrets.token_hex(8)}"
    draft.write_text(name + "\n", encoding="ascii")
    os.replace(draft, ws.schema_marker)


def open_engine(
    url: sa.URL, schema: str, metadata: sa.MetaData, *, wait_seconds: float, json_serializer: Callable[[Any], str]
) -> Engine:
    """Connect to the workspace's schema, made and brought up to date if need be.

    Raises
    ------
    MissingDependencyError
        If the driver is not installed.
    WorkspaceError
        If the server does not answer, or a newer version of the program has written the schema.
    """
    options = f"-c search_path={schema} -c lock_timeout={int(wait_seconds * 1000)}"
    try:
        engine = sa.create_engine(
            url, connect_args={"options": options}, json_serializer=json_serializer, pool_pre_ping=True
        )
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "A PostgreSQL database is set, but its driver is missing.",
            fix="Run: pip install -r requirements/postgresql.txt",
        ) from error
    _lock_on_begin(engine, lock_key(schema))
    try:
        _prepare(engine, schema, metadata)
    except sa.exc.OperationalError as error:
        raise WorkspaceError(
            f"The PostgreSQL server at {url.host or 'the local socket'} does not answer: {_reason(error)}.",
            fix=f"Start it, or correct {ENVIRONMENT_VARIABLE}.",
        ) from error
    return engine


def lock_key(schema: str) -> int:
    """Key of the schema's write lock: 63 bits of a hash of its name."""
    return int.from_bytes(hashlib.sha256(schema.encode()).digest()[:8]) >> 1


def _lock_on_begin(engine: Engine, key: int) -> None:
    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        if connection.get_execution_options().get("takes_write_lock", False):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({key})")
        else:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _prepare(engine: Engine, schema: str, metadata: sa.MetaData) -> None:
    with engine.connect() as connection:
        version = _version(connection)
        migrations.refuse_newer(version)
        if version and migrations.is_complete(connection, metadata, version):
            return
    with engine.connect().execution_options(takes_write_lock=True) as connection, connection.begin():
        connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        version = _version(connection)
        migrations.bring_up_to_date(connection, metadata, version)
        _VERSION.create(connection, checkfirst=True)
        connection.execute(sa.delete(_VERSION))
        connection.execute(sa.insert(_VERSION).values(version=migrations.SCHEMA_VERSION))


def _version(connection: Connection) -> int:
    """Version of the schema; 0 where there is none yet."""
    if not sa.inspect(connection).has_table(_VERSION.name):
        return 0
    return int(connection.execute(sa.select(_VERSION.c.version)).scalar_one())


def _reason(error: sa.exc.OperationalError) -> str:
    return (str(error.orig).strip().splitlines() or ["no reason given"])[0].rstrip(".")


def _from_file(ws: Workspace) -> str:
    path = ws.root / URL_FILE
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise ConfigError(f"The file {URL_FILE} of the workspace cannot be read.", fix="Correct it.") from error
