"""The audit log: what it shows when somebody tampers with it, and that nothing happens without it."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import sqlalchemy as sa

from pricing_core.errors import ConfigError
from pricing_core.pricelist import decisions
from pricing_core.store import audit, database, list_edits, pricelists
from pricing_core.store.workspace import Workspace
from tests.list_cases import ANN, MAYA, make_list, price_frame

_T = database.audit


def _fill(ws: Workspace, entries: int = 5) -> None:
    for number in range(entries):
        audit.append(ws, actor=ANN, action="edit", object_id="p0001", before={"x": number}, after={"x": number + 1})


def _tamper(ws: Workspace, *statements: sa.Executable) -> None:
    """Do what somebody with the database's password can do: lift the protection, and change rows."""
    with database.writing(ws) as connection:
        if connection.dialect.name == "sqlite":
            for verb in ("UPDATE", "DELETE"):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS audit_keeps_{verb}")
        else:
            connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER ALL")
        for statement in statements:
            connection.execute(statement)


def test_entries_say_who_did_what_when_from_what_to_what(ws: Workspace) -> None:
    assert audit.verify(ws) == audit.AuditCheck(0, audit.START, ())
    first = audit.append(ws, actor=MAYA, action="edit", object_id="p0001", before={"price": 1.5}, after={"price": "é"})
    second = audit.append(ws, actor=ANN, action="approve", object_id="p0002")
    assert (first, second) == (1, 2)
    found = audit.entries(ws)
    assert found[["number", "actor", "verified", "action", "object_id"]].values.tolist() == [
        [2, "ann@shop.example", True, "approve", "p0002"], [1, "Maya", False, "edit", "p0001"],
    ]  # fmt: skip
    assert found["before"].tolist() == [{}, {"price": 1.5}] and found["after"].tolist() == [{}, {"price": "é"}]
    assert str(found["at"].dt.tz) == "UTC"
    assert audit.entries(ws, "p0001")["number"].tolist() == [1] and audit.entries(ws, limit=1)["number"].tolist() == [2]
    check = audit.verify(ws)
    assert check.intact and check.entries == 2 and check.head == found["hash"].iloc[0]
    assert check.sentence == "The log is intact: 2 entries, each linked to the one before."


