"""Two sets of prices for the same offers."""

from __future__ import annotations

import math

import pytest

from pricing_core.errors import DataError
from pricing_core.evaluate.price_moves import price_moves


def test_moves_are_shares_of_the_first_price() -> None:
    moves = price_moves([10, 10, 10, 10], [10, 10.1, 11, 8])
    assert moves["offers"] == 4
    assert moves["mean_change"] == pytest.approx((0 + 0.01 + 0.1 - 0.2) / 4)
    assert moves["mean_distance"] == pytest.approx((0 + 0.01 + 0.1 + 0.2) / 4)
    assert moves["largest_change"] == pytest.approx(-0.2)
    # Exactly 1% has not moved by more than 1%.
    assert (moves["moved_share"], moves["up_share"], moves["down_share"]) == (0.5, 0.25, 0.25)


def test_the_same_prices_do_not_move() -> None:
    assert {value for key, value in price_moves([3.0, 4.0], [3.0, 4.0]).items() if key != "offers"} == {0.0}


@pytest.mark.parametrize(("before", "after", "said"), [
    ([1.0], [1.0, 2.0], "1 prices before and 2 after"), ([], [], "0 prices before"),
    ([1.0, 2.0], [0.0, math.nan], "2 prices are missing or not above zero"),
])  # fmt: skip
def test_prices_that_cannot_be_compared_are_refused(before: list[float], after: list[float], said: str) -> None:
    with pytest.raises(DataError, match=said):
        price_moves(before, after)
