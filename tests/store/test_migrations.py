"""Workspaces that an earlier version of the program made."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from pricing_core.errors import ConfigError, WorkspaceError
from pricing_core.store import database, migrations, runs, settings
from pricing_core.store.workspace import Workspace
from tests.databases import use_database

_OLD = Path(__file__).with_name("schema_1.sql")


@pytest.fixture
def old_ws(file_ws: Workspace) -> Workspace:
    """A workspace of schema version 1 with a run, a price list, a job and a setting."""
    run = {"dataset_id": "d0001", "summary": {"seed": 3}, "promote": True, "created_at": "2025-05-01T00:00:00+00:00"}
    listed = {"strategy": "product", "run_id": "r0001", "dataset_id": "d0001", "summary": {}, "rows": 1}
    listed |= {"created_at": run["created_at"]}
    with closing(sqlite3.connect(file_ws.database_path)) as connection, connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(_OLD.read_text())
        connection.execute("INSERT INTO settings VALUES ('target', '0.4')")
        connection.execute("INSERT INTO runs VALUES ('r0001', 1, ?, ?)", (run["created_at"], json.dumps(run)))
        connection.execute("INSERT INTO price_lists VALUES ('p0001', 1, ?, ?)", (run["created_at"], json.dumps(listed)))
        connection.execute(
            "INSERT INTO jobs (kind, params, handlers, status, stage, fraction, message, submitted_at) "
            "VALUES ('train', '{}', 'm:H', 'succeeded', '', 1.0, '', 5.0)"
        )
    for shelf, record in (("runs/r0001", run), ("price_lists/p0001", listed)):
        (file_ws.root / shelf).mkdir()
        (file_ws.root / shelf / "record.json").write_text(json.dumps(record))
    return file_ws


def _version(ws: Workspace) -> int:
    with closing(sqlite3.connect(ws.database_path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_workspace_of_the_first_schema_is_upgraded_in_place_and_keeps_everything(old_ws: Workspace) -> None:
    assert _version(old_ws) == 1
    assert settings.get(old_ws, "target") == 0.4
    assert _version(old_ws) == migrations.SCHEMA_VERSION == 2
    assert runs.list_runs(old_ws)[["run_id", "seed", "promoted"]].values.tolist() == [["r0001", 3, True]]
    with database.reading(old_ws) as connection:
        assert set(database.METADATA.tables) <= set(sa.inspect(connection).get_table_names())
        assert connection.execute(sa.select(database.jobs.c.kind, database.jobs.c.submitted_at)).all() == [
            ("train", 5.0)
        ]
        assert connection.execute(sa.select(database.price_list_states)).all() == [("p0001", 0, {})]


def test_an_upgrade_that_dies_halfway_leaves_the_old_schema_and_is_done_next_time(
    old_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(migrations, "STEPS", (fail,))
        with pytest.raises(RuntimeError, match="power cut"):
            settings.get(old_ws, "target")
    with closing(sqlite3.connect(old_ws.database_path)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert _version(old_ws) == 1 and "audit" not in tables and "runs" in tables
    assert settings.get(old_ws, "target") == 0.4 and _version(old_ws) == 2


def test_processes_that_upgrade_at_once_do_it_once(old_ws: Workspace) -> None:
    code = (
        "import sys; from pricing_core.store import settings; from pricing_core.store.workspace import Workspace\n"
        "print(settings.get(Workspace(sys.argv[1]), 'target'))"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, old_ws.root], stdout=-1, stderr=-1) for _ in range(4)]
    assert [process.communicate(timeout=180) for process in running] == [(b"0.4\n", b"")] * 4
    with database.reading(old_ws) as connection:
        assert connection.execute(sa.select(database.price_list_states.c.id)).all() == [("p0001",)]


def test_a_table_that_a_later_addition_brings_is_made_when_an_up_to_date_workspace_is_opened(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.set(ws, "target", 0.3)
    for key in list(database._engines):
        database._engines[key].dispose()
    grown = sa.MetaData()
    for table in database.METADATA.tables.values():
        table.to_metadata(grown)
    later = sa.Table("later", grown, sa.Column("key", sa.Text, primary_key=True))
    monkeypatch.setattr(database, "METADATA", grown)
    monkeypatch.setattr(database, "_engines", {})
    with database.reading(ws) as connection:
        assert connection.execute(sa.select(later)).all() == []
        assert settings.read(connection, "target") == 0.3


def test_a_workspace_does_not_get_a_second_empty_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_ws: Workspace
) -> None:
    settings.set(file_ws, "target", 0.4)
    with use_database("postgresql", monkeypatch):
        with pytest.raises(WorkspaceError, match=r"keeps its index in workspace\.sqlite, and a PostgreSQL server is"):
            settings.get(file_ws, "target")
        other = Workspace(tmp_path / "other")
        settings.set(other, "target", 0.5)
        assert not other.database_path.exists() and other.is_initialized
        with monkeypatch.context() as patch:
            patch.delenv("PRICING_DATABASE_URL")
            with pytest.raises(WorkspaceError, match=r"on a PostgreSQL server, and no server is named\. Set PRICING_"):
                settings.get(other, "target")
        assert settings.get(other, "target") == 0.5


def test_an_index_moves_from_its_file_to_the_server_with_everything(
    file_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas as pd

    from pricing_core.store import audit, moving, pricelists, scenarios
    from tests.list_cases import LEA, make_list

    key = make_list(file_ws, actor=LEA)
    scenarios.save_scenario(file_ws, "Base", {"x": 1}, pd.DataFrame({"profit": [1.5]}))
    settings.set(file_ws, "target", {"margin": [1, None, "é"]})
    head = audit.verify(file_ws).head
    with pytest.raises(ConfigError, match="No PostgreSQL server is named"):
        moving.to_server(file_ws)
    with use_database("postgresql", monkeypatch):
        counts = moving.to_server(file_ws)
        assert (counts["price_lists"], counts["audit"], counts["scenarios"]) == (1, 1, 1)
        assert not list(file_ws.root.glob("workspace.sqlite*")) and (file_ws.root / moving.KEPT).exists()
        assert settings.get(file_ws, "target") == {"margin": [1, None, "é"]}
        assert pricelists.load_price_list(file_ws, key).state.authors == ("lea@shop.example",)
        check = audit.verify(file_ws, noted=head)
        assert check.intact and check.entries == 1
        assert scenarios.save_scenario(file_ws, "Other", {}, pd.DataFrame({"profit": [2.5]})) == "s0002"
        assert make_list(file_ws) == "p0002"
        with pytest.raises(WorkspaceError, match="The workspace has no SQLite file to move"):
            moving.to_server(file_ws)


def test_workspaces_on_one_server_know_nothing_of_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with use_database("postgresql", monkeypatch):
        first, second = Workspace(tmp_path / "a"), Workspace(tmp_path / "b")
        settings.set(first, "target", 0.4)
        assert settings.get(second, "target") is None
        assert first.schema_marker.read_text() != second.schema_marker.read_text()


def test_the_server_can_be_named_in_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    with use_database("postgresql", monkeypatch):
        monkeypatch.delenv("PRICING_DATABASE_URL")
        ws = Workspace(tmp_path / "a")
        (ws.root / "database.url").write_text(os.environ["PRICING_TEST_DATABASE_URL"] + "\n")
        settings.set(ws, "target", 0.4)
        assert not ws.database_path.exists() and settings.get(ws, "target") == 0.4


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", r"PRICING_DATABASE_URL holds no database address\. Give postgresql://user:password@host/database"),
        ("mysql://a:secret@b/c", r"PRICING_DATABASE_URL names a mysql database\. Give postgresql://"),
        (
            "postgresql://u:secret@127.0.0.1:9/none",
            r"The PostgreSQL server at 127\.0\.0\.1 does not answer: .*\. Start it, or correct PRICING_DATABASE_URL\.",
        ),
    ],
)
def test_an_address_that_leads_nowhere_is_a_sentence_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, message: str
) -> None:
    from pricing_core.errors import PricingError

    monkeypatch.setenv("PRICING_DATABASE_URL", url)
    with pytest.raises(PricingError, match=message) as raised:
        settings.get(Workspace(tmp_path / "shop"), "target")
    assert "secret" not in str(raised.value)
