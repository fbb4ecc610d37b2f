"""What every family of demand models promises, whatever it is made of."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, ModelError
from pricing_core.features import EncodedBatch
from pricing_core.models.behavior import LearningRows
from pricing_core.models.demand_model import FAMILIES, NETWORK, family, load_demand_model, save_demand_model
from pricing_core.models.folds import customer_fold
from pricing_core.models.turned import turned

Floats = NDArray[np.float64]

# Small enough for a test; the families' own defaults are what the benchmarks run.
SMALL: dict[str, dict[str, Any]] = {
    "network": {"members": 1, "max_epochs": 2, "learning_rate": 6e-3},
    "taste_network": {"members": 4, "max_rounds": 24},
    "two_output_trees": {"members": 2, "n_trees": 40},
    "monotone_trees": {"members": 2, "n_trees": 40, "learning_rate": 0.15},
    "l1_logit": {"members": 2, "steps": 8},
    "hierarchical_logit": {"members": 2},
    "plain_network": {"members": 1, "max_epochs": 3, "learning_rate": 1e-2},
    "bayes": {"members": 2},
}
LENGTH = {
    "taste_network": 8,
    "two_output_trees": 30,
    "monotone_trees": 30,
    "l1_logit": 5,
    "network": 2,
    "plain_network": 3,
}
EVERY = pytest.mark.parametrize("name", list(FAMILIES))
_SLOW = ("network", "plain_network")  # fitting with TensorFlow takes seconds, however few the rows
REFITTED = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.extra) if name in _SLOW else name for name in FAMILIES]
)


def batch_of(n: int, seed: int) -> EncodedBatch:
    """Random features of five products, with a shop's habit of asking more of who likes the product."""
    rng = np.random.default_rng(seed)
    customer = rng.standard_normal((n, 3)).astype(np.float32)
    kind = rng.integers(0, 3, n)
    return EncodedBatch(
        customer=customer,
        product=np.eye(3, dtype=np.float32)[kind],
        market=rng.standard_normal((n, 1)).astype(np.float32),
        product_code=rng.integers(1, 6, n).astype(np.int32),
        sequence=np.zeros((n, 2, 8), dtype=np.float32),
        sequence_item=np.zeros((n, 2), dtype=np.int32),
        sequence_mask=np.zeros((n, 2), dtype=np.float32),
        expected_price=(1 + 0.05 * customer[:, 0]).astype(np.float32),
        groups=(
            *((f"habit {k}", "customer", (k,)) for k in range(3)),
            ("category", "product", (0, 1, 2)),
            ("season", "market", (0,)),
            ("product identity", "product_code", ()),
            ("recent events", "sequence", ()),
            ("usual price here", "expected_price", ()),
        ),
        n_products=5,
    )


def chance(batch: EncodedBatch, x: Floats) -> Floats:
    """True chance: taste by the first habit, sensitivity by the second, a level by product."""
    taste = -0.6 + batch.customer[:, 0] + 0.3 * (batch.product_code - 3)
    return 1 / (1 + np.exp(-(taste - 4 * np.exp(0.3 * batch.customer[:, 1]) * (x - 1))))


def logged(n: int = 3_000, seed: int = 1) -> LearningRows:
    """Offers of a shop of 400 customers."""
    batch, rng = batch_of(n, seed), np.random.default_rng([seed, 1])
    x = batch.expected_price + 0.15 * rng.standard_normal(n)
    y = (rng.random(n) < chance(batch, x)).astype(float)
    customer = rng.integers(0, 400, n).astype(str).astype(object)
    return LearningRows(batch, x, y, customer, np.ones(n), rng.integers(0, 20, n))


def fitted(name: str, rows: LearningRows, seed: int = 0) -> Any:
    return FAMILIES[name].new(SMALL[name], random_state=seed).fit(rows, LENGTH.get(name, 1))


