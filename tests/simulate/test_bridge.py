"""Bridges: textbook examples by hand, exact sums, and what exchanging the sides does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_core.errors import ConfigError, DataError
from pricing_core.simulate.bridge import bridge, shapley_effects


def side(*products: tuple[str, float, float, float]) -> pd.DataFrame:
    """Products as name, units, price and unit cost."""
    frame = pd.DataFrame(products, columns=["product_id", "units", "price", "each"])
    return frame.assign(revenue=frame["units"] * frame["price"], cost=frame["units"] * frame["each"])


def test_one_product_splits_into_price_and_volume_at_midpoints() -> None:
    """100 at 10 become 120 at 9: price −1 × 110, volume +20 × 9.50."""
    found = bridge(side(("a", 100, 10, 0)), side(("a", 120, 9, 0)), measure="revenue")
    assert (found.start, found.end) == (1000.0, 1080.0)
    assert found.effects == pytest.approx({"volume": 190.0, "mix": 0.0, "price": -110.0})


def test_a_pure_shift_between_products_is_mix() -> None:
    """Ten units move from the product with a margin of 2 to the one with a margin of 6."""
    found = bridge(side(("a", 50, 8, 6), ("b", 50, 10, 4)), side(("a", 40, 8, 6), ("b", 60, 10, 4)))
    assert found.effects == pytest.approx({"volume": 0.0, "mix": 40.0, "price": 0.0, "cost": 0.0})


def test_costs_alone_change_profit_by_units_times_the_difference() -> None:
    found = bridge(side(("a", 50, 8, 6)), side(("a", 50, 8, 6.5)))
    assert found.effects == pytest.approx({"volume": 0.0, "mix": 0.0, "price": 0.0, "cost": -25.0})


def test_a_product_that_appears_brings_volume_and_mix_not_price() -> None:
    found = bridge(side(("a", 50, 8, 6)), side(("a", 50, 8, 6), ("b", 10, 20, 5)))
    assert found.effects["price"] == pytest.approx(0.0) and found.effects["cost"] == pytest.approx(0.0)
    assert found.effects["volume"] + found.effects["mix"] == pytest.approx(150.0)


def test_nothing_sold_on_one_side_is_all_volume() -> None:
    found = bridge(side(("a", 0, 8, 6)), side(("a", 10, 8, 6), ("b", 10, 9, 4)))
    assert found.effects == pytest.approx({"volume": 70.0, "mix": 0.0, "price": 0.0, "cost": 0.0})


numbers = st.floats(0, 1e6, allow_nan=False)
product_lists = st.lists(st.tuples(st.sampled_from("abcdef"), numbers, numbers, numbers), unique_by=lambda p: p[0])


@settings(max_examples=200, deadline=None)
@given(product_lists, product_lists, st.sampled_from(["profit", "revenue"]))
def test_effects_sum_exactly_and_flip_with_the_sides(first: list, second: list, measure: str) -> None:
    there = bridge(side(*first), side(*second), measure=measure)
    back = bridge(side(*second), side(*first), measure=measure)
    size = max(1.0, abs(there.start), abs(there.end), *(abs(v) for v in there.effects.values()))
    assert abs(there.start + sum(there.effects.values()) - there.end) <= 1e-9 * size
    for part, effect in there.effects.items():
        assert abs(effect + back.effects[part]) <= 1e-9 * size


def test_shapley_values_of_a_product_of_three_match_the_averages_over_orders() -> None:
    ends = {"x": (2.0, 3.0), "y": (5.0, 4.0), "z": (1.0, 7.0)}
    found = shapley_effects(("x", "y", "z"), lambda at: float(np.prod([ends[n][at[n]] for n in ends])))
    by_hand = dict.fromkeys(ends, 0.0)
    for order in (("x", "y", "z"), ("x", "z", "y"), ("y", "x", "z"), ("y", "z", "x"), ("z", "x", "y"), ("z", "y", "x")):
        now = {n: v[0] for n, v in ends.items()}
        for name in order:
            before = float(np.prod(list(now.values())))
            now[name] = ends[name][1]
            by_hand[name] += (float(np.prod(list(now.values()))) - before) / 6
    assert found == pytest.approx(by_hand)


def test_what_a_bridge_cannot_do_is_said() -> None:
    good = side(("a", 1, 2, 1))
    with pytest.raises(ConfigError, match="measure is 'units'"):
        bridge(good, good, measure="units")
    with pytest.raises(DataError, match="needs the columns cost"):
        bridge(good.drop(columns="cost"), good)
    with pytest.raises(DataError, match="occurs twice"):
        bridge(pd.concat([good, good]), good)
