"""Markdowns against the recursion in plain Python, and what happens without stock."""

from __future__ import annotations

from functools import cache
from math import exp, factorial

import numpy as np
import pytest

from pricing_core.errors import ConfigError
from pricing_core.guardrails import NO_GUARDRAILS, Guardrails
from pricing_core.optimize.markdown import NO_STOCK_KNOWN, SOLD_OUT
from pricing_core.optimize.markdown_plan import plan_markdown
from pricing_core.optimize.settings import MarkdownSettings, StrategySettings
from pricing_core.optimize.strategies import price_strategy
from tests.pricing_cases import make_rows


def best_by_recursion(prices: list[float], demand: list[list[float]], stock: int, salvage: float) -> float:
    """Value of the best policy: every number of buyers, every lower price, in every week."""

    @cache
    def value(week: int, units: int, rung: int) -> float:
        if week == len(demand):
            return salvage * units
        tried = []
        for j in range(rung, len(prices)):
            total, known = 0.0, 0.0
            for buyers in range(units):
                chance = exp(-demand[week][j]) * demand[week][j] ** buyers / factorial(buyers)
                known += chance
                total += chance * (prices[j] * buyers + value(week + 1, units - buyers, j))
            tried.append(total + (1 - known) * (prices[j] * units + value(week + 1, 0, j)))
        return max(tried)

    return value(0, stock, 0)


def case(seed: int) -> tuple[np.ndarray, np.ndarray, int, float]:
    rng = np.random.default_rng(seed)
    prices = np.sort(rng.uniform(2, 10, 3))[::-1]
    demand = np.sort(rng.uniform(0, 4, (3, 3)), axis=1)
    return prices, demand, int(rng.integers(1, 9)), float(rng.uniform(0, 1.5))


@pytest.mark.parametrize("seed", range(10))
def test_the_plan_is_worth_as_much_as_the_best_policy(seed: int) -> None:
    prices, demand, stock, salvage = case(seed)
    plan = plan_markdown(prices, demand, stock, salvage_value=salvage)
    wanted = best_by_recursion(prices.tolist(), demand.tolist(), stock, salvage)
    assert plan.value == pytest.approx(wanted, rel=1e-9)
    alone = max(best_by_recursion([p], demand[:, [k]].tolist(), stock, salvage) for k, p in enumerate(prices))
    assert plan.constant_value == pytest.approx(alone, rel=1e-9)
    assert plan.value >= plan.constant_value - 1e-9


@pytest.mark.parametrize("seed", range(10))
def test_units_sold_and_left_over_are_the_stock_and_prices_never_rise(seed: int) -> None:
    prices, demand, stock, salvage = case(seed)
    plan = plan_markdown(prices, demand, stock, salvage_value=salvage)
    assert plan.expected_units.sum() + plan.leftover == pytest.approx(stock)
    assert (np.diff(plan.price) <= 0).all() and np.isin(plan.price, prices).all()
    assert (np.diff(plan.expected_stock) <= 1e-12).all()
    assert 0 <= plan.sold_out <= 1


def test_worthless_leftovers_and_much_stock_mean_the_revenue_optimum() -> None:
    prices, demand = np.array([8.0, 6.0, 4.0]), np.tile([1.0, 2.0, 2.5], (4, 1))
    plan = plan_markdown(prices, demand, 100)
    assert plan.price.tolist() == [6.0] * 4  # 6 x 2 beats 8 x 1 and 4 x 2.5
    assert plan.value == pytest.approx(4 * 12.0, rel=1e-9)
    assert plan.leftover == pytest.approx(92)


def test_scarce_stock_keeps_the_highest_price() -> None:
    plan = plan_markdown(np.array([8.0, 6.0]), np.tile([30.0, 60.0], (2, 1)), 5)
    assert plan.price.tolist() == [8.0, 8.0]
    assert plan.value == pytest.approx(40.0, rel=1e-6)


