"""The reaction that makes a seller's own price level sensible, against sellers whose optimum is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_core.errors import DataError
from pricing_core.evaluate.endogeneity import shifted_response
from pricing_core.evaluate.supply_side import supply_side_shift
from pricing_core.response.price_response import PriceResponse
from tests.pricing_cases import make_rows

FACTORS = np.linspace(0.8, 1.25, 181)


def profits(
    response: PriceResponse, usual: np.ndarray, cost: np.ndarray, weight: np.ndarray, factors: np.ndarray = FACTORS
) -> np.ndarray:
    """Profit at each common factor on the usual prices."""
    return np.array([np.sum(weight * (k * usual - cost) * response.probability(k * usual)) for k in factors])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), margin=st.floats(0.15, 0.6))
def test_with_the_shift_no_common_change_of_prices_pays(seed: int, margin: float) -> None:
    rows = make_rows(80, seed=seed)
    rng = np.random.default_rng(seed)
    usual, weight = rows.list_price * rng.uniform(0.9, 1.1, rows.n), rng.uniform(0.5, 2, rows.n)
    cost = (1 - margin) * usual
    shift = supply_side_shift(rows.response, usual, cost, weight)
    turned = shifted_response(rows.response, usual / rows.response.reference_price, shift)
    if (rows.response.sensitivity + shift <= 0.02 * rows.response.sensitivity).any():
        return  # a curve cannot rise, so the condition need not hold where the measured reaction is too strong
    np.testing.assert_allclose(turned.probability(usual), rows.response.probability(usual), rtol=1e-9)
    less, more = profits(turned, usual, cost, weight, np.array([0.9999, 1.0001]))
    at_usual = np.sum(weight * usual * turned.probability(usual))
    assert (more - less) / 0.0002 == pytest.approx(0, abs=1e-5 * at_usual)


def test_a_known_shift_of_a_seller_at_the_optimum_is_found() -> None:
    rows = make_rows(500, draws=2, seed=3)
    true = rows.response
    best = FACTORS[profits(true, rows.list_price, rows.unit_cost, rows.weight).argmax()]
    usual = best * rows.list_price  # a seller who knows how buyers react
    measured = shifted_response(true, usual / true.reference_price, -1.0)
    assert supply_side_shift(measured, usual, rows.unit_cost, rows.weight) == pytest.approx(1.0, abs=0.1)


def test_prices_that_earn_nothing_over_their_costs_explain_no_reaction() -> None:
    rows = make_rows(40)
    assert np.isnan(supply_side_shift(rows.response, rows.list_price, 1.2 * rows.list_price, rows.weight))
    with pytest.raises(DataError, match="for 40 curves"):
        supply_side_shift(rows.response, rows.list_price[:3], rows.unit_cost, rows.weight)
    heavy = replace(rows, weight=3 * rows.weight)
    assert supply_side_shift(heavy.response, heavy.list_price, heavy.unit_cost, heavy.weight) == pytest.approx(
        supply_side_shift(rows.response, rows.list_price, rows.unit_cost, rows.weight)
    )
