"""The price step ladder adds up to the last cent."""

from __future__ import annotations

import doctest
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_core.errors import ConfigError
from pricing_core.explain import price_steps
from pricing_core.explain.price_steps import STEPS, price_ladder

PRICES = {
    "reference": 12.99,
    "product": 12.4049,
    "market": 12.6051,
    "taste": 11.6312,
    "sensitivity": 11.8,
    "guardrail": 11.69,
    "ending": 11.49,
}


def test_each_step_is_the_difference_of_its_rounded_neighbors() -> None:
    ladder = price_ladder(PRICES)
    changes = [str(step.change) for step in ladder.steps]
    assert changes == ["0.00", "-0.59", "0.21", "-0.98", "0.17", "-0.11", "-0.20"]
    assert ladder.start == Decimal("12.99") and ladder.final == Decimal("11.49")
    assert ladder.largest() is ladder.steps[3]
    frame = ladder.to_frame()
    assert frame["step"].tolist() == list(PRICES)
    assert frame["meaning"][6] == "Price ending"


@settings(max_examples=200, deadline=None)
@given(
    prices=st.lists(st.floats(0.01, 1e7), min_size=len(STEPS) - 1, max_size=len(STEPS) - 1),
    cents=st.integers(1, 10**9),
    minor_units=st.sampled_from([0, 2, 3]),
)
def test_start_plus_steps_is_the_final_price_exactly(prices: list[float], cents: int, minor_units: int) -> None:
    final = Decimal(cents).scaleb(-minor_units)
    ladder = price_ladder(dict(zip(STEPS, [*prices, float(final)], strict=True)), minor_units=minor_units)
    assert ladder.start + sum(step.change for step in ladder.steps) == final == ladder.final
    for step, price in zip(ladder.steps, prices, strict=False):
        assert abs(step.price - Decimal(price)) <= Decimal(1).scaleb(-minor_units) / 2 + Decimal("1e-8")


def test_steps_may_be_left_out_and_yen_have_no_decimals() -> None:
    ladder = price_ladder({"reference": 1299.6, "shared": 1180}, minor_units=0)
    assert [str(step.change) for step in ladder.steps] == ["0", "-120"]
    assert price_ladder({"reference": 5, "kept": "5.00"}).largest() is None


def test_a_kept_price_with_more_decimals_sets_the_precision_and_float_tails_do_not() -> None:
    kept = price_ladder({"reference": 12.0044, "taste": 11.1, "kept": 11.493})
    assert [str(step.price) for step in kept.steps] == ["12.004", "11.100", "11.493"]
    assert kept.start + sum(step.change for step in kept.steps) == Decimal("11.493")
    assert str(price_ladder({"reference": 12, "shared": 11.490000000000002}).final) == "11.49"


def test_the_example_in_the_documentation_is_true() -> None:
    assert doctest.testmod(price_steps).failed == 0


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        ({"reference": 1, "mood": 2, "kept": 3}, "'mood' is not a step of the price ladder; allowed are reference"),
        ({"market": 1, "reference": 2, "kept": 3}, "The steps market, reference, kept are out of order"),
        ({"reference": 1}, "needs a first price and the recommended one"),
        ({"reference": float("nan"), "kept": 2}, "step 'reference' is nan; it must be above zero"),
        ({"reference": "a", "kept": 2}, "step 'reference' is 'a'; it must be a number"),
        ({"reference": 1, "kept": 0}, "step 'kept' is 0; it must be above zero"),
    ],
)
def test_what_is_no_ladder_is_refused(prices: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        price_ladder(prices)
