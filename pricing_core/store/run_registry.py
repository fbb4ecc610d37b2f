"""What people do with trained models: put one in use, go back, note something, delete; and what was in use when."""

from __future__ import annotations

from typing import Final

import pandas as pd

from pricing_core.errors import ConfigError, ModelError
from pricing_core.store import audit, pricelists, runs, shelf
from pricing_core.store.runs import CHOSEN, ROLLED_BACK, SHELF, TRAINED, TRAINING, USE
from pricing_core.store.workspace import Workspace
from pricing_core.trust import access
from pricing_core.trust.access import Actor

LONGEST_NOTE: Final = 500
MAY: Final = "train"
"""What a person must be allowed to do for any of this."""
_NAMED: Final = 3  # price lists named in a refusal


def put_in_use(ws: Workspace, run_id: str, *, actor: Actor) -> None:
    """Have pages and commands use this run.

    Raises
    ------
    AccessError
        If the person may not.
    WorkspaceError
        If there is no such run.
    """
    access.require(actor, MAY)
    runs.promote_run(ws, run_id, actor=actor, why=CHOSEN)


def roll_back(ws: Workspace, *, actor: Actor, to: str | None = None) -> str:
    """Put the run that was in use before the present one back into use, and return its id.

    Like an undo, the next time it goes one further back: what was left is not come back to.

    Parameters
    ----------
    to
        One of :func:`earlier_run_ids`, where those nearer cannot be used; default: the nearest that still exists.

    Raises
    ------
    AccessError
        If the person may not.
    ModelError
        If no earlier run is there any more, or ``to`` has not been in use before.
    """
    access.require(actor, MAY)
    earlier = previous_run_id(ws) if to is None else to
    if earlier is None:
        raise ModelError("No other model has been in use before.", fix="Choose a model from the list instead.")
    if to is not None and to not in earlier_run_ids(ws):
        raise ModelError(f"{to} has not been in use before the present model.", fix="Put it in use from the list.")
    runs.promote_run(ws, earlier, actor=actor, why=ROLLED_BACK)
    return earlier


def previous_run_id(ws: Workspace) -> str | None:
    """Return the run that was in use before the present one and still exists; None if there is none."""
    there = set(runs.list_runs(ws)["run_id"])
    return next((run_id for run_id in earlier_run_ids(ws) if run_id in there), None)


def earlier_run_ids(ws: Workspace) -> list[str]:
    """Return the runs that going back leads through, the nearest first, with those that are deleted.

    Each run that came into use lies on those before it; going back takes away all that lie above the run it led to.
    """
    used: list[str] = []
    for row in usage_history(ws).iloc[::-1].to_dict("records"):
        run_id = str(row["run_id"])
        if row["why"] == ROLLED_BACK and run_id in used:
            place = len(used) - 1 - used[::-1].index(run_id)
            del used[place + 1 :]
        else:
            used.append(run_id)
    now = runs.latest_run_id(ws)
    return list(dict.fromkeys(run_id for run_id in reversed(used) if run_id != now))


def usage_history(ws: Workspace) -> pd.DataFrame:
    """What was in use when, newest first.

    It follows from the audit log; runs that came into use before the log knew of them count from their creation.

    Returns
    -------
    DataFrame
        ``run_id, since, until`` (UTC; ``until`` is missing for the run in use), ``why`` (trained, chosen, rolled
        back), ``actor`` (as shown to others; empty where nobody acted) and ``deleted``.
    """
    log = audit.entries(ws)
    rows: list[tuple[pd.Timestamp, str, str, str]] = []
    for row in log[log["action"] == USE].to_dict("records"):
        who = "" if row["actor"] == TRAINING.name else _label(str(row["actor"]), bool(row["verified"]))
        rows.append((pd.Timestamp(row["at"]), str(row["object_id"]), str(row["after"]["why"]), who))
    known = {row[1] for row in rows if row[2] == TRAINED}
    stored = shelf.entries(ws, SHELF)
    rows += [
        (pd.Timestamp(each.created_at), each.id, TRAINED, "")
        for each in stored
        if each.record["promote"] and each.id not in known
    ]
    rows.sort(key=lambda row: row[0])
    table = pd.DataFrame(rows, columns=["since", "run_id", "why", "actor"])
    table = table[table["run_id"] != table["run_id"].shift()].reset_index(drop=True)
    since = pd.to_datetime(table["since"], utc=True)
    there = [each.id for each in stored]
    table = table.assign(since=since, until=since.shift(-1), deleted=~table["run_id"].isin(there))
    columns = ["run_id", "since", "until", "why", "actor", "deleted"]
    return table[columns].iloc[::-1].reset_index(drop=True)


def set_note(ws: Workspace, run_id: str, note: str, *, actor: Actor) -> None:
    """Keep a note with a run in place of the one it had; an empty one removes it.

    Raises
    ------
    ConfigError
        If the note is longer than :data:`LONGEST_NOTE` characters.
    """
    access.require(actor, MAY)
    text = " ".join(note.split())
    if len(text) > LONGEST_NOTE:
        raise ConfigError(f"The note has {len(text)} characters.", fix=f"At most {LONGEST_NOTE} can be kept.")
    before = str(shelf.entry(ws, SHELF, run_id).record.get("note", ""))
    if text == before:
        return
    shelf.update_record(ws, SHELF, run_id, {"note": text})
    audit.append(
        ws, actor=actor, action="note model", object_id=run_id, before={"note": before}, after={"note": text}
    )  # fmt: skip


def why_kept(ws: Workspace, run_id: str) -> str | None:
    """Say why a run cannot be deleted: it is in use, or price lists were made with it; None if it can."""
    if run_id == runs.latest_run_id(ws):
        return f"{run_id} is in use. Put another model in use first."
    lists = pricelists.list_price_lists(ws)
    mine = sorted(lists.loc[lists["run_id"] == run_id, "price_list_id"])
    if not mine:
        return None
    named = ", ".join(mine[:_NAMED]) + (f" and {len(mine) - _NAMED} more" if len(mine) > _NAMED else "")
    noun = "price list" if len(mine) == 1 else "price lists"
    return f"{run_id} made the {noun} {named}, which could no longer be explained. Delete those first."


def delete(ws: Workspace, run_id: str, *, actor: Actor) -> None:
    """Delete a run for good.

    Raises
    ------
    AccessError
        If the person may not.
    ModelError
        If it is in use, or price lists refer to it.
    """
    access.require(actor, MAY)
    entry = shelf.entry(ws, SHELF, run_id)
    reason = why_kept(ws, run_id)
    if reason is not None:
        raise ModelError(f"The model stays: {reason}")
    runs.delete_run(ws, run_id)
    audit.append(ws, actor=actor, action="delete model", object_id=run_id, before=entry.record)


def _label(name: str, verified: bool) -> str:
    return name if verified else f"{name} (self-declared)"
