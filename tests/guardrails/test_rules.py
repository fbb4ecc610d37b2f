"""Guardrails as configuration: what is allowed, what is refused, and the way to a file and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pricing_core.errors import ConfigError, FileReadError
from pricing_core.guardrails import NO_GUARDRAILS, Guardrails


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"margin_floor": 1.0}, r"margin_floor is 1\.0\. It must be a share below 1"),
        ({"margin_floor": float("nan")}, "margin_floor is nan"),
        ({"max_change_rate": -0.1}, r"max_change_rate is -0\.1\. It must be a share of at least 0"),
        ({"max_change_rate": "20%"}, "max_change_rate is '20%'"),
        ({"price_floor": -1}, "price_floor is -1. It must be an amount of at least 0"),
        ({"price_ceiling": 0}, "price_ceiling is 0. It must be an amount above 0"),
        ({"price_floor": 9, "price_ceiling": 5}, "price_floor 9 is above price_ceiling 5"),
        ({"discount_only": 1}, "discount_only is 1. It must be true or false"),
        ({"endings": (199,)}, r"endings is \(199,\)\. Give at least one whole number from 0 to 99"),
        ({"endings": ()}, r"endings is \(\)"),
        ({"endings": 99}, "endings is 99"),
        ({"rounding": "up"}, "rounding is 'up'. It must be one of nearest, down"),
        ({"decimals": 5}, "decimals is 5. It must be 0, 1, 2 or 3"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_what_is(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Guardrails(**values)


def test_unknown_rules_are_named_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"Unknown guardrail: max_change\. Allowed are margin_floor, price_floor"):
        Guardrails.from_toml("max_change = 0.1")


@pytest.mark.parametrize(
    "rules",
    [
        Guardrails(),
        NO_GUARDRAILS,
        Guardrails(0.1, 2.5, 99.0, 0.2, True, (99, 49), "down", 0),
    ],
)
def test_rules_come_back_from_toml_as_they_were(rules: Guardrails, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(rules.to_toml(), encoding="utf-8")
    assert Guardrails.from_toml(path) == rules
    assert Guardrails.from_toml("[guardrails]\n" + rules.to_toml()) == rules


def test_endings_are_sorted_and_unique() -> None:
    assert Guardrails(endings=(99, 49, 99)).endings == (49, 99)


def test_broken_and_missing_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("margin_floor = ", encoding="utf-8")
    with pytest.raises(FileReadError, match=r"bad\.toml is not valid TOML"):
        Guardrails.from_toml(tmp_path / "bad.toml")
    with pytest.raises(FileReadError, match=r"none\.toml cannot be read"):
        Guardrails.from_toml(tmp_path / "none.toml")