def test_the_hash_is_that_of_the_previous_one_and_the_canonical_content(ws: Workspace) -> None:
    import hashlib

    _fill(ws, 2)
    with database.reading(ws) as connection:
        rows = connection.execute(sa.select(_T).order_by(_T.c.number)).mappings().all()
    before = "0" * 64
    for row in rows:
        content = {name: row[name] for name in ("number", "at", "actor", "action", "object_id", "before", "after")}
        text = json.dumps({**content, "verified": True}, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        assert row["previous_hash"] == before
        before = hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()
        assert row["hash"] == before


@pytest.mark.parametrize("statement", [sa.update(_T).values(actor="x"), sa.delete(_T)])
def test_the_database_itself_refuses_changes(ws: Workspace, statement: sa.Executable) -> None:
    _fill(ws, 1)
    with pytest.raises(sa.exc.DBAPIError, match="the audit log is append-only"), database.writing(ws) as connection:
        connection.execute(statement)
    assert audit.verify(ws).intact


@pytest.mark.parametrize("column", ["at", "actor", "action", "object_id", "before", "after"])
def test_a_changed_entry_is_found(ws: Workspace, column: str) -> None:
    _fill(ws)
    _tamper(ws, sa.update(_T).where(_T.c.number == 3).values({column: '{"x":9}'}))
    assert audit.verify(ws).problems[0].startswith("Entry 3 (")
    assert audit.verify(ws).problems[0].endswith("was changed after it was written.")
    assert audit.verify(ws).sentence.startswith("The log is damaged: Entry 3")


def test_a_name_declared_verified_afterwards_is_found(ws: Workspace) -> None:
    audit.append(ws, actor=MAYA, action="approve", object_id="p0001")
    _tamper(ws, sa.update(_T).values(verified=True))
    assert audit.verify(ws).problems == ("Entry 1 (approve p0001 by Maya) was changed after it was written.",)


def test_a_changed_entry_with_a_new_hash_breaks_the_next_link(ws: Workspace) -> None:
    _fill(ws)
    with database.reading(ws) as connection:
        row = dict(connection.execute(sa.select(_T).where(_T.c.number == 3)).mappings().one())
    row["after"] = '{"x":9}'
    forged = audit.entry_hash(row["previous_hash"], row)
    _tamper(ws, sa.update(_T).where(_T.c.number == 3).values(after=row["after"], hash=forged))
    assert audit.verify(ws).problems == (
        "Entry 4 (edit p0001 by ann@shop.example) does not follow the entry before it.",
    )


def test_a_removed_entry_is_found(ws: Workspace) -> None:
    _fill(ws)
    _tamper(ws, sa.delete(_T).where(_T.c.number.in_([2, 3])))
    assert audit.verify(ws).problems[0] == "Entries 2 to 3 are missing."
    _tamper(
        ws,
        sa.update(_T).where(_T.c.number == 4).values(number=3),
        sa.update(_T).where(_T.c.number == 5).values(number=4),
    )
    assert len(audit.verify(ws).problems) >= 2


def test_reordered_entries_are_found(ws: Workspace) -> None:
    _fill(ws)
    swap = [sa.update(_T).where(_T.c.number == a).values(number=b) for a, b in ((2, 99), (3, 2), (99, 3))]
    _tamper(ws, *swap)
    assert [problem[:7] for problem in audit.verify(ws).problems[:2]] == ["Entry 2", "Entry 3"]


def test_entries_cut_off_the_end_are_missed(ws: Workspace) -> None:
    _fill(ws)
    _tamper(ws, sa.delete(_T).where(_T.c.number > 3))
    assert audit.verify(ws).problems == ("The log ends at entry 3, and 5 were written: the last 2 are missing.",)
    _fill(ws, 2)  # somebody goes on writing
    assert audit.verify(ws).problems == ("Entry 5 is not the one that audit.head remembers: the log was rewritten.",)


def test_a_removed_head_file_is_missed_and_a_noted_hash_shows_a_full_rewrite(ws: Workspace) -> None:
    _fill(ws)
    noted = audit.verify(ws).head
    assert audit.verify(ws, noted=noted).intact
    (ws.root / audit.HEAD_FILE).unlink()
    assert audit.verify(ws).problems == ("The file audit.head is missing; it says how long the log was.",)
    _tamper(ws, sa.delete(_T))
    _fill(ws)  # a whole new log, and with it a new head file
    assert audit.verify(ws).intact
    assert audit.verify(ws, noted=noted).problems == (
        f"No entry has the noted hash {noted[:12]}…: the log was rewritten or cut.",
    )
    with pytest.raises(ConfigError, match="'abc' is no hash of an audit entry"):
        audit.verify(ws, noted="abc")


def test_a_head_that_lags_behind_after_a_crash_is_no_alarm(ws: Workspace) -> None:
    _fill(ws, 2)
    head = (ws.root / audit.HEAD_FILE).read_text()
    _fill(ws, 2)
    (ws.root / audit.HEAD_FILE).write_text(head)
    assert audit.verify(ws).intact


def test_an_entry_and_its_change_stand_or_fall_together(ws: Workspace) -> None:
    with pytest.raises(RuntimeError, match="half-way"), audit.recording(ws) as connection:
        audit.append(connection, actor=ANN, action="edit", object_id="p0001")
        raise RuntimeError("half-way")
    assert audit.entries(ws).empty


def test_every_price_of_a_large_change_is_in_a_file_that_the_log_vouches_for(ws: Workspace) -> None:
    key = make_list(ws, price_frame(60))
    list_edits.apply_changes(
        ws, key, decisions.changes(np.arange(60), "held"), actor=MAYA, expected_revision=0
    )  # fmt: skip
    after = audit.entries(ws, key)["after"].iloc[0]
    assert after["prices"] == 60 and "changes" not in after
    path = ws.root / after["details"]["file"]
    changed = pricelists.read_parquet(path)
    assert changed[["from_price", "to_price"]].iloc[1].tolist() == [18.0, 20.0]
    assert audit.verify(ws).intact
    changed.assign(to_price=1.0).to_parquet(path)
    assert audit.verify(ws).problems == (
        f"The file {after['details']['file']}, the details of entry 2, was changed after it was written.",
    )
    path.unlink()
    assert audit.verify(ws).problems[0].endswith("is missing.")
    shutil.rmtree(path.parent)  # the whole list was deleted by hand: its absence shows elsewhere
    assert audit.verify(ws).intact
