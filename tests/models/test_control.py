"""The control function against markets whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.endogenous import JUDGED, as_dataset, chances, draw
from pricing_core.data.columns import classify_columns
from pricing_core.data.instruments import check_instrument, instrument_strength
from pricing_core.models.behavior import BehaviorModel
from pricing_core.models.control import fit_first_stage, residual_nodes
from pricing_core.models.training import TrainingConfig, TrainingResult, train_models
from pricing_core.workflows.identifying import endogeneity_figures, hold_level

PRICES = np.array([1.8, 2.6])


CONFIG = TrainingConfig(quick=True, family="network", settings={"members": 2})


def learned(used: bool) -> TrainingResult:
    return train_models(as_dataset(draw(6_000, 3), instrument=used), CONFIG)


def drops(result: TrainingResult, used: bool) -> tuple[float, float]:
    """Change of the chance to buy from the lower to the higher price: as forecast, and in truth."""
    judged = draw(JUDGED, 99)
    forecast = chances(result, as_dataset(draw(6_000, 3), instrument=used), judged, PRICES).mean(axis=0)
    truth = (judged.revenue(PRICES) / PRICES).mean(axis=0)
    return float(forecast[1] - forecast[0]), float(truth[1] - truth[0])


@pytest.fixture(scope="module")
def found() -> TrainingResult:
    return learned(True)


def test_the_instrument_turns_on_the_control_function_and_finds_the_true_response(found: TrainingResult) -> None:
    forecast, truth = drops(found, True)
    assert forecast == pytest.approx(truth, rel=0.25)
    facts = found.identification
    assert facts["used"] and facts["instrument"]["f_statistic"] > 1_000 and not facts["instrument"]["weak"]
    assert 0.3 < facts["instrument"]["partial_r2"] < 0.6  # in truth 0.2025 of 0.4675


@pytest.mark.extra
def test_without_the_instrument_what_is_unseen_hides_most_of_the_reaction() -> None:
    result = learned(False)
    forecast, truth = drops(result, False)
    assert forecast > 0.4 * truth
    assert result.identification["instrument"] is None and not result.identification["used"]
    dataset, judged = as_dataset(draw(6_000, 3), instrument=False), draw(JUDGED, 99)
    held = hold_level(dataset, result, CONFIG)
    assert held.identification["level_held"]["share_at_top"] > 0.8 and held.held_out.model is result.held_out.model
    prices = np.quantile(draw(6_000, 3).price, np.linspace(0.1, 0.9, 9))
    earned = judged.revenue(prices)
    choice = [(prices * chances(each, dataset, judged, prices)).argmax(axis=1) for each in (result, held)]
    measured, level = (earned[np.arange(JUDGED), each].sum() / earned.max(axis=1).sum() for each in choice)
    uniform = earned.sum(axis=0).max() / earned.max(axis=1).sum()
    assert measured < uniform < 0.92 < level  # measured here: 88%, 90% and 96%
    figures = endogeneity_figures(dataset, held)
    assert figures["share_at_top"] < 0.5 and "the price level is held" in figures["warning"]
    told = hold_level(dataset, result, replace(CONFIG, random_prices=True))
    assert told.model is result.model and endogeneity_figures(dataset, told)["warning"] is None


def test_with_an_instrument_the_reaction_is_taken_as_measured(found: TrainingResult) -> None:
    held = hold_level(as_dataset(draw(6_000, 3), instrument=True), found, CONFIG)
    assert held.model is found.model and held.held_out is found.held_out and "level_held" not in held.identification


def test_decisions_average_over_what_moved_the_price_unseen(found: TrainingResult) -> None:
    result = found
    model = result.model.behavior
    assert isinstance(model, BehaviorModel) and model.nodes_ is not None
    held = result.held_out.encoded
    averaged = model.respond(held.batch, held.going.reference)
    assert averaged.draws == 5 * 2 * 2 * 2 and len(set(averaged.draw_member.tolist())) == 4
    n = held.batch.n
    at_nodes = [model.respond(held.batch, held.going.reference, np.full(n, node)) for node in model.nodes_]
    price = 1.1 * held.going.reference
    one = averaged.probability(price)
    np.testing.assert_allclose(one, np.mean([r.probability(price) for r in at_nodes], axis=0), rtol=1e-9)
    assert not np.allclose(at_nodes[0].probability(price), at_nodes[-1].probability(price))


def test_the_instrument_is_no_feature_and_is_kept_by_a_saved_model(found: TrainingResult, tmp_path) -> None:  # type: ignore[no-untyped-def]
    use = next(u for u in classify_columns(as_dataset(draw(300, 0), instrument=True)) if u.column == "instrument")
    assert not use.used and use.role == "structure"
    result = found
    assert not any("instrument" in name for name in result.held_out.encoded.batch.feature_names)
    result.model.behavior.save(tmp_path)
    again = BehaviorModel.load(tmp_path)
    batch, reference = result.held_out.encoded.batch, result.held_out.encoded.going.reference
    np.testing.assert_array_equal(
        again.respond(batch, reference).intercept, result.model.behavior.respond(batch, reference).intercept
    )


def test_a_weak_instrument_is_found_out() -> None:
    rng = np.random.default_rng(0)
    n = 2_000
    x, customer = 1 + 0.1 * rng.standard_normal(n), np.arange(n)
    stage = fit_first_stage(rng.standard_normal((n, 3)), rng.standard_normal(n), np.ones(n), x, np.ones(n), customer)
    assert stage.weak and stage.f_statistic < 10
    strong = x - 1 + 0.05 * rng.standard_normal(n)
    strong[:100] = np.nan
    stage = fit_first_stage(rng.standard_normal((n, 3)), strong, np.ones(n), x, np.ones(n), customer)
    assert not stage.weak and stage.missing == 100 and (stage.residual[:100] == 0).all()
    assert stage.residual[100:].std() == pytest.approx(1, abs=0.02)
    nodes = residual_nodes(stage.residual, np.ones(n))
    assert nodes.mean() == pytest.approx(stage.residual.mean(), abs=1e-9)
    assert nodes.std() == pytest.approx(stage.residual.std(), rel=1e-6)


def test_an_import_says_how_strong_the_instrument_is() -> None:
    rng = np.random.default_rng(1)
    shock = rng.standard_normal(500)
    offers = pd.DataFrame({"product_id": rng.choice(["a", "b"], 500), "instrument": shock})
    offers["price"] = np.exp(0.1 * shock + 0.1 * rng.standard_normal(500)) * np.where(offers["product_id"] == "a", 1, 9)
    strength, r2 = instrument_strength(offers)
    # t of a slope of 0.1 with standard error 0.1 / √500, squared; half of the variance.
    assert strength == pytest.approx(500, rel=0.3) and r2 == pytest.approx(0.5, abs=0.07)
    (finding,) = check_instrument(offers)
    assert finding.severity == "info" and f"F = {strength:,.0f}" in finding.message
    (finding,) = check_instrument(offers.assign(instrument=rng.standard_normal(500)))
    assert finding.severity == "warning" and "Too weak" in finding.effect
    assert check_instrument(offers.drop(columns="instrument")) == []
