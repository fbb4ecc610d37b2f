"""Each strategy's prices against what its rule says."""

from __future__ import annotations

import numpy as np
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.guardrails import NO_GUARDRAILS, Guardrails, Rule
from pricing_core.optimize.posterior import posterior_profit
from pricing_core.optimize.settings import STRATEGIES, StrategySettings, check_strategies
from pricing_core.optimize.strategies import price_strategy
from tests.pricing_cases import make_rows

RULES = Guardrails(margin_floor=0.2, max_change_rate=0.15, endings=(49, 99))


@pytest.mark.parametrize("name", [s for s in STRATEGIES if s != "status_quo"])
@pytest.mark.parametrize("rules", [NO_GUARDRAILS, RULES])
def test_every_price_keeps_every_rule(name: str, rules: Guardrails) -> None:
    rows = make_rows(120, stock=np.full(120, 40.0))
    found = price_strategy(name, rows, rules)
    free = ~found.held
    price = found.price[free]
    assert free.any()
    assert (price >= rows.support_low[free] - 1e-9).all() and (price <= rows.support_high[free] + 1e-9).all()
    cents = np.round(100 * price)
    np.testing.assert_allclose(100 * price, cents, atol=1e-6)
    if rules is RULES:
        assert (1 - rows.unit_cost[free] / price >= 0.2 - 1e-9).all()
        assert (np.abs(price / rows.current_price[free] - 1) <= 0.15 + 1e-9).all()
        assert np.isin(cents % 100, (49, 99)).all()
    np.testing.assert_array_equal(found.price[found.held], rows.current_price[found.held])
    assert all(reason.startswith("held at") for reason in found.reason[found.held])


def test_personalized_takes_the_best_of_all_whole_cents() -> None:
    rows = make_rows(60)
    found = price_strategy("personalized", rows, NO_GUARDRAILS)
    reached = posterior_profit(rows.response, found.price, rows.unit_cost)
    for i in range(rows.n):
        cents = np.arange(np.ceil(100 * rows.support_low[i] - 1e-9), 100 * rows.support_high[i] + 1e-9) / 100
        one = rows.response.take(np.full(cents.size, i))
        assert reached[i] >= posterior_profit(one, cents, np.full(cents.size, rows.unit_cost[i])).max() * (1 - 1e-12)


def test_discounts_never_exceed_the_list_price_or_the_current_one_where_that_is_unknown() -> None:
    rows = make_rows(60)
    listed = rows.list_price.copy()
    listed[::3] = np.nan
    rows = make_rows(60, list_price=listed)
    found = price_strategy("personalized_discount", rows, NO_GUARDRAILS)
    cap = np.where(np.isnan(listed), rows.current_price, listed)
    assert (found.price <= cap + 1e-9).all()
    free = price_strategy("personalized", rows, NO_GUARDRAILS)
    assert (free.price > cap + 0.01).any()
    at_cap = free.price > cap + 0.01
    named = set(found.binding[at_cap])
    assert named == {"list price (discount only)", "current price (discount only)"}


def test_uniform_is_one_multiplier_and_no_other_earns_more() -> None:
    rows = make_rows(60, support_low=np.full(60, 0.5), support_high=np.full(60, 60.0))
    found = price_strategy("uniform", rows, Guardrails(margin_floor=None, decimals=3))
    ratio = found.price / rows.current_price
    assert np.ptp(ratio) < 2e-4  # apart from rounding
    totals = [
        posterior_profit(rows.response, m * rows.current_price, rows.unit_cost).sum() for m in np.linspace(0.5, 2, 1501)
    ]
    assert posterior_profit(rows.response, found.price, rows.unit_cost).sum() >= max(totals) * (1 - 1e-5)
    assert "for all prices" in found.reason[0]


