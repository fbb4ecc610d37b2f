"""Price lists: the proposed prices as they were computed, and beside them what people decided.

The folder of a list holds its proposals, which never change, and files of decisions, each under the number of the
revision that it belongs to. The row of the list in the database says which of them counts; so a process that dies
while writing leaves the old revision, and one that dies after it the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pricing_core.errors import PriceListError, WorkspaceError
from pricing_core.pricelist import decisions, history, violations
from pricing_core.pricelist.effects import EffectGrid
from pricing_core.pricelist.lifecycle import RELEASED, ListState, moment
from pricing_core.store import audit, database, list_states, shelf
from pricing_core.store.datasets import read_parquet, write_parquet
from pricing_core.store.list_states import SHELF as SHELF
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor, self_declared

DECISIONS: Final = "decisions"
PRIOR: Final = "prior_prices"
_PRICES: Final = "prices.parquet"
_PRODUCTS: Final = "products.parquet"
_EFFECTS: Final = "effects.parquet"
_EXTRA: Final = ("proposed_price", "decision", "decision_reason", "decided_by")


@dataclass(frozen=True, eq=False)
class StoredPriceList:
    """A price list as it lies in the workspace.

    Attributes
    ----------
    frame
        The proposals, one row per price; never changed after the list was made.
    decided
        What people decided, one row for each price that is decided (:func:`pricelist.decisions.empty`).
    summary
        JSON values kept with the list (expected effect, guardrails, scenario).
    revision
        Number of changes so far; whoever changes the list says which revision they saw.
    state
        Where it stands at the moment of loading.
    products
        ``product_id, category, brand, list_price`` of its products; None for lists of an earlier version.
    """

    price_list_id: str
    created_at: str
    strategy: str
    run_id: str
    dataset_id: str
    summary: dict[str, Any]
    frame: pd.DataFrame
    decided: pd.DataFrame
    revision: int
    state: ListState
    products: pd.DataFrame | None
    folder: Path

    @property
    def version(self) -> int:
        """Number of the list among all that the shop has made."""
        return list_states.SHELF.number(self.price_list_id) or 0

    @property
    def status(self) -> str:
        """Where it stands, such as ``Draft``."""
        return self.state.status

    @cached_property
    def review(self) -> pd.DataFrame:
        """The list as decided, with ``proposed_price, decision, decision_reason, decided_by`` behind its columns."""
        moved = self.decided["decision"].isin([decisions.HELD, decisions.OVERRIDDEN]).any()
        effects = _effects(self.folder) if moved else None
        frame = decisions.applied(self.frame, self.decided, effects)
        state = self.state
        stamps: dict[str, Any] = {"version": self.version, "status": state.status, "approved_by": state.approved_by}
        for name in ("effective_from", "effective_to", "approved_at"):
            value = getattr(state, name)
            if value is not None or name == "approved_at":
                stamps[name] = _constant_time(value, frame.index)
        return frame.assign(**{name: value for name, value in stamps.items() if name in frame.columns})

    @cached_property
    def current(self) -> pd.DataFrame:
        """The list as decided, in its native columns."""
        return self.review.drop(columns=list(_EXTRA))

    @cached_property
    def was_price(self) -> pd.Series:
        """Crossed-out price that the shop means to show beside each new price; missing where it shows none."""
        return history.was_price(self.review, self.products, self.state.was_price)

    @cached_property
    def violations(self) -> pd.DataFrame:
        """What is wrong, or may be, with the prices; see :func:`pricelist.violations.find`."""
        return violations.find(self.review, self.was_price)


def save_price_list(
    ws: Workspace,
    frame: pd.DataFrame,
    *,
    strategy: str,
    run_id: str,
    dataset_id: str,
    summary: Mapping[str, Any],
    actor: Actor | None = None,
    products: pd.DataFrame | None = None,
    effects: EffectGrid | None = None,
    state: ListState | None = None,
) -> str:
    """Store a price list and return its id, such as ``p0001``.

    Parameters
    ----------
    actor
        Who made it; a self-declared unnamed user by default.
    products
        ``product_id`` and what is known of each product, for filters and crossed-out prices.
    effects
        What other prices would do, for edits.
    state
        Where it starts; by default it is a draft of ``actor``.
    """
    who = actor or self_declared("")
    start = state or ListState(effective_from=_first_time(frame)).by(who)
    record = {"strategy": strategy, "run_id": run_id, "dataset_id": dataset_id, "summary": dict(summary)}

    def entered(connection: Connection, price_list_id: str) -> None:
        list_states.write(connection, price_list_id, 0, start)
        after = {"strategy": strategy, "rows": len(frame), "status": start.status, "revision": 0}
        after |= {"restores": start.restores} if start.restores else {}
        audit.append(connection, actor=who, action="create", object_id=price_list_id, after=after)

    with shelf.drafting(ws, "price_list") as draft:
        write_parquet(frame, draft / _PRICES, "price list")
        if products is not None:
            write_parquet(products, draft / _PRODUCTS, "products of the price list")
        if effects is not None:
            write_parquet(effects.to_frame(), draft / _EFFECTS, "effects of other prices")
        saved = shelf.commit(ws, SHELF, draft, {**record, "rows": len(frame)}, entered=entered)
    audit.note_head(ws)
    list_states.copy_to_folder(ws, saved)
    return saved


def list_price_lists(ws: Workspace, now: datetime | None = None) -> pd.DataFrame:
    """Return one row per price list, newest first.

    Columns: ``price_list_id, created_at, strategy, run_id, dataset_id, rows, version, status, effective_from,
    effective_to, ended_at, approved_by, restores``, then the summaries' keys.
    """
    fixed = ["price_list_id", "created_at", "strategy", "run_id", "dataset_id", "rows"]
    shown = ["effective_from", "effective_to", "ended_at", "approved_by", "restores"]
    found = shelf.entries(ws, SHELF)
    states = list_states.at(ws, now)
    rows = []
    for each in found:
        state = states.get(each.id, (0, ListState()))[1]
        standing = {"version": SHELF.number(each.id), "status": state.status, **{k: getattr(state, k) for k in shown}}
        record = {field: each.record[field] for field in fixed[2:]}
        rows.append(
            {**each.record["summary"], "price_list_id": each.id, "created_at": each.created_at, **record, **standing}
        )
    order = [*fixed, "version", "status", *shown]
    frame = pd.DataFrame(rows, columns=None if rows else order)
    frame = frame[[*order, *(column for column in frame.columns if column not in order)]]
    times = ["created_at", "effective_from", "effective_to", "ended_at"]
    return frame.assign(**{name: pd.to_datetime(frame[name], utc=True, format="ISO8601") for name in times})


def latest_price_list_id(ws: Workspace) -> str | None:
    """Return the id of the newest price list; None if the workspace holds none."""
    found = shelf.entries(ws, SHELF)
    return found[0].id if found else None


def live_price_list_id(ws: Workspace, now: datetime | None = None) -> str | None:
    """Return the id of the price list that is active; None if none is."""
    return next((key for key, (_, state) in list_states.at(ws, now).items() if state.status == "Active"), None)


def load_price_list(ws: Workspace, price_list_id: str | None = None, *, now: datetime | None = None) -> StoredPriceList:
    """Return a price list with what people decided, by default the newest.

    Raises
    ------
    WorkspaceError
        If the workspace holds no price list, or not this one.
    """
    chosen = price_list_id or latest_price_list_id(ws)
    if chosen is None:
        raise WorkspaceError("There is no price list yet.", fix="Make one on the Optimize page.")
    entry = shelf.entry(ws, SHELF, chosen)
    try:
        return _load(ws, entry, now)
    except WorkspaceError:  # its files may have been replaced between looking and reading
        return _load(ws, entry, now)


def delete_price_list(ws: Workspace, price_list_id: str, *, actor: Actor | None = None) -> None:
    """Delete a price list; one that has been scheduled or live stays, for its prices are part of the history.

    Raises
    ------
    PriceListError
        If the list has been scheduled or live.
    """
    _, state = list_states.at(ws).get(price_list_id, (0, ListState()))
    if state.status in RELEASED:
        raise PriceListError(
            f"{price_list_id} is {state.status.lower()} and stays: its prices are part of the history."
        )
    shelf.remove(ws, SHELF, price_list_id)
    table = database.price_list_states
    with audit.recording(ws) as connection:
        connection.execute(sa.delete(table).where(table.c.id == price_list_id))
        who = actor or self_declared("")
        audit.append(connection, actor=who, action="delete", object_id=price_list_id, before={"status": state.status})


def _load(ws: Workspace, entry: shelf.Entry, now: datetime | None) -> StoredPriceList:
    revision, state = list_states.at(ws, now or datetime.now(UTC)).get(entry.id, (0, ListState()))
    folder = SHELF.path(ws, entry.id)
    frame = _read(folder / _PRICES)
    prior, decided = state.file(PRIOR), state.file(DECISIONS)
    if prior is not None:
        known = read_parquet(folder / prior).set_index("product_id")["prior_price_30d"]
        frame = frame.assign(prior_price_30d=frame["product_id"].astype(str).map(known).astype(float))
    if state.effective_from is None:
        state = replace(state, effective_from=_first_time(frame))
    return StoredPriceList(
        price_list_id=entry.id,
        created_at=entry.created_at,
        **{name: entry.record[name] for name in ("strategy", "run_id", "dataset_id", "summary")},
        frame=frame.assign(price_list_id=entry.id) if "price_list_id" in frame.columns else frame,
        decided=read_parquet(folder / decided) if decided is not None else decisions.empty(),
        revision=revision,
        state=state,
        products=_read(folder / _PRODUCTS) if (folder / _PRODUCTS).exists() else None,
        folder=folder,
    )


def _read(path: Path) -> pd.DataFrame:
    """Read a file that never changes, once for as long as it is looked at; pandas copies what is written to."""
    try:
        return _read_once(path, path.stat().st_mtime_ns)
    except OSError:
        return read_parquet(path)  # raises what is wrong, in words


@lru_cache(maxsize=8)
def _read_once(path: Path, _changed: int) -> pd.DataFrame:
    return read_parquet(path)


def _effects(folder: Path) -> EffectGrid | None:
    path = folder / _EFFECTS
    return _effects_once(path, path.stat().st_mtime_ns) if path.exists() else None


@lru_cache(maxsize=4)
def _effects_once(path: Path, _changed: int) -> EffectGrid:
    return EffectGrid.from_frame(read_parquet(path))


def _first_time(frame: pd.DataFrame) -> str | None:
    if "effective_from" not in frame.columns or frame.empty or pd.isna(frame["effective_from"].iloc[0]):
        return None
    return pd.Timestamp(frame["effective_from"].iloc[0]).isoformat(timespec="milliseconds")


def _constant_time(value: str | None, index: pd.Index) -> pd.Series:
    time = moment(value)
    return pd.Series(pd.NaT if time is None else pd.Timestamp(time), index=index, dtype="datetime64[us, UTC]")
