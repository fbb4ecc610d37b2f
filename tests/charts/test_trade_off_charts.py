"""What profit buys, and what is left of a gain if products compete: the numbers and the sentences of both charts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pricing_core.charts.frontier import frontier_trade_data, frontier_trade_figure
from pricing_core.charts.substitutes import similarity_data, similarity_figure
from pricing_core.errors import DataError
from pricing_core.optimize.frontier import FrontierResult
from pricing_core.optimize.substitutes import CategoryDemand


def result(conversion: list[float], revenue: list[float], profit: list[float]) -> FrontierResult:
    points = [("today", "", 90.0, 900.0, 0.1), ("chosen", "", profit[0], revenue[0], conversion[0])]
    points += [("frontier", "conversion", p, 1_000.0, c) for p, c in zip(profit, conversion, strict=True)]
    points += [("frontier", "revenue", p, r, 0.2) for p, r in zip(profit, revenue, strict=True)]
    table = pd.DataFrame(points, columns=["point", "edge", "profit", "revenue", "conversion_rate"])
    return FrontierResult(table, 1_000.0, 100, 100, True)


def test_the_title_says_what_two_percent_of_profit_buy() -> None:
    data = frontier_trade_data(result([0.20, 0.24, 0.30], [1_000.0, 1_060.0, 1_200.0], [100.0, 96.0, 80.0]))
    # 2% is half way to the second point: 2 points of conversion, 3% of revenue
    assert data.finding == "Giving up 2% of profit would buy 2.0 points of conversion or 3.0% more revenue"


def test_a_frontier_without_room_says_so() -> None:
    data = frontier_trade_data(result([0.2, 0.2], [1_000.0, 1_000.0], [100.0, 100.0]))
    assert data.finding == "Within these rules, no conversion or revenue can be bought with a little profit"


def test_the_figure_marks_today_and_the_chosen_prices() -> None:
    data = frontier_trade_data(result([0.20, 0.24], [1_000.0, 1_060.0], [100.0, 96.0]))
    figure = frontier_trade_figure(data, currency="EUR")
    names = [trace.name for trace in figure.data]
    assert names.count("today's prices") == 2 and names.count("these prices") == 2
    today = next(trace for trace in figure.data if trace.name == "today's prices")
    assert (today.x[0], today.y[0]) == (0.1, 90.0)
    assert figure.layout.yaxis.title.text == "Profit (EUR)"


def test_a_frontier_without_columns_is_refused() -> None:
    empty = FrontierResult(pd.DataFrame({"point": []}), 1.0, 0, 0, False)
    with pytest.raises(DataError, match="The frontier lacks edge, profit"):
        frontier_trade_data(empty)


def demand(cut: float) -> CategoryDemand:
    ones = np.ones(3)
    price, reaction = 10 * ones, 0.25 * ones
    new = price * (1 - cut)
    sold = 30 * np.exp(reaction * price * cut)
    return CategoryDemand(["a", "b", "c"], ["tea"] * 3, np.zeros(3, int), 30 * ones, sold, price, new, 5 * ones,
                          5 * ones, reaction, 0.8 * price, 1.2 * price)  # fmt: skip


def test_the_title_says_at_which_similarity_the_gain_is_gone() -> None:
    data = similarity_data(demand(0.06), 0.2)
    assert data.finding.startswith("The gain is gone if ") and "% of moved sales stays in the category" in data.finding
    share = float(data.finding.split("if ")[1].split("%")[0]) / 100
    near = similarity_data(demand(0.06), share)
    assert abs(near.gain) < 0.1 * data.table["alone"][0]
    figure = similarity_figure(data, currency="USD", period="4 weeks")
    assert [trace.name for trace in figure.data[:3]] == [
        "these prices", "prices that mind their siblings", "if independent",
    ]  # fmt: skip
    assert figure.layout.yaxis.title.text == "Gain over today's prices (USD, 4 weeks)"


def test_dearer_products_gain_more_if_they_compete() -> None:
    lifted = similarity_data(demand(-0.05), 0.5)
    assert lifted.gain > lifted.table["alone"][0]


def test_prices_without_a_gain_say_so() -> None:
    assert similarity_data(demand(0.5), 0.3).finding == "These prices do not gain even if products are independent"
