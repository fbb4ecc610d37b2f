"""The frontier trades profit for revenue and conversion, and no point within the rules is beaten by today's prices."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.guardrails import Guardrails, Rule
from pricing_core.optimize.frontier import frontier
from pricing_core.optimize.objectives import Objective
from tests.pricing_cases import make_response, make_rows


def test_ends_are_the_best_for_their_goal_and_the_line_falls() -> None:
    rows = make_rows(300, response=make_response(300, 8, disagreement=0.02, reference=make_rows(300).list_price))
    found = frontier(rows, "personalized", Guardrails(max_change_rate=0.25)).table
    line = found[found["edge"] == "conversion"]
    assert line["conversion_rate"].is_monotonic_increasing and line["profit"].is_monotonic_decreasing
    other = found[found["edge"] == "revenue"]
    assert other["revenue"].is_monotonic_increasing and other["profit"].is_monotonic_decreasing
    today = found[found["point"] == "today"].iloc[0]
    assert line["profit"].max() >= today["profit"]
    assert other["revenue"].max() >= today["revenue"]


def test_points_are_judged_by_draws_that_had_no_part_in_them() -> None:
    rows = make_rows(60)
    found = frontier(rows, "personalized", Guardrails())
    assert found.cross_fitted
    by_half = []
    from pricing_core.optimize.strategies import price_strategy

    for judge in (0, 1):
        fold = rows.response.draw_fold
        price = price_strategy("personalized", rows, Guardrails(), draws=fold != judge).price
        chance = rows.response.probability_draws(price)[:, fold == judge].mean(axis=1)
        by_half.append(float(chance @ (price - rows.unit_cost)))
    chosen = found.table[found.table["point"] == "chosen"].iloc[0]
    assert chosen["profit"] == pytest.approx(np.mean(by_half))


def test_totals_stand_for_the_occasions_asked_for() -> None:
    rows = make_rows(40)
    one, ten = (frontier(rows, "product", Guardrails(), occasions=count).table for count in (40.0, 400.0))
    np.testing.assert_allclose(ten["profit"], 10 * one["profit"])
    np.testing.assert_allclose(ten["conversion_rate"], one["conversion_rate"])
    today = one[one["point"] == "today"].iloc[0]
    chance = rows.response.probability(rows.current_price)
    assert today["conversion_rate"] == pytest.approx(chance.mean())
    assert today["revenue"] == pytest.approx(chance @ rows.current_price)


def test_the_chosen_point_follows_the_objective_and_rules_that_tie_rows() -> None:
    rows = make_rows(60)
    sold = float(rows.response.probability(rows.current_price).sum())
    guardrails = Guardrails(rules=(Rule("capacity", 0.9 * sold),))
    found = frontier(rows, "personalized", guardrails, objective=Objective("goodwill", goodwill_cost=3.0))
    chosen = found.table[found.table["point"] == "chosen"].iloc[0]
    plain = frontier(rows, "personalized", Guardrails()).table
    assert chosen["conversion_rate"] <= plain["conversion_rate"].max()
    assert len(found.table) < len(plain)


def test_very_many_rows_are_sampled_evenly() -> None:
    rows = make_rows(13_000, 2)
    found = frontier(rows, "uniform", Guardrails())
    assert found.rows < 6_500 and found.all_rows == 13_000
    assert found.occasions == pytest.approx(13_000)
