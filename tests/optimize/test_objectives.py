"""Objectives: values against plain arithmetic, and the best price of each against a dense grid."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.optimize.objectives import (
    OBJECTIVES,
    Objective,
    group_total,
    maximize_objective,
    objective_value,
    parse_objective,
)
from tests.pricing_cases import make_response, make_rows

CASES = [
    Objective("profit"),
    Objective("revenue"),
    Objective("units"),
    Objective("conversion"),
    Objective("mix", profit_weight=0.4, revenue_weight=0.6, unit_value=0.8),
    Objective("goodwill", goodwill_cost=1.5),
    Objective("cautious", confidence=0.8),
]


def by_hand(objective: Objective, price: float, cost: float, chances: np.ndarray, member: np.ndarray) -> float:
    """Value of one row from the chances of each draw, written out."""
    chance = float(chances.mean())
    if objective.kind in ("units", "conversion"):
        return chance
    if objective.kind == "revenue":
        return price * chance
    if objective.kind == "mix":
        return 0.4 * (price - cost) * chance + 0.6 * price * chance + 0.8 * chance
    if objective.kind == "goodwill":
        return (price - cost) * chance - 1.5 * (1 - chance)
    if objective.kind == "cautious":
        each = [(price - cost) * chances[member == m].mean() for m in sorted(set(member.tolist()))]
        spread = (sum((v - sum(each) / len(each)) ** 2 for v in each) / (len(each) - 1)) ** 0.5
        return sum(each) / len(each) - NormalDist().inv_cdf(0.8) * spread
    return (price - cost) * chance


@pytest.mark.parametrize("objective", CASES, ids=[case.kind for case in CASES])
def test_the_value_of_a_price_is_the_formula(objective: Objective) -> None:
    response = make_response(5, 8)
    price, cost = 1.05 * response.reference_price, 0.5 * response.reference_price
    found = objective_value(response, price, cost, objective)
    for i in range(5):
        utility = response.intercept[i] - response.sensitivity[i] * price[i] / response.reference_price[i]
        chances = 1 / (1 + np.exp(-utility))
        assert found[i] == pytest.approx(
            by_hand(objective, price[i], cost[i], chances, response.draw_member), rel=1e-10
        )


@pytest.mark.parametrize("disagreement", [0.1, 0.8])
@pytest.mark.parametrize("objective", CASES, ids=[case.kind for case in CASES])
def test_the_best_price_beats_a_dense_grid(objective: Objective, disagreement: float) -> None:
    response = make_response(120, 8, seed=3, disagreement=disagreement)
    cost = 0.5 * response.reference_price
    low, high = 0.6 * response.reference_price, 1.7 * response.reference_price
    price = maximize_objective(response, cost, low, high, objective)
    assert (price >= low).all() and (price <= high).all()
    reached = objective_value(response, price, cost, objective)
    best = np.full(120, -np.inf)
    for share in np.linspace(0, 1, 1201):
        best = np.maximum(best, objective_value(response, low + share * (high - low), cost, objective))
    assert (reached >= best - 1e-6 * np.maximum(np.abs(best), 1e-3)).all()


@pytest.mark.parametrize("objective", CASES, ids=[case.kind for case in CASES])
def test_a_price_that_a_group_shares_is_valued_by_the_whole_group(objective: Objective) -> None:
    """Two rows that are the same customer twice count as one row of weight 2, also where draws disagree."""
    rows = make_rows(12, products=3)
    cost, code = rows.unit_cost, np.arange(12) % 3
    price = np.array([6.0, 7.0, 8.0])
    total = group_total(rows.response, cost, np.ones(12), code, 3, objective)(price)
    doubled = rows.take(np.repeat(np.arange(12), 2))
    twice = group_total(doubled.response, doubled.unit_cost, np.full(24, 0.5), np.repeat(code, 2), 3, objective)(price)
    np.testing.assert_allclose(twice, total, rtol=1e-10)


def test_errors_that_rows_do_not_share_cancel_in_a_group() -> None:
    """The lower bound of a sum is above the sum of lower bounds: cautious groups are less timid than rows."""
    rows = make_rows(40, products=1)
    aim, price = Objective("cautious", confidence=0.95), rows.current_price
    together = group_total(rows.response, rows.unit_cost, np.ones(40), np.zeros(40, int), 1, aim)(price[:1])[0]
    alone = objective_value(rows.response, np.full(40, price[0]), rows.unit_cost, aim).sum()
    assert together > alone


def test_more_caution_never_promises_more() -> None:
    rows = make_rows(30)
    bounds = []
    for confidence in (0.6, 0.8, 0.95):
        aim = Objective("cautious", confidence=confidence)
        price = maximize_objective(rows.response, rows.unit_cost, rows.support_low, rows.support_high, aim)
        bounds.append(objective_value(rows.response, price, rows.unit_cost, aim))
    assert (bounds[1] <= bounds[0] + 1e-12).all() and (bounds[2] <= bounds[1] + 1e-12).all()


def test_where_draws_agree_caution_costs_nothing() -> None:
    response = make_response(20, 1, seed=2)
    cost, low, high = (share * response.reference_price for share in (0.5, 0.5, 2.0))
    plain = maximize_objective(response, cost, low, high, Objective())
    careful = maximize_objective(response, cost, low, high, Objective("cautious"))
    np.testing.assert_allclose(careful, plain, rtol=1e-3)


def test_units_are_most_at_the_lowest_price_and_goodwill_lowers_prices() -> None:
    rows = make_rows(30)
    args = rows.response, rows.unit_cost, rows.support_low, rows.support_high
    np.testing.assert_allclose(maximize_objective(*args, Objective("units")), rows.support_low, rtol=1e-9)
    plain = maximize_objective(*args, Objective())
    kind = maximize_objective(*args, Objective("goodwill", goodwill_cost=2.0))
    assert (kind <= plain + 1e-9).all() and (kind < plain - 1e-6).any()


def test_an_empty_range_is_refused_for_the_cautious_too() -> None:
    response = make_response(2, 2)
    with pytest.raises(DataError, match="empty or unknown in 1 of 2 rows"):
        maximize_objective(response, np.zeros(2), np.array([1.0, 3.0]), np.array([2.0, 2.0]), Objective("cautious"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "margin"}, "The objective is 'margin'"),
        ({"goodwill_cost": -1.0}, "goodwill_cost is -1.0"),
        ({"unit_value": float("nan")}, "unit_value is nan"),
        ({"confidence": 0.4}, "confidence is 0.4"),
        ({"profit_weight": 0.0}, "both 0"),
        ({"profit_weight": True}, "profit_weight is True"),
    ],
)
def test_settings_that_are_not_allowed_are_named(values: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Objective(**values)  # type: ignore[arg-type]


def test_an_objective_reads_back_from_a_table_and_from_text() -> None:
    for kind in OBJECTIVES:
        one = Objective(kind, unit_value=2.0)
        assert Objective.from_mapping(one.to_mapping()) == one
    assert parse_objective("mix:revenue_weight=0.5, unit_value=2") == Objective("mix", 1.0, 0.5, 2.0)
    assert parse_objective("revenue") == Objective("revenue")
    with pytest.raises(ConfigError, match="setting 'unit_value'"):
        parse_objective("mix:unit_value")
    with pytest.raises(ConfigError, match="setting 'unit_value=much'"):
        parse_objective("mix:unit_value=much")
    with pytest.raises(ConfigError, match="Unknown setting of the objective: colour"):
        parse_objective("mix:colour=1")
