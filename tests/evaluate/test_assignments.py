"""Who gets the new prices: repeatable, balanced, and blind to what is to be measured."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.evaluate.assignment import arm_of_offers, assign, balance_table, first_monday, unit_numbers
from pricing_core.evaluate.test_design import DesignConfig

from .test_designs import START, shop

LATER = START + pd.Timedelta(weeks=20)


def test_the_number_of_a_unit_is_its_hash_with_the_seed() -> None:
    found = unit_numbers(pd.Series(["007", "x", "007"]), seed=5)
    expected = int(hashlib.sha256(b"5:007").hexdigest()[:16], 16) / 2**64
    assert found[0] == found[2] == pytest.approx(expected, abs=1e-15)
    many = unit_numbers(pd.Series([f"c{k}" for k in range(20_000)]), seed=1)
    assert np.abs(np.histogram(many, 10, (0, 1))[0] / 20_000 - 0.1).max() < 0.01


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_customers_are_split_by_the_planned_share_within_strata_of_like_profit(share: float) -> None:
    sales = shop(units=403)
    made = assign(sales, DesignConfig(test_share=share), starts_on=LATER, seed=2)
    counts = made.frame["arm"].value_counts()
    assert counts["test"] == round(403 * share)
    by_stratum = made.frame.groupby("stratum")["arm"].agg(lambda arm: (arm == "test").mean())
    assert len(by_stratum) == 10
    assert (by_stratum - share).abs().max() < 0.03


def test_the_same_seed_gives_the_same_arms_in_any_order_of_rows_and_another_seed_others() -> None:
    sales = shop(units=200)
    first = assign(sales, DesignConfig(), starts_on=LATER, seed=1).frame
    again = assign(sales.sample(frac=1, random_state=0), DesignConfig(), starts_on=LATER, seed=1).frame
    other = assign(sales, DesignConfig(), starts_on=LATER, seed=2).frame
    pd.testing.assert_frame_equal(first, again)
    assert 0.3 < (first["arm"] == other["arm"]).mean() < 0.7


def test_stratification_leaves_less_difference_before_the_test_than_chance_does() -> None:
    sales = shop(units=300, between=3.0)
    profit = sales.groupby("customer_id")["profit"].mean()
    stratified, plain = [], []
    for seed in range(40):
        arm = assign(sales, DesignConfig(), starts_on=LATER, seed=seed).frame.set_index("unit")["arm"] == "test"
        stratified.append(profit[arm.index[arm]].mean() - profit[arm.index[~arm]].mean())
        coin = unit_numbers(pd.Series(profit.index), seed) < 0.5
        plain.append(profit[coin].mean() - profit[~coin].mean())
    assert np.std(stratified) < 0.5 * np.std(plain)


def test_only_offers_before_the_test_count_and_it_starts_on_a_monday() -> None:
    sales = shop(units=50)
    late = sales.assign(offered_at=sales["offered_at"] + pd.Timedelta(weeks=60), customer_id="new")
    made = assign(pd.concat([sales, late]), DesignConfig(), starts_on=pd.Timestamp("2025-06-03"))
    assert made.starts_on == pd.Timestamp("2025-06-09", tz="UTC")
    assert "new" not in set(made.frame["unit"])
    assert first_monday(pd.Timestamp("2025-06-09")) == pd.Timestamp("2025-06-09", tz="UTC")


def test_the_a_a_check_raises_false_alarms_at_its_stated_rate() -> None:
    sales = shop(units=100, weeks=2, between=1.0).assign(unit=lambda table: table["customer_id"])
    names = pd.Series(sorted(sales["unit"].unique()))
    p_values = []
    for seed in range(250):
        arm = np.where(unit_numbers(names, seed) < 0.5, "test", "control")
        table = balance_table(sales, pd.DataFrame({"unit": names, "arm": arm})).set_index("figure")
        p_values.append(table.loc["Profit per offer", "p_value"])
    assert abs(np.mean(np.array(p_values) < 0.1) - 0.1) < 3 * np.sqrt(0.09 / 250)


def test_balance_names_the_arms_means_of_what_was_before() -> None:
    sales = shop(units=60)
    made = assign(sales, DesignConfig(), starts_on=LATER)
    table = made.balance.set_index("figure")
    arm = made.frame.set_index("unit")["arm"]
    of_test = sales[sales["customer_id"].map(arm) == "test"]
    assert table.loc["Profit per offer", "test"] == pytest.approx(of_test["profit"].mean())
    assert table.loc["Average price offered", "test"] == pytest.approx(20.0)
    assert table.loc["Conversion", "difference"] == 0.0
    assert table.loc["Offers per week", "control"] == pytest.approx(1.0)
    assert made.p_value == table.loc["Profit per offer", "p_value"]


def test_a_switchback_has_one_block_of_each_pair_in_test() -> None:
    config = DesignConfig(design="switchback", weeks=9, block_weeks=2, washout_days=3)
    made = assign(shop(units=20), config, starts_on=LATER, seed=4).frame
    assert len(made) == 4, "nine weeks hold two pairs of blocks of two weeks"
    assert (made.groupby((made["block"] - 1) // 2)["arm"].agg(set) == {"test", "control"}).all()
    assert (made["counted_from"] - made["week_start"] == pd.Timedelta(days=3)).all()
    assert (made["week_end"] - made["week_start"] == pd.Timedelta(days=13)).all()
    orders = {
        tuple(assign(shop(units=20), config, starts_on=LATER, seed=seed).frame["arm"]) for seed in range(12)
    }  # fmt: skip
    assert len(orders) == 4, "both orders occur in both pairs"


def test_groups_that_switch_are_half_in_test_at_any_time() -> None:
    sales = shop(units=60)
    groups = sales["customer_id"].str[-1]
    config = DesignConfig(design="label_switchback", label="customers: region", weeks=8)
    made = assign(sales, config, starts_on=LATER, groups=groups).frame
    assert made["unit"].nunique() == 10
    assert (made.groupby("block")["arm"].agg(lambda arm: (arm == "test").sum()) == 5).all()


def test_groups_are_split_in_pairs_of_like_profit() -> None:
    sales = shop(units=400)
    size = sales["customer_id"].str[1:].astype(int) % 8
    sales = sales.assign(profit=sales["profit"] + 5.0 * size)
    config = DesignConfig(design="label", label="customers: store")
    made = assign(sales, config, starts_on=LATER, groups="store " + size.astype(str))
    frame = made.frame.sort_values("stratum")
    assert (frame.groupby("stratum")["arm"].agg(set) == {"test", "control"}).all()
    assert frame.groupby("stratum")["unit"].agg(tuple).map(sorted).tolist() == [
        ["store 0", "store 1"], ["store 2", "store 3"], ["store 4", "store 5"], ["store 6", "store 7"],
    ]  # fmt: skip


def test_each_offer_finds_its_arm_and_a_washout_has_none() -> None:
    config = DesignConfig(design="switchback", weeks=2, washout_days=2)
    made = assign(shop(units=5), config, starts_on=LATER, seed=0)
    first, second = made.frame["arm"]
    times = pd.Series(
        [LATER, LATER + pd.Timedelta(days=1, hours=23), LATER + pd.Timedelta(days=2), LATER + pd.Timedelta(days=9),
         LATER + pd.Timedelta(days=20)]
    )  # fmt: skip
    found = arm_of_offers(made.frame, pd.Series("all", index=times.index), times)
    assert found["arm"].fillna("none").tolist() == ["none", "none", first, second, "none"]
    assert found["block"].tolist()[2:4] == [1, 2]


def test_what_cannot_be_drawn_is_refused_in_words() -> None:
    with pytest.raises(DataError, match=r"There are no offers before 2025-01-06\. Import past offers"):
        assign(shop(), DesignConfig(), starts_on=START)
    with pytest.raises(ConfigError, match="3 weeks hold no pair of blocks of 2 weeks"):
        assign(shop(), DesignConfig(design="switchback", weeks=3, block_weeks=2), starts_on=LATER)
