"""Past weeks judged, promises kept or not, and inputs that move: against cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pricing_core.errors import DataError
from pricing_core.evaluate.backtest import COLUMNS, weekly_backtest
from pricing_core.evaluate.drift import stability_index
from pricing_core.evaluate.ledger import Ledger, needed_offers, realized_against_predicted
from pricing_core.evaluate.logged_offers import LoggedOffers

MONDAY = pd.Timestamp("2025-03-03", tz="UTC")


def logged(n: int = 6_000, *, target: float = 9.0, bias: float = 0.0, seed: int = 0) -> tuple[LoggedOffers, pd.Series]:
    """Offers of four weeks at random prices around 10; the chance of a purchase is known."""
    rng = np.random.default_rng(seed)
    price = rng.normal(10, 1, n)

    def chance(at: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(4 - 0.45 * at)))

    at = MONDAY + pd.to_timedelta(7 * (np.arange(n) % 4), unit="D")
    offers = LoggedOffers(
        price=price, target_price=np.full(n, target), unit_cost=np.full(n, 5.0), reference_price=np.full(n, 10.0),
        purchased=(rng.random(n) < chance(price)).astype(float),
        logged_density=np.exp(-0.5 * ((price - 10) / 1) ** 2) / np.sqrt(2 * np.pi) * 10,
        probability_logged=np.clip(chance(price) + bias, 0.01, 0.99),
        probability_target=np.clip(chance(np.full(n, target)) + bias, 0.01, 0.99),
        customer_id=np.array([f"c{k % 500}" for k in range(n)], dtype=object),
    )  # fmt: skip
    return offers, pd.Series(at)


def test_a_true_model_is_within_the_range_and_a_wrong_one_is_not() -> None:
    good = weekly_backtest(*logged())
    assert list(good.table.columns) == list(COLUMNS)
    assert (len(good.table), good.n_skipped) == (4, 0)
    assert good.n_covered >= 3
    assert good.to_dict()["predicted_rate"] == pytest.approx(good.to_dict()["observed_rate"], abs=0.02)
    wrong = weekly_backtest(*logged(bias=0.15))
    assert wrong.n_covered == 0


def test_the_value_of_other_prices_is_right_even_where_the_model_is_not() -> None:
    truth = (9 - 5) / (1 + np.exp(-(4 - 0.45 * 9)))
    for bias in (0.0, 0.1):
        found = weekly_backtest(*logged(n=16_000, bias=bias))
        assert found.reason == ""
        near = found.table["value"].mean()
        assert near == pytest.approx(truth, rel=0.06)
        assert found.uplift_low < truth / (found.to_dict()["observed_profit"]) - 1 < found.uplift_high


def test_weeks_without_offers_near_the_strategys_prices_stay_blank() -> None:
    found = weekly_backtest(*logged(n=2_000, target=16.0))
    assert found.table["value"].isna().all() and not found.table["reliable"].any()
    assert "past data cannot say what these prices earn" in found.reason
    assert np.isnan(found.uplift_rate)


def test_customers_who_buy_alike_widen_the_range() -> None:
    offers, week = logged(n=4_000)
    one_each = weekly_backtest(offers, week).table
    from dataclasses import replace

    # Ten customers, each either buying always or never.
    ten = np.array([f"c{k % 10}" for k in range(4_000)], dtype=object)
    alike = replace(offers, customer_id=ten, purchased=(np.arange(4_000) % 10 < 4).astype(float))
    wide = weekly_backtest(alike, week).table
    width = (wide["observed_high"] - wide["observed_low"]).mean()
    assert width > 3 * (one_each["observed_high"] - one_each["observed_low"]).mean()


def test_weeks_with_few_offers_are_skipped_and_counted() -> None:
    offers, week = logged(n=200)
    assert weekly_backtest(offers, week.where(week.index > 3, MONDAY + pd.Timedelta(weeks=9))).n_skipped == 1
    with pytest.raises(DataError, match="No week has 500 offers or more"):
        weekly_backtest(offers, week, fewest=500)


def price_list(**changes: object) -> pd.DataFrame:
    rows = {
        "product_id": ["tea", "pot"], "customer_id": [None, None], "new_price": [4.0, 20.0], "unit_cost": [2.0, 10.0],
        "expected_conversion_rate": [0.3, 0.1], "expected_profit": [0.6, 1.0], "profit_low": [0.55, 0.8],
        "profit_high": [0.65, 1.2], "effective_from": [MONDAY] * 2, "effective_to": [pd.NaT] * 2,
    }  # fmt: skip
    return pd.DataFrame({**rows, **changes})


def sold(n: int, rate: float, *, price: float = 4.0, product: str = "tea", cost: float = 2.0) -> pd.DataFrame:
    bought = (np.arange(n) < round(n * rate)).astype(float)
    at = MONDAY + pd.to_timedelta(np.arange(n) % 14, unit="D")
    return pd.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(n)], "product_id": product, "offered_at": at,
            "week": at - pd.to_timedelta(at.day_of_week, unit="D"), "purchased": bought, "price": price,
            "unit_cost": cost,
        }
    )  # fmt: skip


def judged(found: Ledger, product: str) -> pd.Series:
    return found.table.set_index("product_id").loc[product]


def test_offers_needed_follow_the_width_of_the_range() -> None:
    n = needed_offers(0.3, 0.2)
    assert 1.645 * np.sqrt(0.3 * 0.7 / n) == pytest.approx(0.2 * 0.3, rel=0.01)
    assert needed_offers(0.3, 0.1) == pytest.approx(4 * n, abs=4)
    assert needed_offers(1.0, 0.1) == 0


def test_a_kept_promise_is_told_from_a_broken_one() -> None:
    kept = realized_against_predicted(price_list(), sold(1_000, 0.3))
    row = judged(kept, "tea")
    assert (row["offers"], row["status"], row["needed"]) == (1_000, "as promised", 0)
    assert row["realized_rate"] == pytest.approx(0.3) and row["realized_profit"] == pytest.approx(0.6)
    assert row["profit_low"] < 0.6 < row["profit_high"]
    assert judged(realized_against_predicted(price_list(), sold(1_000, 0.2)), "tea")["status"] == "less than promised"
    assert judged(realized_against_predicted(price_list(), sold(1_000, 0.4)), "tea")["status"] == "more than promised"


def test_profit_as_promised_does_not_hide_a_conversion_that_is_not() -> None:
    # One in eight fewer purchases than promised, each of which earns more than was thought.
    found = realized_against_predicted(price_list(), sold(4_000, 0.26, cost=1.7))
    assert (found.total["status"], found.total["rate_status"]) == ("as promised", "less than promised")
    tea = judged(found, "tea")
    assert (tea["status"], tea["rate_status"]) == ("as promised", "less than promised")
    kept = realized_against_predicted(price_list(), sold(4_000, 0.3))
    assert judged(kept, "tea")["rate_status"] == "as promised"
    too_few = judged(realized_against_predicted(price_list(), sold(20, 0.3)), "tea")
    assert too_few["rate_status"] == too_few["status"]


def test_the_promises_own_range_counts_against_a_verdict() -> None:
    vague = price_list(profit_low=[0.0, 0.8], profit_high=[1.2, 1.2])
    assert judged(realized_against_predicted(vague, sold(1_000, 0.2)), "tea")["status"] == "as promised"


def test_too_few_offers_are_not_yet_measurable_and_say_how_many_are_missing() -> None:
    found = realized_against_predicted(price_list(), sold(20, 0.3))
    missing = needed_offers(0.3, 0.2) - 20
    assert judged(found, "tea")["status"] == f"not yet measurable: needs {missing:,} more offers"
    assert judged(found, "pot")["offers"] == 0 and np.isnan(judged(found, "pot")["realized_rate"])
    assert not found.measurable
    nothing = realized_against_predicted(price_list(), sold(0, 0.3))
    assert nothing.n_applied == 0 and nothing.total["predicted_rate"] == pytest.approx(0.2)


def test_only_offers_at_the_lists_price_in_its_time_count() -> None:
    other = sold(50, 0.3, price=4.5)
    early = sold(30, 0.3).assign(offered_at=MONDAY - pd.Timedelta(days=1))
    found = realized_against_predicted(price_list(), pd.concat([sold(100, 0.3), other, early]))
    assert (found.n_offers, found.n_applied) == (150, 100)
    closed = price_list(effective_to=[MONDAY + pd.Timedelta(days=7)] * 2)
    assert realized_against_predicted(closed, sold(140, 0.3)).n_applied == 70
    assert list(found.weeks["offers"]) == [51, 49]


def test_a_personal_price_counts_for_its_customer_only() -> None:
    mine = price_list(customer_id=["c1", "c2"], product_id=["tea", "tea"], new_price=[4.0, 3.0])
    outcomes = sold(10, 1.0)
    found = realized_against_predicted(mine, outcomes)
    assert (found.n_offers, found.n_applied) == (2, 1)


def test_the_stability_index_is_its_formula_and_tells_a_shift_from_noise() -> None:
    before, after = pd.Series(["a"] * 60 + ["b"] * 40), pd.Series(["a"] * 30 + ["b"] * 70)
    by_hand = (0.3 - 0.6) * np.log(0.3 / 0.6) + (0.7 - 0.4) * np.log(0.7 / 0.4)
    assert stability_index(before, after) == pytest.approx(by_hand)
    rng = np.random.default_rng(0)
    same, moved = rng.normal(0, 1, (2, 5_000)), rng.normal(1, 1, 5_000)
    assert stability_index(pd.Series(same[0]), pd.Series(same[1])) < 0.02
    assert stability_index(pd.Series(same[0]), pd.Series(moved)) > 0.5
    gone = pd.Series(np.where(rng.random(5_000) < 0.5, np.nan, same[1]))
    assert stability_index(pd.Series(same[0]), gone) > 1.0, "values that went missing are a change"
    assert stability_index(before, before) == 0.0
