"""Slopes and expected gradients of the behavior network, and what single events do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from pricing_core.errors import ConfigError
from pricing_core.explain.events import event_effects
from pricing_core.explain.expected_gradients import additivity_share, expected_gradients
from pricing_core.explain.shapley import shap_outcomes
from pricing_core.models.behavior import BehaviorModel
from pricing_core.models.surface import OUTCOMES, DemandSurface
from pricing_core.optimize.posterior import maximize_posterior_profit
from pricing_core.response import PriceResponse
from tests.explain.conftest import offers


def _best(intercept: np.ndarray, sensitivity: np.ndarray, cost: np.ndarray) -> np.ndarray:
    response = PriceResponse(np.ones(len(cost)), intercept, sensitivity)
    return maximize_posterior_profit(response, cost, cost, cost + 6)


@pytest.fixture
def surface(behavior: BehaviorModel) -> DemandSurface:
    return DemandSurface(behavior, _best, relative_price=0.9)


def test_answers_are_those_of_the_price_response(behavior: BehaviorModel, surface: DemandSurface) -> None:
    batch = offers(50, 0)
    response = behavior.respond(batch.batch, np.ones(50))
    found = dict(zip(OUTCOMES, surface.answers(batch).T, strict=True))
    assert found["probability"] == pytest.approx(response.probability(np.full(50, 0.9)))
    assert found["sensitivity"] == pytest.approx(response.sensitivity.mean(axis=1))
    assert found["taste"] == pytest.approx((response.intercept - response.sensitivity).mean(axis=1))
    grid = np.linspace(0.3, 6, 6_000)
    profit = (grid - batch.cost[:, None]) * response.probability(np.tile(grid, (50, 1)))
    assert found["price"] == pytest.approx(grid[profit.argmax(axis=1)], abs=2e-3)


def test_slopes_are_those_of_finite_differences(surface: DemandSurface) -> None:
    inputs = surface.inputs(offers(60, 1))
    slopes = surface.slopes(inputs)
    rng = np.random.default_rng(2)
    for name, value in inputs.items():
        step = (3e-3 * rng.normal(size=value.shape)).astype(np.float32)
        gap = _values(surface, {**inputs, name: value + step}) - _values(surface, {**inputs, name: value - step})
        for k in range(len(OUTCOMES)):
            told = 2 * (slopes[k][name] * step).reshape(60, -1).sum(axis=1)
            # Kinks and single precision disturb a few rows; a wrong derivative disturbs all of them.
            assert np.median(np.abs(told - gap[:, k])) <= 0.02 * np.median(np.abs(told)) + 1e-6, (name, OUTCOMES[k])


def _values(surface: DemandSurface, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Outcomes at inputs that need not be those of any batch, from the forward pass alone."""
    from pricing_core.models.gradients import trace
    from pricing_core.models.surface import _of_network

    curves = []
    for k, (network, calibration) in enumerate(
        zip(surface.behavior.networks_, surface.behavior.calibrations_, strict=True)
    ):
        found = trace(network, _of_network(inputs, k))
        expected = inputs["expected"][:, 0].astype(float)
        curves.append(calibration.apply(found.intercept.astype(float), found.sensitivity.astype(float), expected))
    alpha, beta = (np.hstack([c[j] for c in curves]) for j in (0, 1))
    cost = inputs["cost"][:, 0].astype(float)
    chance = expit(alpha - 0.9 * beta).mean(axis=1)
    return np.column_stack([chance, beta.mean(axis=1), (alpha - beta).mean(axis=1), _best(alpha, beta, cost)])


def test_expected_gradients_add_up_and_agree_with_shapley_values(surface: DemandSurface) -> None:
    rows, background = offers(60, 4), offers(16, 5)
    found = expected_gradients(surface, rows, background, n_points=8)
    shapley = shap_outcomes(surface.answers, rows, background, outcomes=OUTCOMES, n_permutations=4)
    for outcome in OUTCOMES:
        assert additivity_share(found[outcome]) < 0.01
        assert found[outcome].base_value == pytest.approx(shapley[outcome].base_value)
        a, b = found[outcome].values, shapley[outcome].values
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.97
        assert set(np.argsort(-np.abs(a).mean(0))[:3]) == set(np.argsort(-np.abs(b).mean(0))[:3])


def test_a_cost_moves_the_best_price_and_nothing_else(surface: DemandSurface) -> None:
    rows, background = offers(20, 6), offers(8, 7)
    dear = type(rows)(rows.batch, rows.cost + 0.2)
    before, after = (expected_gradients(surface, each, background) for each in (rows, dear))
    place = rows.feature_names.index("unit cost")
    for outcome in ("probability", "sensitivity", "taste"):
        assert np.array_equal(before[outcome].values, after[outcome].values)
    change = after["price"].values - before["price"].values
    assert (change[:, place] > 0.02).all()
    assert np.abs(change).sum(axis=0).argmax() == place


def test_an_outcome_that_is_not_there_is_refused(behavior: BehaviorModel) -> None:
    with pytest.raises(ConfigError, match="no outcome \\['mood'\\]"):
        DemandSurface(behavior, _best, outcomes=("mood",))
    with pytest.raises(ConfigError, match="needs a function that finds it"):
        DemandSurface(behavior)


def test_each_event_is_left_out_alone_and_named_as_it_was(behavior: BehaviorModel) -> None:
    row = offers(1, 8).batch
    names = ("P1", "P2", "P3", "P4", "P5")

    def chance(batch) -> np.ndarray:  # type: ignore[no-untyped-def]
        return behavior.respond(batch, np.ones(batch.n)).probability(np.ones(batch.n))

    found = event_effects(chance, row, names)
    count = int(row.sequence_mask.sum())
    assert len(found.events) == count
    for k in range(count):
        left = offers(1, 8).batch
        left.sequence[0, k], left.sequence_item[0, k], left.sequence_mask[0, k] = 0, 0, 0
        assert found.events["effect"][k] == pytest.approx(chance(row)[0] - chance(left)[0], abs=1e-7)
        assert found.events["product_id"][k] == names[row.sequence_item[0, k] - 1]
        assert np.log1p(found.events["days_ago"][k]) / 3 == pytest.approx(row.sequence[0, k, 4], abs=1e-5)
    none = offers(1, 8).batch
    none.sequence[:], none.sequence_item[:], none.sequence_mask[:] = 0, 0, 0
    assert found.all_together == pytest.approx(chance(row)[0] - chance(none)[0], abs=1e-7)
    nothing = event_effects(chance, none, names)
    assert not len(nothing.events) and nothing.all_together == 0
    with pytest.raises(ConfigError, match="2 offers were given"):
        event_effects(chance, offers(2, 9).batch, names)
