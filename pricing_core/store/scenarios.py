"""Saved scenarios: what was assumed, and the table that came out, kept together under a name."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from pricing_core.errors import ConfigError, WorkspaceError
from pricing_core.store import database
from pricing_core.store.workspace import Workspace

_TABLE = database.scenarios


@dataclass(frozen=True)
class StoredScenario:
    """A scenario's assumptions (JSON values) and its results, one row per strategy."""

    scenario_id: str
    name: str
    created_at: str
    spec: dict[str, Any]
    results: pd.DataFrame


def save_scenario(ws: Workspace, name: str, spec: Mapping[str, Any], results: pd.DataFrame) -> str:
    """Keep a scenario and return its id, such as ``s0001``; one of the same name is replaced and keeps its id."""
    cleaned = name.strip()
    if not cleaned:
        raise ConfigError("The scenario's name is empty.", fix="Give it a name, for example 'Costs up 5%'.")
    content = io.BytesIO()
    results.reset_index(drop=True).to_parquet(content, engine="pyarrow", index=False)
    values = {"created_at": _now(), "spec": dict(spec), "results": content.getvalue()}
    with database.writing(ws) as connection:
        number = connection.execute(sa.select(_TABLE.c.number).where(_TABLE.c.name == cleaned)).scalar()
        if number is None:
            inserted = connection.execute(sa.insert(_TABLE).values(name=cleaned, **values)).inserted_primary_key
            number = int(inserted[0]) if inserted else 0
        else:
            connection.execute(sa.update(_TABLE).where(_TABLE.c.number == number).values(**values))
    return f"s{number:04d}"


def list_scenarios(ws: Workspace) -> pd.DataFrame:
    """Return one row per scenario, last saved first: ``scenario_id, name, created_at, spec``."""
    with database.reading(ws) as connection:
        rows = connection.execute(
            sa.select(_TABLE.c.number, _TABLE.c.name, _TABLE.c.created_at, _TABLE.c.spec).order_by(
                _TABLE.c.created_at.desc(), _TABLE.c.number.desc()
            )
        ).all()
    frame = pd.DataFrame(
        [(f"s{row.number:04d}", row.name, row.created_at, row.spec) for row in rows],
        columns=["scenario_id", "name", "created_at", "spec"],
    )
    return frame.assign(created_at=pd.to_datetime(frame["created_at"], utc=True))


def load_scenario(ws: Workspace, scenario_id: str) -> StoredScenario:
    """Return a scenario; WorkspaceError if the workspace does not hold it."""
    with database.reading(ws) as connection:
        row = connection.execute(sa.select(_TABLE).where(_TABLE.c.number == _number(scenario_id))).first()
    if row is None:
        raise _missing(scenario_id)
    results = pd.read_parquet(io.BytesIO(row.results), engine="pyarrow")
    return StoredScenario(scenario_id, row.name, row.created_at, dict(row.spec), results)


def duplicate_scenario(ws: Workspace, scenario_id: str) -> str:
    """Keep a copy under the next free name, such as ``Costs up 5% (2)``, and return its id."""
    original = load_scenario(ws, scenario_id)
    taken = set(list_scenarios(ws)["name"])
    number = 2
    while (name := f"{original.name} ({number})") in taken:
        number += 1
    return save_scenario(ws, name, {**original.spec, "name": name}, original.results)


def delete_scenario(ws: Workspace, scenario_id: str) -> None:
    """Delete a scenario; WorkspaceError if the workspace does not hold it."""
    with database.writing(ws) as connection:
        deleted = connection.execute(sa.delete(_TABLE).where(_TABLE.c.number == _number(scenario_id)))
    if deleted.rowcount == 0:
        raise _missing(scenario_id)


def _number(scenario_id: str) -> int:
    digits = scenario_id.removeprefix("s")
    if not (digits.isascii() and digits.isdigit()):
        raise _missing(scenario_id)
    return int(digits)


def _missing(scenario_id: str) -> WorkspaceError:
    return WorkspaceError(
        f"The workspace holds no scenario {scenario_id!r}.",
        fix="Choose one from the list of saved scenarios.",
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