def test_product_gives_one_price_per_product_and_no_other_earns_more() -> None:
    rows = make_rows(120)
    found = price_strategy("product", rows, NO_GUARDRAILS)
    for product in np.unique(rows.product_id):
        mine = rows.product_id == product
        assert np.unique(found.price[mine]).size == 1
        part = rows.take(mine)
        grid = np.round(np.arange(part.support_low.max(), part.support_low.max() * 5 / 3, 0.01), 2)
        totals = [posterior_profit(part.response, np.full(part.n, p), part.unit_cost).sum() for p in grid]
        own = posterior_profit(part.response, found.price[mine], part.unit_cost).sum()
        assert own >= max(totals) * (1 - 1e-6)


def test_product_takes_the_typical_supported_prices_where_rows_share_none() -> None:
    rows = make_rows(12, products=1)
    low = np.where(np.arange(12) == 0, 1.3, 0.75) * rows.list_price
    high = np.where(np.arange(12) == 0, 1.5, 1.25) * rows.list_price
    split = make_rows(12, products=1, support_low=low, support_high=high)
    found = price_strategy("product", split, NO_GUARDRAILS)
    assert np.unique(found.price).size == 1
    assert 0.75 * rows.list_price[0] <= found.price[0] <= 1.25 * rows.list_price[0]
    assert not found.held.any()


def test_change_of_a_product_counts_against_its_median_current_price() -> None:
    current = np.full(9, 10.0)
    current[:3] = 14.0
    rows = make_rows(
        9,
        products=1,
        current_price=current,
        list_price=np.full(9, 10.0),
        unit_cost=np.full(9, 9.0),
        support_low=np.full(9, 5.0),
        support_high=np.full(9, 20.0),
    )
    found = price_strategy("product", rows, Guardrails(max_change_rate=0.1))
    assert (found.price == 11.0).all()
    assert set(found.binding) == {"maximum change"}


def test_cost_plus_takes_the_markup_or_the_usual_one() -> None:
    rows = make_rows(30)
    fixed = price_strategy("cost_plus", rows, NO_GUARDRAILS, settings=StrategySettings(markup=0.6))
    np.testing.assert_allclose(fixed.price, rows.unit_cost * 1.6, atol=0.00501)
    usual = price_strategy("cost_plus", rows, NO_GUARDRAILS)
    np.testing.assert_allclose(
        usual.price, rows.unit_cost * np.median(rows.current_price / rows.unit_cost), atol=0.00501
    )


def test_competitor_follows_the_index_and_holds_where_no_price_is_known() -> None:
    rival = make_rows(30).competitor_price.copy()
    rival[4] = np.nan
    rows = make_rows(30, competitor_price=rival)
    found = price_strategy("competitor", rows, NO_GUARDRAILS, settings=StrategySettings(competitor_index=0.95))
    known = np.arange(30) != 4
    np.testing.assert_allclose(found.price[known], 0.95 * rival[known], atol=0.00501)
    assert found.status[4] == "hold"
    assert found.price[4] == rows.current_price[4]
    assert found.reason[4] == f"held at {rows.current_price[4]:.2f}: no competitor price is known"


def test_status_quo_keeps_a_price_outside_the_supported_ones_and_says_so() -> None:
    rows = make_rows(6)
    current = rows.current_price.copy()
    current[2] = 2 * rows.support_high[2]
    found = price_strategy("status_quo", make_rows(6, current_price=current), NO_GUARDRAILS)
    np.testing.assert_array_equal(found.price, current)
    assert found.reason[2] == "current price kept, although outside the supported prices"
    assert found.reason[0] == "current price kept"


def test_contradicting_rules_hold_the_row_with_both_named() -> None:
    rows = make_rows(6, unit_cost=np.full(6, 50.0))
    found = price_strategy("personalized", rows, Guardrails(margin_floor=0.0))
    assert found.held.all()
    clash = f"margin floor (50.00) is above supported prices ({rows.support_high[0]:.2f})"
    assert found.reason[0] == f"held at {rows.current_price[0]:.2f}: {clash}"


def test_no_ending_within_the_range_holds_the_row() -> None:
    rows = make_rows(
        1, products=1, current_price=np.array([10.2]), list_price=np.array([10.3]), unit_cost=np.array([5.0]),
        support_low=np.array([10.1]), support_high=np.array([10.4]),
    )  # fmt: skip
    for name in ("personalized", "uniform", "product"):
        found = price_strategy(name, rows, Guardrails(endings=(99,)))
        assert found.status[0] == "hold", name
        assert "allowed ending" in found.reason[0]


