"""Where each price list stands: one row of the database each, which is the switch for the files that belong to it.

A copy lies in the list's folder, written after the row, so that a lost database can be rebuilt.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pricing_core.errors import WorkspaceError
from pricing_core.pricelist.lifecycle import RELEASED, ListState, statuses_at
from pricing_core.store import audit, database, shelf
from pricing_core.store.datasets import read_parquet
from pricing_core.store.workspace import Workspace

SHELF: Final = shelf.Shelf(table=database.price_lists, folder="price_lists", prefix="p", noun="price list")
RELEASED_FILE: Final = "released"
_COPY: Final = "state.json"
_TABLE: Final = database.price_list_states


def read_all(ws: Workspace, connection: Connection) -> dict[str, tuple[int, ListState]]:
    """Revision and state of each price list, as last written down."""
    rows = connection.execute(sa.select(_TABLE.c.id, _TABLE.c.revision, _TABLE.c.state)).all()
    found = {row.id: (int(row.revision), ListState.from_dict(row.state)) for row in rows}
    listed = connection.scalars(sa.select(database.price_lists.c.id)).all()
    return {item_id: found.get(item_id) or _from_copy(SHELF.path(ws, item_id)) for item_id in listed}


def at(ws: Workspace, now: datetime | None = None) -> dict[str, tuple[int, ListState]]:
    """Revision and state of each price list as it stands at a moment, by default now."""
    with database.reading(ws) as connection:
        return _at(read_all(ws, connection), now or datetime.now(UTC))


def write(connection: Connection, price_list_id: str, revision: int, state: ListState) -> None:
    """Write a state down, within a transaction."""
    values = {"revision": revision, "state": state.to_dict()}
    changed = connection.execute(sa.update(_TABLE).where(_TABLE.c.id == price_list_id).values(**values))
    if not changed.rowcount:
        connection.execute(sa.insert(_TABLE).values(id=price_list_id, **values))


def revision_of(ws: Workspace, connection: Connection, price_list_id: str) -> int:
    """Revision as last written down."""
    row = connection.execute(sa.select(_TABLE.c.revision).where(_TABLE.c.id == price_list_id)).first()
    return int(row.revision) if row else _from_copy(SHELF.path(ws, price_list_id))[0]


def copy_to_folder(ws: Workspace, price_list_id: str) -> None:
    """Put a copy of the state as it was committed into the list's folder."""
    with database.reading(ws) as connection:
        row = connection.execute(sa.select(_TABLE).where(_TABLE.c.id == price_list_id)).first()
    folder = SHELF.path(ws, price_list_id)
    if row is not None and folder.is_dir():
        shelf.write_json(folder / _COPY, {"revision": row.revision, "state": row.state})


def settle(ws: Workspace, now: datetime | None = None) -> list[str]:
    """Write down what the calendar has done since the last look, and return the ids of the lists concerned."""
    when = now or datetime.now(UTC)
    with database.reading(ws) as connection:
        before = read_all(ws, connection)
    if _at(before, when) == before:
        return []
    with audit.recording(ws) as connection:
        before = read_all(ws, connection)
        moved = {key: state for key, state in _at(before, when).items() if state != before[key]}
        for key, (revision, state) in moved.items():
            write(connection, key, revision, state)
            old = before[key][1].status
            audit.append(
                connection, actor=audit.SYSTEM, action=_ACTIONS.get(state.status, "note"), object_id=key,
                before={"status": old}, after={"status": state.status, "revision": revision},
            )  # fmt: skip
    for key in moved:
        copy_to_folder(ws, key)
    return sorted(moved)


def price_memory(ws: Workspace, now: datetime | None = None) -> pd.DataFrame:
    """Prices that lists have had in force, or will: ``price_list_id, product_id, lowest_price, start, end`` (UTC)."""
    parts = []
    for key, (_, state) in at(ws, now).items():
        name = state.file(RELEASED_FILE)
        if state.status in RELEASED and name is not None:
            frame = read_parquet(SHELF.path(ws, key) / name)
            end = state.ended_at or state.effective_to
            parts.append(frame.assign(price_list_id=key, start=state.effective_from, end=end))
    columns = ["price_list_id", "product_id", "lowest_price", "start", "end"]
    found = pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
    return found.assign(start=_times(found["start"]), end=_times(found["end"]))


_ACTIONS: Final = {"Active": "become active", "Superseded": "be superseded", "Expired": "expire"}


def _at(states: dict[str, tuple[int, ListState]], now: datetime) -> dict[str, tuple[int, ListState]]:
    current = statuses_at({key: state for key, (_, state) in states.items()}, now)
    return {key: (revision, current[key]) for key, (revision, _) in states.items()}


def _from_copy(folder: Path) -> tuple[int, ListState]:
    try:
        copy: dict[str, Any] = shelf.read_json(folder / _COPY)
        return int(copy["revision"]), ListState.from_dict(copy["state"])
    except (WorkspaceError, KeyError, TypeError):
        return 0, ListState()


def _times(column: pd.Series) -> pd.Series:
    return pd.to_datetime(column, utc=True, format="ISO8601").astype("datetime64[us, UTC]")
