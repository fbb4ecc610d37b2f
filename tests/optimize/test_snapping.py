"""Prices move to the best allowed amount within their range, by range and direction."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.guardrails import Guardrails, PriceRange, Rule, Scope, allowed_range
from pricing_core.guardrails.price_points import price_points
from pricing_core.optimize.objectives import Objective, maximize_objective, objective_value
from pricing_core.optimize.snapping import snap
from tests.pricing_cases import make_rows

LADDER = Guardrails(
    rules=(
        Rule("price_ladder", ranges=(PriceRange(0, 10, endings=(49, 99)), PriceRange(10, None, step=0.5))),
        Rule("endings", scope=Scope("category", ("k1",)), ranges=(PriceRange(endings=(99,), rounding="down"),)),
    )
)


def test_the_more_profitable_neighbor_is_taken() -> None:
    rows = make_rows(200, products=20)
    rows = rows.take(rows.category == "k0")
    bounds, points = allowed_range(rows, LADDER, "personalized"), price_points(rows, LADDER)

    def profit(price: np.ndarray) -> np.ndarray:
        return objective_value(rows.response, price, rows.unit_cost, Objective())

    best = maximize_objective(rows.response, rows.unit_cost, bounds.low, bounds.high, Objective())
    found = snap(best, bounds.low, bounds.high, points, profit)
    assert found.fits.any()
    for i in np.flatnonzero(found.fits)[:60]:
        allowed = points.between(float(bounds.low[i]), float(bounds.high[i]), i)
        one = rows.take(np.array([i]))
        value = [float(objective_value(one.response, np.array([p]), one.unit_cost, Objective())[0]) for p in allowed]
        assert found.price[i] == pytest.approx(allowed[int(np.argmax(value))])


def test_a_direction_is_followed_by_price_range() -> None:
    rows = make_rows(2, products=2)
    points = price_points(rows, LADDER)
    low, high = np.array([4.0, 4.0]), np.array([9.0, 9.0])
    found = snap(np.array([7.95, 7.95]), low, high, points)
    np.testing.assert_allclose(found.price, [7.99, 6.99])
    assert found.fits.all()


def test_a_row_without_an_allowed_amount_says_so() -> None:
    rows = make_rows(2, products=2)
    found = snap(np.array([7.6, 7.6]), np.array([7.5, 7.5]), np.array([7.9, 7.9]), price_points(rows, LADDER))
    assert not found.fits.any()
    np.testing.assert_allclose(found.price, [7.6, 7.6])
