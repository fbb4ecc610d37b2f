"""The two kinds of metadata store that tests run against."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from pricing_core.store import database, postgresql

DATABASES = ("sqlite", "postgresql")
TEST_URL = "PRICING_TEST_DATABASE_URL"


@contextmanager
def use_database(kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have workspaces opened within use this kind of database; what was made on the server goes afterwards."""
    if kind == "sqlite":
        monkeypatch.delenv(postgresql.ENVIRONMENT_VARIABLE, raising=False)
        yield
        return
    url = os.environ.get(TEST_URL)
    if not url:
        pytest.skip(f"no PostgreSQL server to test with: {TEST_URL} is not set")
    monkeypatch.setenv(postgresql.ENVIRONMENT_VARIABLE, url)
    before = set(database._engines)
    try:
        yield
    finally:
        for key in set(database._engines) - before:
            database._engines.pop(key).dispose()
            _drop(url, key[0].split()[-1])


def _drop(url: str, schema: str) -> None:
    if not schema.startswith("pricing_"):
        return
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        # Whoever still works in the schema belongs to the test that ended.
        connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
