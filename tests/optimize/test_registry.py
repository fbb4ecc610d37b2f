"""Strategies in files of the shop: what works, what is left out and why, and what a failing one says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pricing_core.errors import ConfigError
from pricing_core.guardrails import NO_GUARDRAILS, Guardrails
from pricing_core.optimize import registry
from pricing_core.optimize.contract import Strategy
from pricing_core.optimize.settings import STRATEGIES, check_strategy
from pricing_core.optimize.strategies import price_strategy
from tests.pricing_cases import make_rows

GOOD = '''
"""Ten percent off, or as far as rules allow."""


class TenOff:
    name = "ten_off"
    label = "Ten percent off"
    personal = False

    def propose(self, task):
        return task.propose(0.9 * task.rows.current_price, "ten percent off")
'''


@pytest.fixture(autouse=True)
def _own_strategies_end_with_the_test(tmp_path: Path) -> Iterator[None]:
    yield
    registry.load_strategies(tmp_path / "nowhere")


def write(folder: Path, **files: str) -> registry.LoadedStrategies:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return registry.load_strategies(folder)


def test_the_strategies_of_the_product_are_all_there_and_keep_the_contract() -> None:
    there = registry.strategies()
    assert set(there) == set(STRATEGIES)
    assert all(isinstance(each, Strategy) for each in there.values())
    names = list(registry.labels())
    assert names[0] == "personalized_discount" and names[-1] == "status_quo"
    personal = ["personalized_discount", "segment", "personalized"]
    assert [name for name in there if registry.is_personal(name)] == personal
    assert {name for name in there if registry.is_shared(name)} == {"product", "uniform", "segment", "markdown"}


def test_a_file_adds_a_strategy_that_keeps_the_rules(tmp_path: Path) -> None:
    loaded = write(tmp_path, mine=GOOD)
    assert loaded == registry.LoadedStrategies(("ten_off",), ())
    assert registry.labels()["ten_off"] == "Ten percent off"
    assert check_strategy("ten_off") == "ten_off" and registry.is_own("ten_off") and registry.is_shared("ten_off")
    rows = make_rows(30)
    found = price_strategy("ten_off", rows, Guardrails(margin_floor=None, max_change_rate=0.05))
    np.testing.assert_allclose(found.price, np.ceil(95 * rows.current_price - 1e-6) / 100)
    assert set(found.binding) == {"maximum change"}
    assert "ten percent off; stopped by the maximum change" in found.reason[0]


def test_a_removed_file_takes_its_strategy_away(tmp_path: Path) -> None:
    write(tmp_path, mine=GOOD)
    (tmp_path / "mine.py").unlink()
    assert registry.load_strategies(tmp_path).names == ()
    with pytest.raises(ConfigError, match="There is no strategy 'ten_off'"):
        price_strategy("ten_off", make_rows(6), NO_GUARDRAILS)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def broken(:\n", "line 1 is not valid Python (invalid syntax)"),
        ("import not_a_module\n", "ModuleNotFoundError: No module named 'not_a_module'"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", "it ends the program"),
        ("x = 1\n", "it defines no class with a method propose"),
        (GOOD.replace('"ten_off"', '"Ten Off"'), "TenOff.name is 'Ten Off'; it must be lower-case letters"),
        (GOOD.replace('"ten_off"', '"uniform"'), "the name 'uniform' belongs to a strategy of the product"),
        (GOOD.replace("personal = False", "personal = 'no'"), "TenOff.personal is 'no'; it must be True or False"),
        (GOOD.replace("TenOff:", "TenOff:\n    def __init__(self, x): ..."), "TypeError: TenOff.__init__()"),
    ],
)
def test_a_broken_file_is_one_sentence_and_breaks_nothing_else(tmp_path: Path, text: str, reason: str) -> None:
    loaded = write(tmp_path, a_broken=text, good=GOOD)
    assert loaded.names == ("ten_off",)
    assert len(loaded.problems) == 1
    assert loaded.problems[0].startswith(f"The strategy file a_broken.py was left out: {reason}")
    assert loaded.problems[0].endswith(".") and "\n" not in loaded.problems[0]
    assert str(tmp_path) not in loaded.problems[0]
    assert price_strategy("uniform", make_rows(12), NO_GUARDRAILS).strategy == "uniform"


def test_a_name_can_be_used_once(tmp_path: Path) -> None:
    loaded = write(tmp_path, one=GOOD, two=GOOD)
    assert loaded.names == ("ten_off",)
    assert loaded.problems == (
        "The strategy file two.py was left out: the name 'ten_off' is used by an earlier file; choose another.",
    )


def test_other_files_are_not_looked_at_and_no_folder_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / "_draft.py").write_text("1 / 0", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("1 / 0", encoding="utf-8")
    assert registry.load_strategies(tmp_path) == registry.LoadedStrategies()
    assert registry.load_strategies(tmp_path / "missing") == registry.LoadedStrategies()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("return 1 / 0", r"The shop's own strategy 'ten_off' failed: ZeroDivisionError: division by zero\."),
        ("return task.rows.current_price", r"The shop's own strategy 'ten_off' answered with ndarray\."),
        ("return task.propose([1.0, 2.0], 'x')", r"The strategy ten_off gave prices of the shape \(2,\) for 6 rows\."),
        ("return task.rows.label('offers: weekday')", "The rows carry no label 'offers: weekday'"),
    ],
)
def test_a_strategy_that_fails_says_so_in_one_sentence(tmp_path: Path, answer: str, message: str) -> None:
    text = GOOD.replace('return task.propose(0.9 * task.rows.current_price, "ten percent off")', answer)
    write(tmp_path, mine=text)
    with pytest.raises((ConfigError, Exception), match=message) as caught:
        price_strategy("ten_off", make_rows(6), NO_GUARDRAILS)
    assert type(caught.value).__name__ in ("ConfigError", "DataError")


def test_a_price_that_is_not_a_number_keeps_the_current_one(tmp_path: Path) -> None:
    text = GOOD.replace("0.9 * task.rows.current_price", "float('nan') * task.rows.current_price")
    write(tmp_path, mine=text)
    rows = make_rows(6)
    np.testing.assert_allclose(price_strategy("ten_off", rows, NO_GUARDRAILS).price, rows.current_price)