@cache
def model(name: str) -> Any:
    return fitted(name, logged())


def curves(found: Any, batch: EncodedBatch) -> tuple[Floats, Floats]:
    response = found.respond(batch, np.ones(batch.n))
    return response.intercept, response.sensitivity


def raw(found: Any, fold: int, batch: EncodedBatch) -> Floats:
    """Answers of one fold before its calibration."""
    return np.hstack((found.networks_ if found.family == NETWORK else found.learners_)[fold].curves(batch))


def log_loss(p: Floats, y: Floats) -> float:
    return float(-np.mean(np.log(np.where(y == 1, p, 1 - p))))


@REFITTED
def test_the_same_seed_gives_the_same_answers_and_another_seed_others(name: str) -> None:
    batch = batch_of(200, 2)
    again, other = fitted(name, logged()), fitted(name, logged(), seed=1)
    for one, two in zip(curves(model(name), batch), curves(again, batch), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.allclose(curves(model(name), batch)[0], curves(other, batch)[0])


@EVERY
def test_a_stored_model_answers_alike_and_needs_no_pickle(name: str, tmp_path: Path) -> None:
    batch = batch_of(200, 3)
    save_demand_model(model(name), tmp_path)
    stored = load_demand_model(tmp_path)
    assert (stored.family, stored.epochs_) == (name, model(name).epochs_)
    for one, two in zip(curves(model(name), batch), curves(stored, batch), strict=True):
        np.testing.assert_array_equal(one, two)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".npz", ".txt", ".keras"}
    save_demand_model(stored, tmp_path)  # a promoted or copied run is written again
    np.testing.assert_array_equal(curves(load_demand_model(tmp_path), batch)[0], curves(stored, batch)[0])


@EVERY
def test_a_broken_file_is_an_error_that_says_what_to_do(name: str, tmp_path: Path) -> None:
    save_demand_model(model(name), tmp_path)
    for path in tmp_path.iterdir():
        if path.name != "demand_model.json":
            path.write_bytes(b"{")
    with pytest.raises(ModelError, match=r"cannot be read: .* Train again\."):
        load_demand_model(tmp_path)


