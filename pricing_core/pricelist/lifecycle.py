"""Where a price list stands on its way to the customers, and what may happen to it next.

Draft → Ready for review → Approved → Scheduled → Active → Superseded or Expired. A rejected list is a draft again, and
so is one that is edited before it is live. From the moment it is scheduled the calendar moves it: it is active from
its ``effective_from`` until its ``effective_to`` (then it has expired) or until a newer list becomes active (then it
is superseded). One list is live at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Final

from pricing_core.errors import ConfigError, PriceListError
from pricing_core.trust.access import Actor, require, require_other_person

DRAFT, IN_REVIEW, APPROVED, SCHEDULED = "Draft", "Ready for review", "Approved", "Scheduled"
ACTIVE, SUPERSEDED, EXPIRED = "Active", "Superseded", "Expired"
STATUSES: Final = (DRAFT, IN_REVIEW, APPROVED, SCHEDULED, ACTIVE, SUPERSEDED, EXPIRED)
EDITABLE: Final = (DRAFT, IN_REVIEW, APPROVED, SCHEDULED)
RELEASED: Final = (SCHEDULED, ACTIVE, SUPERSEDED, EXPIRED)
WAS_PRICES: Final = ("none", "list_price", "current_price", "prior_price_30d")
"""What the shop crosses out beside a reduced price: nothing, the list price, today's price, the 30-day low."""


