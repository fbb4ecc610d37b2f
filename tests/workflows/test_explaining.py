"""Explanations of a trained shop: whole models, flip points, a price list's reasons, similar customers."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core import workflows
from pricing_core.explain.expected_gradients import additivity_share
from pricing_core.explain.readable import readable
from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.strategies import price_strategy
from pricing_core.store import pricelists
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.comparing import feature_curves, price_curves, similar_to, varied_features
from pricing_core.workflows.cross_effects import cross_effects
from pricing_core.workflows.explained_offers import asked_again, recent_offers
from pricing_core.workflows.flipping import flips, flips_of_row, settling_test
from pricing_core.workflows.pricing import rules_for
from pricing_core.workflows.whole_model import behavior_as_a_whole, pricing_as_a_whole


@pytest.fixture(scope="module")
def run(trained):
    return workflows.load_run(Workspace.open(trained.workspace))


@pytest.fixture(scope="module")
def ready(run):
    return recent_offers(run)


@pytest.fixture(scope="module")
def prices(run):
    return price_strategy("personalized_discount", run.rows, rules_for(run))


def test_contributions_of_both_models_add_up(run):
    behavior = behavior_as_a_whole(run, n_offers=120)
    assert set(behavior.results) == {"probability", "sensitivity", "taste", "price"}
    assert all(additivity_share(each) < 0.03 for each in behavior.results.values())
    pricing = pricing_as_a_whole(run, n_offers=120)
    for each in pricing.results.values():
        assert each.additivity_error < 1e-9
    reference = pricing.results["reference"]
    assert not {"loyalty tier", "device"} & set(reference.feature_names)  # the going price is blind to customers
    assert list(behavior.values.columns) == list(behavior.results["price"].feature_names)


def test_every_feature_that_the_product_makes_has_a_readable_name(ready):
    own = {"pack grams", "days since signed up at"}  # the shop's columns keep their names
    unread = [name for name in ready.names if readable(name).chinese == name]
    assert set(unread) <= own
    shown = ready.written(np.arange(5))
    assert not shown.isin(["", "nan"]).any().any()


def test_one_recommendation_is_taken_apart_consistently(run, ready, prices):
    found = workflows.explain_row(run, 40, prices=prices)
    assert float(found.ladder.final) == prices.price[40]
    reference = run.rows.response.reference_price[40]
    chance = run.rows.response.probability(prices.price)[40]
    assert found.shap["probability"].prediction[0] == pytest.approx(chance, abs=1e-6)
    assert found.lime["probability"].prediction == pytest.approx(chance, abs=1e-6)
    assert 0 < found.shap["price"].prediction[0] < 5 * reference
    assert all(each.r2 > 0.5 for each in found.lime.values())


def test_moved_features_give_what_encoding_again_gives(run, ready):
    at = np.arange(0, run.rows.n, 97)
    gap = ready.encoded.table.frame["competitor gap"].to_numpy(dtype=float)[at]
    quick = asked_again(ready, at, run.rows.take(at), {"competitor gap": gap + np.log1p(0.07)})
    encoded = run.model.encode(run.dataset, run.targets.iloc[at].reset_index(drop=True), competitor_change_rate=0.07)
    slow = run.model.rows(run.dataset, encoded)
    assert quick.response.intercept == pytest.approx(slow.response.intercept, abs=1e-4)
    assert quick.support_high == pytest.approx(slow.support_high, rel=1e-6)


def test_flip_points_are_where_the_decision_changes(run, ready, prices):
    rules, at = rules_for(run), np.arange(0, 400, 20)
    cost = flips(ready, at, "personalized_discount", rules, circumstances=("unit cost",))[0]
    assert (cost.decision == prices.status[at]).all()
    known = np.flatnonzero(np.isfinite(cost.nearest))
    assert len(known)
    k = int(known[0])
    again = flips_of_row(ready, int(at[k]), "personalized_discount", rules)[0]
    assert again.nearest[0] == pytest.approx(cost.nearest[k], abs=1e-3)
    product = flips(ready, at[:3], "product", rules, circumstances=("unit cost",))[0]
    assert (product.decision == price_strategy("product", run.rows, rules).status[at[:3]]).all()
    assert flips(ready, at, "uniform", rules) == []
    endings = Guardrails(endings=(49, 99))
    names = [each.circumstance for each in flips_of_row(ready, int(at[0]), "personalized_discount", endings)]
    assert "unit cost" in names and "unit cost (price point)" in names


def test_the_test_that_settles_it_tries_a_price_on_the_way(run, ready, prices):
    moving = int(np.flatnonzero(prices.status == "cut")[0])
    test = settling_test(ready, moving, prices, 100.0)
    if test is not None:
        assert test.price < run.rows.current_price[moving] and test.offers.offers_each > 0
    kept = np.flatnonzero(~np.isin(prices.status, ["raise", "cut"]))
    if len(kept):
        assert settling_test(ready, int(kept[0]), prices, 100.0) is None


@pytest.mark.extra
def test_all_prices_of_a_list_are_explained_and_kept_beside_it(own_shop):
    ws = own_shop
    list_id = workflows.make_price_list(ws, "product")
    assert workflows.list_explanations(ws, list_id) is None
    outcome = workflows.JOB_HANDLERS["explain_list"](ws, {"price_list_id": list_id}, _Silent())
    frame, stored = workflows.list_explanations(ws, list_id), pricelists.load_price_list(ws, list_id).frame
    assert outcome["rows"] == len(frame) == len(stored)
    for name in ("product_id", "current_price", "new_price"):
        assert (frame[name] == stored[name]).all()
    for row in frame.to_dict("records"):
        assert f"{row['new_price']:.2f} USD" in row["reason_en"] and f"{row['new_price']:.2f} USD" in row["reason_zh"]
        assert row["product_id"] in row["reason_en"] and row["driver_1"]


class _Silent:
    def stage(self, name, fraction, message=""):
        assert 0 <= fraction <= 1

    def metric(self, name, step, value):
        raise AssertionError("nothing is measured here")


def test_curves_pass_through_the_offer_itself(run, ready, prices):
    curves = price_curves(ready, 40, float(prices.price[40]))
    chance = run.rows.response.take(np.array([40])).probability(curves.grid[None])[0]
    assert curves.own == pytest.approx(chance)
    label = "competitor price"
    assert label in varied_features(ready) and "loyalty tier" not in varied_features(ready)
    varied = feature_curves(ready, 40, label, prices, "probability")
    now = run.rows.response.probability(prices.price)[40]
    assert np.interp(varied.own_value, varied.grid, varied.own) == pytest.approx(now, abs=0.02)


def test_similar_customers_and_cross_effects_are_averages(run, ready, prices):
    found, scope = similar_to(ready, 40, prices)
    assert found.customers >= 10 and scope in ("product", "category")
    effects = cross_effects(run)
    assert [each.category for each in effects] == sorted(set(run.rows.category.astype(str)))
    assert all(np.isfinite(each.competitor) for each in effects)
