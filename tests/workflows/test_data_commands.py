"""Commands about the data: what a file leaves open can be answered, and a repair has to be named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.cli import main
from pricing_core.store import blocked, datasets
from pricing_core.store.workspace import Workspace
from tests.data.test_checks import shelf_offers


def test_what_a_file_leaves_open_can_be_answered_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offers = shelf_offers()
    days = [(k // 12 % 12 + 1, k % 12 + 1) for k in range(len(offers))]  # no day above the twelfth
    offers["offered_at"] = [f"{month:02d}/{day:02d}/2025" for month, day in days]
    file, ws = tmp_path / "offers.csv", tmp_path / "ws"
    offers.to_csv(file, index=False)
    command = ["import", "--workspace", str(ws), "--offers", str(file)]
    assert main(command) == 2
    assert "the order of day and month" in capsys.readouterr().err
    assert main([*command, "--date-order", "month_first"]) == 0
    stored = datasets.load_dataset(Workspace.open(ws), "d0001").offers["offered_at"]
    first = pd.Timestamp("2025-01-12", tz="UTC")
    assert (stored[:12].max(), stored.max()) == (first, pd.Timestamp("2025-12-12", tz="UTC"))


def test_a_repair_has_to_be_named_and_is_named_in_a_comparison(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    offers = shelf_offers().assign(unit_cost=2.0)
    offers.loc[:9, "unit_cost"] = 50.0
    workflows.import_files(Workspace.open(tmp_path), {"offers": offers})
    command = ["repair", "--workspace", str(tmp_path)]
    assert main(command) == 2
    assert "below_cost" in capsys.readouterr().err
    assert main([*command, "below_cost"]) == 0
    assert main(command) == 0
    assert main(["versions", "--workspace", str(tmp_path), "--compare", "d0001", "d0002"]) == 0
    assert "none → set the offers below cost aside (changed)" in capsys.readouterr().out


def test_a_mistyped_workspace_is_an_error_and_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["versions"], ["quality"], ["repair"], ["train"], ["runs"]):
        assert main([*command, "--workspace", str(tmp_path / "tpyo")]) == 2
        error = capsys.readouterr().err
        assert "There is no workspace at" in error and "--workspace" in error
    assert not (tmp_path / "tpyo").exists()
    assert main(["versions", "--workspace", str(tmp_path)]) == 2  # a folder of something else
    assert not list(tmp_path.iterdir())


def test_the_currency_is_said_where_none_is_given_and_checked_before_a_file_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, shop = tmp_path / "offers.csv", tmp_path / "shop"
    offers = shelf_offers()
    offers.assign(price=[f"€{price:.2f}" for price in offers["price"]]).to_csv(file, index=False)
    command = ["import", "--workspace", str(shop), "--offers", str(file)]
    assert main([*command, "--currency", "Euro"]) == 2
    assert "The currency is 'Euro'" in capsys.readouterr().err and not shop.exists()
    assert main(command) == 0
    error = capsys.readouterr().err
    assert "no currency given: USD, although € stands in the column price; --currency names another" in error
    assert main([*command, "--currency", "EUR"]) == 0
    assert "no currency given" not in capsys.readouterr().err
    assert main(command) == 0
    assert "no currency given: EUR, that of the data in use (d0002); --currency" in capsys.readouterr().err
    assert datasets.load_manifest(Workspace.open(shop)).currency == "EUR"


def test_versions_say_where_they_came_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ws = Workspace.open(tmp_path)
    offers = shelf_offers().assign(unit_cost=2.0)
    offers.loc[:9, "unit_cost"] = 50.0
    workflows.import_files(ws, {"offers": offers.head(len(offers) // 2)})
    workflows.import_files(ws, {"offers": offers}, extend=True)
    workflows.repair_dataset(ws, "d0002", ["below_cost"])
    workflows.use_version(ws, "d0002")
    workflows.repair_dataset(ws, "d0004", ["below_cost"])
    assert main(["versions", "--workspace", str(tmp_path)]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[1:]}
    words = {
        "d0001": "import",
        "d0002": "import, added to d0001",
        "d0003": "repair of d0002: set the offers below cost aside",
        "d0004": "d0002 put back into use",
        "d0005": "repair of d0004: set the offers below cost aside",
    }
    assert all(text in rows[version] for version, text in words.items()), rows
    assert datasets.load_manifest(ws, "d0002").copied == ""


def test_files_in_another_currency_are_refused_unread_or_remarked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, shop = tmp_path / "offers.csv", tmp_path / "shop"
    shelf_offers().to_csv(file, index=False)
    command = ["import", "--workspace", str(shop), "--only-import", "--offers"]
    assert main([*command, str(file), "--currency", "USD"]) == 0
    capsys.readouterr()
    assert main([*command, str(tmp_path / "absent.csv"), "--extend", "--currency", "EUR"]) == 2
    error = capsys.readouterr().err
    assert "is in USD, that of the files in EUR" in error and "absent.csv" not in error
    assert main([*command, str(file), "--currency", "EUR"]) == 0
    assert "is in EUR, that of version d0001, in use before, in USD" in capsys.readouterr().out
    assert main(["versions", "--workspace", str(shop)]) == 0
    assert "currency" in (listed := capsys.readouterr().out) and "EUR" in listed and "USD" in listed
    assert main(["versions", "--workspace", str(shop), "--compare", "d0001", "d0002"]) == 0
    compared = capsys.readouterr().out
    assert "currency: USD → EUR (changed)" in compared and "(not comparable: other currency)" in compared


def test_a_reader_that_stops_early_ends_a_command_without_a_traceback(tmp_path: Path) -> None:
    workflows.import_files(Workspace.open(tmp_path), {"offers": shelf_offers()})
    command = [sys.executable, "-m", "pricing_core", "versions", "--workspace", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None and run.stderr is not None
        run.stdout.close()
        assert run.stderr.read() == b""
        assert run.wait() == 141


@pytest.mark.parametrize("wrong", ["no file", "no columns", "no such column"])
def test_nothing_stays_of_a_new_workspace_whose_first_import_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    file, ws = tmp_path / "offers.csv", tmp_path / "shops" / "new"
    shelf_offers().to_csv(file, index=False)
    command = ["import", "--workspace", str(ws), "--only-import", "--offers"]
    fails = {"no file": ["offesr.csv"], "no such column": [str(file), "--map", "price=Preis"]}.get(wrong)
    if fails is None:
        (tmp_path / "other.csv").write_text("a,b\n1,2\n")
        fails = [str(tmp_path / "other.csv")]
    assert main([*command, *fails]) == 2
    assert "taken away again" in capsys.readouterr().err
    assert not ws.parent.exists()
    ws.mkdir(parents=True)
    (ws / "exports").mkdir()
    (ws / "exports" / "mine.txt").write_text("kept")
    assert main([*command, *fails]) == 2
    assert [path.name for path in ws.rglob("*")] == ["exports", "mine.txt"]
    assert main([*command, str(file)]) == 0
    assert main([*command, *fails]) == 2
    assert datasets.latest_dataset_id(Workspace.open(ws)) == "d0001"
    assert "taken away" not in capsys.readouterr().err.rpartition("offers imported")[2]


def test_a_refused_first_import_stays_to_be_looked_at(tmp_path: Path) -> None:
    file, ws = tmp_path / "offers.csv", tmp_path / "new"
    shelf_offers().assign(offered_at="03/04/2025").to_csv(file, index=False)
    assert main(["import", "--workspace", str(ws), "--offers", str(file)]) == 2
    assert blocked.load_blocked(Workspace.open(ws)) is not None


def test_a_new_workspace_is_said_so_that_a_mistyped_one_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, ws = tmp_path / "offers.csv", tmp_path / "tpyo"
    shelf_offers().to_csv(file, index=False)
    command = ["import", "--workspace", str(ws), "--offers", str(file)]
    assert main(command) == 0
    assert f"note: there was no workspace at {ws}: a new one is made\n" in capsys.readouterr().err
    assert main(command) == 0
    assert "no workspace" not in capsys.readouterr().err
