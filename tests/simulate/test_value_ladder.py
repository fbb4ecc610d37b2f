"""The value ladder against arithmetic by hand, and segments judged on other customers."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.charts.value_ladder import ladder_sentence, value_ladder_data
from pricing_core.errors import DataError
from pricing_core.guardrails import NO_GUARDRAILS
from pricing_core.optimize.settings import SegmentSettings, StrategySettings
from pricing_core.response import PriceResponse, PricingRows
from pricing_core.simulate.intervals import CHANGE_SPREAD, draw_interval
from pricing_core.simulate.segment_shares import segment_shares
from pricing_core.simulate.strategies import simulate_strategies
from pricing_core.simulate.value_ladder import ladder_of, value_ladder
from tests.pricing_cases import make_rows

MEMBER, FOLD = np.arange(4), np.array([0, 0, 1, 1])
NOISE = np.array([-1.0, 1.0, -2.0, 2.0])


def profits(**means: float) -> dict[str, np.ndarray]:
    return {name: mean + (k + 1) * NOISE for k, (name, mean) in enumerate(means.items())}


def test_steps_add_up_to_the_gain_and_shares_are_of_the_largest() -> None:
    given = profits(status_quo=100, uniform=110, product=146, personalized_discount=148, personalized=150)
    ladder = value_ladder(given, MEMBER, FOLD)
    table = ladder.table.set_index("strategy")
    assert list(table.index) == ["status_quo", "uniform", "product", "personalized_discount", "personalized"]
    assert table["step"].sum() == pytest.approx(50) and table.loc["product", "step"] == pytest.approx(36)
    assert table["share"].tolist() == pytest.approx([0, 0.2, 0.92, 0.96, 1])
    found = draw_interval(given["product"] - given["uniform"], MEMBER, FOLD).widened(0.0, CHANGE_SPREAD)
    assert table.loc["product", ["step_low", "step_high"]].tolist() == pytest.approx([found.low, found.high])
    assert table.loc["product", "missing"] == pytest.approx(4)
    assert (ladder.sufficient, ladder.best) == ("product", "personalized")
    assert ladder_sentence(ladder) == "One price per product already brings 92% of what personal prices bring"


def test_where_nothing_gains_todays_prices_are_enough() -> None:
    ladder = value_ladder(profits(status_quo=100, uniform=99, product=98), MEMBER, FOLD)
    assert ladder.sufficient == "status_quo" and np.isnan(ladder.table["share"]).all()
    assert ladder_sentence(ladder) == "No strategy is expected to earn more than today's prices"


def test_the_most_profitable_step_may_be_the_only_one_that_is_enough() -> None:
    ladder = value_ladder(profits(status_quo=100, product=110, personalized=150), MEMBER, FOLD)
    assert ladder.sufficient == "personalized"
    assert ladder_sentence(ladder) == "Personal prices bring most; one price per product reaches 20% of it"
    less = value_ladder(profits(status_quo=100, product=150, personalized=120), MEMBER, FOLD)
    assert (less.best, less.sufficient) == ("product", "product")
    assert ladder_sentence(less) == "One price per product brings most; today's prices reach 0% of it"


def test_a_ladder_needs_today_and_a_step() -> None:
    with pytest.raises(DataError, match="needs today's prices"):
        value_ladder(profits(uniform=1), MEMBER, FOLD)


def test_the_ladder_of_a_simulation_says_what_its_table_says() -> None:
    result = simulate_strategies(make_rows(120), ["status_quo", "uniform", "product", "personalized"])
    ladder = ladder_of(result)
    for name in ("uniform", "product", "personalized"):
        assert ladder.row(name)["profit"] == pytest.approx(result.row(name)["profit"])
        assert ladder.row(name)["gain_low"] == pytest.approx(result.row(name)["profit_uplift_low"])
    chart = value_ladder_data(ladder, currency="USD")
    assert chart.table["label"].iloc[0] == "" and chart.table["label"].iloc[1].startswith(("+$", "−$"))


def by_tier(n: int, draws: int = 8) -> PricingRows:
    """Three tiers whose price sensitivity is all that differs between customers."""
    rng = np.random.default_rng(0)
    customer = np.arange(n) // 4
    tier = rng.integers(0, 3, n // 4 + 1)[customer]
    sensitivity = np.array([2.5, 6.0, 12.0])[tier][:, None] * np.exp(rng.normal(0, 0.02, (n, draws)))
    list_price = np.full(n, 10.0)
    response = PriceResponse(
        list_price, sensitivity - 1.0, sensitivity, np.repeat([0, 1], draws // 2), np.arange(draws) // 2
    )
    return make_rows(
        n, draws, products=4, response=response, list_price=list_price, current_price=list_price,
        customer_id=np.array([f"c{c}" for c in customer], dtype=object), customer_fold=customer % 2,
        unit_cost=np.full(n, 4.0), support_low=np.full(n, 5.0), support_high=np.full(n, 15.0),
        labels={"customers: tier": np.array(["a", "b", "c"], dtype=object)[tier]},
        numbers={"noise": rng.normal(size=n)},
    )  # fmt: skip


def test_two_questions_keep_all_that_three_tiers_are_worth_and_none_keeps_less() -> None:
    settings = StrategySettings(segments=SegmentSettings(min_leaf_rows=40, highest_rate=0.5))
    found = segment_shares(by_tier(800), guardrails=NO_GUARDRAILS, settings=settings, depths=(0, 1, 2, 3))
    share = found.table.set_index("depth")["share"]
    assert share[0] < 0.99
    assert 0.995 < share[2] < 1.002
    assert share[0] < share[1] < share[2]
    assert share[3] < share[2] + 0.001  # noise is worth nothing on other customers
    assert (found.table["share_low"] <= found.table["share"]).all()
    assert found.teacher > 0


def test_shares_are_not_above_one_where_customers_differ_by_nothing_that_is_known() -> None:
    rows = make_rows(400, numbers={"noise": np.random.default_rng(1).normal(size=400)})
    settings = StrategySettings(segments=SegmentSettings(min_leaf_rows=20, min_gain_rate=0))
    table = segment_shares(rows, settings=settings, depths=(0, 3)).table
    assert (table["share"] < 1.0).all()