def test_rounding_down_never_raises_the_computed_price() -> None:
    rows = make_rows(60)
    exact = price_strategy("personalized", rows, Guardrails(margin_floor=None, decimals=3))
    down = price_strategy("personalized", rows, Guardrails(margin_floor=None, endings=(49, 99), rounding="down"))
    free = ~down.held
    assert (down.price[free] <= exact.price[free] + 0.001).all()
    assert free.sum() > 30


def test_binding_rule_is_the_one_whose_removal_changes_the_price() -> None:
    rows = make_rows(60)
    found = price_strategy("personalized", rows, Guardrails(max_change_rate=0.05))
    freed = price_strategy("personalized", rows, Guardrails())
    bound = found.binding == "maximum change"
    assert bound.any() and (~bound).any()
    assert (np.abs(freed.price[bound] - found.price[bound]) > 0.005).all()
    np.testing.assert_array_equal(found.price[found.binding == ""], freed.price[found.binding == ""])


def test_reasons_name_both_prices_and_the_rule() -> None:
    rows = make_rows(60)
    found = price_strategy("personalized", rows, Guardrails(max_change_rate=0.05))
    i = int(np.flatnonzero((found.status == "cut") & (found.binding == "maximum change"))[0])
    assert found.reason[i].startswith(f"cut from {rows.current_price[i]:.2f} to {found.price[i]:.2f}: ")
    assert found.reason[i].endswith("; stopped by the maximum change")


def test_draws_and_learning_rows_limit_what_the_choice_sees() -> None:
    rows = make_rows(60)
    first = rows.response.draw_fold == 0
    by_half = price_strategy("personalized", rows, NO_GUARDRAILS, draws=first)
    alone = make_rows(60, response=rows.response.with_draws(first))
    np.testing.assert_array_equal(by_half.price, price_strategy("personalized", alone, NO_GUARDRAILS).price)
    learn = rows.customer_fold == 0
    shared = price_strategy("uniform", rows, NO_GUARDRAILS, learn_rows=learn)
    only = price_strategy("uniform", rows.take(learn), NO_GUARDRAILS)
    np.testing.assert_array_equal(shared.price[learn], only.price)


def test_a_product_without_learning_rows_uses_all_its_rows() -> None:
    rows = make_rows(60)
    learn = rows.product_id != "P0"
    found = price_strategy("product", rows, NO_GUARDRAILS, learn_rows=learn)
    whole = price_strategy("product", rows, NO_GUARDRAILS)
    np.testing.assert_array_equal(found.price, whole.price)


def test_unknown_names_and_wrong_lengths_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"There is no strategy 'cheap'\. Strategies are personalized_discount"):
        price_strategy("cheap", make_rows(6), NO_GUARDRAILS)
    with pytest.raises(DataError, match=r"learn_rows has the shape \(3,\); there are 6 rows"):
        price_strategy("uniform", make_rows(6), NO_GUARDRAILS, learn_rows=np.ones(3, dtype=bool))
    with pytest.raises(ConfigError, match="competitor_index is 0"):
        StrategySettings(competitor_index=0)
    assert check_strategies(["uniform", " product ", "uniform"]) == ("uniform", "product")


def test_a_strategy_with_a_rule_of_its_own_says_which_rules_over_several_prices_it_breaks() -> None:
    rows = make_rows(60)
    spread = Rule("max_dispersion_rate", 0.0)
    few = Rule("max_changes", 0)
    found = price_strategy("cost_plus", rows, Guardrails(rules=(spread, few)), settings=StrategySettings(markup=0.7))
    assert found.notes == (
        f"These prices do not keep the rule “{few.label}”: the strategy's own rule is not bent for it.",
    )
    kept = price_strategy("cost_plus", rows, Guardrails(rules=(spread,)), settings=StrategySettings(markup=0.7))
    assert kept.notes == ()