@dataclass(frozen=True)
class ListState:
    """What may change about a price list.

    Parameters
    ----------
    status
        One of :data:`STATUSES`, as it was last written down; see :func:`statuses_at` for how it stands now.
    authors
        Everybody whose work the list is: who made it, who edited it. They do not approve it where names are verified.
    self_declared
        Those of them whose names nobody has verified.
    effective_from, effective_to
        UTC times in ISO 8601 between which the prices are meant to be charged; no end if None.
    released_at
        When the list was scheduled; None before.
    ended_at
        When it stopped being live.
    was_price
        One of :data:`WAS_PRICES`.
    restores
        Id of the earlier list whose prices this one brings back.
    rejection
        Why it came back from review, until it is submitted again.
    files
        Names of the files in the list's folder that belong to this state.
    """

    status: str = DRAFT
    authors: tuple[str, ...] = ()
    self_declared: tuple[str, ...] = ()
    submitted_by: str | None = None
    submitted_at: str | None = None
    approved_by: str | None = None
    approved_at: str | None = None
    effective_from: str | None = None
    effective_to: str | None = None
    released_at: str | None = None
    ended_at: str | None = None
    was_price: str = "none"
    restores: str | None = None
    rejection: str | None = None
    files: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ConfigError(f"A status is one of {', '.join(STATUSES)}; received {self.status!r}.")
        if self.was_price not in WAS_PRICES:
            raise ConfigError(f"The crossed-out price is one of {', '.join(WAS_PRICES)}; received {self.was_price!r}.")
        start, end = moment(self.effective_from), moment(self.effective_to)
        if start and end and end <= start:
            raise ConfigError(
                f"The prices would end ({text(end)}) before they start ({text(start)}).", fix="Choose a later end."
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ListState:
        """State from JSON values; unknown keys of a newer version are left out."""
        known = {f.name for f in fields(cls)}
        kept = {key: value for key, value in values.items() if key in known}
        kept |= {name: tuple(kept.get(name, ())) for name in ("authors", "self_declared")}
        kept["files"] = tuple((str(kind), str(name)) for kind, name in kept.get("files", ()))
        return cls(**kept)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    def by(self, actor: Actor) -> ListState:
        """State with one more author."""
        if actor.name in self.authors:
            return self
        declared = self.self_declared if actor.verified else (*self.self_declared, actor.name)
        return replace(self, authors=(*self.authors, actor.name), self_declared=declared)

    @property
    def author_labels(self) -> tuple[str, ...]:
        """Authors as shown: a name that nobody has verified says so."""
        return tuple(f"{name} (self-declared)" if name in self.self_declared else name for name in self.authors)

    def file(self, kind: str) -> str | None:
        """Name of the file of one kind; None if there is none."""
        return dict(self.files).get(kind)

    def with_file(self, kind: str, name: str | None) -> ListState:
        """State with another file of one kind, or without any."""
        kept = {**dict(self.files), kind: name}
        return replace(self, files=tuple((k, v) for k, v in sorted(kept.items()) if v is not None))


def edited(state: ListState, actor: Actor, what: str = "edit") -> ListState:
    """State after somebody changed prices or terms: a draft, whatever was approved before.

    Raises
    ------
    PriceListError
        If the list has been live.
    """
    require(actor, "edit")
    if state.status not in EDITABLE:
        raise PriceListError(
            f"The price list is {state.status.lower()}: its prices have been charged and stay as they were ({what}).",
            fix="Make a new version of it and change that.",
        )
    return _unapproved(state.by(actor))


def submitted(state: ListState, actor: Actor, now: datetime) -> ListState:
    """Draft → Ready for review."""
    require(actor, "submit")
    _expect(state, (DRAFT,), "submitted")
    now_in = replace(state, status=IN_REVIEW, submitted_by=actor.label, submitted_at=text(now), rejection=None)
    return now_in.by(actor)


def approved(state: ListState, actor: Actor, now: datetime) -> ListState:
    """Ready for review → Approved.

    Raises
    ------
    AccessError
        If a verified person would approve their own work, or is no approver.
    """
    require(actor, "approve")
    _expect(state, (IN_REVIEW,), "approved")
    for author in state.authors:
        require_other_person(author, actor)
    return replace(state, status=APPROVED, approved_by=actor.label, approved_at=text(now))


def rejected(state: ListState, actor: Actor, reason: str) -> ListState:
    """Ready for review, Approved or Scheduled → Draft, with the reason."""
    require(actor, "reject")
    _expect(state, (IN_REVIEW, APPROVED, SCHEDULED), "rejected")
    if not reason.strip():
        raise PriceListError("A rejection needs a reason.", fix="Say what has to change.")
    return replace(_unapproved(state), rejection=f"{actor.label}: {reason.strip()}")


def scheduled(state: ListState, actor: Actor, start: datetime, end: datetime | None, now: datetime) -> ListState:
    """Approved → Scheduled; it is live from ``start``, or at once if that has passed."""
    require(actor, "activate")
    _expect(state, (APPROVED,), "scheduled")
    begins = max(start, now)
    if end is not None and end <= begins:
        raise PriceListError(
            f"The prices would end ({text(end)}) before they start ({text(begins)}).", fix="Choose a later end."
        )
    return replace(
        state, status=SCHEDULED, effective_from=text(begins), effective_to=text(end), released_at=text(now)
    )  # fmt: skip


def statuses_at(states: Mapping[str, ListState], now: datetime) -> dict[str, ListState]:
    """States as they stand at a moment, after what the calendar has done since they were written down."""
    released = [(key, state) for key, state in states.items() if state.status in RELEASED]
    released.sort(key=lambda item: (str(item[1].effective_from), str(item[1].released_at)))
    current = dict(states)
    for place, (key, state) in enumerate(released):
        if state.status in (SUPERSEDED, EXPIRED):
            continue
        later = (moment(other.effective_from) for _, other in released[place + 1 :])
        successor = next((start for start in later if start is not None), None)
        current[key] = _calendar(state, successor, now)
    return current


def moment(value: str | datetime | None) -> datetime | None:
    """UTC time of an ISO 8601 text; a text without zone is taken as UTC."""
    if value is None or value == "":
        return None
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ConfigError(f"{value!r} is no time.", fix="Write it like 2026-12-01 or 2026-12-01T06:00.") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def text(value: datetime | None) -> str | None:
    """UTC time as ISO 8601 text that sorts by time."""
    return None if value is None else value.astimezone(UTC).isoformat(timespec="milliseconds")


def _calendar(state: ListState, successor: datetime | None, now: datetime) -> ListState:
    start, end = moment(state.effective_from) or now, moment(state.effective_to)
    if now < start:
        return replace(state, status=SCHEDULED)
    if end is not None and end <= now and (successor is None or end <= successor):
        return replace(state, status=EXPIRED, ended_at=text(end))
    if successor is not None and successor <= now:
        return replace(state, status=SUPERSEDED, ended_at=text(successor))
    return replace(state, status=ACTIVE)


def _unapproved(state: ListState) -> ListState:
    return replace(
        state, status=DRAFT, submitted_by=None, submitted_at=None, approved_by=None, approved_at=None, released_at=None
    )  # fmt: skip


def _expect(state: ListState, allowed: tuple[str, ...], verb: str) -> None:
    if state.status not in allowed:
        raise PriceListError(
            f"The price list is {_article(state.status)}{state.status.lower()} and cannot be {verb}.",
            fix=f"That takes a list that is {' or '.join(status.lower() for status in allowed)}.",
        )


def _article(status: str) -> str:
    return "a " if status == DRAFT else ""
