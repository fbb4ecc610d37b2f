"""The demo shop: its truth, its confounding, and the files that come with the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pricing_core.data.demo_shop import DemandTruth, DemoShop, DemoShopConfig, simulate_demo_shop, write_demo_shop
from pricing_core.errors import ConfigError

STORED = Path(__file__).parents[2] / "sample_data" / "demo_shop"


@pytest.fixture(scope="module")
def shop() -> DemoShop:
    return simulate_demo_shop()


def test_the_stored_sample_is_what_the_generator_draws(shop: DemoShop) -> None:
    for name, table in shop.tables.items():
        pd.testing.assert_frame_equal(pd.read_parquet(STORED / f"{name}.parquet"), table, check_dtype=False)


def test_purchases_follow_the_stated_demand(shop: DemoShop) -> None:
    offers, truth = shop.tables["offers"], shop.truth
    p = truth.probability(offers["price"].to_numpy())
    assert len(offers) >= 200_000
    for part in np.array_split(np.argsort(p), 20):  # in each twentieth within four standard errors
        bought, expected = offers["purchased"].to_numpy()[part].mean(), p[part].mean()
        assert abs(bought - expected) < 4 * np.sqrt(expected * (1 - expected) / len(part))


def test_past_prices_follow_demand_around_the_habit(shop: DemoShop) -> None:
    offers, truth = shop.tables["offers"], shop.truth
    x = offers["price"].to_numpy() / truth.list_price
    residual = x - truth.logged_mean
    assert abs(residual.mean()) < 0.002 and residual.std() == pytest.approx(truth.logged_sd, rel=0.03)
    assert (x > 0.59).all() and (x < 1.31).all()
    # Confounded: dear where the taste for it is high; the noise around the habit is not.
    utility = truth.intercept - truth.sensitivity
    assert np.corrcoef(truth.logged_mean, utility)[0, 1] > 0.3
    assert abs(np.corrcoef(residual, utility)[0, 1]) < 0.02
    low, high = truth.supported_range(0.98)
    price = offers["price"].to_numpy()
    assert np.mean((price >= low) & (price <= high)) == pytest.approx(0.98, abs=0.005)


def test_the_truth_is_in_no_table(shop: DemoShop) -> None:
    columns = {name: set(table.columns) for name, table in shop.tables.items()}
    assert columns == {
        "offers": {"customer_id", "product_id", "offered_at", "price", "purchased", "promotion"},
        "customers": {
            "customer_id", "region", "loyalty_tier", "household_size", "device", "signed_up_at", "gender",
        },
        "products": {
            "product_id", "category", "brand", "pack_grams", "organic", "unit_cost", "list_price", "stock",
        },
        "market": {"date", "product_id", "competitor_price", "season"},
        "events": {"customer_id", "product_id", "occurred_at", "event_type", "price", "rating"},
    }  # fmt: skip
    assert set(shop.targets.columns) == columns["offers"] - {"price", "purchased"}


def test_targets_come_after_the_log_and_are_bought_by_nobody(shop: DemoShop) -> None:
    log, targets, events = shop.tables["offers"], shop.targets, shop.tables["events"]
    assert targets["offered_at"].min() > log["offered_at"].max()
    assert len(targets) == len(shop.target_truth.intercept) == 20_000
    late = events[events["occurred_at"] > log["offered_at"].max() + pd.Timedelta(seconds=45)]
    assert set(late["event_type"]) == {"view", "cart", "review"}
    assert (events["event_type"] == "purchase").sum() == log["purchased"].sum()
    assert events["occurred_at"].is_monotonic_increasing


def test_gender_has_no_part_in_demand(shop: DemoShop) -> None:
    customers = shop.tables["customers"].set_index("customer_id")["gender"]
    gender = shop.tables["offers"]["customer_id"].map(customers)
    slope = pd.Series(np.log(shop.truth.sensitivity)).groupby(gender.to_numpy()).mean()
    assert abs(slope["f"] - slope["m"]) < 0.03


def test_one_seed_is_one_shop() -> None:
    small = DemoShopConfig(n_customers=50, n_products=12, n_weeks=10, n_visits=100, n_target_visits=20)
    one, two = simulate_demo_shop(small), simulate_demo_shop(small)
    pd.testing.assert_frame_equal(one.tables["events"], two.tables["events"])
    np.testing.assert_array_equal(one.truth.intercept, two.truth.intercept)
    other = simulate_demo_shop(DemoShopConfig(50, 12, 10, 100, 20, random_state=8))
    assert not one.tables["offers"].equals(other.tables["offers"])


def test_the_oracle_finds_the_best_price_within_the_range() -> None:
    truth = DemandTruth(*(np.array(v) for v in ([10.0, 10.0], [4.0, 4.0], [4.0, 0.5], [4.0, 4.0], [1.0, 1.0])), 0.09)
    low, high = np.array([5.0, 9.0]), np.array([15.0, 12.0])
    found = truth.oracle_price(low, high)
    # By Lambert's function: x = c + (1 + W(exp(α − βc − 1))) / β at c = 0.4 and α = β = 4, W(e^1.4) = 1.2037.
    from scipy.special import lambertw

    assert found[0] == pytest.approx(10 * (0.4 + (1 + lambertw(np.exp(4 - 1.6 - 1)).real) / 4), abs=0.02)
    assert found[1] == 9.0  # the optimum lies below the range
    assert truth.profit(found) == pytest.approx(np.sum((found - 4) * truth.probability(found)))
    assert truth.take(np.array([1])).intercept.tolist() == [0.5]


def test_written_files_hold_the_tables_and_the_targets(tmp_path: Path) -> None:
    small = DemoShopConfig(n_customers=50, n_products=12, n_weeks=10, n_visits=100, n_target_visits=20)
    shop = write_demo_shop(tmp_path / "shop", small)
    assert sorted(p.name for p in (tmp_path / "shop").iterdir()) == [
        "customers.parquet", "events.parquet", "market.parquet", "offers.parquet", "products.parquet", "targets.csv",
    ]  # fmt: skip
    again = pd.read_csv(tmp_path / "shop" / "targets.csv", dtype={"customer_id": str})
    assert again["customer_id"].tolist() == shop.targets["customer_id"].tolist()
    assert again["customer_id"].str.len().eq(5).all()


def test_a_shop_too_small_to_draw_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"n_products is 7; at least 8 are needed\."):
        DemoShopConfig(n_products=7)