def test_answering_needs_no_tensorflow(tmp_path: Path) -> None:
    for name in FAMILIES:
        (tmp_path / name).mkdir()
        save_demand_model(model(name), tmp_path / name)
    script = (
        "import sys; from pathlib import Path; from pricing_core.models.demand_model import load_demand_model as load;"
        f"[load(p) for p in Path({str(tmp_path)!r}).iterdir()]; print('tensorflow' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@EVERY
def test_demand_never_rises_with_price_for_any_input(name: str) -> None:
    batch = batch_of(500, 4)
    wild = replace(batch, customer=6 * np.sign(batch.customer), market=-6 * np.sign(batch.market))
    response = model(name).respond(wild, np.full(500, 3.0))
    assert (response.sensitivity > 0).all() and np.isfinite(response.intercept).all()
    chances = [response.probability(np.full(500, p)) for p in (0.3, 2.0, 3.0, 4.0, 9.0)]
    assert (np.diff(chances, axis=0) <= 0).all()


@EVERY
def test_draws_of_both_folds_are_labelled(name: str) -> None:
    response = model(name).respond(batch_of(5, 5), np.ones(5))
    assert set(response.draw_fold.tolist()) == {0, 1}
    for member in np.unique(response.draw_member):
        assert len(np.unique(response.draw_fold[response.draw_member == member])) == 1
    assert len(np.unique(response.draw_member)) == 2 * SMALL[name]["members"]


@EVERY
def test_products_and_customers_never_seen_get_finite_curves(name: str) -> None:
    batch = batch_of(60, 6)
    unseen = replace(
        batch, product_code=np.zeros(60, dtype=np.int32), product=np.zeros((60, 3), dtype=np.float32),
        customer=np.zeros((60, 3), dtype=np.float32),
    )  # fmt: skip
    intercept, sensitivity = curves(model(name), unseen)
    assert np.isfinite(intercept).all() and np.isfinite(sensitivity).all()
    assert 0.01 < model(name).respond(unseen, np.ones(60)).probability(np.ones(60)).mean() < 0.99


@REFITTED
def test_the_order_of_rows_does_not_matter(name: str) -> None:
    rows, batch = logged(), batch_of(200, 7)
    order = np.random.default_rng(0).permutation(rows.batch.n)
    shuffled = fitted(name, rows.take(order))
    p, q = (m.respond(batch, np.ones(200)).probability(np.ones(200)) for m in (model(name), shuffled))
    # A network that steps through its rows in random order ends nearby, the others where they were.
    np.testing.assert_allclose(p, q, atol=0.15 if name == NETWORK else 1e-9)
    assert p.mean() == pytest.approx(q.mean(), abs=0.03)
    asked = np.random.default_rng(1).permutation(200)
    np.testing.assert_allclose(
        curves(model(name), batch.take(asked))[0], curves(model(name), batch)[0][asked], rtol=1e-4, atol=1e-4
    )


@REFITTED
def test_draws_of_a_fold_never_saw_the_customers_of_the_other(name: str) -> None:
    rows, batch = logged(), batch_of(100, 8)
    other = customer_fold(rows.customer_id) == 1
    lied = fitted(name, replace(rows, y=np.where(other, 1 - rows.y, rows.y)))
    np.testing.assert_array_equal(raw(lied, 0, batch), raw(model(name), 0, batch))
    assert not np.allclose(raw(lied, 1, batch), raw(model(name), 1, batch))
    assert not np.allclose(curves(lied, batch)[0][:, 0], curves(model(name), batch)[0][:, 0])  # the calibration did


@REFITTED
def test_weights_count(name: str) -> None:
    rows = logged()
    heavy = fitted(name, replace(rows, weight=np.where(rows.y == 1, 4.0, 1.0)))
    for found, weight in ((model(name), rows.weight), (heavy, np.where(rows.y == 1, 4.0, 1.0))):
        p = found.respond(rows.batch, np.ones(rows.batch.n)).probability(rows.x)
        assert np.average(p, weights=weight) == pytest.approx(np.average(rows.y, weights=weight), abs=0.05)
    assert rows.y.mean() + 0.15 < np.average(rows.y, weights=np.where(rows.y == 1, 4.0, 1.0))


@EVERY
def test_it_beats_the_constant_where_the_truth_is_known(name: str) -> None:
    fresh = logged(4_000, 9)
    response = model(name).respond(fresh.batch, np.ones(4_000))
    p = response.probability(fresh.x)
    constant = log_loss(np.full(4_000, logged().y.mean()), fresh.y)
    best = log_loss(chance(fresh.batch, fresh.x), fresh.y)
    assert log_loss(p, fresh.y) < constant - 0.4 * (constant - best)
    cost, grid = 0.6, np.linspace(0.7, 1.5, 41)
    claimed = np.stack([(g - cost) * response.probability(np.full(4_000, g)) for g in grid], axis=1)
    truth = np.stack([(g - cost) * chance(fresh.batch, np.full(4_000, g)) for g in grid], axis=1)
    earned = truth[np.arange(4_000), claimed.argmax(axis=1)].sum()
    oracle = truth.max(axis=1).sum()
    # The best price for all, of who knows the truth, earns 92%; measured here are 95.7 (network, two passes) to 98.0%.
    assert earned > 0.94 * oracle > 1.015 * truth.sum(axis=0).max()


@REFITTED
def test_later_rows_say_how_long_to_learn(name: str) -> None:
    rows = logged()
    late = np.arange(rows.batch.n) >= 2_500
    chosen = FAMILIES[name].new(SMALL[name]).choose_epochs(rows.take(~late), rows.take(late))
    losses = {each["epoch"]: each["validation_loss"] for each in chosen.history_}
    assert np.isfinite(list(losses.values())).all()
    assert losses[chosen.epochs_] == pytest.approx(min(losses.values()), abs=1e-5)
    assert chosen.respond(rows.batch, np.ones(rows.batch.n)).draws >= 2


@EVERY
def test_turned_curves_keep_the_chance_at_the_usual_price_and_are_kept_by_a_saved_model(
    name: str, tmp_path: Path
) -> None:
    found, batch = model(name), batch_of(50, 6)
    before, usual = curves(found, batch), batch.expected_price.astype(float)
    steep = turned(found, 2.0)
    intercept, sensitivity = curves(steep, batch)
    np.testing.assert_allclose(
        intercept - sensitivity * usual[:, None], before[0] - before[1] * usual[:, None], atol=1e-6
    )
    # Thin products scale what they borrow, and curves held at the smallest sensitivity take the shift from below it.
    assert (sensitivity > before[1]).mean() > 0.99
    assert np.median(sensitivity - before[1]) == pytest.approx(2.0, abs=0.02 if name == NETWORK else 1e-6)
    np.testing.assert_array_equal(curves(found, batch)[1], before[1])  # the given model is left as it was
    steep.save(tmp_path)
    np.testing.assert_array_equal(curves(type(found).load(tmp_path), batch)[1], sensitivity)


@EVERY
def test_settings_are_checked_and_halves_without_purchases_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot take these settings"):
        FAMILIES[name].new({"nonsense": 1})
    with pytest.raises(ConfigError, match="members"):
        FAMILIES[name].new({"members": 0})
    assert FAMILIES[name].new(quick=True).family == name
    rows = logged()
    other = customer_fold(rows.customer_id) == 1
    with pytest.raises(ModelError, match="One half of the customers has no purchases"):
        fitted(name, replace(rows, y=np.where(other, 0.0, rows.y)))


@pytest.mark.parametrize("name", ["taste_network", "two_output_trees", "monotone_trees", "l1_logit"])
def test_few_rows_get_more_members_unless_their_number_is_given(name: str, tmp_path: Path) -> None:
    settings = {key: value for key, value in SMALL[name].items() if key != "members"}
    found = FAMILIES[name].new(settings).fit(logged(600), 2)
    few, many = type(found.config).usual_members
    assert few > many
    assert len(np.unique(found.respond(batch_of(5, 5), np.ones(5)).draw_member)) == 2 * few
    found.save(tmp_path)
    again = type(found).load(tmp_path).respond(batch_of(5, 5), np.ones(5))
    np.testing.assert_array_equal(again.intercept, found.respond(batch_of(5, 5), np.ones(5)).intercept)


def test_a_stored_taste_network_whose_first_head_knows_no_expected_price_answers_as_before(tmp_path: Path) -> None:
    found = fitted("taste_network", logged())  # changed below: not the one that other tests share
    for learner in found.learners_:
        units = learner.weights_["kernel"].shape[2]
        learner.weights_ = learner.weights_ | {"head_1": learner.weights_["head_1"].copy()}
        learner.weights_["head_1"][:, units:] = 0  # what a file without these rows says
    expected = found.respond(batch_of(20, 5), np.ones(20))
    found.save(tmp_path)
    for k in range(2):
        with np.load(tmp_path / f"taste_network_{k}.npz") as stored:
            arrays = {name: stored[name] for name in stored.files}
        arrays["head_1"] = arrays["head_1"][:, : arrays["kernel"].shape[2]]
        np.savez(tmp_path / f"taste_network_{k}.npz", **arrays)
    again = type(found).load(tmp_path).respond(batch_of(20, 5), np.ones(20))
    np.testing.assert_allclose(again.intercept, expected.intercept, rtol=1e-6)


def test_a_family_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="There is no family of models named 'forest'"):
        family("forest")
