"""Commands about the data: what a file leaves open can be answered, and a repair has to be named."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.cli import main
from pricing_core.store import datasets
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
