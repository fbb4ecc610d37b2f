"""Ladders and endings by price range, against a list of every allowed amount."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_core.errors import ConfigError
from pricing_core.guardrails import Guardrails, PricePoints, PriceRange, Rule, Scope, allowed_range, price_points
from tests.guardrails.test_rule_files import some_ranges
from tests.pricing_cases import make_rows

CENTS = np.arange(1, 13_000)


def allowed_in(ranges: tuple[PriceRange, ...], cents: np.ndarray) -> np.ndarray:
    """Which whole amounts of cents the ranges allow, looked up in lists."""
    out = np.ones(len(cents), dtype=bool)
    for each in ranges:
        start, end = round(each.start * 100), float("inf") if each.end is None else round(each.end * 100)
        inside = (cents >= start) & (cents < end)
        if each.endings:
            out[inside] = np.isin(cents[inside] % 100, each.endings)
        elif each.step is not None:
            out[inside] = np.isin(cents[inside], range(0, 20_000, max(1, round(each.step * 100))))
        else:
            out[inside] = np.isin(cents[inside], [round(100 * point) for point in each.points])
    return out


def points_of(*rules: Rule, n: int = 1, **settings_: object) -> PricePoints:
    return price_points(make_rows(n), Guardrails(margin_floor=None, rules=rules, **settings_))  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(ranges=some_ranges(endings=False), cents=st.lists(st.floats(1, 11_000), min_size=1, max_size=20))
def test_neighbors_are_the_nearest_amounts_of_the_full_list(ranges: tuple[PriceRange, ...], cents: list[float]) -> None:
    ranges = tuple(each if each.step is None else replace(each, step=max(0.01, each.step % 7)) for each in ranges)
    listed = CENTS[allowed_in(ranges, CENTS)]
    points = points_of(Rule("price_ladder", ranges=ranges), n=len(cents))
    below, above = points.neighbors(np.array(cents) / 100)
    for k, amount in enumerate(cents):
        under, over = listed[listed <= amount + 1e-6], listed[listed >= amount - 1e-6]
        assert (np.isnan(below[k]) and not len(under)) or round(100 * below[k]) == under.max()
        assert not len(over) or round(100 * above[k]) == over.min()


def test_two_rules_leave_what_both_allow() -> None:
    ladder = Rule("price_ladder", ranges=(PriceRange(step=0.25),))
    ending = Rule("endings", ranges=(PriceRange(endings=(0, 50, 99)),))
    both = points_of(ladder, ending)
    listed = CENTS[(CENTS % 25 == 0) & np.isin(CENTS % 100, (0, 50, 99))] / 100
    np.testing.assert_allclose(both.between(3.1, 9.9), listed[(listed >= 3.1) & (listed <= 9.9)])
    below, above = both.neighbors(np.array([7.30]))
    assert (below[0], above[0]) == (7.0, 7.5)
    listed_points = Rule("price_ladder", ranges=(PriceRange(points=(4.99, 7.5, 8.2)),))
    np.testing.assert_allclose(points_of(listed_points, ending).between(1, 20), [4.99, 7.5])


@settings(max_examples=40, deadline=None)
@given(one=some_ranges(endings=True), two=some_ranges(endings=True), cents=st.floats(1, 11_000))
def test_two_rules_with_other_price_ranges_leave_what_both_allow(
    one: tuple[PriceRange, ...], two: tuple[PriceRange, ...], cents: float
) -> None:
    both = points_of(Rule("endings", ranges=one, name="one"), Rule("endings", ranges=two, name="two"))
    listed = CENTS[allowed_in(one, CENTS) & allowed_in(two, CENTS)]
    below, above = (float(found[0]) for found in both.neighbors(np.array([cents / 100])))
    under, over = listed[listed <= cents + 1e-6], listed[listed >= cents - 1e-6]
    assert (np.isnan(below) and not len(under)) or round(100 * below) == under.max()
    assert not len(over) or round(100 * above) == over.min()


def test_rules_that_share_no_amount_leave_none_and_do_not_search_forever() -> None:
    never = points_of(
        Rule("price_ladder", ranges=(PriceRange(step=0.5),)), Rule("endings", ranges=(PriceRange(endings=(99,)),))
    )
    below, above = never.neighbors(np.array([12.0]))
    assert np.isnan(below[0]) and np.isnan(above[0])
    assert not never.fits(np.array([0.01]), np.array([1e6])).any()
    odd = [Rule("price_ladder", ranges=(PriceRange(step=step),), name=str(step)) for step in (99.97, 99.91)]
    with pytest.raises(ConfigError, match="Price steps of 9997 and 9991 minor units do not fit together"):
        points_of(*odd).neighbors(np.array([12.0]))


def test_the_range_of_the_price_sets_the_direction() -> None:
    rule = Rule(
        "endings",
        ranges=(
            PriceRange(0, 5, endings=(99,), rounding="up"),
            PriceRange(5, 10, endings=(99,)),
            PriceRange(10, endings=(0,), rounding="down"),
        ),
    )
    points = points_of(rule, n=4)
    assert points.direction(np.array([4.0, 4.999, 5.0, 12.0])).tolist() == [1, 1, 0, -1]


def test_a_ladder_holds_where_its_scope_does_and_groups_take_the_rules_of_all_their_rows() -> None:
    rows = make_rows(6, products=3)
    ladder = Rule("price_ladder", scope=Scope("product", ("P1",)), ranges=(PriceRange(step=1),))
    points = price_points(rows, Guardrails(margin_floor=None, rules=(ladder,)))
    below, _ = points.neighbors(np.full(6, 7.77))
    assert below.tolist() == [7.77, 7.0, 7.77, 7.77, 7.0, 7.77]
    grouped = points.by_group(np.array([0, 0, 0, 1, 1, 1]), 2)
    assert grouped.neighbors(np.full(2, 7.77))[0].tolist() == [7.0, 7.0]
    alone = points.by_group(np.array([0, 1, 0, 0, 1, 0]), 2)
    assert alone.neighbors(np.full(2, 7.77))[0].tolist() == [7.77, 7.0]


def test_shop_wide_endings_are_points_as_well() -> None:
    points = price_points(make_rows(1), Guardrails(endings=(49, 99), rounding="down"))
    assert [float(v[0]) for v in points.neighbors(np.array([7.2]))] == [6.99, 7.49]
    assert points.direction(np.array([7.2])).tolist() == [-1]


def test_soft_ladders_give_way_where_no_amount_is_left_the_least_important_first() -> None:
    rows = make_rows(2, products=2, support_low=np.array([7.0, 7.0]), support_high=np.array([7.6, 9.0]))
    soft = [
        Rule("price_ladder", ranges=(PriceRange(step=0.5),), hard=False, priority=1),
        Rule("endings", ranges=(PriceRange(endings=(0,)),), hard=False, priority=2, name="whole"),
        Rule("price_ladder", ranges=(PriceRange(points=(7.25, 8.0)),), hard=False, priority=3, name="listed"),
    ]
    rules = Guardrails(margin_floor=None, price_floor=7.1, rules=tuple(soft))
    points = price_points(rows, rules, allowed_range(rows, rules, "personalized"))
    assert points.relaxed.tolist() == ["listed; whole", ""]
    np.testing.assert_allclose(points.between(7.1, 9, row=0), [7.5, 8.0, 8.5, 9.0])
    np.testing.assert_allclose(points.between(7.1, 9, row=1), [8.0])


def test_very_many_amounts_are_not_listed() -> None:
    with pytest.raises(ConfigError, match="Narrow the range"):
        points_of().between(1, 10_000)
