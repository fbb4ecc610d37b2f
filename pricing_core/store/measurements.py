"""Test designs, readouts and backtests: kept under a name, so that a restart loses none of them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa

from pricing_core.errors import ConfigError, WorkspaceError
from pricing_core.store import database
from pricing_core.store.workspace import Workspace

KINDS: Final = ("design", "readout", "backtest")
_TABLE: Final = database.measurements


@dataclass(frozen=True)
class Measurement:
    """One stored design, readout or backtest.

    Attributes
    ----------
    record
        JSON values: settings, figures, small tables.
    frame
        Its large table: the assignment of a design, the outcomes of a readout, the weeks of a backtest.
    """

    measurement_id: str
    kind: str
    name: str
    created_at: str
    record: dict[str, Any]
    frame: pd.DataFrame


def save_measurement(ws: Workspace, kind: str, name: str, record: Mapping[str, Any], frame: pd.DataFrame) -> str:
    """Keep a measurement and return its id, such as ``m0001``; one of the same kind and name is replaced.

    Raises
    ------
    ConfigError
        If the kind is unknown or the name is empty.
    """
    cleaned = name.strip()
    if kind not in KINDS:
        raise ConfigError(f"There is no measurement of the kind {kind!r}.", fix=f"Kinds are {', '.join(KINDS)}.")
    if not cleaned:
        raise ConfigError(f"The {kind} has no name.", fix="Give it a name, for example 'Autumn prices'.")
    content = io.BytesIO()
    frame.reset_index(drop=True).to_parquet(content, engine="pyarrow", index=False)
    values = {"created_at": _now(), "record": dict(record), "content": content.getvalue()}
    same = (_TABLE.c.kind == kind) & (_TABLE.c.name == cleaned)
    with database.writing(ws) as connection:
        number = connection.execute(sa.select(_TABLE.c.number).where(same)).scalar()
        if number is None:
            inserted = connection.execute(sa.insert(_TABLE).values(kind=kind, name=cleaned, **values))
            number = int((inserted.inserted_primary_key or (0,))[0])
        else:
            connection.execute(sa.update(_TABLE).where(_TABLE.c.number == number).values(**values))
    return f"m{number:04d}"


def list_measurements(ws: Workspace, kind: str) -> pd.DataFrame:
    """Return one row per measurement of a kind, last saved first: ``measurement_id, name, created_at, record``."""
    columns = (_TABLE.c.number, _TABLE.c.name, _TABLE.c.created_at, _TABLE.c.record)
    newest_first = (_TABLE.c.created_at.desc(), _TABLE.c.number.desc())
    with database.reading(ws) as connection:
        rows = connection.execute(sa.select(*columns).where(_TABLE.c.kind == kind).order_by(*newest_first)).all()
    frame = pd.DataFrame(
        [(f"m{row.number:04d}", row.name, row.created_at, dict(row.record)) for row in rows],
        columns=["measurement_id", "name", "created_at", "record"],
    )
    return frame.assign(created_at=pd.to_datetime(frame["created_at"], utc=True))


def load_measurement(ws: Workspace, measurement_id: str) -> Measurement:
    """Return a measurement; WorkspaceError if the workspace does not hold it."""
    with database.reading(ws) as connection:
        row = connection.execute(sa.select(_TABLE).where(_TABLE.c.number == _number(measurement_id))).first()
    if row is None:
        raise _missing(measurement_id)
    frame = pd.read_parquet(io.BytesIO(row.content), engine="pyarrow")
    return Measurement(measurement_id, row.kind, row.name, row.created_at, dict(row.record), frame)


def find_measurement(ws: Workspace, kind: str, name: str) -> Measurement:
    """Return the measurement of a kind and name; WorkspaceError, with the names there are, if there is none."""
    listed = list_measurements(ws, kind).set_index("name")["measurement_id"]
    if name.strip() not in listed.index:
        known = ", ".join(map(str, listed.index[:10])) or "none"
        raise WorkspaceError(f"There is no {kind} called {name!r}.", fix=f"Saved so far: {known}.")
    return load_measurement(ws, str(listed[name.strip()]))


def delete_measurement(ws: Workspace, measurement_id: str) -> None:
    """Delete a measurement; WorkspaceError if the workspace does not hold it."""
    with database.writing(ws) as connection:
        gone = connection.execute(sa.delete(_TABLE).where(_TABLE.c.number == _number(measurement_id)))
    if gone.rowcount == 0:
        raise _missing(measurement_id)


def _number(measurement_id: str) -> int:
    digits = measurement_id.removeprefix("m")
    if not (digits.isascii() and digits.isdigit()):
        raise _missing(measurement_id)
    return int(digits)


def _missing(measurement_id: str) -> WorkspaceError:
    return WorkspaceError(
        f"The workspace holds no measurement {measurement_id!r}.", fix="Choose one from the list of saved ones."
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
