"""Competitors: interpolated moves, and a reaction that offsets part of our own price change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.response import PriceResponse, PricingRows
from pricing_core.simulate.competitor import CompetitorMoves, with_reaction
from tests.pricing_cases import make_rows

PULL = 0.8


def moved(rows: PricingRows, rate: float) -> PricingRows:
    """A shop whose log odds rise by 0.8 per unit of log competitor price, and whose reference drifts with it."""
    response, factor = rows.response, 1 + 0.1 * rate
    return replace(
        rows,
        competitor_price=rows.competitor_price * (1 + rate),
        response=PriceResponse(
            response.reference_price * factor,
            response.intercept + PULL * np.log1p(rate),
            response.sensitivity * factor,
            response.draw_fold,
            response.draw_member,
        ),
    )


@pytest.fixture
def moves() -> CompetitorMoves:
    rows = make_rows(24)
    return CompetitorMoves((-0.3, 0.0, 0.4), tuple(moved(rows, rate) for rate in (-0.3, 0.0, 0.4)))


def test_between_two_moves_curves_that_are_straight_in_the_log_price_are_exact(moves: CompetitorMoves) -> None:
    found, exact = moves.at(0.17), moved(moves.base, 0.17)
    price = moves.base.current_price * 1.1
    np.testing.assert_allclose(
        found.response.probability_draws(price), exact.response.probability_draws(price), rtol=1e-6
    )
    np.testing.assert_allclose(found.competitor_price, exact.competitor_price)
    assert moves.at(0.4) is moves.rows[2]


def test_the_pull_is_the_slope_in_the_log_price(moves: CompetitorMoves) -> None:
    np.testing.assert_allclose(moves.pull(), PULL, rtol=1e-6)


def test_a_reacting_competitor_offsets_its_share_of_a_price_change(moves: CompetitorMoves) -> None:
    """A rival who follows half of a small rise moves the odds as if its price had risen by half as much."""
    rows = moves.base
    reacting = with_reaction(rows, moves.pull(), 0.5)
    np.testing.assert_allclose(
        reacting.response.probability_draws(rows.current_price), rows.response.probability_draws(rows.current_price)
    )
    price = 1.01 * rows.current_price
    answered = rows.response.shift_intercept(PULL * 0.5 * np.log(1.01))
    np.testing.assert_allclose(reacting.response.probability_draws(price), answered.probability_draws(price), rtol=1e-4)
    assert with_reaction(rows, moves.pull(), 0.0) is rows


def test_demand_still_falls_with_price_under_the_strongest_pull(moves: CompetitorMoves) -> None:
    reacting = with_reaction(moves.base, np.full((24, 8), 50.0), 1.0)
    np.testing.assert_allclose(reacting.response.sensitivity, 0.05 * moves.base.response.sensitivity)
    today = moves.base.current_price
    np.testing.assert_allclose(reacting.response.probability_draws(today), moves.base.response.probability_draws(today))


def test_moves_that_were_not_asked_about_are_refused(moves: CompetitorMoves) -> None:
    with pytest.raises(ConfigError, match=r"A competitor move of \+50% is outside -30% to \+40%"):
        moves.at(0.5)
    with pytest.raises(DataError, match="not in ascending order"):
        CompetitorMoves((0.1, 0.0), (moves.base, moves.base))
