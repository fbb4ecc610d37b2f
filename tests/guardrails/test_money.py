"""Minor units and endings against Python's decimal arithmetic."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_core.errors import ConfigError
from pricing_core.guardrails.money import exact_amount, minor_unit_digits, neighbors, round_down, round_up


def test_digits_follow_the_currency() -> None:
    assert [minor_unit_digits(c) for c in ("USD", "EUR", "JPY", "KWD")] == [2, 2, 0, 3]
    with pytest.raises(ConfigError, match="The currency is 'usd'"):
        minor_unit_digits("usd")


def test_amounts_have_no_binary_tail() -> None:
    assert str(exact_amount(0.1 + 0.2, 2)) == "0.30"
    assert str(exact_amount(1234.0, 0)) == "1234"
    assert str(exact_amount(2.675, 2)) == "2.68"  # half to even on the decimal that is shown


@given(st.integers(1, 10_000_000), st.sampled_from([0, 2, 3]))
def test_whole_amounts_are_their_own_neighbors(minor: int, digits: int) -> None:
    price = np.array([float(Decimal(minor).scaleb(-digits))])
    assert round_up(price, digits)[0] == price[0] == round_down(price, digits)[0]


@given(st.floats(0.2, 5000), st.lists(st.integers(0, 99), min_size=1, max_size=4, unique=True))
def test_neighbors_are_the_nearest_allowed_endings(price: float, endings: list[int]) -> None:
    below, above = (float(v[0]) for v in neighbors(np.array([price]), endings, 2))
    cents = round(price * 100, 6)
    allowed = [100 * k + e for k in range(-1, int(cents // 100) + 3) for e in endings]
    assert round(100 * below) == max(a for a in allowed if a <= cents + 1e-6)
    assert round(100 * above) == min(a for a in allowed if a >= cents - 1e-6)


def test_endings_of_yen_are_its_last_two_digits() -> None:
    below, above = neighbors(np.array([1234.0]), (80, 98), 0)
    assert (below[0], above[0]) == (1198.0, 1280.0)
