"""The audit log: who did what and when, from what to what; rows are only ever added.

Each entry carries the SHA-256 of the entry before it together with its own content, so the entries form a chain:
changing, removing or moving one breaks every link after it. The number and the hash of the last entry are kept a
second time in the file ``audit.head``, so that entries cut off the end are missed as well.

What this cannot show: a rewrite by somebody who may change both the database and that file, or the loss of an entry
that was added in the instant before the program was killed. Against the first, note the hash of the last entry
somewhere else (:func:`verify` takes it), for example in the message that announces a price list.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from pricing_core.errors import ConfigError
from pricing_core.store import database, shelf
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor

START: Final = "0" * 64
HEAD_FILE: Final = "audit.head"
SYSTEM: Final = Actor("the calendar", "approver", verified=True)
"""Who is named where nobody acted: a price list that became active because its time had come."""
_TABLE: Final = database.audit


@dataclass(frozen=True)
class AuditCheck:
    """Result of a verification.

    Attributes
    ----------
    entries
        How many entries the log has.
    head
        Hash of the last one; 64 zeros for an empty log.
    problems
        A sentence for each thing that is not as it was written; empty if all is well.
    """

    entries: int
    head: str
    problems: tuple[str, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return not self.problems

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        if self.intact:
            return f"The log is intact: {self.entries:,} entries, each linked to the one before."
        return f"The log is damaged: {self.problems[0]}"


@contextmanager
def recording(ws: Workspace) -> Iterator[Connection]:
    """Open a transaction for a change and its entries: both last, or neither, whatever happens to the process."""
    with database.writing(ws, durable=True) as connection:
        yield connection
    note_head(ws)


def append(
    place: Connection | Workspace,
    *,
    actor: Actor,
    action: str,
    object_id: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> int:
    """Add an entry and return its number.

    Parameters
    ----------
    place
        A transaction of :func:`recording` (or another that writes), so that change and entry stand or fall together;
        or a workspace, for an entry on its own.
    action
        A verb, such as ``approve``.
    object_id
        What was acted on, such as ``p0003``.
    before, after
        JSON values: what was there, and what is there now.
    """
    if isinstance(place, Workspace):
        with recording(place) as connection:
            return append(
                connection, actor=actor, action=action, object_id=object_id, before=before, after=after
            )  # fmt: skip
    last = place.execute(sa.select(_TABLE.c.number, _TABLE.c.hash).order_by(_TABLE.c.number.desc()).limit(1)).first()
    row = {
        "number": last.number + 1 if last else 1,
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "actor": actor.name,
        "verified": actor.verified,
        "action": action,
        "object_id": object_id,
        "before": canonical(before or {}),
        "after": canonical(after or {}),
    }
    previous = last.hash if last else START
    place.execute(sa.insert(_TABLE).values(**row, previous_hash=previous, hash=entry_hash(previous, row)))
    return int(str(row["number"]))


def entries(ws: Workspace, object_id: str | None = None, *, limit: int | None = None) -> pd.DataFrame:
    """Return entries, newest first: ``number, at, actor, verified, action, object_id, before, after, hash``.

    ``before`` and ``after`` are dictionaries.
    """
    columns = ["number", "at", "actor", "verified", "action", "object_id", "before", "after", "hash"]
    statement = sa.select(*(_TABLE.c[name] for name in columns)).order_by(_TABLE.c.number.desc())
    if object_id is not None:
        statement = statement.where(_TABLE.c.object_id == object_id)
    with database.reading(ws) as connection:
        rows = connection.execute(statement.limit(limit) if limit else statement).all()
    frame = pd.DataFrame([tuple(row) for row in rows], columns=columns)
    return frame.assign(
        at=pd.to_datetime(frame["at"], utc=True),
        before=[json.loads(text) for text in frame["before"]],
        after=[json.loads(text) for text in frame["after"]],
    )


def verify(ws: Workspace, *, noted: str | None = None) -> AuditCheck:
    """Check every link of the log, the files it vouches for, and that it does not end too early.

    Parameters
    ----------
    noted
        Hash of an entry that was written down elsewhere; the log must hold it.

    Raises
    ------
    ConfigError
        If ``noted`` is no hash.
    """
    if noted is not None and (len(noted) != 64 or set(noted) - set("0123456789abcdef")):
        raise ConfigError(f"{noted!r} is no hash of an audit entry.", fix="Give its 64 digits and letters a to f.")
    head = _head(ws)
    problems: list[str] = []
    hashes = {0: START}
    with database.reading(ws) as connection:
        for row in connection.execute(sa.select(_TABLE).order_by(_TABLE.c.number)).mappings():
            problems += _link_problems(dict(row), hashes)
            problems += _file_problems(ws, dict(row))
            hashes[row["number"]] = row["hash"]
    last = max(hashes)
    problems += _head_problems(head, hashes, last)
    if noted is not None and noted not in hashes.values():
        problems.append(f"No entry has the noted hash {noted[:12]}…: the log was rewritten or cut.")
    return AuditCheck(len(hashes) - 1, hashes[last], tuple(problems))


def entry_hash(previous: str, row: Mapping[str, Any]) -> str:
    """SHA-256 of the previous entry's hash, a line break, and the canonical JSON of the entry's content."""
    content = {name: row[name] for name in ("number", "at", "actor", "action", "object_id", "before", "after")}
    return hashlib.sha256(
        f"{previous}\n{canonical({**content, 'verified': bool(row['verified'])})}".encode()
    ).hexdigest()


def canonical(value: Any) -> str:
    """JSON in one fixed form: keys sorted, no spaces, characters as they are."""
    return json.dumps(json.loads(database.to_json(value)), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def file_hash(path: Path) -> str:
    """SHA-256 of a file that an entry vouches for."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _link_problems(row: dict[str, Any], hashes: dict[int, str]) -> list[str]:
    number, before = int(row["number"]), max(hashes)
    found = []
    if number != before + 1:
        gap = f"Entry {before + 1} is" if number == before + 2 else f"Entries {before + 1} to {number - 1} are"
        found.append(f"{gap} missing.")
    if entry_hash(row["previous_hash"], row) != row["hash"]:
        found.append(f"Entry {number} ({_name(row)}) was changed after it was written.")
    elif number == before + 1 and row["previous_hash"] != hashes[before]:
        found.append(f"Entry {number} ({_name(row)}) does not follow the entry before it.")
    return found


