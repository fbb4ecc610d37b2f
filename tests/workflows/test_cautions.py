"""What pages say beside a promised profit, commands say too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from pricing_core.charts.calibration import response_doubt
from pricing_core.charts.verdict import edge_doubt
from pricing_core.cli import main
from pricing_core.store import datasets, runs
from pricing_core.store.workspace import Workspace
from tests.tea_shop import shared_tea_shop

ASSUMED = "The unit cost is unknown for {0} of {0} offers: a margin of 30% of the usual price is assumed."


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Workspace:
    """A copy of the tea shop, of whose products none has a known cost."""
    shutil.copytree(shared_tea_shop(tmp_path_factory), tmp_path / "shop")
    return Workspace(tmp_path / "shop")


def notes(shop: Workspace, command: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Notes of a command that succeeds."""
    assert main([*command, "--workspace", str(shop.root), "--out", str(shop.root / "out.csv")]) == 0
    return [line.removeprefix("note: ") for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]


@pytest.mark.parametrize("command", [["price", "--strategy", "product"], ["simulate", "--strategies", "product"]])
def test_a_doubtful_reaction_the_edge_and_assumed_costs_are_told(
    shop: Workspace, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = runs.run_dir(shop) / "metrics.json"
    metrics = json.loads(path.read_text()) | {
        "price_band_slope": [0.2, -0.4, 0.8],
        "endogeneity": {"share_at_top": 0.9},
    }
    path.write_text(json.dumps(metrics))
    assert datasets.load_manifest(shop).margin_assumption == pytest.approx(0.3)
    told = notes(shop, command, capsys)
    assert told[-3].startswith("The unit cost is unknown for ") and told[-3] == ASSUMED.format(told[-3].split()[6])
    assert told[-2:] == [response_doubt(metrics), edge_doubt(metrics)]


def test_a_run_that_later_offers_confirm_is_told_without_doubt(
    shop: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = runs.run_dir(shop) / "metrics.json"
    metrics = json.loads(path.read_text()) | {"price_band_slope": [1.0, 0.8, 1.2], "endogeneity": {"share_at_top": 0.1}}
    path.write_text(json.dumps(metrics))
    told = notes(shop, ["price", "--strategy", "product"], capsys)
    assert not any("caution" in each or "test prices" in each for each in told)
