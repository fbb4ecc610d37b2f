"""A price list on its way to the customers: decide, submit, approve, schedule, put live, and bring an earlier one back.

Each verb checks who may do it, makes one change that lasts or not, and leaves an entry in the audit log.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from pricing_core.errors import AccessError, NoDatasetError, PriceListError, WorkspaceError
from pricing_core.pricelist import history, lifecycle, violations
from pricing_core.pricelist.lifecycle import APPROVED, IN_REVIEW, ListState
from pricing_core.pricelist.restore import restored
from pricing_core.store import list_comments, list_edits, list_states, pricelists
from pricing_core.store.list_edits import Outcome
from pricing_core.store.pricelists import StoredPriceList
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor, require, require_other_person
from pricing_core.workflows.lists import prior_prices


def decide(
    ws: Workspace, price_list_id: str, changes: pd.DataFrame, *, actor: Actor, expected_revision: int | None
) -> int:
    """Accept, hold or override prices, or take that back; the list is a draft again. Returns the new revision."""
    require(actor, "edit")
    return list_edits.apply_changes(ws, price_list_id, changes, actor=actor, expected_revision=expected_revision)


def comment(ws: Workspace, price_list_id: str, text: str, *, actor: Actor, row: int | None = None) -> None:
    """Say something about a list or one of its prices."""
    require(actor, "edit")
    list_comments.add(ws, price_list_id, text, actor=actor, row=row)


def set_terms(
    ws: Workspace,
    price_list_id: str,
    *,
    actor: Actor,
    effective_from: datetime,
    effective_to: datetime | None = None,
    was_price: str = "none",
    expected_revision: int | None = None,
) -> int:
    """Change when the prices are charged and what is crossed out beside them; the thirty-day prices follow."""
    require(actor, "edit")
    stored = pricelists.load_price_list(ws, price_list_id)
    return list_edits.set_terms(
        ws, price_list_id, effective_from=effective_from, effective_to=effective_to, was_price=was_price,
        prior_prices=_prior_table(ws, stored, effective_from), actor=actor, expected_revision=expected_revision,
    )  # fmt: skip


def submit(ws: Workspace, price_list_id: str, *, actor: Actor, expected_revision: int | None = None) -> int:
    """Hand a draft over for review."""

    def step(stored: StoredPriceList, now: datetime) -> Outcome:
        state = lifecycle.submitted(stored.state, actor, now)
        violations.refuse_blocking(stored.violations)
        return Outcome(state, {"status": stored.status})

    return list_edits.change(
        ws, price_list_id, step, actor=actor, action="submit", expected_revision=expected_revision
    )  # fmt: skip


def approve(ws: Workspace, price_list_id: str, *, actor: Actor, expected_revision: int | None = None) -> int:
    """Approve what was submitted; where names are verified, not one's own work."""

    def step(stored: StoredPriceList, now: datetime) -> Outcome:
        state = lifecycle.approved(stored.state, actor, now)
        violations.refuse_blocking(stored.violations)
        return Outcome(state, {"status": stored.status}, {"approved_by": state.approved_by})

    return list_edits.change(
        ws, price_list_id, step, actor=actor, action="approve", expected_revision=expected_revision
    )  # fmt: skip


def reject(
    ws: Workspace, price_list_id: str, reason: str, *, actor: Actor, expected_revision: int | None = None
) -> int:
    """Send a list back to its authors, with the reason."""

    def step(stored: StoredPriceList, _now: datetime) -> Outcome:
        state = lifecycle.rejected(stored.state, actor, reason)
        return Outcome(state, {"status": stored.status}, {"reason": reason.strip()})

    return list_edits.change(
        ws, price_list_id, step, actor=actor, action="reject", expected_revision=expected_revision
    )  # fmt: skip


def schedule(
    ws: Workspace,
    price_list_id: str,
    *,
    actor: Actor,
    effective_from: datetime | None = None,
    effective_to: datetime | None = None,
    expected_revision: int | None = None,
) -> int:
    """Have an approved list go live at its ``effective_from`` (at once if that has passed).

    Parameters
    ----------
    effective_from, effective_to
        UTC; default: as the list says.
    """
    stored = pricelists.load_price_list(ws, price_list_id)
    begin = effective_from or lifecycle.moment(stored.state.effective_from) or datetime.now(UTC)
    end = effective_to or lifecycle.moment(stored.state.effective_to)
    return _release(ws, stored, begin, end, actor=actor, action="schedule", expected_revision=expected_revision)


