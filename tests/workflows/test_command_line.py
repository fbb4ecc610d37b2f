"""The command line as a user calls it: files in, files out, one clear line on bad input."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pricing_core.cli import _parser, main
from pricing_core.store.workspace import Workspace


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"customer_id": str, "product_id": str})


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must be refused; return its one line."""
    capsys.readouterr()
    assert main(arguments) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.lstrip().startswith("[")]
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.fixture(scope="module")
def priced(trained, tmp_path_factory) -> pd.DataFrame:
    out = tmp_path_factory.mktemp("out") / "prices.csv"
    arguments = ["price", "--workspace", str(trained.workspace), "--strategy", "personalized", "--no-guardrails"]
    assert main([*arguments, "--targets", str(trained.files / "targets.csv"), "--out", str(out)]) == 0
    return table(out)


def test_every_option_of_every_command_has_a_help() -> None:
    commands = next(action for action in _parser(None)._actions if isinstance(action, argparse._SubParsersAction))
    without = [
        f"{name} {option.option_strings}"
        for name, parser in commands.choices.items()
        for option in parser._actions
        if not option.help
    ]
    assert without == [] and all(parser.format_help() for parser in commands.choices.values())


def test_prices_come_back_row_by_row_in_the_order_of_the_targets(trained, priced):
    targets = table(trained.files / "targets.csv")
    assert list(priced.columns[: len(targets.columns)]) == list(targets.columns)
    assert priced["customer_id"].tolist() == targets["customer_id"].tolist()
    assert priced["product_id"].tolist() == targets["product_id"].tolist()
    added = ["new_price", "expected_conversion_rate", "expected_profit", "profit_low", "profit_high", "reason"]
    assert list(priced.columns[-6:]) == added
    assert (priced["new_price"] > 0).all()
    assert np.allclose(priced["new_price"] * 100, (priced["new_price"] * 100).round())
    assert priced["expected_conversion_rate"].between(0, 1).all()
    assert (priced["profit_low"] <= priced["expected_profit"]).all()
    assert (priced["expected_profit"] <= priced["profit_high"]).all()


def test_personal_prices_of_a_small_shop_earn_more_than_the_best_single_change(trained, priced):
    truth = trained.shop.target_truth
    low, high = truth.supported_range()
    oracle = truth.profit(truth.oracle_price(low, high))
    uniform = max(truth.profit(np.clip(m * truth.list_price, low, high)) for m in np.linspace(0.7, 1.2, 51))
    mine = truth.profit(priced["new_price"].to_numpy())
    # 18,000 offers, quick training: the true best uniform price reaches about 92% of the oracle here.
    assert mine > uniform
    assert mine > 0.93 * oracle


def test_personalized_discount_never_exceeds_the_list_price(trained, tmp_path):
    out = tmp_path / "prices.csv"
    arguments = ["price", "--workspace", str(trained.workspace), "--strategy", "personalized_discount"]
    assert main([*arguments, "--targets", str(trained.files / "targets.csv"), "--out", str(out)]) == 0
    listed = table(trained.files / "products.csv").set_index("product_id")["list_price"]
    found = table(out)
    assert (found["new_price"] <= found["product_id"].map(listed) + 1e-9).all()


def test_guardrails_file_is_kept_and_named_in_the_reason(trained, tmp_path):
    rules = tmp_path / "rules.toml"
    rules.write_text("max_change_rate = 0.01\n")
    out = tmp_path / "prices.csv"
    arguments = ["price", "--workspace", str(trained.workspace), "--strategy", "personalized"]
    assert main([*arguments, "--guardrails", str(rules), "--out", str(out)]) == 0
    found = table(out)
    moved = found["new_price"] != found["price"]
    assert ((found["new_price"] / found["price"] - 1).abs()[moved] <= 0.01 + 1e-9).all()
    assert found["reason"].str.contains("maximum change").any()


def test_predict_adds_a_rate_that_falls_with_price(trained, tmp_path):
    targets = table(trained.files / "targets.csv").head(50)
    listed = table(trained.files / "products.csv").set_index("product_id")["list_price"]
    cheap = targets.assign(price=targets["product_id"].map(listed) * 0.8)
    dear = cheap.assign(price=cheap["price"] * 1.3)
    rates = []
    for name, frame in (("cheap", cheap), ("dear", dear)):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        out = tmp_path / f"{name}_out.csv"
        arguments = ["predict", "--workspace", str(trained.workspace), "--offers", str(tmp_path / f"{name}.csv")]
        assert main([*arguments, "--out", str(out)]) == 0
        rates.append(table(out)["conversion_rate"])
    assert (rates[0] > rates[1]).all()


def test_customers_products_and_categories_never_seen_get_a_price(trained, tmp_path):
    targets = tmp_path / "targets.csv"
    targets.write_text(
        "customer_id,product_id,offered_at,list_price,unit_cost,category\n"
        "nobody,NEW-1,2026-01-05T10:00:00Z,9.99,5.00,gadgets\n"
        "00001,NEW-1,2026-01-05T10:00:00Z,9.99,5.00,\n"
    )
    out = tmp_path / "prices.csv"
    arguments = ["price", "--workspace", str(trained.workspace), "--strategy", "personalized_discount"]
    assert main([*arguments, "--targets", str(targets), "--out", str(out)]) == 0
    found = table(out)
    assert found["new_price"].between(5.0, 9.99).all()
    assert found["customer_id"].tolist() == ["nobody", "00001"]


