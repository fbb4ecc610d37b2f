"""Price lists in the workspace: decisions, steps, conflicts, comments, history, and what a crash leaves."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pricing_core.errors import AccessError, ConfigError, ConflictError, PriceListError, WorkspaceError
from pricing_core.pricelist import decisions
from pricing_core.store import audit, database, exports, list_comments, list_edits, list_states, pricelists
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor
from pricing_core.workflows import release
from tests.list_cases import ANN, BEN, LEA, MAYA, make_list, price_frame

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
ROOT = Path(__file__).parents[2]
NAN = float("nan")


def _decide(ws: Workspace, key: str, *args: object, actor: Actor = LEA, seen: int | None = None) -> int:
    return release.decide(ws, key, decisions.changes(*args), actor=actor, expected_revision=seen)  # type: ignore[arg-type]


def _release(ws: Workspace, key: str, *, by: Actor = ANN) -> None:
    release.submit(ws, key, actor=LEA)
    release.approve(ws, key, actor=by)
    release.activate(ws, key, actor=by)


def test_proposals_stay_and_decisions_lie_beside_them(ws: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="There is no price list yet"):
        pricelists.load_price_list(ws)
    key = make_list(ws, actor=LEA)
    stored = pricelists.load_price_list(ws)
    assert (key, stored.version, stored.status, stored.revision) == ("p0001", 1, "Draft", 0)
    assert stored.state.authors == ("lea@shop.example",) and stored.decided.empty
    assert _decide(ws, key, [0, 3], ["held", "overridden"], [NAN, 41.0], ["", "rival"], seen=0) == 1
    again = pricelists.load_price_list(ws, key)
    pd.testing.assert_frame_equal(again.frame, stored.frame)
    assert again.current["new_price"].tolist() == [10.0, 18.0, 33.0, 41.0]
    assert list(again.current.columns) == list(stored.frame.columns)
    assert again.current["price_list_id"].unique().tolist() == ["p0001"]
    assert again.review["expected_conversion_rate"].tolist()[0] == pytest.approx(0.3)
    listed = pricelists.list_price_lists(ws)
    assert listed.loc[0, ["price_list_id", "rows", "status", "sentence"]].tolist() == [
        "p0001", 4, "Draft", "Raise 2, cut 2",
    ]  # fmt: skip


def test_a_list_goes_live_and_its_columns_say_so(ws: Workspace) -> None:
    key = make_list(ws, actor=LEA)
    _release(ws, key)
    stored = pricelists.load_price_list(ws, key)
    row = stored.current.iloc[0]
    assert (row["status"], row["approved_by"], row["version"]) == ("Active", "ann@shop.example", 1)
    assert row["approved_at"] <= row["effective_from"] <= pd.Timestamp.now("UTC")
    assert pricelists.live_price_list_id(ws) == key
    actions = audit.entries(ws, key)["action"].tolist()[::-1]
    assert actions == ["create", "submit", "approve", "activate", "become active"]
    assert audit.verify(ws).intact
    with pytest.raises(PriceListError, match="is active: its prices have been charged and stay as they were"):
        _decide(ws, key, [0], "held")
    with pytest.raises(PriceListError, match="p0001 is active and stays"):
        pricelists.delete_price_list(ws, key)


def test_an_edit_after_approval_takes_it_back(ws: Workspace) -> None:
    key = make_list(ws, actor=LEA)
    release.submit(ws, key, actor=LEA)
    release.approve(ws, key, actor=ANN)
    release.schedule(ws, key, actor=ANN, effective_from=NOW + 5 * DAY)
    assert pricelists.load_price_list(ws, key).status == "Scheduled"
    _decide(ws, key, [0], "held", actor=BEN)
    stored = pricelists.load_price_list(ws, key)
    assert (stored.status, stored.state.approved_by) == ("Draft", None)
    release.submit(ws, key, actor=LEA)
    with pytest.raises(AccessError, match=r"ben@shop\.example made the latest changes and cannot approve them"):
        release.approve(ws, key, actor=BEN)


def test_roles_are_kept(ws: Workspace) -> None:
    key, viewer = make_list(ws, actor=LEA), Actor("vi@shop.example", "viewer", verified=True)
    for verb in (
        lambda: _decide(ws, key, [0], "held", actor=viewer),
        lambda: release.comment(ws, key, "hm", actor=viewer),
        lambda: release.submit(ws, key, actor=viewer),
        lambda: release.new_version(ws, key, actor=viewer),
        lambda: release.rollback(ws, key, actor=LEA),
    ):
        with pytest.raises(AccessError, match="who may not"):
            verb()
    release.submit(ws, key, actor=LEA)
    for verb in (
        lambda: release.approve(ws, key, actor=LEA),
        lambda: release.reject(ws, key, "no", actor=LEA),
        lambda: release.activate(ws, key, actor=LEA),
    ):
        with pytest.raises(AccessError, match=r"lea@shop\.example is logged in as an analyst"):
            verb()
    assert len(audit.entries(ws, key)) == 2


def test_who_comes_second_is_told_who_changed_what_and_nothing_is_lost(ws: Workspace) -> None:
    key = make_list(ws, actor=LEA)
    _decide(ws, key, [1], "overridden", 19.5, "rival", actor=MAYA, seen=0)
    _decide(ws, key, [2, 3], "accepted", actor=ANN, seen=1)
    with pytest.raises(
        ConflictError,
        match=r"p0001 is not as you saw it any more: Maya \(self-declared\) changed 1 price \(p001\) at \d\d:\d\d UTC"
        r" on .*; "
        r"ann@shop\.example changed 2 prices \(p002, p003\) at .*\. Your changes were not saved\. Look at the list",
    ):
        _decide(ws, key, [0], "held", seen=0)
    with pytest.raises(ConflictError, match="is not as you saw it"):
        release.submit(ws, key, actor=LEA, expected_revision=1)
    with pytest.raises(ConfigError, match="p0001 has revision 2, and 7 is expected"):
        _decide(ws, key, [0], "held", seen=7)
    assert pricelists.load_price_list(ws, key).review["decision"].tolist() == [
        "proposed", "overridden", "accepted", "accepted",
    ]  # fmt: skip


def test_two_people_at_once_one_of_them_wins(ws: Workspace) -> None:
    key = make_list(ws, actor=LEA)
    outcomes: list[object] = []
    barrier = threading.Barrier(4)

    def edit(row: int) -> None:
        barrier.wait()
        try:
            outcomes.append(_decide(ws, key, [row], "held", seen=0))
        except ConflictError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=edit, args=(row,)) for row in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(each).__name__ for each in outcomes) == ["ConflictError"] * 3 + ["int"]
    assert len(pricelists.load_price_list(ws, key).decided) == 1
    assert audit.entries(ws, key)["action"].tolist() == ["edit", "create"] and audit.verify(ws).intact


def test_changes_that_expect_nothing_are_all_kept(ws: Workspace) -> None:
    key = make_list(ws, actor=LEA)
    threads = [threading.Thread(target=_decide, args=(ws, key, [row], "held")) for row in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = pricelists.load_price_list(ws, key)
    assert (stored.revision, stored.decided["row"].tolist()) == (4, [0, 1, 2, 3])


def test_a_change_that_is_not_allowed_leaves_everything_as_it_was(ws: Workspace) -> None:
    key = make_list(ws, actor=LEA)
    for changes in (decisions.changes([0, 1], "overridden", [9.0, 9.0], ["ok", ""]), decisions.changes([], "held")):
        with pytest.raises(PriceListError):
            release.decide(ws, key, changes, actor=LEA, expected_revision=0)
    with pytest.raises(PriceListError, match="The price list is a draft and cannot be approved"):
        release.approve(ws, key, actor=ANN)
    assert pricelists.load_price_list(ws, key).revision == 0 and len(audit.entries(ws, key)) == 1


def test_the_calendar_moves_lists_and_writes_it_into_the_log(ws: Workspace) -> None:
    first, second = (make_list(ws, actor=LEA) for _ in range(2))
    for key, start in ((first, NOW + DAY), (second, NOW + 3 * DAY)):
        release.submit(ws, key, actor=LEA)
        release.approve(ws, key, actor=ANN)
        release.schedule(ws, key, actor=ANN, effective_from=start, effective_to=start + 5 * DAY)

    def at(days: float) -> list[str]:
        return [pricelists.load_price_list(ws, key, now=NOW + days * DAY).status for key in (first, second)]

    assert [at(0.5), at(2), at(4), at(9)] == [
        ["Scheduled", "Scheduled"], ["Active", "Scheduled"], ["Superseded", "Active"], ["Superseded", "Expired"],
    ]  # fmt: skip
    assert list_states.settle(ws, NOW) == []
    assert list_states.settle(ws, NOW + 2 * DAY) == [first]
    assert list_states.settle(ws, NOW + 4 * DAY) == [first, second]
    assert list_states.settle(ws, NOW + 4 * DAY) == []
    newest = audit.entries(ws, first).iloc[0]
    assert (newest["actor"], newest["action"], newest["after"]["status"]) == (
        "the calendar", "be superseded", "Superseded",
    )  # fmt: skip


def test_prices_that_were_in_force_are_remembered_for_the_thirty_day_low(ws: Workspace) -> None:
    first = make_list(ws, price_frame(2), actor=LEA)
    _decide(ws, first, [1], "overridden", 15.0, "sale")
    _release(ws, first)
    memory = list_states.price_memory(ws)
    assert memory[["product_id", "lowest_price"]].values.tolist() == [["p000", 11.0], ["p001", 15.0]]
    second = make_list(ws, price_frame(2), actor=LEA)
    release.set_terms(ws, second, actor=LEA, effective_from=NOW + 10 * DAY)
    frame = pricelists.load_price_list(ws, second).current
    assert frame["prior_price_30d"].tolist() == pytest.approx([9.5, 15.0])  # no data: what the list was made with
    _release(ws, second)
    memory = list_states.price_memory(ws).set_index("price_list_id")
    assert memory.loc[first, "end"].notna().all() and memory.loc[second, "end"].isna().all()


def test_a_false_reduction_stops_a_list_at_every_gate(ws: Workspace) -> None:
    key = make_list(ws, actor=LEA)
    message = r"not the lowest of the last 30 days: p001 \(was 20, lowest 19\), p003 \(was 40, lowest 38\)\. Cross out"
    release.set_terms(ws, key, actor=LEA, effective_from=NOW + DAY, was_price="current_price")
    with pytest.raises(PriceListError, match=message):
        release.submit(ws, key, actor=LEA)
    _decide(ws, key, [1, 3], "held")
    release.submit(ws, key, actor=LEA)  # nothing is reduced any more
    state = pricelists.load_price_list(ws, key).state
    assert state.status == "Ready for review"


def test_rollback_restores_prices_under_four_eyes(ws: Workspace) -> None:
    first = make_list(ws, actor=LEA)
    _decide(ws, first, [0], "overridden", 10.5, "rounder")
    with pytest.raises(PriceListError, match="p0001 is draft and has never been live"):
        release.rollback(ws, first, actor=ANN)
    _release(ws, first)
    second = make_list(ws, price_frame().assign(new_price=[9.0, 17.0, 31.0, 35.0]), actor=ANN)
    release.submit(ws, second, actor=ANN)
    release.approve(ws, second, actor=BEN)
    release.activate(ws, second, actor=BEN)
    third = pricelists.load_price_list(ws, release.rollback(ws, first, actor=BEN))
    assert (third.version, third.status, third.state.restores) == (3, "Approved", first)
    assert third.current["new_price"].tolist() == [10.5, 18.0, 33.0, 36.0]
    assert third.current["current_price"].tolist() == [9.0, 17.0, 31.0, 35.0]
    release.activate(ws, third.price_list_id, actor=BEN)
    statuses = pricelists.list_price_lists(ws).set_index("price_list_id")["status"].to_dict()
    assert statuses == {"p0001": "Superseded", "p0002": "Superseded", "p0003": "Active"}
    own = pricelists.load_price_list(ws, release.rollback(ws, second, actor=ANN))
    assert (own.status, own.state.approved_by) == ("Ready for review", None)  # her own prices: another has to look


def test_a_new_version_of_a_live_list_is_a_draft_with_its_prices(ws: Workspace) -> None:
    first = make_list(ws, actor=LEA)
    _release(ws, first)
    made = pricelists.load_price_list(ws, release.new_version(ws, first, actor=BEN))
    assert (made.status, made.state.authors, made.summary["based_on"]) == ("Draft", ("ben@shop.example",), first)
    assert made.current["new_price"].tolist() == [11.0, 18.0, 33.0, 36.0]
    assert made.current["change_rate"].tolist() == [0.0] * 4


def test_comments_are_kept_in_order_and_need_a_text(ws: Workspace) -> None:
    key = make_list(ws, actor=LEA)
    release.comment(ws, key, "Why so high?\nReally?", actor=MAYA, row=2)
    release.comment(ws, key, "Rival\x00 left", actor=ANN)
    found = list_comments.read(ws, key)
    assert found[["row", "author", "verified", "text"]].astype(object).where(found.notna(), None).values.tolist() == [
        [2, "Maya", False, "Why so high?\nReally?"], [None, "ann@shop.example", True, "Rival left"],
    ]  # fmt: skip
    assert list_comments.number(ws, key) == 2 and list_comments.number(ws, "p0009") == 0
    assert pricelists.load_price_list(ws, key).revision == 0
    for text, row, message in ((" ", None, "empty"), ("x" * 2001, None, "at most 2,000"), ("x", 4, "about row 5")):
        with pytest.raises(PriceListError, match=message):
            release.comment(ws, key, text, actor=ANN, row=row)


def test_an_exported_file_is_whole_and_in_the_log(ws: Workspace) -> None:
    key = make_list(ws, actor=LEA)
    path = exports.keep_export(ws, "prices.csv", b"a,b\r\n", actor=LEA, price_list_id=key, kind="native")
    assert path.read_bytes() == b"a,b\r\n" and list(ws.temp_dir.iterdir()) == []
    entry = audit.entries(ws, key).iloc[0]
    assert entry["action"] == "export" and entry["after"]["bytes"] == 5
    assert entry["after"]["sha256"] == audit.file_hash(path)
    for name in ("../prices.csv", ".hidden", "a/b.csv", ""):
        with pytest.raises(ConfigError, match="is no name for an exported file"):
            exports.keep_export(ws, name, b"", actor=LEA, price_list_id=key, kind="native")


def test_an_export_that_died_after_its_entry_is_finished_by_the_next_look(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, replace = make_list(ws, actor=LEA), os.replace

    def die(source: Path, target: Path) -> None:
        if Path(target).name == "prices.csv":
            raise KeyboardInterrupt
        replace(source, target)

    exports.keep_export(ws, "prices.csv", b"old", actor=LEA, price_list_id=key, kind="native")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", die)
        exports.keep_export(ws, "prices.csv", b"new", actor=LEA, price_list_id=key, kind="native")
    assert (ws.exports_dir / "prices.csv").read_bytes() == b"old"
    assert exports.finish_pending(ws) == ["prices.csv"] and exports.finish_pending(ws) == []
    assert (ws.exports_dir / "prices.csv").read_bytes() == b"new"
    unnoted = ws.exports_dir / f".{'0' * 64}.pending"
    unnoted.write_bytes(b"half")
    assert exports.finish_pending(ws) == [] and unnoted.exists()
    os.utime(unnoted, (0, 0))
    assert exports.finish_pending(ws) == [] and not unnoted.exists()


def test_a_lost_database_finds_the_state_of_each_list_in_its_folder(file_ws: Workspace) -> None:
    key = make_list(file_ws, actor=LEA)
    _decide(file_ws, key, [0], "held")
    _release(file_ws, key)
    before = pricelists.load_price_list(file_ws, key)
    database._engines.clear()
    for path in file_ws.root.glob("workspace.sqlite*"):
        path.unlink()
    after = pricelists.load_price_list(file_ws, key)
    assert (after.revision, after.state) == (before.revision, before.state)
    assert after.current["new_price"].tolist() == before.current["new_price"].tolist()


def test_only_the_last_two_files_of_decisions_are_kept(ws: Workspace) -> None:
    key = make_list(ws, actor=LEA)
    for revision in range(5):
        _decide(ws, key, [revision % 4], "held", seen=revision)
    names = sorted(path.name for path in (ws.price_lists_dir / key).glob("decisions*"))
    assert names == ["decisions.000004.parquet", "decisions.000005.parquet"]


def test_a_deleted_draft_leaves_an_entry(ws: Workspace) -> None:
    key = make_list(ws, actor=LEA)
    pricelists.delete_price_list(ws, key, actor=LEA)
    assert pricelists.latest_price_list_id(ws) is None
    assert audit.entries(ws, key)["action"].tolist() == ["delete", "create"] and audit.verify(ws).intact


def test_whoever_is_killed_leaves_the_old_state_or_the_new_one(ws: Workspace) -> None:
    command = [sys.executable, "-m", "benchmarks.kills", "--rounds", "4", "--rows", "1000", "--workspace", ws.root]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    rows = [line.split() for line in ran.stdout.splitlines()[1:]]
    assert len(rows) == 4 and all(row[-1] == "0" for row in rows), ran.stdout
    assert ran.stderr == ""
    assert audit.verify(ws).intact


def test_a_list_from_before_the_lifecycle_is_a_draft(ws: Workspace) -> None:
    import sqlalchemy as sa

    key = make_list(ws, actor=LEA)
    (ws.price_lists_dir / key / "state.json").unlink()
    with database.writing(ws) as connection:
        connection.execute(sa.delete(database.price_list_states))
    stored = pricelists.load_price_list(ws, key)
    assert (stored.status, stored.revision, stored.state.authors) == ("Draft", 0, ())
    assert stored.state.effective_from == "2030-01-01T00:00:00.000+00:00"
    assert np.isfinite(stored.current["new_price"]).all()
    assert list_edits.news(ws, key, 0) == "somebody changed it"
