"""Laws of guardrails: tightening never pays, receipts are never negative, order and currency do not matter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_core.guardrails import Guardrails, PriceRange, Rule, Scope, allowed_range
from pricing_core.optimize.infeasible import find_conflicts
from pricing_core.optimize.posterior import posterior_profit
from pricing_core.optimize.receipts import rule_receipts
from pricing_core.optimize.strategies import price_strategy
from pricing_core.response import PricingRows
from tests.pricing_cases import make_rows

LAW = settings(max_examples=30, deadline=None)
SCOPES = st.sampled_from(
    [Scope(), Scope("category", ("k1",)), Scope("product", ("P0", "P2")), Scope("segment", ("a",))]
)


def shop(seed: int, n: int = 36) -> PricingRows:
    rows = make_rows(n, 4, seed=seed)
    return replace(rows, labels={"segment": np.array([["a", "b", ""][(i // 6) % 3] for i in range(n)], dtype=object)})


@st.composite
def some_rule(draw: Any) -> tuple[Rule, Rule]:
    """A row rule and a tighter version of it."""
    kind = draw(st.sampled_from(["margin_floor", "price_floor", "price_ceiling", "max_change_rate",
                                 "max_list_change_rate", "competitor_band"]))  # fmt: skip
    scope, tighter = draw(SCOPES), draw(st.floats(0, 1))
    hard, priority = draw(st.booleans()), draw(st.integers(1, 9))
    if kind == "competitor_band":
        half = draw(st.floats(0.05, 0.5))
        bands = [(1 - half, 1 + half), (1 - half * (1 - tighter / 2), 1 + half * (1 - tighter / 2))]
        rules = [Rule(kind, scope=scope, low_rate=low, high_rate=high, hard=hard, priority=priority, name=kind)
                 for low, high in bands]  # fmt: skip
        return rules[0], rules[1]
    loose, tight = {
        "margin_floor": (lambda u: 0.4 * u, lambda v: v + 0.2 * tighter),
        "price_floor": (lambda u: 12 * u, lambda v: v + 4 * tighter),
        "price_ceiling": (lambda u: 6 + 14 * u, lambda v: v * (1 - 0.4 * tighter)),
    }.get(kind, (lambda u: 0.02 + 0.4 * u, lambda v: v * (1 - 0.7 * tighter)))
    value = loose(draw(st.floats(0, 1)))
    made = [Rule(kind, number, scope, hard=hard, priority=priority, name=kind) for number in (value, tight(value))]
    return made[0], made[1]


@LAW
@given(seed=st.integers(0, 10_000), pair=some_rule(), other=some_rule())
def test_a_tighter_rule_never_raises_the_predicted_optimum(
    seed: int, pair: tuple[Rule, Rule], other: tuple[Rule, Rule]
) -> None:
    rows = shop(seed)
    beside = other[0].with_changes(name="other", hard=True)
    loose, tight = (Guardrails(margin_floor=None, decimals=3, rules=(rule, beside)) for rule in pair)
    wide, narrow = (price_strategy("personalized", rows, rules) for rules in (loose, tight))
    both = ~wide.held & ~narrow.held
    more = posterior_profit(rows.response, wide.price, rows.unit_cost)
    less = posterior_profit(rows.response, narrow.price, rows.unit_cost)
    assert (less[both] <= more[both] + 1e-6 * np.abs(more[both]) + 1e-9).all()
    assert not (wide.held & ~narrow.held).any()


@LAW
@given(seed=st.integers(0, 10_000), pair=some_rule())
def test_a_tighter_rule_leaves_a_smaller_range(seed: int, pair: tuple[Rule, Rule]) -> None:
    rows = shop(seed)
    wide, narrow = (
        allowed_range(rows, Guardrails(max_change_rate=0.3, rules=(rule,)), "personalized") for rule in pair
    )
    both = wide.feasible & narrow.feasible
    assert (narrow.low >= wide.low - 1e-9)[both].all() and (narrow.high <= wide.high + 1e-9)[both].all()
    assert not (narrow.feasible & ~wide.feasible).any()


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000), one=some_rule(), two=some_rule(),
    strategy=st.sampled_from(["personalized", "personalized_discount", "product", "uniform", "cost_plus"]),
)  # fmt: skip
def test_receipts_are_never_negative(seed: int, one: tuple[Rule, Rule], two: tuple[Rule, Rule], strategy: str) -> None:
    rules = Guardrails(max_change_rate=0.2, endings=(49, 99), rules=(one[0], two[1].with_changes(name="second")))
    found = rule_receipts(strategy, shop(seed), rules)
    assert min(each.cost for each in found) >= 0
    assert found[-1].cost >= max(each.cost for each in found) - 1e-9


@LAW
@given(seed=st.integers(0, 10_000), one=some_rule(), two=some_rule())
def test_permuting_rows_permutes_ranges_receipts_and_conflicts(
    seed: int, one: tuple[Rule, Rule], two: tuple[Rule, Rule]
) -> None:
    rows = shop(seed)
    order = np.random.default_rng(seed).permutation(rows.n)
    rules = Guardrails(rules=(one[0], two[1].with_changes(name="second"), Rule("min_units", 1.0)))
    straight, mixed = (allowed_range(each, rules, "personalized") for each in (rows, rows.take(order)))
    for name in ("low", "high", "low_rule", "high_rule", "conflict", "relaxed"):
        np.testing.assert_array_equal(getattr(mixed, name), getattr(straight, name)[order])
    messages = [
        {each.message for each in find_conflicts(part, rules, "personalized")} for part in (rows, rows.take(order))
    ]
    assert messages[0] == messages[1]
    plain = rules.with_changes(rules=rules.rules[:2])
    costs = [
        {each.rule: each.cost for each in rule_receipts("personalized", part, plain)}
        for part in (rows, rows.take(order))
    ]
    assert costs[0].keys() == costs[1].keys()
    for name, cost in costs[0].items():
        np.testing.assert_allclose(costs[1][name], cost, rtol=1e-6, atol=1e-9)


@LAW
@given(seed=st.integers(0, 10_000), one=some_rule(), two=some_rule())
def test_another_currency_rescales_ranges_and_receipts(
    seed: int, one: tuple[Rule, Rule], two: tuple[Rule, Rule]
) -> None:
    """A hundredfold currency with two digits less has the same minor units: everything scales exactly."""
    rows, rate = shop(seed), 100.0
    money = ("current_price", "list_price", "unit_cost", "competitor_price", "support_low", "support_high")
    other = replace(
        rows, response=replace(rows.response, reference_price=rate * rows.response.reference_price),
        **{name: rate * getattr(rows, name) for name in money},
    )  # fmt: skip
    pair = (one[0], two[1].with_changes(name="second"))
    dear = tuple(
        rule.with_changes(value=rate * rule.value) if rule.about.unit == "money" and rule.value else rule
        for rule in pair
    )
    ours = Guardrails(decimals=2, rules=pair)
    theirs = Guardrails(decimals=0, rules=dear)
    here, there = allowed_range(rows, ours, "personalized"), allowed_range(other, theirs, "personalized")
    np.testing.assert_allclose(there.low, rate * here.low, rtol=1e-9)
    np.testing.assert_allclose(there.high, rate * here.high, rtol=1e-9)
    costs = [[each.cost for each in rule_receipts("personalized", part, rules)]
             for part, rules in ((rows, ours), (other, theirs))]  # fmt: skip
    np.testing.assert_allclose(costs[1], rate * np.array(costs[0]), rtol=1e-5, atol=1e-6)


@LAW
@given(seed=st.integers(0, 10_000), points=st.lists(st.integers(3, 25), min_size=1, max_size=5, unique=True))
def test_fewer_ladder_points_never_raise_the_predicted_optimum(seed: int, points: list[int]) -> None:
    rows = shop(seed)
    chosen = []
    for amounts in (points, points[: max(1, len(points) // 2)]):
        ladder = Rule("price_ladder", ranges=(PriceRange(points=tuple(float(p) for p in amounts)),))
        chosen.append(price_strategy("personalized", rows, Guardrails(margin_floor=None, rules=(ladder,))))
    many, few = chosen
    both = ~many.held & ~few.held
    profit = [posterior_profit(rows.response, each.price, rows.unit_cost)[both] for each in (many, few)]
    assert (profit[1] <= profit[0] * (1 + 1e-6) + 1e-9).all()
