"""Elasticities by group with their doubts, willingness to pay, and cross-price figures."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from pricing_core.charts.cross_price import competitor_text, cross_price_figure, cross_price_finding, cross_price_table
from pricing_core.charts.elasticity_groups import (
    doubt,
    elasticity_groups_data,
    elasticity_groups_figure,
    group_values,
    groupings,
)
from pricing_core.charts.willingness import willingness_data, willingness_figure
from pricing_core.errors import DataError
from pricing_core.explain.cross_price import CrossPrice
from tests.pricing_cases import make_rows

ROWS = make_rows(
    240, seed=8,
    labels={
        "customers: loyalty_tier": np.array(["gold", "none", ""] * 80, dtype=object),
        "protected: gender": np.array(["f", "m"] * 120, dtype=object),
        "week": np.array(["2026-W01", "2026-W02"] * 120, dtype=object),
    },
)  # fmt: skip


def test_rows_are_grouped_by_what_is_known_but_never_by_protected_attributes() -> None:
    assert groupings(ROWS) == {
        "product": "product", "category": "category", "customers: loyalty_tier": "loyalty tier"
    }  # fmt: skip
    assert set(group_values(ROWS, "customers: loyalty_tier")) == {"gold", "none", "unknown"}


def test_the_elasticity_of_a_group_is_that_of_its_sales() -> None:
    data = elasticity_groups_data(ROWS, "category")
    for row in data.table.to_dict("records"):
        mine = ROWS.take(ROWS.category == row["group"])
        step = 1e-5
        sales = [
            mine.response.probability_draws(mine.current_price * (1 + s)).mean(axis=1).sum() for s in (-step, step)
        ]
        wanted = (math.log(sales[1]) - math.log(sales[0])) / (2 * step)
        assert row["elasticity"] == pytest.approx(wanted, rel=1e-4)
        assert row["low"] < row["elasticity"] < row["high"]
        value = mine.response.elasticity(mine.current_price)
        assert row["q05"] <= np.median(value) <= row["q95"] and row["measured"] == row["offers"] == mine.n
    assert len(elasticity_groups_figure(data).data) == 2
    with pytest.raises(DataError, match="no offers"):
        elasticity_groups_data(ROWS.take(np.zeros(ROWS.n, dtype=bool)), "category")


def test_small_groups_are_counted_and_evidence_is_that_of_most_offers() -> None:
    evidence = np.where(ROWS.product_id == "P0", "extrapolated", "measured").astype(object)
    data = elasticity_groups_data(replace(ROWS, evidence=evidence), "product", most=3)
    assert data.n_left_out == 3 and len(data.table) == 3
    first = data.table.set_index("group").loc["P0"]
    assert first["evidence"] == "extrapolated" and first["doubt"] == "most prices lie outside what the data support"
    assert data.doubtful["group"].tolist() == ["P0"]
    figure = elasticity_groups_figure(data)
    assert [label.endswith("⚠") for label in figure.layout.yaxis.ticktext] == [True, False, False]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0.3, 0.1, 0.5), "demand would rise with the price"),
        ((-8.4, -9.0, -8.0), "stronger than −8: hardly any product reacts so"),
        ((-0.01, -0.02, -0.001), "flat: the price would not matter at all"),
        ((-1.2, -3.0, 0.6), "the range includes zero: it may be no reaction at all"),
        ((math.nan, math.nan, math.nan), "no number"),
        ((-2.0, -2.5, -1.5), ""),
    ],
)
def test_nonsense_is_called_so(values: tuple[float, float, float], words: str) -> None:
    assert doubt(*values, offers=1_000) == words


def test_few_offers_and_unsupported_prices_are_doubts_too() -> None:
    assert doubt(-2.0, -2.5, -1.5, offers=12) == "only 12 offers"
    assert doubt(-2.0, -2.5, -1.5, offers=1_000, extrapolated=0.6).startswith("most prices lie outside")


def test_willingness_to_pay_adds_up_to_all_offers() -> None:
    rows = make_rows(40, products=1, seed=9)
    data = willingness_data(rows)
    assert data.below + data.bands["share"].sum() + data.above == pytest.approx(1)
    assert data.above == pytest.approx(rows.response.probability(np.full(40, rows.support_high[0])).mean())
    assert (data.bands["share"] > 0).all() and (data.bands["share_low"] <= data.bands["share"]).all()
    told = willingness_figure(data, currency="USD").layout.title.text.replace("<br>", " ")
    assert told.startswith(f"Of 100 offers {100 * data.above:.0f} would still sell at $")


def _effect(category: str, low: float, high: float, **more: float) -> CrossPrice:
    middle = (low + high) / 2
    return CrossPrice(category, 500, 400, middle, low, high, 0.8, **more)


def test_what_is_measured_is_told_apart_from_what_is_assumed() -> None:
    found = [_effect("tea", 0.2, 1.4, competitor=0.9, competitor_low=0.5, competitor_high=1.3), _effect("care", -1, 1)]
    assert cross_price_finding(found) == "Other products' prices move sales in tea; elsewhere no effect is seen"
    assert cross_price_table(found)["verdict"].tolist() == ["substitutes", "no effect seen"]
    names = [trace.name for trace in cross_price_figure(found).data]
    assert [("measured" in n, "assumed" in n) for n in names] == [(True, False), (False, True), (False, False)]
    assert competitor_text(found).startswith("1% more of the competitor's price goes with 0.90% of sales")
    nothing = [_effect("tea", math.nan, math.nan)]
    assert cross_price_finding(nothing).startswith("Other products' prices: not measurable here")
    assert competitor_text(nothing) == "No competitor prices are known, so their effect cannot be learned."
