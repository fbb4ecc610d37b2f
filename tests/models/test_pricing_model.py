"""The pricing model: going price, habit, density of past prices, support."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, ModelError
from pricing_core.features import EncodedBatch
from pricing_core.models.pricing_model import GoingPrice, PricingConfig, PricingModel

Floats = NDArray[np.float64]
BatchOf = Callable[..., EncodedBatch]
SMALL = PricingConfig(n_trees=40, n_folds=2)


def logged_prices(batch: EncodedBatch, seed: int) -> tuple[Floats, Floats]:
    """Prices that follow product, market and customer, with a noise that depends on the market; and the base price."""
    rng = np.random.default_rng([seed, 5])
    habit = 1 + 0.1 * batch.product[:, 0] - 0.05 * (batch.customer[:, 0] > 0)
    noise = np.where(batch.market[:, 0] > 0, 0.12, 0.04) * rng.standard_normal(batch.n)
    base = np.exp(rng.uniform(0, 2, batch.n))
    return base * np.maximum(habit + noise, 0.2), base


def customers(n: int) -> NDArray[np.int64]:
    return np.random.default_rng(8).integers(0, n // 8, n)


@pytest.fixture(scope="module")
def fitted(batch_of: BatchOf) -> PricingModel:
    batch = batch_of(5_000, 1)
    price, base = logged_prices(batch, 1)
    return PricingModel(SMALL).fit(batch, base, price, customers(5_000))


def test_the_supported_range_holds_the_stated_share_of_prices_never_seen(
    fitted: PricingModel, batch_of: BatchOf
) -> None:
    batch = batch_of(20_000, 2)
    price, base = logged_prices(batch, 2)
    going = fitted.predict(batch, base)
    # Standard error of a share near 0.98 from 20,000 rows: 0.001; the rest is what 5,000 rows can learn of the spread.
    for coverage, slack in ((0.98, 0.012), (0.8, 0.03)):
        low, high = fitted.supported_range(going, coverage)
        assert np.mean((price >= low) & (price <= high)) == pytest.approx(coverage, abs=slack)
    # The range follows the habit's noise: wide where prices varied much.
    low, high = fitted.supported_range(going)
    width = (high - low) / base
    loud = batch.market[:, 0] > 0
    assert width[loud].mean() > 1.8 * width[~loud].mean()


def test_the_density_of_past_prices_integrates_to_one(fitted: PricingModel, batch_of: BatchOf) -> None:
    batch = batch_of(50, 3)
    going = fitted.predict(batch, np.ones(50))
    grid = np.linspace(-1, 4, 10_001)
    heights = np.array([fitted.density(going, np.full(50, x)) for x in grid])
    np.testing.assert_allclose(np.trapezoid(heights, grid, axis=0), 1.0, atol=6e-3)
    # And it is a density of the logged prices: their mean log density beats that of a flat one of the same support.
    fresh = batch_of(5_000, 4)
    price, base = logged_prices(fresh, 4)
    going = fitted.predict(fresh, base)
    density = fitted.density(going, price / going.reference)
    inside = density > 0
    assert inside.mean() > 0.98
    low, high = fitted.supported_range(going, 0.999)
    flat = going.reference / (high - low)
    assert np.log(density[inside]).mean() > np.log(flat[inside]).mean() + 0.3


def test_a_lump_of_prices_at_the_top_keeps_its_mass_in_the_density(batch_of: BatchOf) -> None:
    model = PricingModel()
    model.quantiles_ = np.minimum(np.linspace(-2, 3, 107), 1.0)  # two fifths of the prices at the list price
    going = GoingPrice(np.ones(1), np.ones(1), np.full(1, 0.1))
    grid = np.linspace(0.7, 1.3, 6_001)
    heights = np.array([model.density(going, np.array([x]))[0] for x in grid])
    assert np.trapezoid(heights, grid) == pytest.approx(1.0, abs=5e-3)


def test_the_expected_price_of_a_training_row_comes_from_other_customers(batch_of: BatchOf) -> None:
    rng = np.random.default_rng(0)
    n, n_customers = 3_000, 100
    who = rng.integers(0, n_customers, n)
    whim = rng.standard_normal(
        n_customers
    )  # every customer has a price level of their own, and a feature that names it
    batch = batch_of(n, 5, customer=np.column_stack([np.arange(n_customers)[who] * 1.0] * 4))
    price = np.exp(0.2 * whim[who] + 0.02 * rng.standard_normal(n))
    model = PricingModel(SMALL).fit(batch, np.ones(n), price, who)
    x = price / model.train_reference_
    # A model that had seen the customer would know the level (about 0.2 of 0.2 explained); strangers cannot tell it.
    seen = model.predict(batch, np.ones(n))
    assert np.corrcoef(seen.expected, price)[0, 1] > 0.5
    assert np.corrcoef(model.train_expected_, x)[0, 1] < 0.15
    assert model.metrics_["expected_r2_crossfitted"] < 0.05


def test_few_rows_get_smaller_trees_and_an_expected_price_nearer_the_truth(batch_of: BatchOf) -> None:
    batch = batch_of(1_200, 9)
    habit = np.sin(2 * batch.customer[:, 0]) + 0.5 * batch.product[:, 0]
    price = np.exp(0.15 * habit + 0.25 * np.random.default_rng(9).standard_normal(1_200))
    errors = {}
    for few_rows in (0, 25_000):
        model = PricingModel(PricingConfig(few_rows=few_rows)).fit(batch, np.ones(1_200), price, np.arange(1_200))
        truth = np.exp(0.15 * habit + 0.25**2 / 2) / model.train_reference_
        errors[few_rows] = np.mean((model.train_expected_ - truth) ** 2)
        # What serves other offers is one booster per fold, as where rows are many.
        assert len(model.expected_) == PricingConfig().n_folds
    assert errors[25_000] < 0.6 * errors[0]


def test_the_reference_of_a_training_row_does_not_absorb_its_price(batch_of: BatchOf) -> None:
    batch = batch_of(1_000, 6)
    noise = 0.1 * np.random.default_rng(6).standard_normal(1_000)
    model = PricingModel(SMALL).fit(batch, np.ones(1_000), np.exp(noise), customers(1_000))
    # Prices are pure noise: all of it must stay in the relative prices, and nothing is explained.
    assert np.std(np.exp(noise) / model.train_reference_) == pytest.approx(0.1, rel=0.06)
    assert abs(model.metrics_["reference_r2"]) < 0.03
    assert model.metrics_["residual_price_sd"] == pytest.approx(0.1, rel=0.06)


def test_the_going_price_does_not_depend_on_who_asks(fitted: PricingModel, batch_of: BatchOf) -> None:
    batch = batch_of(200, 7)
    other = batch_of(200, 7, customer=np.random.default_rng(0).standard_normal((200, 4)))
    one, two = fitted.predict(batch, np.ones(200)), fitted.predict(other, np.ones(200))
    np.testing.assert_array_equal(one.reference, two.reference)
    assert not np.array_equal(one.expected, two.expected)


def test_the_outcome_is_no_input() -> None:
    assert set(inspect.signature(PricingModel.fit).parameters) == {
        "self", "batch", "base_price", "price", "customer_code", "weight", "category", "challenger_rows",
    }  # fmt: skip


def test_weights_undo_a_sampling_by_outcome(batch_of: BatchOf) -> None:
    rng = np.random.default_rng(1)
    n = 12_000
    batch = batch_of(n, 9)
    price, base = logged_prices(batch, 9)
    bought = rng.random(n) < 1 / (1 + np.exp(14 * (price / base - 0.9)))
    keep = bought | (rng.random(n) < 0.1)
    weight = np.where(bought, 1.0, 10.0)[keep]
    who = customers(n)
    whole = PricingModel(SMALL).fit(batch, base, price, who).predict(batch, base)
    part = batch.take(keep)
    sample = PricingModel(SMALL).fit(part, base[keep], price[keep], who[keep], weight).predict(batch, base)
    naive = PricingModel(SMALL).fit(part, base[keep], price[keep], who[keep]).predict(batch, base)

    def habit(going: GoingPrice) -> Floats:
        return going.reference * going.expected / base

    error, naive_error = habit(sample) - habit(whole), habit(naive) - habit(whole)
    assert abs(error.mean()) < 0.005 < 0.01 < abs(naive_error.mean())


def test_the_same_rows_in_another_order_give_nearly_the_same_model(batch_of: BatchOf) -> None:
    batch = batch_of(4_000, 10)
    price, base = logged_prices(batch, 10)
    who, order = customers(4_000), np.random.default_rng(2).permutation(4_000)
    one = PricingModel(SMALL).fit(batch, base, price, who).predict(batch, base)
    two = PricingModel(SMALL).fit(batch.take(order), base[order], price[order], who[order]).predict(batch, base)
    np.testing.assert_allclose(two.reference, one.reference, rtol=2e-3)
    np.testing.assert_allclose(two.expected, one.expected, rtol=2e-3)


def test_rescaling_the_currency_rescales_the_reference(batch_of: BatchOf) -> None:
    batch = batch_of(2_000, 11)
    price, base = logged_prices(batch, 11)
    one = PricingModel(SMALL).fit(batch, base, price, customers(2_000)).predict(batch, base)
    yen = PricingModel(SMALL).fit(batch, 150 * base, 150 * price, customers(2_000)).predict(batch, 150 * base)
    np.testing.assert_allclose(yen.reference, 150 * one.reference, rtol=1e-6)
    np.testing.assert_allclose(yen.expected, one.expected, rtol=1e-6)


def test_a_saved_model_answers_alike(fitted: PricingModel, batch_of: BatchOf, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    again = PricingModel.load(tmp_path)
    batch = batch_of(300, 12)
    one, two = fitted.predict(batch, np.ones(300)), again.predict(batch, np.ones(300))
    for name in ("reference", "expected", "spread"):
        np.testing.assert_allclose(getattr(two, name), getattr(one, name), rtol=1e-12)
    np.testing.assert_array_equal(again.density(two, np.ones(300)), fitted.density(one, np.ones(300)))
    assert again.metrics_ == fitted.metrics_


def test_a_damaged_file_is_reported(fitted: PricingModel, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    state = json.loads((tmp_path / "pricing_model.json").read_text())
    (tmp_path / "pricing_model.json").write_text(json.dumps({k: v for k, v in state.items() if k != "n_folds"}))
    with pytest.raises(ModelError, match=r"The pricing model in .* cannot be read: 'n_folds'\. Train again\."):
        PricingModel.load(tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_folds": 1}, "n_folds is 1; cross-fitting needs at least 2."),
        ({"n_trees": 0}, "n_trees is 0; it must be at least 1."),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; it must be above 0 and at most 1."),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        PricingConfig(**settings)  # type: ignore[arg-type]
    assert str(caught.value) == message


def test_a_coverage_out_of_range_is_refused(fitted: PricingModel) -> None:
    with pytest.raises(ConfigError, match=r"coverage of supported prices is 1\.0; it must lie between 0 and 1"):
        fitted.supported_range(GoingPrice(np.ones(1), np.ones(1), np.ones(1)), 1.0)
