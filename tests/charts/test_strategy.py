"""A strategy beside today's prices."""

from __future__ import annotations

import pandas as pd
import pytest

from pricing_core.charts.strategy import against_today_data
from pricing_core.errors import DataError


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "strategy": ["status_quo", "product"],
            "profit": [100.0, 110.0],
            "profit_low": [90.0, 95.0],
            "profit_high": [110.0, 125.0],
            "revenue": [400.0, 300.0],
            "units": [0.0, 5.0],
            "conversion_rate": [0.20, 0.25],
            "average_price": [5.0, 4.0],
            "margin_rate": [0.40, 0.35],
        }
    )


def test_amounts_change_by_a_share_and_rates_by_a_difference(table: pd.DataFrame) -> None:
    found = against_today_data(table, "product")
    assert found.loc["profit"].tolist() == pytest.approx([110.0, 95.0, 125.0, 0.10])
    assert found.loc["revenue", "change"] == pytest.approx(-0.25)
    assert found.loc["margin_rate", "change"] == pytest.approx(-0.05)
    assert found.loc["conversion_rate", "change"] == pytest.approx(0.05)


def test_what_has_no_basis_is_blank(table: pd.DataFrame) -> None:
    found = against_today_data(table, "product")
    assert pd.isna(found.loc["units", "change"])
    assert found.loc["average_price", ["low", "high"]].isna().all()


def test_a_strategy_that_was_not_simulated_is_named(table: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="'uniform' was not simulated"):
        against_today_data(table, "uniform")
    with pytest.raises(DataError, match="'status_quo' was not simulated"):
        against_today_data(table.tail(1), "product")