def activate(ws: Workspace, price_list_id: str, *, actor: Actor, expected_revision: int | None = None) -> int:
    """Put an approved list live now; the list that was live until now is superseded."""
    stored = pricelists.load_price_list(ws, price_list_id)
    end = lifecycle.moment(stored.state.effective_to)
    now = datetime.now(UTC)
    return _release(ws, stored, now, end, actor=actor, action="activate", expected_revision=expected_revision)


def rollback(ws: Workspace, price_list_id: str, *, actor: Actor) -> str:
    """Make a new version that restores the prices of a list that was live, and return its id.

    The prices were approved before, so the new version is approved by whoever rolls back, ready to be put live; if a
    verified person would thereby approve prices of their own, it waits for review by another.

    Raises
    ------
    PriceListError
        If the list has never been live.
    """
    require(actor, "rollback")
    source = pricelists.load_price_list(ws, price_list_id)
    if source.status not in (lifecycle.ACTIVE, lifecycle.SUPERSEDED, lifecycle.EXPIRED):
        raise PriceListError(
            f"{price_list_id} is {source.status.lower()} and has never been live.",
            fix="Roll back to a list that was active.",
        )
    now = datetime.now(UTC)
    state = ListState(
        status=APPROVED, authors=source.state.authors, self_declared=source.state.self_declared,
        submitted_by=actor.label, submitted_at=lifecycle.text(now),
        approved_by=actor.label, approved_at=lifecycle.text(now), effective_from=lifecycle.text(now),
        was_price=source.state.was_price, restores=price_list_id,
    )  # fmt: skip
    try:
        for author in source.state.authors:
            require_other_person(author, actor)
    except AccessError:
        state = replace(state, status=IN_REVIEW, approved_by=None, approved_at=None)
    return _copy(ws, source, state, actor, reason=f"Restores {price_list_id}")


def new_version(ws: Workspace, price_list_id: str, *, actor: Actor) -> str:
    """Make a new draft with the prices of a list as they were decided, and return its id."""
    require(actor, "edit")
    source = pricelists.load_price_list(ws, price_list_id)
    begin = lifecycle.text(datetime.now(UTC))
    return _copy(ws, source, ListState(effective_from=begin).by(actor), actor, reason=None)


def _release(
    ws: Workspace, stored: StoredPriceList, begin: datetime, end: datetime | None, *, actor: Actor, action: str,
    expected_revision: int | None,
) -> int:  # fmt: skip
    prior = _prior_table(ws, stored, max(begin, datetime.now(UTC)))

    def step(found: StoredPriceList, now: datetime) -> Outcome:
        state = lifecycle.scheduled(found.state, actor, begin, end, now)
        known = prior.set_index("product_id")["prior_price_30d"]
        frame = found.frame.assign(prior_price_30d=found.frame["product_id"].astype(str).map(known).astype(float))
        dated = replace(found, frame=frame, state=replace(state, status=found.status))
        violations.refuse_blocking(dated.violations)
        released = history.lowest_prices(dated.review)
        times = {"effective_from": state.effective_from, "effective_to": state.effective_to}
        tables = {pricelists.PRIOR: prior, list_states.RELEASED_FILE: released}
        return Outcome(state, {"status": found.status}, times, tables)

    revision = list_edits.change(
        ws, stored.price_list_id, step, actor=actor, action=action, expected_revision=expected_revision
    )
    list_states.settle(ws)
    return revision


def _prior_table(ws: Workspace, stored: StoredPriceList, start: datetime) -> pd.DataFrame:
    """Thirty-day prices as of ``start``; where the data are gone, what they said when the list was made stays in it."""
    try:
        found = prior_prices(ws, None, start)
    except (NoDatasetError, WorkspaceError):
        found = history.without_log(stored.frame, list_states.price_memory(ws), start)
    return found.rename_axis("product_id").reset_index()


def _copy(ws: Workspace, source: StoredPriceList, state: ListState, actor: Actor, *, reason: str | None) -> str:
    live_id = pricelists.live_price_list_id(ws)
    live = None if live_id is None else pricelists.load_price_list(ws, live_id).current
    begin = lifecycle.moment(state.effective_from) or datetime.now(UTC)
    known = _prior_table(ws, source, begin).set_index("product_id")["prior_price_30d"]
    frame = restored(source.current, live, reason=reason)
    frame = frame.assign(prior_price_30d=frame["product_id"].astype(str).map(known).astype(float))
    summary: dict[str, Any] = {**source.summary, "based_on": source.price_list_id}
    if state.restores:
        summary["sentence"] = f"Restores the prices of {source.price_list_id}: {source.summary['sentence']}"
    return pricelists.save_price_list(
        ws, frame, strategy=source.strategy, run_id=source.run_id, dataset_id=source.dataset_id, summary=summary,
        actor=actor, products=source.products, state=state,
    )  # fmt: skip
