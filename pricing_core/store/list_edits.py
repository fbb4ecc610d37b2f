"""Changes of price lists: decisions on prices, terms, and steps of the lifecycle, each with its audit entry.

A change is one database transaction. The files that belong to it are written before, under names of the new revision;
until the transaction is through nobody reads them. Whoever changes a list says which revision they saw, so nobody
overwrites what they have not seen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from pricing_core.drafts import draft_path
from pricing_core.errors import ConfigError, ConflictError, PriceListError
from pricing_core.pricelist import decisions, lifecycle
from pricing_core.pricelist.lifecycle import ListState
from pricing_core.store import audit, list_states, pricelists
from pricing_core.store.datasets import write_parquet
from pricing_core.store.pricelists import StoredPriceList
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor

SPELLED_OUT: Final = 50
"""Changes of up to so many prices stand in the audit log itself; more are in a file that it vouches for."""
_TRIES: Final = 20
_WORDS: Final = {
    "edit": "changed", "terms": "changed the dates or the crossed-out price of", "submit": "submitted",
    "approve": "approved", "reject": "rejected", "schedule": "scheduled", "activate": "put live",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a change comes to: the new state, what the audit log says, and tables to keep under the new revision."""

    state: ListState
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    details: pd.DataFrame | None = None


def change(
    ws: Workspace,
    price_list_id: str,
    step: Callable[[StoredPriceList, datetime], Outcome],
    *,
    actor: Actor,
    action: str,
    expected_revision: int | None = None,
    now: datetime | None = None,
) -> int:
    """Make one change of a price list and return its new revision.

    Parameters
    ----------
    step
        Computes the outcome from the list as it is; called again if the list changed in between and no revision is
        expected.
    expected_revision
        Revision that the actor saw; None if the change does not depend on what they saw.

    Raises
    ------
    ConflictError
        If the list has another revision by now. The message says who changed what, and when.
    """
    for _ in range(_TRIES):
        moment = now or datetime.now(UTC)
        list_states.settle(ws, moment)
        stored = pricelists.load_price_list(ws, price_list_id, now=moment)
        if expected_revision is not None and stored.revision != expected_revision:
            raise _conflict(ws, stored, expected_revision)
        with audit.recording(ws) as connection:
            if list_states.revision_of(ws, connection, price_list_id) != stored.revision:
                continue  # somebody was faster; look again
            outcome, revision = step(stored, moment), stored.revision + 1
            state = _keep_tables(stored.folder, outcome, revision)
            after = {**outcome.after, **_details(ws, stored.folder, outcome, revision)}
            list_states.write(connection, price_list_id, revision, state)
            audit.append(
                connection, actor=actor, action=action, object_id=price_list_id, before=outcome.before,
                after={**after, "status": state.status, "revision": revision},
            )  # fmt: skip
        list_states.copy_to_folder(ws, price_list_id)
        _drop_old_tables(stored.folder, stored.state, state)
        return revision
    raise ConflictError(f"{price_list_id} is being changed all the time.", fix="Try again in a moment.")


def apply_changes(
    ws: Workspace, price_list_id: str, changes: pd.DataFrame, *, actor: Actor, expected_revision: int | None
) -> int:
    """Decide prices of a list (accept, hold, override, take back), and return its new revision.

    Parameters
    ----------
    changes
        As :func:`pricelist.decisions.changes` makes them.
    expected_revision
        Revision that the actor saw.

    Raises
    ------
    ConflictError
        If somebody changed the list since.
    PriceListError
        If a change is not allowed; then none of them is made.
    """

    def step(stored: StoredPriceList, now: datetime) -> Outcome:
        state = lifecycle.edited(stored.state, actor, "edit of prices")
        decided = decisions.merged(stored.decided, changes, stored.frame, actor=actor, now=now)
        rows = changes["row"].to_numpy(dtype=np.int64)
        details = decisions.transitions(stored.frame, stored.decided, decided, rows)
        word = str(changes["decision"].iloc[0]) if changes["decision"].nunique() == 1 else "several decisions"
        after = {"prices": len(changes), "decision": word}
        after["products"] = decisions.name_rows(stored.frame, rows)
        return Outcome(
            state, {"status": stored.status}, after, {pricelists.DECISIONS: decided}, details=details
        )  # fmt: skip

    if changes.empty:
        raise PriceListError("There is nothing to change.", fix="Choose at least one price.")
    return change(ws, price_list_id, step, actor=actor, action="edit", expected_revision=expected_revision)