def _file_problems(ws: Workspace, row: dict[str, Any]) -> list[str]:
    details = json.loads(row["after"]).get("details")
    if not details:
        return []
    path = ws.root / details["file"]
    what = f"{details['file']}, the details of entry {row['number']},"
    if not path.exists():
        return [] if not path.parent.exists() else [f"The file {what} is missing."]
    return [] if file_hash(path) == details["sha256"] else [f"The file {what} was changed after it was written."]


def _head_problems(head: dict[str, Any] | None, hashes: dict[int, str], last: int) -> list[str]:
    if head is None:
        return [] if last == 0 else [f"The file {HEAD_FILE} is missing; it says how long the log was."]
    count = int(head["count"])
    if count > last:
        return [f"The log ends at entry {last}, and {count} were written: the last {count - last} are missing."]
    if hashes.get(count) != head["hash"]:
        return [f"Entry {count} is not the one that {HEAD_FILE} remembers: the log was rewritten."]
    return []


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['action']} {row['object_id']} by {row['actor']}"


def note_head(ws: Workspace) -> None:
    """Remember the last entry outside the database; a head that is behind is brought up by the next entry."""
    with database.reading(ws) as connection:
        last = connection.execute(
            sa.select(_TABLE.c.number, _TABLE.c.hash).order_by(_TABLE.c.number.desc()).limit(1)
        ).first()
    known = _head(ws)
    if last is not None and (known is None or known["count"] < last.number):
        shelf.write_json(ws.root / HEAD_FILE, {"count": last.number, "hash": last.hash})


def _head(ws: Workspace) -> dict[str, Any] | None:
    path = ws.root / HEAD_FILE
    return dict(shelf.read_json(path)) if path.exists() else None
