"""Demand curve, elasticities and heat map: the numbers behind the pictures, against plain arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from pricing_core.charts.demand import demand_curve_data, demand_curve_figure
from pricing_core.charts.elasticity import elasticity_data, elasticity_figure, heat_map_data, heat_map_figure
from pricing_core.errors import ConfigError, DataError
from pricing_core.response.price_response import PriceResponse
from pricing_core.response.pricing_rows import PricingRows


def _rows(
    intercept: list[list[float]],
    sensitivity: list[list[float]],
    *,
    products: list[str] | None = None,
    price: float = 10.0,
    cost: float = 5.0,
    weight: list[float] | None = None,
    assumed: bool = False,
) -> PricingRows:
    n = len(intercept)
    text = np.array([f"c{k}" for k in range(n)], dtype=object)
    return PricingRows(
        customer_id=text,
        product_id=np.array(products or ["p1"] * n, dtype=object),
        category=np.full(n, "snacks", dtype=object),
        current_price=np.full(n, price),
        list_price=np.full(n, math.nan),
        unit_cost=np.full(n, cost),
        competitor_price=np.full(n, math.nan),
        support_low=np.full(n, 6.0),
        support_high=np.full(n, 16.0),
        customer_fold=np.zeros(n, dtype=np.int64),
        evidence=np.full(n, "measured", dtype=object),
        weight=np.array(weight or [1.0] * n),
        response=PriceResponse(np.full(n, 10.0), np.array(intercept), np.array(sensitivity)),
        cost_assumed=np.full(n, assumed),
    )


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def test_the_curve_is_the_weighted_mean_chance_and_the_best_price_maximizes_its_profit() -> None:
    rows = _rows([[3.0, 3.2], [2.0, 2.2]], [[4.0, 4.1], [5.0, 5.2]], weight=[3.0, 1.0])
    data = demand_curve_data(rows)
    price, found = data.curve["price"][17], data.curve["conversion_rate"][17]
    chance = [_sigmoid(a - b * price / 10) for a, b in ((3, 4), (3.2, 4.1), (2, 5), (2.2, 5.2))]
    assert found == pytest.approx(3 / 4 * (chance[0] + chance[1]) / 2 + 1 / 4 * (chance[2] + chance[3]) / 2)
    assert data.curve["conversion_rate"].is_monotonic_decreasing
    assert (data.curve["price"].min(), data.curve["price"].max()) == (6.0, 16.0)
    profit = (data.curve["price"] - 5) * data.curve["conversion_rate"]
    assert data.curve["profit_per_offer"].to_numpy() == pytest.approx(profit.to_numpy())
    assert data.best_price == data.curve["price"][profit.argmax()]
    assert (data.curve["low"] < data.curve["conversion_rate"]).all()
    assert (data.curve["high"] > data.curve["conversion_rate"]).all()


def test_the_elasticity_is_that_of_total_sales_when_every_price_moves() -> None:
    rows = _rows([[3.0], [0.5]], [[4.0], [1.0]], weight=[3.0, 1.0])
    data = demand_curve_data(rows)

    def sales(price: float) -> float:
        return 3 * _sigmoid(3 - 4 * price / 10) + _sigmoid(0.5 - price / 10)

    numeric = (sales(10.001) - sales(9.999)) / 0.002 * 10 / sales(10)
    assert data.elasticity == pytest.approx(numeric, rel=1e-6)
    assert math.isnan(data.elasticity_low)  # one draw says nothing about its own uncertainty
    assert data.curve["low"].isna().all()
    assert "90% range" not in data.finding()
    assert "90% band" not in [trace.name for trace in demand_curve_figure(data).data]


def test_observed_points_are_conversion_by_price_band_within_the_prices_shown() -> None:
    log = pd.DataFrame(
        {"price": [7.0] * 50 + [9.0] * 50 + [40.0] * 50, "purchased": [1, 0] * 25 + [1, 0, 0, 0, 0] * 10 + [0] * 50}
    )
    observed = demand_curve_data(_rows([[3.0]], [[4.0]]), log).observed
    assert observed["price"].tolist() == [7.0, 9.0]
    assert observed["conversion_rate"].tolist() == [0.5, 0.2]
    assert observed["n"].tolist() == [50, 50]
    assert (observed["low"] < observed["conversion_rate"]).all()
    assert demand_curve_data(_rows([[3.0]], [[4.0]]), log.iloc[:0]).observed.empty


def test_several_products_share_an_axis_relative_to_the_going_price() -> None:
    rows = _rows([[3.0], [2.0]], [[4.0], [4.0]], products=["p1", "p2"])
    data = demand_curve_data(rows, pd.DataFrame({"price": [9.0] * 20, "purchased": [0, 1] * 10}))
    assert data.relative and data.current_price == 1.0
    assert data.observed.empty  # without a reference price the log has no place on this axis
    placed = pd.DataFrame({"price": [9.0] * 20, "purchased": [0, 1] * 10, "reference_price": 10.0})
    assert demand_curve_data(rows, placed).observed["price"].tolist() == pytest.approx([0.9])


def test_the_title_says_the_finding_in_the_currency() -> None:
    rows = _rows([[3.0, 3.0]], [[4.0, 4.0]], assumed=True)
    data = demand_curve_data(rows, best_price=12.5)
    figure = demand_curve_figure(data, currency="EUR")
    assert data.finding("EUR").startswith("1% more price costs 2.9% of sales")
    assert "best single price is €12.50, now €10.00" in figure.layout.title.text.replace("<br>", " ")
    assert "EUR" in figure.layout.xaxis.title.text and "assumed margin" in figure.layout.xaxis.title.text
    assert "best * €12.50" in [note.text for note in figure.layout.annotations]
    assert "already the best single one" in demand_curve_data(rows, best_price=10.0).finding()
    own = demand_curve_data(rows, best_price=12.5, one_customer=True).finding("EUR")
    assert own.startswith("1% more price lowers this customer's chance of a purchase by 2.9%")
    assert own.endswith("; the best price for this customer is €12.50, now €10.00")


@pytest.mark.parametrize(
    ("best", "told", "words"),
    [
        (10.0, {"limit": "list price (discount only)"},
         "the current price is already the best for this customer that discounts from the list price allow"),
        (10.0, {"limit": "margin floor"},
         "the current price is already the best for this customer that the rule “margin floor” allows"),
        (12.5, {"limit": "supported prices"},
         "the best price for this customer that past offers support is $12.50, now $10.00"),
        (10.0, {"limit": "margin floor", "follows": True}, "the recommended price is the current one"),
        (12.5, {"follows": True}, "the recommended price is $12.50, now $10.00"),
    ],
)  # fmt: skip
def test_a_price_that_a_rule_stops_or_a_strategy_sets_is_not_called_the_best(
    best: float, told: dict, words: str
) -> None:
    data = demand_curve_data(_rows([[3.0]], [[4.0]]), best_price=best, one_customer=True, **told)
    assert data.finding("USD").endswith(f"; {words}")


@pytest.mark.parametrize(("best", "rows"), [(10.0, 2), (10.3, 2), (6.5, 2), (15.5, 1)])
def test_labels_of_close_prices_stand_in_two_rows_above_the_plot(best: float, rows: int) -> None:
    figure = demand_curve_figure(demand_curve_data(_rows([[3.0]], [[4.0]]), best_price=best), currency="USD")
    labels = {note.text.split()[0]: note for note in figure.layout.annotations}
    assert set(labels) == {"now", "best"}
    assert len({note.yshift for note in labels.values()}) == rows
    assert all(note.y == 1 and note.yref == "paper" and note.yanchor == "bottom" for note in labels.values())
    ends = figure.data[-1].x[0], figure.data[-1].x[-1]
    for name, price in (("now", 10.0), ("best", best)):
        place = (price - ends[0]) / (ends[1] - ends[0])
        assert labels[name].xanchor == ("left" if place < 0.2 else "right" if place > 0.8 else "center")


def test_the_spread_of_elasticities_counts_every_row_with_its_weight() -> None:
    # −β x (1 − P) at x = 1: about −0.88, −2.92 and −4.99.
    rows = _rows([[0.0], [3.0], [0.0]], [[1.2], [4.0], [5.0]], weight=[1.0, 2.0, 1.0])
    data = elasticity_data(rows)
    expected = [-b * (1 - _sigmoid(a - b)) for a, b in ((0, 1.2), (3, 4), (0, 5))]
    assert data.bins["share"].sum() == pytest.approx(1)
    assert data.elastic_share == pytest.approx(0.75)
    assert data.median == pytest.approx(expected[1])
    assert data.finding.startswith("At 75% of offers 1% more price costs over 1% of sales")
    assert len(elasticity_figure(data).data) == 1


def test_no_offers_no_chart() -> None:
    nothing = _rows([[1.0]], [[1.0]]).take(np.zeros(1, dtype=bool))
    with pytest.raises(DataError, match="no offers to draw a demand curve"):
        demand_curve_data(nothing)
    with pytest.raises(DataError, match="no offers to show elasticities"):
        elasticity_data(nothing)


CELLS = pd.DataFrame(
    {
        "product": ["a", "a", "a", "b", "b", "c"],
        "tier": ["gold", "gold", "new", "gold", "new", "new"],
        "elasticity": [-1.0, -4.0, -2.0, -3.0, math.nan, -0.5],
        "offers": [3.0, 1.0, 2.0, 2.0, 5.0, 0.5],
    }
)


def test_heat_map_cells_are_weighted_means_and_thin_cells_are_blank() -> None:
    data = heat_map_data(CELLS, "product", "tier", "elasticity", weight="offers", name="Elasticity")
    assert data.value.loc["a", "gold"] == pytest.approx(-1.75)
    assert math.isnan(data.value.loc["b", "new"])  # its only value is unknown
    assert math.isnan(data.value.loc["c", "new"])  # half an offer
    assert list(data.value.index)[:2] == ["a", "b"]
    assert data.finding == "Elasticity: from −3.00 for b × gold to −1.75 for a × gold"
    figure = heat_map_figure(data, x="Tier", y="Product", scale="Elasticity")
    assert figure.data[0].texttemplate == "%{z:.2f}"


def test_heat_map_keeps_the_largest_groups_and_counts_the_rest() -> None:
    data = heat_map_data(CELLS, "product", "tier", "elasticity", weight="offers", most=(1, 1))
    assert data.value.shape == (1, 1)
    assert data.n_left_out == (2, 1)
    figure = heat_map_figure(data, x="Tier", y="Product", scale="Elasticity")
    assert figure.layout.xaxis.title.text == "Tier (2 more rows and 1 more columns not shown)"


def test_heat_map_refuses_what_it_cannot_average() -> None:
    with pytest.raises(ConfigError, match="no column 'segment'; it has product, tier"):
        heat_map_data(CELLS, "product", "segment", "elasticity")
    with pytest.raises(DataError, match="No combination of product and tier has enough offers"):
        heat_map_data(CELLS, "product", "tier", "elasticity", least_weight=100)
