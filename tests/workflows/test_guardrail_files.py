"""Rules for parts of the shop reach prices through the file that the command line reads."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pricing_core.cli import main
from tests.workflows.conftest import TrainedShop

RULES = """
margin_floor = "none"

[[rules]]
kind = "price_ceiling"
value = {ceiling}
scope = "category"
in = ["{category}"]

[[rules]]
kind = "endings"
ranges = [{{endings = [49, 99]}}]
hard = false
"""


def price(trained: TrainedShop, rules: str, out: Path) -> int:
    file = out.with_suffix(".toml")
    file.write_text(rules, encoding="utf-8")
    arguments = [
        "price",
        "--workspace",
        str(trained.workspace),
        "--strategy",
        "personalized",
        "--guardrails",
        str(file),
    ]
    return main([*arguments, "--targets", str(trained.files / "targets.csv"), "--out", str(out)])


def test_a_file_with_rules_for_a_category_prices_only_that_category_lower(trained: TrainedShop, tmp_path: Path) -> None:
    products = trained.shop.tables["products"].set_index("product_id")
    category = products.groupby("category")["list_price"].median().idxmax()
    ceiling = float(products.loc[products["category"] == category, "list_price"].median())
    rules = RULES.format(ceiling=f"{ceiling:.2f}", category=category)
    assert price(trained, rules, tmp_path / "prices.csv") == 0
    priced = pd.read_csv(tmp_path / "prices.csv", dtype={"product_id": str})
    of_category = priced["product_id"].map(products["category"]) == category
    moved = of_category & ~priced["reason"].str.startswith("held")
    assert moved.any()
    assert priced.loc[moved, "new_price"].max() <= ceiling
    assert priced.loc[~of_category, "new_price"].max() > 0
    cents = (priced.loc[moved, "new_price"] * 100).round().astype(int) % 100
    assert cents.isin([49, 99]).mean() > 0.8


def test_a_wrong_rule_is_refused_in_one_line(
    trained: TrainedShop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert price(trained, '[[rules]]\nkind = "price_ceiling"\nvalue = -1\n', tmp_path / "prices.csv") == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error == ("error: Rule 1 of 1: value of the rule price_ceiling is -1. It must be an amount above 0.")
    assert price(trained, '[[rules]]\nkind = "price_floor"\nvalue = 1\nscope = "colour"\nin = ["red"]\n',
                 tmp_path / "prices.csv") == 2  # fmt: skip
    assert "error: The rows carry no label 'colour'. There are: product, category, customer" in capsys.readouterr().err