def set_terms(
    ws: Workspace,
    price_list_id: str,
    *,
    effective_from: datetime,
    effective_to: datetime | None,
    was_price: str,
    prior_prices: pd.DataFrame,
    actor: Actor,
    expected_revision: int | None,
) -> int:
    """Change when the prices are to be charged, and what is crossed out beside them; return the new revision.

    Parameters
    ----------
    prior_prices
        ``product_id, prior_price_30d`` as of the new ``effective_from``.
    """

    def step(stored: StoredPriceList, _now: datetime) -> Outcome:
        state = lifecycle.edited(stored.state, actor, "change of dates")
        begin, end = lifecycle.text(effective_from), lifecycle.text(effective_to)
        state = replace(state, effective_from=begin, effective_to=end, was_price=was_price)
        return Outcome(state, _terms(stored.state), _terms(state), {pricelists.PRIOR: prior_prices})

    return change(ws, price_list_id, step, actor=actor, action="terms", expected_revision=expected_revision)


def _details(ws: Workspace, folder: Path, outcome: Outcome, revision: int) -> dict[str, Any]:
    """What the audit entry says of each price: the rows, or the file that holds them and its hash."""
    if outcome.details is None:
        return {}
    if len(outcome.details) <= SPELLED_OUT:
        rows = outcome.details.astype(object).where(outcome.details.notna(), None).to_dict("records")
        return {"changes": rows}
    path = folder / f"edits.{revision:06d}.parquet"
    _write_table(outcome.details, path, "list of changes")
    return {"details": {"file": path.relative_to(ws.root).as_posix(), "sha256": audit.file_hash(path)}}


def _keep_tables(folder: Path, outcome: Outcome, revision: int) -> ListState:
    state = outcome.state
    for kind, table in outcome.tables.items():
        name = f"{kind}.{revision:06d}.parquet"
        _write_table(table, folder / name, kind.replace("_", " "))
        state = state.with_file(kind, name)
    return state


def _write_table(table: pd.DataFrame, path: Path, label: str) -> None:
    draft = draft_path(path)
    write_parquet(table, draft, label)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(draft, path)


def _drop_old_tables(folder: Path, before: ListState, now: ListState) -> None:
    """Remove files that neither this revision nor the one before it needs: somebody may just be reading that."""
    kept = {name for _, name in (*before.files, *now.files)}
    for kind, _ in now.files:
        for path in folder.glob(f"{kind}.*.parquet"):
            if path.name not in kept and _number(path) < max(_number(folder / name) for name in kept):
                path.unlink(missing_ok=True)


def _number(path: Path) -> int:
    digits = path.name.split(".")[-2]
    return int(digits) if digits.isdigit() else 0


def _terms(state: ListState) -> dict[str, Any]:
    names = ("status", "effective_from", "effective_to", "was_price")
    return {name: getattr(state, name) for name in names}


def _conflict(ws: Workspace, stored: StoredPriceList, expected: int) -> ConflictError:
    if expected > stored.revision:
        raise ConfigError(
            f"{stored.price_list_id} has revision {stored.revision}, and {expected} is expected.", fix="Load it again."
        )
    return ConflictError(
        f"{stored.price_list_id} is not as you saw it any more: {news(ws, stored.price_list_id, expected)}.",
        fix="Your changes were not saved. Look at the list as it is now, then save them again or drop them.",
    )


def news(ws: Workspace, price_list_id: str, revision: int) -> str:
    """Say who changed what about a list, and when, since a revision that somebody saw."""
    since = audit.entries(ws, price_list_id)
    rows: list[dict[Any, Any]] = since.to_dict("records")
    said = [_sentence(row) for row in reversed(rows) if int(row["after"].get("revision", 0)) > revision]
    shown = said if len(said) <= 3 else [*said[:2], f"and {len(said) - 2} more changes followed"]
    return "; ".join(shown) or "somebody changed it"


def _sentence(row: dict[Any, Any]) -> str:
    who = row["actor"] if row["verified"] else f"{row['actor']} (self-declared)"
    what, after, at = _WORDS.get(row["action"], row["action"]), row["after"], row["at"]
    if row["action"] == "edit":
        number = int(after.get("prices", 0))
        what = f"{what} {number:,} price{'' if number == 1 else 's'} ({after.get('products', '')})"
    else:
        what = f"{what} the list"
    return f"{who} {what} at {at:%H:%M} UTC on {at.day} {at:%b}"
