"""The bridge in words and as a waterfall."""

from __future__ import annotations

import pandas as pd

from pricing_core.charts.bridge import bridge_data, bridge_figure, short_money
from pricing_core.simulate.bridge import bridge


def side(units: float, price: float, cost: float) -> pd.DataFrame:
    return pd.DataFrame({"product_id": ["a"], "units": [units], "revenue": [units * price], "cost": [units * cost]})


def test_the_finding_names_what_helps_and_what_hurts() -> None:
    data = bridge_data(bridge(side(100, 10, 6), side(130, 9.5, 6)), "today", "new", currency="USD")
    assert data.finding == "Profit +$55.00: sales volume adds to it; prices take from it"
    assert data.table["name"].tolist() == ["today", "sales volume", "product mix", "prices", "unit costs", "new"]
    amounts = data.table["amount"]
    assert amounts.iloc[0] + amounts.iloc[1:-1].sum() == amounts.iloc[-1]


def test_two_sides_that_are_alike_are_said_to_be() -> None:
    data = bridge_data(bridge(side(100, 10, 6), side(100, 10, 6)), "a", "b")
    assert data.finding == "Profit is about the same in both"


def test_steps_that_cancel_are_not_called_alike() -> None:
    data = bridge_data(bridge(side(100, 10, 6), side(200, 8, 6)), "a", "b", currency="USD")
    assert "about the same" not in data.finding and "sales volume adds" in data.finding


def test_the_waterfall_shows_every_step_and_escapes_names() -> None:
    data = bridge_data(bridge(side(100, 10, 6), side(130, 9.5, 6)), "<b>today</b>", "new", currency="USD")
    figure = bridge_figure(data, currency="USD")
    bars = figure.data[0]
    assert list(bars.measure) == ["absolute", "relative", "relative", "relative", "relative", "total"]
    assert bars.x[0].replace("<br>", "") == "&lt;b&gt;today&lt;/b&gt;"
    assert bars.text[1].startswith("+$")


def test_short_amounts_drop_minor_units_from_a_hundred_up() -> None:
    assert [short_money(v, "USD") for v in (3.456, 99.5, 543.21, 123456.0)] == ["$3.46", "$99.50", "$543", "$123.5k"]
    assert short_money(-1234.5, "EUR", signed=True) == "−€1,234"