def test_simulation_always_carries_the_uniform_price(trained, tmp_path):
    out = tmp_path / "simulation.csv"
    arguments = ["simulate", "--workspace", str(trained.workspace), "--strategies", "status_quo,personalized_discount"]
    assert main([*arguments, "--out", str(out)]) == 0
    found = pd.read_csv(out).set_index("strategy")
    assert list(found.index) == ["status_quo", "personalized_discount", "uniform"]
    assert (found["profit_low"] < found["profit"]).all()
    assert (found["profit"] < found["profit_high"]).all()
    assert {"revenue", "conversion_rate", "units"} <= set(found.columns)


def test_a_cost_scenario_lowers_profit(trained, tmp_path):
    scenario = tmp_path / "dear.toml"
    scenario.write_text("cost_change_rate = 0.2\n")
    profits = []
    for extra in ([], ["--scenario", str(scenario)]):
        out = tmp_path / "simulation.csv"
        arguments = ["simulate", "--workspace", str(trained.workspace), "--strategies", "status_quo"]
        assert main([*arguments, *extra, "--out", str(out)]) == 0
        profits.append(pd.read_csv(out).set_index("strategy").loc["status_quo", "profit"])
    assert profits[1] < profits[0]


def test_a_competitor_who_raises_prices_brings_sales(trained, tmp_path):
    scenario = tmp_path / "rival.toml"
    scenario.write_text("competitor_change_rate = 0.15\n")
    units = []
    for extra in ([], ["--scenario", str(scenario)]):
        out = tmp_path / "simulation.csv"
        arguments = ["simulate", "--workspace", str(trained.workspace), "--strategies", "status_quo"]
        assert main([*arguments, *extra, "--out", str(out)]) == 0
        units.append(pd.read_csv(out).set_index("strategy").loc["status_quo", "units"])
    assert units[1] > units[0]


def test_explanations_add_up(trained, tmp_path):
    targets = tmp_path / "few.csv"
    table(trained.files / "targets.csv").head(3).to_csv(targets, index=False)
    out = tmp_path / "why.csv"
    assert main(["explain", "--workspace", str(trained.workspace), "--targets", str(targets), "--out", str(out)]) == 0
    found = table(out)
    steps = [c for c in found.columns if c.startswith("step: ")]
    assert np.allclose(found[steps].sum(axis=1), found["new_price"], atol=1e-9)
    parts = [c for c in found.columns if re.match(r"probability: (?!additivity)", c)]
    # The errors are as stated (money is rounded before the chance is asked for), and small.
    gap = (found[parts].sum(axis=1) - found["expected_conversion_rate"]).abs()
    assert (gap <= found["probability: additivity error"] + 1e-4).all()
    assert (found["probability: additivity error"] < 0.01).all()
    assert found["lime fidelity"].between(0, 1).all()
    for language, word in (("en", "Evidence: "), ("zh", "依据：")):
        assert found[f"reason_{language}"].str.contains(word).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["price", "--strategy", "magic", "--out", "x.csv"], "no strategy 'magic'"),
        (["price", "--strategy", "uniform", "--targets", "absent.csv", "--out", "x.csv"], "absent.csv"),
        (["simulate", "--strategies", "uniform", "--scenario", "absent.toml", "--out", "x.csv"], "absent.toml"),
        (["predict", "--offers", "absent.csv", "--out", "x.csv"], "absent.csv"),
        (["price", "--strategy", "uniform", "--out", "no/such/folder/x.csv"], "cannot be written"),
        (["price", "--out", "x.csv"], "--strategy"),
        (["fly"], "invalid choice"),
    ],
)
def test_bad_input_ends_with_exit_code_2_and_one_line(trained, capsys, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    command, *rest = arguments
    assert words in refused([command, "--workspace", str(trained.workspace), *rest], capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_workspace_without_model_says_how_to_get_one(tmp_path, capsys):
    Workspace.open(tmp_path / "w")
    line = refused(
        ["price", "--workspace", str(tmp_path / "w"), "--strategy", "uniform", "--out", str(tmp_path / "x.csv")], capsys
    )
    assert "no trained model" in line


def test_a_target_with_a_word_for_a_price_names_its_row(trained, tmp_path, capsys):
    bad = tmp_path / "bad.csv"
    bad.write_text("customer_id,product_id,offered_at,list_price\n1,COF-001,2026-01-05T10:00:00Z,cheap\n")
    arguments = ["price", "--workspace", str(trained.workspace), "--strategy", "uniform", "--targets", str(bad)]
    line = refused([*arguments, "--out", str(tmp_path / "x.csv")], capsys)
    assert "list_price" in line
    assert "2" in line


def test_unknown_guardrail_names_the_allowed_ones(trained, tmp_path, capsys):
    rules = tmp_path / "rules.toml"
    rules.write_text("margin_flor = 0.1\n")
    arguments = ["price", "--workspace", str(trained.workspace), "--strategy", "uniform", "--guardrails", str(rules)]
    line = refused([*arguments, "--out", str(tmp_path / "x.csv")], capsys)
    assert "margin_flor" in line
    assert "margin_floor" in line
