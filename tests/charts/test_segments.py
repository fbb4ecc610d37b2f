"""Numbers behind the tree of segments, the shares by depth, the value ladder and a markdown."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pricing_core.charts.markdown import markdown_data, markdown_figure
from pricing_core.charts.segments import (
    segment_shares_data,
    segment_shares_figure,
    segment_tree_data,
    segment_tree_figure,
)
from pricing_core.charts.value_ladder import value_ladder_data, value_ladder_figure
from pricing_core.optimize.markdown_plan import plan_markdown
from pricing_core.optimize.segment_tree import grow_tree
from pricing_core.optimize.segments import Segments
from pricing_core.optimize.settings import SegmentSettings
from pricing_core.optimize.tree_growth import TreeConfig
from pricing_core.simulate.segment_shares import SegmentShares
from pricing_core.simulate.value_ladder import value_ladder

FEATURES = pd.DataFrame({"customers: tier": ["<b>gold</b>"] * 4 + ["none"] * 6, "age": [30.0, 50] * 5})


def segments() -> Segments:
    """Gold at 10% below, young others at no change, older others at 10% above."""
    best = np.where(FEATURES["customers: tier"] != "none", 0, np.where(FEATURES["age"] < 40, 1, 2))
    profit = -((np.arange(3)[None, :] - best[:, None]) ** 2.0)
    return Segments(grow_tree(profit, FEATURES, TreeConfig(2, 1)), np.array([-0.1, 0.0, 0.1]), SegmentSettings())


def test_the_tree_names_its_nodes_and_leaves() -> None:
    data = segment_tree_data(segments())
    assert data.finding == "3 segments, from −10% to +10%"
    leaves = data.table[data.table["segment"] != ""].set_index("segment")
    assert leaves["rule"].tolist() == [
        "tier is <b>gold</b>",
        "tier is none and age is at most 30",
        "tier is none and age is above 30",
    ]
    assert leaves["change_rate"].tolist() == [-0.1, 0.0, 0.1] and leaves["rows"].tolist() == [4, 3, 3]
    assert leaves.loc["S1", "effect"] == "10% below the product's best single price"
    assert data.table["rows"].iloc[0] == 10 and data.table["parent"].iloc[0] == ""


def test_the_figure_shows_every_leaf_and_no_markup_of_the_data() -> None:
    figure = segment_tree_figure(segment_tree_data(segments()))
    texts = [text for text in figure.data[-1].text if text]
    assert texts == ["  <b>S1: −10%</b>, 40% of offers", "  <b>S2: no change</b>, 30% of offers",
                     "  <b>S3: +10%</b>, 30% of offers"]  # fmt: skip
    written = [note.text for note in figure.layout.annotations]
    assert "tier is &lt;b&gt;gold&lt;/b&gt;" in written and len(written) == 4
    heights = [y for y, text in zip(figure.data[-1].y, figure.data[-1].text, strict=True) if text]
    assert len(set(heights)) == 3


def test_one_segment_says_so() -> None:
    alone = Segments(grow_tree(np.ones((10, 3)), FEATURES, TreeConfig(2, 1)), np.zeros(3), SegmentSettings())
    data = segment_tree_data(alone)
    assert data.finding == "One segment: no question is worth asking"
    assert len(segment_tree_figure(data).data[-1].x) == 1


def test_shares_name_the_smallest_depth_that_keeps_as_much() -> None:
    table = pd.DataFrame(
        {"depth": [0, 1, 2, 3], "segments": [1, 2, 4, 8], "share": [0.90, 0.958, 0.96, 0.961],
         "share_low": [0.88] * 4, "share_high": [0.99] * 4, "gain_share": [0.5] * 4}
    )  # fmt: skip
    data = segment_shares_data(SegmentShares(table, 100.0), 3)
    assert data.finding == (
        "Depth 3 keeps 96.1% of the profit of personal prices; depth 1 keeps as much within half a point"
    )
    assert list(segment_shares_figure(data).data[0].marker.symbol) == ["circle"] * 3 + ["diamond"]
    assert segment_shares_data(SegmentShares(table, 100.0), 0).finding == (
        "Depth 0 keeps 90.0% of the profit of personal prices"
    )


def test_the_ladder_starts_with_today_on_top() -> None:
    profit = {name: mean + np.array([-1.0, 1.0, -2.0, 2.0]) for name, mean in (("status_quo", 100), ("product", 120))}
    data = value_ladder_data(value_ladder(profit, np.arange(4), np.array([0, 0, 1, 1])), currency="USD")
    assert data.table["label"].tolist() == ["", "+$20.00, 100% of the largest gain"]
    figure = value_ladder_figure(data, currency="USD")
    assert list(figure.data[0].y) == ["one price per product", "today's prices"]  # drawn from the bottom up
    assert list(figure.data[0].x) == [20.0, 0.0]


def test_a_markdown_says_where_it_goes_and_what_stays() -> None:
    plan = plan_markdown(np.array([10.0, 8.0, 6.0]), np.tile([2.0, 4.0, 6.5], (3, 1)), 14)
    data = markdown_data(plan, currency="USD")
    assert data.table["stock"].iloc[0] == 14 and len(data.table) == 4 and np.isnan(data.table["price"].iloc[-1])
    left = round(plan.leftover)
    assert data.finding.endswith(f"{left} units left over" if left else "nothing left over")
    figure = markdown_figure(data, currency="USD")
    assert list(figure.data[0].y)[:3] == plan.price.tolist() and set(figure.data[1].y) == {plan.constant_price}
