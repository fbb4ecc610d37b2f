"""What a design can see: against simulated shops whose variation is known, and against replayed A/A tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.evaluate.compared_designs import compare_designs, quickest
from pricing_core.evaluate.estimates import compare_arms
from pricing_core.evaluate.power import critical_value, detectable_effect, power_of
from pricing_core.evaluate.sales import complete_weeks, monday
from pricing_core.evaluate.test_design import DESIGNS, DesignConfig, design_test
from pricing_core.evaluate.variance import switch_variance, unit_variance, weekly_sums

START = pd.Timestamp("2025-01-06", tz="UTC")


def shop(
    *, units: int = 400, weeks: int = 20, between: float = 1.0, within: float = 2.0, week_noise: float = 0.0,
    mean: float = 10.0, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """One offer per unit and week: profit = mean + unit effect + week effect + noise, all normal."""
    rng = np.random.default_rng(seed)
    unit, week = np.repeat(np.arange(units), weeks), np.tile(np.arange(weeks), units)
    profit = (
        mean
        + rng.normal(0, between, units)[unit]
        + rng.normal(0, week_noise, weeks)[week]
        + rng.normal(0, within, units * weeks)
    )
    # Monday and Sunday of each week, so that every week is complete.
    day = np.where(unit % 2 == 0, 0, 6)
    at = START + pd.to_timedelta(7 * week + day, unit="D")
    return pd.DataFrame(
        {
            "customer_id": [f"c{k}" for k in unit], "product_id": "p", "offered_at": at,
            "week": START + pd.to_timedelta(7 * week, unit="D"), "offers": 1.0, "purchased": 1.0,
            "price": 20.0, "unit_cost": 10.0, "revenue": 20.0, "profit": profit,
        }
    )  # fmt: skip


def test_variance_and_correlation_of_units_are_those_of_the_simulation() -> None:
    sales = shop(units=3_000, week_noise=5.0)
    found = unit_variance(weekly_sums(sales, sales["customer_id"]))
    assert (found.n_units, found.n_weeks) == (3_000, 20)
    assert found.mean == pytest.approx(sales["profit"].mean())
    assert found.variance == pytest.approx(1.0 + 4.0, rel=0.03), "what a week does to all units is taken out"
    assert found.correlation == pytest.approx(0.2, abs=0.015)
    assert found.of_mean(10) == pytest.approx(1.0 + 4.0 / 10, rel=0.05)
    # Two sums over 10 weeks share the unit effect: r = 100 / (100 + 40), squared.
    assert found.explained(10, 10) == pytest.approx((100 / 140) ** 2, rel=0.05)
    assert found.explained(10, 0) == 0.0


def test_a_larger_shop_a_longer_test_and_weeks_before_see_smaller_effects() -> None:
    sales, bigger = shop(), shop(units=1_600)
    plain = design_test(sales, DesignConfig(weeks=6, before_weeks=0))
    assert design_test(sales, DesignConfig(weeks=6, before_weeks=8)).detectable_rate < plain.detectable_rate
    assert design_test(bigger, DesignConfig(weeks=6, before_weeks=0)).detectable_rate == pytest.approx(
        plain.detectable_rate / 2, rel=0.1
    )
    assert (np.diff(plain.curve["detectable_rate"]) < 0).all()
    uneven = design_test(sales, DesignConfig(weeks=6, before_weeks=0, test_share=0.1))
    # 1/q + 1/(1 − q) is 11.1 instead of 4.
    assert uneven.detectable_rate == pytest.approx(plain.detectable_rate * np.sqrt(100 / 9 / 4), rel=0.01)


def test_the_standard_error_of_a_split_is_the_spread_of_replayed_tests_without_effect() -> None:
    sales = shop(units=500, weeks=8, between=1.5, seed=4)
    plan = design_test(sales, DesignConfig(weeks=8, before_weeks=0))
    totals = sales.groupby("customer_id")["profit"].mean().to_numpy()
    rng = np.random.default_rng(0)
    differences = []
    for _ in range(2_000):
        order = rng.permutation(len(totals))
        differences.append(totals[order[:250]].mean() - totals[order[250:]].mean())
    assert plan.curve["standard_error"].iloc[7] == pytest.approx(np.std(differences), rel=0.06)


@pytest.mark.parametrize(("design", "effect", "noise"), [("customer", 0.02, 0.0), ("switchback", 0.06, 0.6)])
def test_the_promised_power_comes_true(design: str, effect: float, noise: float) -> None:
    config = DesignConfig(design=design, weeks=12, before_weeks=0)
    kind = {"units": 120, "within": 1.0, "between": 0.3, "week_noise": noise}
    pilots = [shop(weeks=26, seed=seed, **kind) for seed in range(8)]
    power = float(np.mean([design_test(pilot, config, promised_rate=effect).power for pilot in pilots]))
    assert 0.3 < power < 0.97, "the case must be able to fail"
    rng, runs, seen = np.random.default_rng(9), 1_500, 0
    for _ in range(runs):
        unit = rng.normal(0, 0.3, 120)[:, None] + rng.normal(0, 1.0, (120, 12)) + rng.normal(0, noise, 12)
        if design == "customer":  # the order of independent units is a random order
            test, control = unit[:60].mean(axis=1) + effect * 10, unit[60:].mean(axis=1)
            difference, df = test.mean() - control.mean(), 118
            error = np.sqrt(test.var(ddof=1) / 60 + control.var(ddof=1) / 60)
        else:
            blocks = unit.mean(axis=0).reshape(6, 2)
            steps = (blocks[:, 1] - blocks[:, 0]) * rng.choice([-1.0, 1.0], 6) + effect * 10
            difference, df, error = steps.mean(), 5, steps.std(ddof=1) / np.sqrt(6)
        seen += abs(difference) > critical_value(0.9, df) * error
    # Noise of the share, and of the variance that the pilots estimated.
    assert abs(seen / runs - power) < 3 * np.sqrt(power * (1 - power) / runs) + 0.04


@pytest.mark.parametrize("groups", [8, 12])
def test_few_groups_are_not_promised_more_power_than_they_have(groups: int) -> None:
    config = DesignConfig("label", weeks=6, label="customers: region", before_weeks=8)
    sales = shop(units=groups, weeks=20, between=1.0, within=0.5, seed=9)
    plan = design_test(sales, config, groups=sales["customer_id"], promised_rate=0.1)
    # The same shop without end: before explains of the test what two means of 8 and 6 weeks share.
    during, before = 1 + 0.25 / 6, 1 + 0.25 / 8
    shared = 1 / (during * before)
    truth = np.sqrt(during * (1 - shared) * 4 / groups)
    rng, effect, seen = np.random.default_rng(1), 3 * truth, 0
    for _ in range(2_000):
        level = rng.normal(10, 1, groups)
        past, now = (level + rng.normal(0, 0.5 / np.sqrt(weeks), groups) for weeks in (8, 6))
        test = np.isin(np.arange(groups), rng.permutation(groups)[: groups // 2])
        found = compare_arms(now + effect * test, np.ones(groups), test, before=(past, np.ones(groups)))
        seen += found.interval(0.9)[0] > 0
    error, df = plan.curve.loc[5, "standard_error"], plan.curve.loc[5, "df"]
    log = unit_variance(weekly_sums(sales, sales["customer_id"]))
    known = np.sqrt(log.of_mean(6) * (1 - log.explained(6, 8)) * 4 / groups)
    # The plan knows the shop from its own log only; scaled to the true variation, its power comes true.
    assert power_of(effect, error * truth / known, df=df) == pytest.approx(seen / 2_000, abs=0.05)
    assert power_of(effect, truth, df=df) > seen / 2_000 + 0.03


def test_the_variance_of_a_switch_is_that_of_two_blocks() -> None:
    sales = shop(units=200, weeks=400, between=0.0, within=2.0, week_noise=1.0)
    sums = weekly_sums(sales, pd.Series("shop", index=sales.index), weeks=400)
    # A block of two weeks has variance 1/2 + 4/400, a difference twice that.
    assert switch_variance(sums, 2) == pytest.approx(2 * (0.5 + 0.01), rel=0.2)
    assert switch_variance(sums, 2, washout_days=7) == pytest.approx(2 * switch_variance(sums, 2))
    groups = pd.Series(np.where(sales["customer_id"].str[-1].isin(list("01234")), "a", "b"), index=sales.index)
    apart = switch_variance(weekly_sums(sales, groups, weeks=400), 2)
    # What the week does to both groups is gone; each block of a group holds 200 offers.
    assert apart == pytest.approx(2 * 4 / 200, rel=0.2)


def test_the_recommendation_names_weeks_change_power_and_promise() -> None:
    sales = shop(between=0.2)
    config = DesignConfig(weeks=2, before_weeks=0)
    result = design_test(sales, config, promised_rate=0.021)
    seen = result.detectable_rate
    assert seen == pytest.approx(
        detectable_effect(float(result.curve["standard_error"].iloc[1]), df=398, confidence=0.9) / result.mean
    )
    assert result.sentence.startswith(f"In 2 weeks you can see a profit change of ±{seen:.1%} or more with 80% power; ")
    assert result.weeks_needed is not None and result.weeks_needed > 2
    assert result.sentence.endswith(
        f"your plan promises +2.1%, too small to be seen before {result.weeks_needed} weeks."
    )
    assert design_test(sales, config, promised_rate=0.5).sentence.endswith(
        "your plan promises +50.0%, which shows after 1 week."
    )
    assert design_test(sales, config, promised_rate=-0.0001).sentence.endswith(
        "your plan promises −0.0%, too small to be seen within 104 weeks by this design."
    )
    assert design_test(sales, config).sentence.endswith("with 80% power.")


def test_a_switchback_with_too_few_blocks_says_how_many_weeks_it_needs() -> None:
    result = design_test(shop(week_noise=1.0), DesignConfig(design="switchback", weeks=3))
    assert result.detectable_rate == float("inf")
    assert result.sentence == "In 3 weeks there are too few blocks to compare; plan at least 4 weeks."


def test_designs_are_compared_and_an_impossible_one_says_why() -> None:
    sales = shop()
    two = pd.Series(np.where(sales["customer_id"] < "c2", "north", "south"), index=sales.index)
    found = compare_designs(sales, DesignConfig(label="customers: region"), groups=two)
    assert list(found) == list(DESIGNS)
    assert found["label"] == (
        "customers: region has 2 groups with offers; a test by group needs at least 4. "
        "Split customers, or alternate the whole shop by week."
    )
    assert not isinstance(found["customer"], str) and not isinstance(found["switchback"], str)
    late, early = replace(found["customer"], weeks_needed=9), replace(found["switchback"], weeks_needed=4)
    assert quickest({"label": "no", "customer": late, "switchback": early}) == "switchback"
    assert quickest({"customer": replace(late, weeks_needed=None), "switchback": early}) == "switchback"
    assert quickest({"label": "no"}) is None


def test_currency_and_order_of_rows_do_not_matter() -> None:
    sales = shop()
    cents = sales.assign(profit=sales["profit"] * 100)
    mixed = sales.sample(frac=1, random_state=3)
    plain = design_test(sales, DesignConfig()).curve["detectable_rate"]
    for other in (cents, mixed):
        pd.testing.assert_series_equal(design_test(other, DesignConfig()).curve["detectable_rate"], plain)


def test_settings_outside_what_is_allowed_name_the_value_received() -> None:
    with pytest.raises(ConfigError, match=r"weeks is 0; it must be from 1 to 104"):
        DesignConfig(weeks=0)
    with pytest.raises(ConfigError, match="The design is 'coin'"):
        DesignConfig(design="coin")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="The design label needs a label"):
        DesignConfig(design="label")
    with pytest.raises(ConfigError, match="washout_days is 7; a block has 7 days"):
        DesignConfig(design="switchback", washout_days=7)
    with pytest.raises(ConfigError, match="Profit per customer is measured only where customers are split"):
        DesignConfig(design="switchback", measure="profit_per_customer")


def test_a_log_without_variation_or_costs_is_refused_in_words() -> None:
    one_week = shop(weeks=1)
    with pytest.raises(DataError, match="The log has 400 units and 1 complete weeks"):
        design_test(one_week, DesignConfig())
    sales = shop()
    with pytest.raises(DataError, match="The profit of some purchases is unknown"):
        design_test(sales.assign(profit=sales["profit"].where(sales.index != 17)), DesignConfig())


def test_weeks_that_the_log_covers_only_in_part_are_left_out() -> None:
    days = pd.Series(pd.date_range("2025-01-08", "2025-01-28", freq="D", tz="UTC"))
    sales = pd.DataFrame({"offered_at": days, "week": monday(days)})
    assert list(complete_weeks(sales)["week"].unique()) == [
        pd.Timestamp("2025-01-13", tz="UTC"), pd.Timestamp("2025-01-20", tz="UTC"),
    ]  # fmt: skip
