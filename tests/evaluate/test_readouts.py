"""The result of a test: intervals cover the truth, CUPED narrows them and never tilts, and warnings are given."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from pricing_core.errors import DataError
from pricing_core.evaluate.arms import arms_from_words, size_mismatch
from pricing_core.evaluate.assignment import assign
from pricing_core.evaluate.estimates import ArmDifference, compare_arms, compare_pairs
from pricing_core.evaluate.readout import read_test
from pricing_core.evaluate.test_design import DesignConfig

from .test_designs import START, shop

RUNS = 1_000
LATER = START + pd.Timedelta(weeks=10)


def simulated(*, effect: float, seed: int, n: int = 120, cuped: bool = True) -> Iterator[ArmDifference]:
    """Customers with 1 to 9 offers and a lasting taste of their own; the test raises every offer's profit."""
    rng = np.random.default_rng(seed)
    for _ in range(RUNS):
        taste = rng.gamma(4.0, 0.5, n)
        offers, before = rng.integers(1, 10, n).astype(float), rng.integers(0, 10, n).astype(float)
        in_test = rng.permutation(n) < n // 2
        profit = offers * (taste + effect * in_test) + rng.normal(0, 1, n) * np.sqrt(offers)
        past = before * taste + rng.normal(0, 1, n) * np.sqrt(before)
        yield compare_arms(profit, offers, in_test, before=(past, before) if cuped else None)


@pytest.mark.parametrize("cuped", [False, True])
def test_intervals_of_the_difference_and_of_the_uplift_cover_the_truth(cuped: bool) -> None:
    inside, relative = [], []
    for found in simulated(effect=0.3, seed=1, cuped=cuped):
        low, high = found.interval(0.9)
        inside.append(low <= 0.3 <= high)
        low, high = found.rate_interval(0.9)
        relative.append(low <= 0.3 / 2.0 <= high)
    for share in (np.mean(inside), np.mean(relative)):
        assert abs(share - 0.9) < 3 * np.sqrt(0.09 / RUNS) + 0.01


def test_weeks_before_narrow_the_range_and_do_not_tilt_the_result() -> None:
    plain = list(simulated(effect=0.3, seed=2, cuped=False))
    adjusted = list(simulated(effect=0.3, seed=2, cuped=True))
    spread = np.std([each.difference for each in adjusted]) / np.std([each.difference for each in plain])
    assert spread < 0.85
    # What it claims to have taken away is what it took away.
    claimed = np.mean([each.variance_reduction for each in adjusted])
    assert 1 - spread**2 == pytest.approx(claimed, abs=0.08)
    mean = np.mean([each.difference for each in adjusted])
    assert abs(mean - 0.3) < 3 * np.std([each.difference for each in adjusted]) / np.sqrt(RUNS)


def test_weeks_before_that_tell_nothing_cost_nothing() -> None:
    rng = np.random.default_rng(3)
    changes = []
    for _ in range(200):
        top, below, past = rng.normal(2, 1, 200), np.ones(200), rng.normal(2, 1, 200)
        in_test = rng.permutation(200) < 100
        adjusted = compare_arms(top, below, in_test, before=(past, below))
        changes.append(adjusted.standard_error / compare_arms(top, below, in_test).standard_error)
    assert np.mean(changes) == pytest.approx(1.0, abs=0.01)


def test_false_alarms_and_the_chance_of_a_loss_are_calibrated() -> None:
    losses = np.array([found.probability_loss for found in simulated(effect=0.0, seed=4)])
    assert abs(np.mean((losses < 0.05) | (losses > 0.95)) - 0.1) < 3 * np.sqrt(0.09 / RUNS) + 0.01
    assert np.mean(losses) == pytest.approx(0.5, abs=0.03)


def test_few_groups_with_weeks_before_are_read_as_an_analysis_of_covariance() -> None:
    rng = np.random.default_rng(8)
    inside = []
    for _ in range(2_000):
        past = rng.normal(10, 2, 10)
        in_test = rng.permutation(10) < 5
        top = past + rng.normal(0, 1, 10) + 1.0 * in_test
        found = compare_arms(top, np.ones(10), in_test, before=(past, np.ones(10)))
        low, high = found.interval(0.9)
        inside.append(low <= 1.0 <= high)
    assert abs(np.mean(inside) - 0.9) < 3 * np.sqrt(0.09 / 2_000) + 0.005
    design = np.column_stack([np.ones(10), in_test, past])
    beta, rest = np.linalg.lstsq(design, top, rcond=None)[:2]
    exact = np.sqrt(rest[0] / 7 * np.linalg.inv(design.T @ design)[1, 1])
    assert found.difference == pytest.approx(beta[1])
    assert found.standard_error == pytest.approx(exact)


