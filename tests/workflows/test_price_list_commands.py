"""The commands that take a price list to the customers, and the audit log's."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from pricing_core.cli import main
from pricing_core.store import audit, database, pricelists
from pricing_core.store.workspace import Workspace
from tests.list_cases import MAYA, make_list, price_frame


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("PRICING_DATABASE_URL", raising=False)
    return Workspace(tmp_path / "shop")


@pytest.fixture
def run(ws: Workspace, capsys: pytest.CaptureFixture[str]):
    def call(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main([*arguments, "--workspace", str(ws.root)]) == code
        said = capsys.readouterr()
        return said.err if code == 2 else said.out

    return call


def test_a_list_goes_from_draft_to_live_and_back(ws: Workspace, run) -> None:
    first, second = make_list(ws), make_list(ws, price_frame().assign(new_price=9.0))
    said = run("override", first, "--product", "p001", "--price", "19.5", "--reason", "rival", "--as", "Lea")
    assert said == "1 price changed\np0001: Draft, version 1, 4 prices, from 2030-01-01 00:00\n"
    run("override", first, "--product", "p002", "--hold")
    assert pricelists.load_price_list(ws, first).current["new_price"].tolist() == [11.0, 19.5, 30.0, 36.0]
    for key in (first, second):
        assert f"{key}: Ready for review" in run("submit", key)
        assert f"{key}: Approved" in run("approve", key, "--as", "Ann")
        assert f"{key}: Active" in run("activate", key)
    listed = run("lists").splitlines()
    assert listed[0].split() == ["list", "status", "prices", "from", "to", "approved", "by"]
    assert [line.split()[:2] for line in listed[1:]] == [["p0002", "Active"], ["p0001", "Superseded"]]
    assert listed[1].endswith("Ann (self-declared)")
    assert run("rollback", first, "--as", "Ben").startswith("p0003: Approved, version 3, 4 prices, from 2")
    status = run("list-status", "p0003")
    assert "approved by: Ben (self-declared)\nrestores: p0001\ndecisions: 4 proposed\nviolations: none\n" in status


def test_the_log_of_hostile_texts_cannot_steer_the_terminal(ws: Workspace, run) -> None:
    key = make_list(ws)
    run("override", key, "--product", "p002", "--hold", "--reason", "价格 \u202egnp.exe \x1b[2J", "--as", "\u202eAnn")
    said = run("audit")
    assert "价格 \\u202egnp.exe" in said
    assert all(sign.isprintable() or sign == "\n" for sign in said)


def test_a_list_can_be_scheduled_and_sent_back(ws: Workspace, run) -> None:
    key = make_list(ws)
    run("submit", key)
    run("approve", key)
    said = run("activate", key, "--at", "2031-02-03", "--until", "2031-03-01T06:00")
    assert said == "p0001: Scheduled, version 1, 4 prices, from 2031-02-03 00:00 to 2031-03-01 06:00\n"
    assert run("reject", key, "--reason", "too early", "--as", "Ann").startswith("p0001: Draft")
    assert "sent back by: Ann (self-declared): too early" in run("list-status", key)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["approve", "p0001"],
            "error: The price list is a draft and cannot be approved. That takes a list that is ready",
        ),
        (["submit", "p0009"], "error: The workspace holds no price list 'p0009'. Choose one of: p0001."),
        (["override", "p0001", "--product", "x", "--hold"], "error: The list has no price of 'x'. Check the id"),
        (
            ["override", "p0001", "--product", "p001", "--price", "9"],
            "error: An overridden price needs a reason: p001.",
        ),
        (["activate", "p0001", "--at", "soon"], "error: 'soon' is no time. Write it like 2026-12-01"),
        (["audit", "--noted", "abc"], "error: 'abc' is no hash of an audit entry."),
        (["audit", "--last", "-1"], "error: --last is -1; it is at least 0."),
        (["database-move"], "error: No PostgreSQL server is named. Set PRICING_DATABASE_URL to its address first."),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(ws: Workspace, run, arguments: list[str], message: str) -> None:
    make_list(ws)
    said = run(*arguments, code=2)
    assert said.startswith(message) and said.count("\n") == 1


def test_the_log_is_shown_and_checked(ws: Workspace, run) -> None:
    key = make_list(ws, actor=MAYA)
    run("submit", key, "--as", "Ann\u202e")
    said = run("audit").splitlines()
    assert said[0].endswith(
        'Maya (self-declared): create p0001 {"revision":0,"rows":4,"status":"Draft","strategy":"product"}'
    )
    assert said[1].endswith('Ann (self-declared): submit p0001 {"status":"Draft"} -> '
                            '{"revision":1,"status":"Ready for review"}')  # fmt: skip
    assert said[2] == "The log is intact: 2 entries, each linked to the one before."
    head = said[3].removeprefix("hash of the last entry: ")
    assert head == audit.verify(ws).head
    assert run("audit", "--last", "0", "--noted", head).splitlines()[0].startswith("The log is intact")
    assert len(run("audit", "--list", key, "--last", "1").splitlines()) == 3
    with database.writing(ws) as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_keeps_UPDATE")
        connection.execute(sa.update(database.audit).where(database.audit.c.number == 1).values(actor="Eve"))
    assert "The log is damaged: Entry 1 (create p0001 by Eve) was changed" in run("audit", code=1)


def test_an_empty_workspace_has_no_lists(ws: Workspace, run) -> None:
    assert run("lists") == "" and run("audit").startswith("The log is intact: 0 entries")
