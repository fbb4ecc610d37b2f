"""Weekly figures against sums worked out by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from pricing_core.charts.overview import latest_change_data, weekly_overview_data
from pricing_core.data.dataset import Dataset, DatasetManifest
from pricing_core.errors import ConfigError


def _shop(offers: list[tuple[str, float, int]], **more: object) -> Dataset:
    frame = pd.DataFrame(offers, columns=["offered_at", "price", "purchased"])
    frame["offered_at"] = pd.to_datetime(frame["offered_at"], utc=True).astype("datetime64[us, UTC]")
    frame = frame.assign(customer_id="c1", product_id="p1", purchased=frame["purchased"].astype("int8"))
    if "quantity" in more:
        frame["quantity"] = more["quantity"]
    manifest = DatasetManifest(name="shop", source="test", margin_assumption=more.get("margin"))  # type: ignore[arg-type]
    return Dataset(frame, None, more.get("products"), None, None, manifest)  # type: ignore[arg-type]


# Monday 6 January 2025 to Sunday 19 January 2025, and one offer in the following, incomplete week.
OFFERS = [
    ("2025-01-06 00:00", 10.0, 1),
    ("2025-01-12 23:59", 20.0, 0),
    ("2025-01-14 10:00", 30.0, 1),
    ("2025-01-19 10:00", 50.0, 1),
    ("2025-01-20 09:00", 99.0, 1),
]


def test_weeks_run_from_monday_and_leave_out_the_incomplete_one() -> None:
    products = pd.DataFrame({"product_id": ["p1"], "unit_cost": [4.0]})
    table = weekly_overview_data(_shop(OFFERS, products=products))
    assert list(table["week"].dt.strftime("%Y-%m-%d")) == ["2025-01-06", "2025-01-13"]
    assert list(table["offers"]) == [2, 2]
    assert list(table["conversion_rate"]) == [0.5, 1.0]
    assert list(table["average_price"]) == [15.0, 40.0]
    assert list(table["revenue"]) == [10.0, 80.0]
    assert list(table["profit"]) == [6.0, 72.0]
    assert table["margin_rate"].tolist() == pytest.approx([0.6, 0.9])


def test_quantity_counts_units_and_the_margin_assumption_fills_missing_costs() -> None:
    table = weekly_overview_data(_shop(OFFERS, margin=0.25, quantity=[3, 0, None, 2, 1]))
    assert list(table["revenue"]) == [30.0, 130.0]
    # One cost for the product: 75% of its usual (median) price of 30.
    assert table["profit"].tolist() == pytest.approx([3 * (10 - 22.5), (30 - 22.5) + 2 * (50 - 22.5)])


def test_a_week_without_offers_is_blank_and_not_zero() -> None:
    table = weekly_overview_data(_shop([OFFERS[0], ("2025-01-26 23:00", 10.0, 1)], margin=0.5))
    middle = table.set_index("week").loc[pd.Timestamp("2025-01-13", tz="UTC")]
    assert middle["offers"] == 0
    assert pd.isna(middle["conversion_rate"]) and pd.isna(middle["average_price"])


def test_only_the_newest_weeks_are_returned() -> None:
    table = weekly_overview_data(_shop(OFFERS, margin=0.5), weeks=1)
    assert list(table["week"].dt.strftime("%Y-%m-%d")) == ["2025-01-13"]
    with pytest.raises(ConfigError, match="number of weeks is 0"):
        weekly_overview_data(_shop(OFFERS, margin=0.5), weeks=0)


def test_the_newest_week_is_compared_with_the_one_before() -> None:
    products = pd.DataFrame({"product_id": ["p1"], "unit_cost": [4.0]})
    change = latest_change_data(weekly_overview_data(_shop(OFFERS, products=products)))
    assert change.loc["conversion_rate"].tolist() == [1.0, 0.5]
    assert change.loc["revenue"].tolist() == [80.0, 7.0]
    assert change.loc["margin_rate", "change"] == pytest.approx(0.3)


def test_the_first_week_has_nothing_to_be_compared_with() -> None:
    products = pd.DataFrame({"product_id": ["p1"], "unit_cost": [4.0]})
    change = latest_change_data(weekly_overview_data(_shop(OFFERS, products=products), weeks=1))
    assert change["change"].isna().all() and change["value"].notna().all()
