"""Which prices rules leave to a row, and which rule sets each end."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.guardrails import NO_GUARDRAILS, Guardrails, allowed_range
from tests.pricing_cases import make_rows

ONE = {
    "current_price": np.array([10.0]), "list_price": np.array([11.0]), "unit_cost": np.array([6.0]),
    "support_low": np.array([7.0]), "support_high": np.array([14.0]),
}  # fmt: skip


def ends(rules: Guardrails, strategy: str = "personalized", **changes: np.ndarray) -> tuple[float, str, float, str]:
    found = allowed_range(make_rows(1, products=1, **(ONE | changes)), rules, strategy)
    return found.low[0], found.low_rule[0], found.high[0], found.high_rule[0]


def test_without_rules_the_supported_prices_remain() -> None:
    assert ends(NO_GUARDRAILS) == (7.0, "supported prices", 14.0, "supported prices")


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (Guardrails(margin_floor=0.25), (8.0, "margin floor", 14.0, "supported prices")),
        (Guardrails(price_floor=9.5), (9.5, "price floor", 14.0, "supported prices")),
        (Guardrails(price_ceiling=12.0), (7.0, "supported prices", 12.0, "price ceiling")),
        (Guardrails(max_change_rate=0.1), (9.0, "maximum change", 11.0, "maximum change")),
        (Guardrails(discount_only=True), (7.0, "supported prices", 11.0, "list price (discount only)")),
    ],
)
def test_the_tightest_rule_sets_the_end_and_is_named(
    rules: Guardrails, expected: tuple[float, str, float, str]
) -> None:
    assert ends(rules) == expected


def test_personal_discounts_stop_at_the_list_price_by_themselves() -> None:
    assert ends(NO_GUARDRAILS, "personalized_discount")[2:] == (11.0, "list price (discount only)")


def test_without_a_list_price_discounts_stop_at_the_current_price() -> None:
    found = ends(Guardrails(discount_only=True), list_price=np.array([np.nan]))
    assert found[2:] == (10.0, "current price (discount only)")


def test_ends_are_rounded_inwards_to_whole_cents() -> None:
    found = ends(Guardrails(max_change_rate=0.1), current_price=np.array([1.99]), support_low=np.array([1.0]),
                 unit_cost=np.array([1.0]))  # fmt: skip
    assert found == (1.80, "maximum change", 2.18, "maximum change")
    wide = {"support_low": np.array([1.0]), "support_high": np.array([1000.0])}
    yen = ends(Guardrails(max_change_rate=0.1, decimals=0), current_price=np.array([105.0]), **wide)
    assert (yen[0], yen[2]) == (95.0, 115.0)


def test_a_contradiction_names_both_rules_and_their_prices() -> None:
    rules = Guardrails(margin_floor=0.5, max_change_rate=0.1)
    found = allowed_range(make_rows(1, products=1, **ONE), rules, "uniform")
    assert not found.feasible[0]
    assert found.conflict[0] == "margin floor (12.00) is above maximum change (11.00)"


def test_a_range_without_a_whole_cent_is_a_contradiction() -> None:
    narrow = ONE | {"support_low": np.array([7.001]), "support_high": np.array([7.004])}
    found = allowed_range(make_rows(1, products=1, **narrow), NO_GUARDRAILS, "uniform")
    assert found.conflict[0] == (
        "supported prices and supported prices leave no chargeable amount between 7.0010 and 7.0040"
    )
