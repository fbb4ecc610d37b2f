"""Trained models: folders with open-format files, and which of them the pages use.

A new run is used from the moment it is committed (*promoted*) unless it was committed without promotion; an older
one can be promoted again. A run that failed never appears, so the last good model stays in use.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd
from sqlalchemy.engine import Connection

from pricing_core.errors import NoModelError
from pricing_core.store import audit, database, settings, shelf
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor, self_declared

TRAINED: Final = "trained"
CHOSEN: Final = "chosen"
ROLLED_BACK: Final = "rolled back"
USE: Final = "use model"
"""Action under which the audit log says which run came into use; ``after`` has ``run_id`` and ``why``."""
TRAINING: Final = Actor("the training", "analyst", verified=True)
"""Who is named where a finished training came into use by itself."""
SHELF: Final = shelf.Shelf(table=database.runs, folder="runs", prefix="r", noun="trained model")
_CHOICE: Final = "promoted_run"


def new_run_dir(ws: Workspace) -> Path:
    """Create a draft folder for a model's files; it is nobody's run until :func:`commit_run`."""
    return ws.new_temp_dir("run")


def commit_run(
    ws: Workspace, temp_dir: Path, *, dataset_id: str, summary: Mapping[str, Any], promote: bool = True
) -> str:
    """Turn a draft folder into a run and return its id, such as ``r0001``.

    Parameters
    ----------
    temp_dir
        Folder made by :func:`new_run_dir`, complete.
    summary
        JSON values worth listing (seed, metrics, time taken); each key becomes a column of :func:`list_runs`.
    promote
        Whether the pages use this run from now on.
    """
    record = {"dataset_id": dataset_id, "summary": dict(summary), "promote": promote}
    if not promote:
        return shelf.commit(ws, SHELF, temp_dir, record)
    before = latest_run_id(ws)

    def entered(connection: Connection, run_id: str) -> None:
        _note_use(connection, before, run_id, TRAINED, TRAINING)

    run_id = shelf.commit(ws, SHELF, temp_dir, record, entered=entered)
    audit.note_head(ws)
    return run_id


def list_runs(ws: Workspace) -> pd.DataFrame:
    """Return one row per run, newest first.

    Columns: ``run_id, created_at, dataset_id, promoted, note`` and the summaries' keys.
    """
    found = shelf.entries(ws, SHELF)
    promoted = _promoted(ws, found)
    fixed = ["run_id", "created_at", "dataset_id", "promoted", "note"]
    rows = [
        {
            **each.record["summary"],
            "run_id": each.id,
            "created_at": each.created_at,
            "dataset_id": each.record["dataset_id"],
            "promoted": each.id == promoted,
            "note": str(each.record.get("note", "")),
        }
        for each in found
    ]
    frame = pd.DataFrame(rows, columns=None if rows else fixed)
    frame = frame[[*fixed, *(column for column in frame.columns if column not in fixed)]]
    return frame.assign(created_at=pd.to_datetime(frame["created_at"], utc=True))


def latest_run_id(ws: Workspace) -> str | None:
    """Return the id of the promoted run; None if the workspace holds no trained model."""
    return _promoted(ws, shelf.entries(ws, SHELF))


def promote_run(ws: Workspace, run_id: str, *, actor: Actor | None = None, why: str = CHOSEN) -> None:
    """Have the pages use this run until another is promoted or committed; the audit log says who did it and why."""
    chosen = shelf.entry(ws, SHELF, run_id)
    newest = shelf.entries(ws, SHELF)[0]
    before = latest_run_id(ws)
    with audit.recording(ws) as connection:
        settings.write(connection, _CHOICE, {"run_id": chosen.id, "newest": SHELF.number(newest.id)})
        _note_use(connection, before, chosen.id, why, actor or self_declared(""))


def run_dir(ws: Workspace, run_id: str | None = None) -> Path:
    """Return a run's folder, by default the promoted one's.

    Raises
    ------
    NoModelError
        If the workspace holds no trained model.
    WorkspaceError
        If it does not hold this one.
    """
    chosen = run_id or latest_run_id(ws)
    if chosen is None:
        raise NoModelError("There is no trained model yet.", fix="Train one on the Models page.")
    return SHELF.path(ws, shelf.entry(ws, SHELF, chosen).id)


def delete_run(ws: Workspace, run_id: str) -> None:
    """Delete a run, whatever refers to it; :func:`~pricing_core.store.run_registry.delete` asks first."""
    shelf.remove(ws, SHELF, run_id)


def _note_use(connection: Connection, before: str | None, run_id: str, why: str, actor: Actor) -> None:
    audit.append(
        connection, actor=actor, action=USE, object_id=run_id, before={"run_id": before},
        after={"run_id": run_id, "why": why},
    )  # fmt: skip


def _promoted(ws: Workspace, found: list[shelf.Entry]) -> str | None:
    """Return the run in use: the user's choice, unless a newer run was committed for use after that choice.

    It follows from the runs themselves, so a crash right after a commit cannot leave it behind.
    """
    choice = settings.get(ws, _CHOICE, {"run_id": None, "newest": 0})
    candidates = [each.id for each in found if each.record["promote"]]
    newest = candidates[0] if candidates else None
    chosen_exists = any(each.id == choice["run_id"] for each in found)
    if not chosen_exists or (newest and (SHELF.number(newest) or 0) > choice["newest"]):
        return newest
    return str(choice["run_id"])
