"""Units per purchase against a known truth, and what they do to forecasts, prices and price lists."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pricing_core.charts.quantity import quantity_sentence
from pricing_core.errors import DataError
from pricing_core.features import EncodedBatch
from pricing_core.guardrails import NO_GUARDRAILS
from pricing_core.models.quantity import QuantityModel
from pricing_core.optimize.strategies import price_strategy
from pricing_core.pricelist.build import ListFacts, build_price_list
from pricing_core.response import PricingRows
from pricing_core.simulate.scenario import Scenario
from pricing_core.simulate.strategies import simulate_strategies
from tests.pricing_cases import make_rows

BatchOf = Callable[..., EncodedBatch]


def purchases(batch_of: BatchOf, effect: float, n: int = 6_000) -> tuple[QuantityModel, EncodedBatch, np.ndarray]:
    """Quantities of 1 + Poisson with a mean by customer and product, and with a true effect of the price."""
    batch = batch_of(n, 1)
    rng = np.random.default_rng(2)
    x = batch.expected_price + 0.1 * rng.standard_normal(n)
    truth = 1 + np.exp(0.2 + 0.6 * batch.customer[:, 0] * (batch.product_code % 2))
    mean = truth * np.exp(effect * (x - batch.expected_price))
    quantity = rng.poisson(mean - 1) + 1.0 if effect == 0 else np.maximum(rng.poisson(mean), 1.0)
    bought = (rng.random(n) < 0.5).astype(float)
    quantity[bought == 0] = 0
    quantity[np.flatnonzero(bought)[:40]] = np.nan
    customer = rng.integers(0, 800, n)
    model = QuantityModel.fit(batch, x, bought, quantity, np.ones(n), customer)
    assert model is not None
    return model, batch, truth


def test_expected_units_follow_customer_and_product(batch_of: BatchOf, tmp_path: Path) -> None:
    model, batch, truth = purchases(batch_of, 0.0)
    found = model.predict(batch)
    assert np.corrcoef(np.log(found), np.log(truth))[0, 1] > 0.85
    assert found.mean() == pytest.approx(truth.mean(), rel=0.05)
    facts = model.facts_
    assert facts.unknown == 40 and facts.explained > 0.1 and not facts.price_matters
    model.save(tmp_path)
    again = QuantityModel.load(tmp_path)
    assert again is not None and again.facts_ == facts
    np.testing.assert_allclose(again.predict(batch), found)
    assert "do not count" not in quantity_sentence(model.to_dict())


def test_an_effect_of_the_price_on_the_quantity_is_found_and_said(batch_of: BatchOf) -> None:
    facts = purchases(batch_of, -1.5)[0]
    assert facts.facts_.price_matters and facts.facts_.price_effect == pytest.approx(-1.5, abs=0.6)
    assert "Where prices were 10% higher" in quantity_sentence(facts.to_dict())


def test_too_few_quantities_teach_nothing(batch_of: BatchOf, tmp_path: Path) -> None:
    batch, ones = batch_of(150, 1), np.ones(150)
    customer = np.arange(150)
    assert QuantityModel.fit(batch, ones, ones, np.where(customer < 99, 2.0, np.nan), ones, customer) is None
    same = QuantityModel.fit(batch, ones, ones, 3 * ones, ones, customer)
    assert same is not None and (same.predict(batch) == 3).all()
    assert QuantityModel.load(tmp_path) is None


@pytest.fixture(scope="module")
def rows() -> PricingRows:
    return make_rows(120, draws=4, seed=3)


def test_forecasts_count_units_and_conversion_counts_purchases(rows: PricingRows) -> None:
    three = replace(rows, units_per_purchase=np.full(rows.n, 3.0))
    one, many = (
        simulate_strategies(r, ["status_quo", "personalized"], guardrails=NO_GUARDRAILS) for r in (rows, three)
    )
    for name in ("status_quo", "personalized"):
        a, b = one.row(name), many.row(name)
        for total in ("profit", "revenue", "units"):
            assert b[total] == pytest.approx(3 * a[total])
        for rate in ("conversion_rate", "average_price", "margin_rate"):
            assert b[rate] == pytest.approx(a[rate])
        assert b["profit_low"] == pytest.approx(3 * a["profit_low"], rel=1e-6)
    np.testing.assert_allclose(one.prices["personalized"].price, many.prices["personalized"].price, rtol=1e-6)


def test_stock_is_used_up_by_units(rows: PricingRows) -> None:
    stocked = replace(rows, stock=np.full(rows.n, 6.0))
    two = replace(stocked, units_per_purchase=np.full(rows.n, 2.0))
    scene = Scenario(stock_share=1.0, horizon_weeks=4, occasions_per_week=2_000)
    one, many = (
        simulate_strategies(r, ["status_quo"], guardrails=NO_GUARDRAILS, scenario=scene) for r in (stocked, two)
    )
    # Demand is far above the stock of 6 products × 6 units in both.
    assert many.row("status_quo")["units"] == pytest.approx(36, rel=0.01)
    assert one.row("status_quo")["units"] == pytest.approx(36, rel=0.01)


def test_a_shared_price_leans_to_the_rows_that_take_many_units(rows: PricingRows) -> None:
    own = price_strategy("personalized", rows, NO_GUARDRAILS).price / rows.list_price
    likes_high = own > np.median(own)
    heavy = replace(rows, units_per_purchase=np.where(likes_high, 9.0, 1.0))
    plain = price_strategy("product", rows, NO_GUARDRAILS).price
    leaning = price_strategy("product", heavy, NO_GUARDRAILS).price
    assert leaning.mean() > plain.mean()
    weighted = replace(rows, weight=np.where(likes_high, 9.0, 1.0))
    np.testing.assert_allclose(leaning, price_strategy("product", weighted, NO_GUARDRAILS).price)


def test_a_price_list_promises_the_profit_of_all_units(rows: PricingRows) -> None:
    facts = ListFacts("product", "USD", "r1", {})
    prices = price_strategy("product", rows, NO_GUARDRAILS)
    one = build_price_list(rows, prices, facts)
    two = build_price_list(replace(rows, units_per_purchase=np.full(rows.n, 2.0)), prices, facts)
    np.testing.assert_allclose(two["expected_profit"], 2 * one["expected_profit"])
    np.testing.assert_allclose(two["expected_conversion_rate"], one["expected_conversion_rate"])


def test_rows_of_an_earlier_version_have_one_unit(rows: PricingRows, tmp_path: Path) -> None:
    rows.save(tmp_path)
    path = tmp_path / "pricing_rows.parquet"
    pd.read_parquet(path).drop(columns="units_per_purchase").to_parquet(path, index=False)
    assert (PricingRows.load(tmp_path).units_per_purchase == 1).all()
    replace(rows, units_per_purchase=np.full(rows.n, 2.5)).save(tmp_path)
    assert (PricingRows.load(tmp_path).units_per_purchase == 2.5).all()
    with pytest.raises(DataError, match="units_per_purchase must be finite and above zero"):
        replace(rows, units_per_purchase=np.zeros(rows.n))
