"""The objective on the command line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pricing_core.cli import main

from .conftest import TrainedShop


def price(trained: TrainedShop, out: Path, *more: str) -> pd.DataFrame:
    code = main(
        ["price", "--workspace", str(trained.workspace), "--strategy", "personalized", "--out", str(out), *more]
    )
    assert code == 0
    return pd.read_csv(out)


def test_price_and_simulate_take_an_objective(trained: TrainedShop, tmp_path: Path) -> None:
    plain = price(trained, tmp_path / "plain.csv")
    kind = price(trained, tmp_path / "kind.csv", "--objective", "goodwill:goodwill_cost=3")
    assert kind["expected_conversion_rate"].sum() > plain["expected_conversion_rate"].sum()
    assert kind["expected_profit"].sum() < plain["expected_profit"].sum()
    out = tmp_path / "table.csv"
    args = ["simulate", "--workspace", str(trained.workspace), "--strategies", "personalized", "--out", str(out)]
    assert main([*args, "--objective", "revenue"]) == 0
    most = pd.read_csv(out).set_index("strategy")["revenue"]["personalized"]
    assert main(args) == 0
    assert most > pd.read_csv(out).set_index("strategy")["revenue"]["personalized"]


def test_an_unknown_objective_is_refused_with_those_there_are(
    trained: TrainedShop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "x.csv")
    args = ["price", "--workspace", str(trained.workspace), "--strategy", "uniform", "--out", out]
    assert main([*args, "--objective", "happiness"]) != 0
    said = capsys.readouterr().err
    assert "The objective is 'happiness'." in said and "cautious" in said
