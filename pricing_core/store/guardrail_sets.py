"""Sets of guardrails saved under names, as TOML text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pandas as pd
import sqlalchemy as sa

from pricing_core.errors import ConfigError, WorkspaceError
from pricing_core.guardrails.rules import Guardrails
from pricing_core.store import database
from pricing_core.store.workspace import Workspace

LONGEST_NAME: Final = 80
_TABLE = database.guardrail_sets


@dataclass(frozen=True)
class StoredGuardrails:
    """A saved set: its rules, when it was last saved, and by whom as far as known."""

    name: str
    guardrails: Guardrails
    saved_at: str
    saved_by: str


def save(ws: Workspace, name: str, guardrails: Guardrails, *, saved_by: str = "") -> str:
    """Keep a set under a name, replacing one of the same name; return the name without spaces around it.

    Raises
    ------
    ConfigError
        If the name is empty or longer than 80 characters.
    """
    cleaned = " ".join(name.split())
    if not cleaned:
        raise ConfigError("The name of the guardrails is empty.", fix="Give them a name, for example 'Summer sale'.")
    if len(cleaned) > LONGEST_NAME:
        raise ConfigError(
            f"The name of the guardrails has {len(cleaned)} characters.", fix=f"Use at most {LONGEST_NAME}."
        )
    values = {"saved_at": datetime.now(UTC).isoformat(), "saved_by": saved_by, "rules": guardrails.to_toml()}
    with database.writing(ws) as connection:
        found = connection.execute(sa.update(_TABLE).where(_TABLE.c.name == cleaned).values(**values))
        if not found.rowcount:
            connection.execute(sa.insert(_TABLE).values(name=cleaned, **values))
    return cleaned


def names(ws: Workspace) -> list[str]:
    """Return the names of the saved sets, in order."""
    return [str(name) for name in list_sets(ws)["name"]]


def list_sets(ws: Workspace) -> pd.DataFrame:
    """Return one row per saved set, by name: ``name, saved_at, saved_by``."""
    columns = [_TABLE.c.name, _TABLE.c.saved_at, _TABLE.c.saved_by]
    with database.reading(ws) as connection:
        rows = connection.execute(sa.select(*columns)).all()
    ordered = sorted((tuple(row) for row in rows), key=lambda row: str(row[0]).casefold())
    frame = pd.DataFrame(ordered, columns=["name", "saved_at", "saved_by"])
    return frame.assign(saved_at=pd.to_datetime(frame["saved_at"], utc=True))


def load(ws: Workspace, name: str) -> StoredGuardrails:
    """Return a saved set.

    Raises
    ------
    WorkspaceError
        If there is none of this name; the message names those there are.
    """
    with database.reading(ws) as connection:
        row = connection.execute(sa.select(_TABLE).where(_TABLE.c.name == name)).first()
    if row is None:
        raise _missing(ws, name)
    return StoredGuardrails(row.name, Guardrails.from_toml(row.rules), row.saved_at, row.saved_by)


def delete(ws: Workspace, name: str) -> None:
    """Delete a saved set.

    Raises
    ------
    WorkspaceError
        If there is none of this name; the message names those there are.
    """
    with database.writing(ws) as connection:
        deleted = connection.execute(sa.delete(_TABLE).where(_TABLE.c.name == name))
    if not deleted.rowcount:
        raise _missing(ws, name)


def _missing(ws: Workspace, name: str) -> WorkspaceError:
    there = ", ".join(names(ws))
    return WorkspaceError(
        f"There are no guardrails called {name!r}.", fix=f"Saved are: {there}." if there else "Save a set first."
    )