def test_without_weeks_before_it_is_welchs_test() -> None:
    from scipy import stats

    rng = np.random.default_rng(5)
    test, control = rng.normal(2.0, 1, 30), rng.normal(1.5, 2, 50)
    found = compare_arms(np.r_[test, control], np.ones(80), np.r_[np.ones(30, bool), np.zeros(50, bool)])
    expected = stats.ttest_ind(test, control, equal_var=False)
    assert found.df == pytest.approx(expected.df)
    assert found.difference / found.standard_error == pytest.approx(expected.statistic)
    assert 2 * min(found.probability_loss, 1 - found.probability_loss) == pytest.approx(expected.pvalue)


def test_pairs_of_blocks_are_students_test_of_the_differences() -> None:
    from scipy import stats

    rng = np.random.default_rng(6)
    test, control = rng.normal(3, 1, 7), rng.normal(2, 1, 7)
    found = compare_pairs(test, control, np.arange(7), rng.random(7) < 0.5)
    expected = stats.ttest_1samp(test - control, 0.0)
    assert found.difference / found.standard_error == pytest.approx(expected.statistic)
    assert found.df == 6


def test_groups_that_switch_are_freed_of_what_the_weeks_do_to_all() -> None:
    rng = np.random.default_rng(7)
    inside, errors, truth = [], [], 0.4
    for _ in range(500):
        pairs, units = 4, 6
        pair, unit = np.repeat(np.arange(pairs), units), np.tile(np.arange(units), pairs)
        leads = np.concatenate([rng.permutation(units) < units // 2 for _ in range(pairs)])
        blocks = rng.normal(0, 5, (pairs, 2))  # far larger than what is looked for
        level = rng.normal(2, 1, units)[unit]
        first, second = (level + blocks[pair, k] + rng.normal(0, 0.3, pairs * units) for k in range(2))
        test, control = np.where(leads, first, second) + truth, np.where(leads, second, first)
        found = compare_pairs(test, control, pair, leads)
        low, high = found.interval(0.9)
        inside.append(low <= truth <= high)
        errors.append(found.standard_error)
    assert abs(np.mean(inside) - 0.9) < 3 * np.sqrt(0.09 / 500) + 0.01
    assert np.mean(errors) == pytest.approx(0.3 * np.sqrt(2 / 24), rel=0.1)


def lifted(sales: pd.DataFrame, in_test: pd.Series, effect: float) -> pd.DataFrame:
    return sales.assign(profit=sales["profit"] + effect * in_test.to_numpy())


def split(effect: float = 1.0, **changes: float) -> tuple[pd.DataFrame, pd.DataFrame, DesignConfig, pd.DataFrame]:
    sales = shop(units=300, between=2.0, within=1.0)
    config = DesignConfig(weeks=10, **changes)  # type: ignore[arg-type]
    made = assign(sales, config, starts_on=LATER, seed=1).frame
    arm = made.set_index("unit")["arm"]
    after = sales["offered_at"] >= LATER
    outcomes = lifted(sales[after], sales[after]["customer_id"].map(arm) == "test", effect)
    return outcomes, sales[~after], config, made


def test_a_result_says_what_it_found_in_one_sentence_and_keeps_account() -> None:
    outcomes, before, config, made = split()
    found = read_test(outcomes, config, assignment=made, before=before)
    low, high = found.profit.interval(0.9)
    assert low <= 1.0 <= high
    assert found.profit.variance_reduction > 0.8, "a lasting taste is known from the weeks before"
    assert found.unadjusted.variance_reduction == 0
    assert found.sentence.startswith(f"The new prices moved profit per offer by +{found.profit.rate:.1%} (90% range +")
    assert found.sentence.endswith("): they earn more; chance of a loss <1%.")
    assert found.n_units == {"test": 150, "control": 150}
    assert sum(found.n_offers.values()) == len(outcomes)
    assert found.left_out == {} and found.warnings == ()
    assert found.mismatch_p_value == pytest.approx(1.0)
    assert list(found.table["figure"]) == [
        "Profit per offer", "Revenue per offer", "Conversion", "Average price offered",
    ]  # fmt: skip
    assert found.to_dict()["rate"] == found.profit.rate


def test_nothing_is_lost_without_being_counted() -> None:
    outcomes, before, config, made = split()
    strangers = outcomes.head(7).assign(customer_id="stranger")
    early = before.tail(11)
    found = read_test(pd.concat([outcomes, strangers, early]), config, assignment=made, before=before, starts_on=LATER)
    assert found.left_out == {"not in the assignment (or in a washout)": 7, "before the test began": 11}
    assert sum(found.n_offers.values()) + sum(found.left_out.values()) == len(outcomes) + 18
    assert found.profit.difference == pytest.approx(
        read_test(outcomes, config, assignment=made, before=before).profit.difference
    )


def test_a_test_that_is_read_before_its_end_says_so() -> None:
    outcomes, before, config, made = split()
    part = outcomes[outcomes["week"] < LATER + pd.Timedelta(weeks=3)]
    found = read_test(part, config, assignment=made, before=before, starts_on=LATER)
    assert found.warnings == (
        "The test has run 21 of its 70 days. Stopping as soon as a result looks good raises false alarms: decide at "
        "the planned end.",
    )
    assert read_test(outcomes, config, assignment=made, before=before, starts_on=LATER).warnings == ()


def test_customers_in_both_arms_are_left_out_and_a_wrong_design_is_refused() -> None:
    outcomes, _, config, made = split()
    arm = outcomes["customer_id"].map(made.set_index("unit")["arm"])
    crossed = (outcomes["customer_id"] == "c5") & (outcomes["week"] > outcomes["week"].min())
    swapped = arm.where(~crossed, arm.map({"test": "control", "control": "test"}))
    found = read_test(outcomes.assign(arm=swapped), config)
    assert found.left_out == {"of customers in both arms": 10}
    by_week = np.where(outcomes["week"].dt.day % 2 == 0, "test", "control")
    with pytest.raises(DataError, match="100% of the offers are of customers who were in both arms"):
        read_test(outcomes.assign(arm=by_week), config)


def test_arms_that_do_not_fit_the_plan_are_called_out() -> None:
    outcomes, before, config, made = split()
    gone = outcomes["customer_id"].map(made.set_index("unit")["arm"]).eq("test") & outcomes["customer_id"].str[-1].isin(
        list("01234")
    )
    found = read_test(outcomes[~gone], config, assignment=made, before=before)
    assert found.mismatch_p_value < 0.001
    assert "does not fit the plan" in found.warnings[0] and "Do not trust the result" in found.warnings[0]
    # Pearson's chi-square of 60 and 40 against halves: (10² / 50) · 2 = 4.
    assert size_mismatch({"test": 60, "control": 40}, 0.5) == pytest.approx(0.0455, abs=1e-4)


def test_profit_per_customer_counts_those_who_stayed_away() -> None:
    outcomes, _, config, made = split(measure="profit_per_customer", before_weeks=0)
    lost = outcomes[~outcomes["customer_id"].isin(made.loc[made["arm"] == "test", "unit"].head(75))]
    found = read_test(lost, config, assignment=made)
    assert found.profit.rate < -0.3, "half of the test arm did not come back"
    assert found.table["figure"].iloc[0] == "Profit per customer"
    assert found.sentence.startswith("The new prices moved profit per customer by −")


def test_a_switchback_is_read_by_its_schedule() -> None:
    sales = shop(units=80, week_noise=0.5)
    config = DesignConfig(design="switchback", weeks=10)
    made = assign(sales, config, starts_on=LATER, seed=3).frame
    after = sales[sales["offered_at"] >= LATER]
    in_test = after["week"].map(made.set_index("week_start")["arm"]) == "test"
    found = read_test(lifted(after, in_test, 2.0), config, assignment=made)
    plain = read_test(after, config, assignment=made)
    assert found.profit.difference - plain.profit.difference == pytest.approx(2.0)
    assert found.n_units == {"test": 5, "control": 5}
    half = after[after["week"] < LATER + pd.Timedelta(weeks=5)]
    part = read_test(half, config, assignment=made)
    assert part.left_out == {"in pairs of blocks of which only one was seen": 80}
    with pytest.raises(DataError, match=r"hold 0 complete pairs of blocks; at least 2 are needed"):
        read_test(after[after["week"] == LATER], config, assignment=made)
    with pytest.raises(DataError, match="A switchback is read with its schedule"):
        read_test(after.assign(arm="test"), config)


def test_outcomes_that_cannot_be_read_say_why() -> None:
    outcomes, _, config, made = split()
    with pytest.raises(DataError, match=r"The outcomes have no arm\. Choose the design, or add a column"):
        read_test(outcomes, config)
    with pytest.raises(DataError, match="None of 3,000 offers belongs to test or control"):
        read_test(outcomes.assign(customer_id="x"), config, assignment=made)
    with pytest.raises(DataError, match=r"The profit of 1 offers is unknown"):
        read_test(outcomes.assign(profit=outcomes["profit"].where(outcomes.index != outcomes.index[0])), config,
                  assignment=made)  # fmt: skip
    with pytest.raises(DataError, match=r"The control arm has 0 units with outcomes; at least 2 are needed"):
        read_test(outcomes.assign(arm="test"), config)


def test_arms_are_read_however_they_are_written() -> None:
    given = pd.Series([" Test", "CONTROL", "treatment", "B", "a", 1, 0.0, "1.0", "pink", None])
    assert arms_from_words(given).fillna("none").tolist() == [
        "test", "control", "test", "test", "control", "test", "control", "test", "none", "none",
    ]  # fmt: skip
