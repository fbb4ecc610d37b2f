"""Thin products borrow: curves between the category's and their own, and wider ranges, against a known truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from pricing_core.data.dataset import Dataset, DatasetManifest
from pricing_core.models.behavior import BehaviorModel
from pricing_core.models.shop_model import ShopModel
from pricing_core.models.thin_data import ThinData, own_share, spread_between_products, unsettled
from pricing_core.models.training import TrainingConfig, train_models
from pricing_core.simulate.intervals import draw_interval

Floats = np.ndarray
THIN = {"none": 0, "ten": 10, "hundred": 100, "thousand": 1_000}
LEVEL, ODD = -1.2, 1.6  # log odds of an ordinary product of the category, and of the thin ones


def shop() -> Dataset:
    """Ten ordinary products of 600 offers, and four that sell far better, with few offers or many."""
    rng = np.random.default_rng(5)
    names = [f"P{k:02d}" for k in range(10) for _ in range(600)] + [p for p, n in THIN.items() for _ in range(n)]
    product = np.array(names, dtype=object)[rng.permutation(len(names))]
    n = len(product)
    levels = {f"P{k:02d}": LEVEL + 0.3 * rng.standard_normal() for k in range(10)} | dict.fromkeys(THIN, ODD)
    price = np.round(10 * rng.uniform(0.8, 1.2, n), 2)
    logit = np.array([levels[p] for p in product]) - 3 * (price / 10 - 1)
    offers = pd.DataFrame(
        {
            "customer_id": [f"c{k}" for k in rng.integers(0, 900, n)],
            "product_id": product,
            "offered_at": pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(np.sort(rng.integers(0, 9e6, n)), "s"),
            "price": price,
            "purchased": (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(np.int8),
        }
    )
    everything = [*levels]
    products = pd.DataFrame({"product_id": everything, "unit_cost": 6.0, "list_price": 10.0, "category": "tea"})
    return Dataset(offers, None, products, None, None, DatasetManifest("thin", "test"))


@dataclass(frozen=True)
class Answers:
    """Conversion at 10.00 and the width of its range by product, and the evidence label."""

    rate: dict[str, float]
    width: dict[str, float]
    evidence: dict[str, str]


@pytest.fixture(scope="module")
def answers() -> Answers:
    data = shop()
    model: ShopModel = train_models(
        data, TrainingConfig(family="network", settings={"members": 4, "max_epochs": 8})
    ).model
    names = [*THIN, "P00"]
    asked = pd.DataFrame(
        {"customer_id": "stranger", "product_id": names, "offered_at": data.offers["offered_at"].max(), "price": 10.0}
    )
    rows = model.rows(data, model.encode(data, asked))
    response = rows.response
    chance = response.probability_draws(np.full(len(names), 10.0))
    found = draw_interval(chance, response.draw_member, response.draw_fold)
    rates, widths = chance.mean(axis=1), found.high - found.low
    return Answers(*(dict(zip(names, v.tolist(), strict=True)) for v in (rates, widths, rows.evidence)))


def test_a_curve_lies_between_the_categorys_and_the_products_own(answers: Answers) -> None:
    category, own = (1 / (1 + np.exp(-v)) for v in (LEVEL, ODD))
    rate = answers.rate
    assert rate["none"] == pytest.approx(category, abs=0.10)
    assert rate["thousand"] == pytest.approx(own, abs=0.15)
    assert rate["none"] - 0.02 < rate["ten"] < rate["hundred"] < rate["thousand"] + 0.02


def test_thin_products_are_labelled_borrowed_and_have_wider_ranges(answers: Answers) -> None:
    assert answers.evidence == {
        "none": "borrowed",
        "ten": "borrowed",
        "hundred": "measured",
        "thousand": "measured",
        "P00": "measured",
    }
    assert answers.width["none"] > 1.3 * answers.width["P00"]
    assert answers.width["ten"] > 1.1 * answers.width["P00"]


def test_half_of_the_response_is_a_products_own_at_fifty_offers() -> None:
    share = own_share(np.repeat([0, 1, 2], [30, 50, 4_950]), 3)
    np.testing.assert_allclose(share, [0.0, 0.5, 0.99, 0.0])


def test_the_spread_between_products_is_found() -> None:
    rng = np.random.default_rng(0)
    n, products = 60_000, 40
    code = rng.integers(1, products + 1, n)
    level, bend = 0.6 * rng.standard_normal(products + 1), np.exp(0.4 * rng.standard_normal(products + 1))
    x, usual = 1 + 0.15 * rng.standard_normal(n), np.ones(n)
    logit = -1 + level[code] - 4 * bend[code] * (x - 1)
    y = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(float)
    flat = spread_between_products(np.full(n, 3.0), np.full(n, 4.0), x, usual, y, np.ones(n), code)
    assert flat[0] == pytest.approx(0.57, abs=0.15) and flat[1] == pytest.approx(0.38, abs=0.15)
    alike = (rng.random(n) < 1 / (1 + np.exp(1 + 4 * (x - 1)))).astype(float)
    none = spread_between_products(np.full(n, 3.0), np.full(n, 4.0), x, usual, alike, np.ones(n), code)
    assert none[0] < 0.15 and none[1] < 0.15


def test_data_that_say_nothing_about_slopes_leave_their_spread_as_it_was() -> None:
    """Curves that hardly fall carry no information on how much steeper one product's is than another's."""
    rng = np.random.default_rng(4)
    n = 20_000
    code = rng.integers(1, 4_000, n)
    usual = np.ones(n)
    x = usual + rng.normal(0, 0.1, n)
    y = (rng.random(n) < 0.1).astype(float)
    level, slope = spread_between_products(np.full(n, -2.15), np.full(n, 0.05), x, usual, y, np.ones(n), code)
    assert slope == pytest.approx(0.25, abs=0.05)
    assert level < 0.3



def test_members_part_where_a_product_is_unknown_and_agree_on_average() -> None:
    thin = ThinData(np.array([0.0, 0.5, 1.0]), 0.5, 0.3)
    code = np.array([0, 1, 2, 0], dtype=np.int32)
    alpha, beta, usual = np.full((4, 8), 2.0), np.full((4, 8), 3.0), np.full(4, 0.9)
    level, bend = (np.repeat(each, 2, axis=1) for each in thin.deviations(code, 4, 0))
    moved, bent = unsettled(alpha, beta, usual, level, bend)
    at_usual = moved - bent * usual[:, None]
    assert at_usual[0].std(ddof=0) == pytest.approx(0.5 * np.sqrt(3 / 4))  # standardized over four members
    assert at_usual[1].std(ddof=0) == pytest.approx(0.5 * np.sqrt(0.5 * 3 / 4))
    np.testing.assert_allclose(at_usual.mean(axis=1), 2.0 - 0.9 * 3.0)
    np.testing.assert_array_equal(moved[2], alpha[2])  # a known product keeps its curve
    np.testing.assert_array_equal(moved[0], moved[3])  # the same product, the same doubt
    assert np.allclose(moved[:, ::2], moved[:, 1::2])  # both heads of a member
    again = ThinData.from_dict(thin.to_dict())
    np.testing.assert_array_equal(again.deviations(code, 4, 0)[0], level[:, ::2])
    assert isinstance(BehaviorModel().thin_, type(None))