def test_lots_of_units_hardly_change_the_value() -> None:
    """Ten times the stock and the demand, counted in lots: luck matters less, so that a unit is worth a bit more."""
    prices = np.linspace(10, 4, 7)
    small = plan_markdown(prices, np.tile(np.linspace(8, 28, 7), (6, 1)), 150)
    large = plan_markdown(prices, np.tile(np.linspace(80, 280, 7), (6, 1)), 1_500)
    assert 10 * small.value < large.value < 10 * small.value * 1.02
    assert large.expected_units.sum() + large.leftover == pytest.approx(1_500)


def test_more_time_or_stock_or_salvage_is_never_worth_less() -> None:
    prices, demand, stock, salvage = case(2)
    base = plan_markdown(prices, demand, stock, salvage_value=salvage).value
    assert plan_markdown(prices, np.vstack([demand, demand[-1:]]), stock, salvage_value=salvage).value >= base
    assert plan_markdown(prices, demand, stock + 1, salvage_value=salvage).value >= base
    assert plan_markdown(prices, demand, stock, salvage_value=salvage + 0.5).value >= base


def test_what_cannot_be_planned_is_refused() -> None:
    with pytest.raises(ConfigError, match="The prices of a markdown do not fall"):
        plan_markdown(np.array([4.0, 6.0]), np.ones((2, 2)), 3)
    with pytest.raises(ConfigError, match=r"Demand has the shape \(2, 3\)"):
        plan_markdown(np.array([6.0, 4.0]), np.ones((2, 3)), 3)
    with pytest.raises(ConfigError, match="The stock is 0"):
        plan_markdown(np.array([6.0, 4.0]), np.ones((2, 2)), 0)
    with pytest.raises(ConfigError, match="weeks is 60"):
        MarkdownSettings(weeks=60)


def test_products_without_stock_are_held_and_the_missing_column_is_named() -> None:
    stock = np.full(60, 12.0)
    rows = make_rows(60)
    stock[rows.product_id == "P0"] = np.nan
    stock[rows.product_id == "P1"] = 0.0
    found = price_strategy("markdown", make_rows(60, stock=stock), NO_GUARDRAILS)
    by_product = dict(zip(rows.product_id, found.reason, strict=True))
    assert by_product["P0"].endswith(NO_STOCK_KNOWN) and by_product["P1"].endswith(SOLD_OUT)
    assert set(rows.product_id[found.held]) == {"P0", "P1"}
    assert found.notes == (
        "The stock of 1 of 6 products is unknown, so they stay at today's price. "
        "Give a column stock in the table products or market.",
    )
    assert set(found.details["markdowns"].plans) == {"P2", "P3", "P4", "P5"}


def test_the_first_price_is_on_the_ladder_within_the_rules_and_never_above_today() -> None:
    rows = make_rows(120, stock=np.full(120, 500.0))
    rules = Guardrails(margin_floor=0.2, max_change_rate=0.3, endings=(49, 99))
    settings = StrategySettings(markdown=MarkdownSettings(weeks=4, offers_per_week=300))
    found = price_strategy("markdown", rows, rules, settings=settings)
    assert not found.held.all()
    free = ~found.held
    assert (found.price[free] <= rows.current_price[free] + 0.005).all()
    assert (1 - rows.unit_cost[free] / found.price[free] >= 0.2 - 1e-9).all()
    for plan in found.details["markdowns"].plans.values():
        assert np.isin(np.round(100 * plan.price) % 100, (49, 99)).all()


def test_offers_of_a_week_set_the_pace_of_sales() -> None:
    rows = make_rows(60, stock=np.full(60, 40.0))
    slow, fast = (
        price_strategy(
            "markdown", rows, NO_GUARDRAILS, settings=StrategySettings(markdown=MarkdownSettings(offers_per_week=pace))
        ).details["markdowns"].to_frame()
        for pace in (60, 6_000)
    )  # fmt: skip
    assert (slow["leftover"] > fast["leftover"]).all()
    assert (slow["price"] <= fast["price"]).all()
