"""Which table a file holds."""

from __future__ import annotations

import pandas as pd
import pytest

from pricing_core.data.table_guess import guess_table


@pytest.mark.parametrize(
    ("columns", "table"),
    [
        (["Customer ID", "SKU", "Date", "Sale price", "Bought"], "offers"),
        (["Customer ID", "SKU", "Date", "Sale price"], "offers"),
        (["customer_id", "city", "loyalty tier"], "customers"),
        (["SKU", "cost", "category", "brand"], "products"),
        (["date", "sku", "competitor price"], "market"),
        (["user", "timestamp", "action", "sku"], "events"),
    ],
)
def test_the_headers_decide(columns: list[str], table: str) -> None:
    assert guess_table(columns, "export.csv") == table


def test_the_name_of_the_file_comes_first() -> None:
    assert guess_table(["customer_id", "sku", "date", "price", "bought"], "Events_2025.csv") == "events"


def test_a_name_that_fits_two_tables_leaves_it_to_the_headers() -> None:
    assert guess_table(["customer_id", "city"], "customer_offers.csv") == "customers"


def test_a_lone_file_can_only_be_offers() -> None:
    assert guess_table(["customer_id", "city"], "customers.csv", alone=True) == "offers"


def test_a_price_a_time_and_a_yes_or_no_are_offers() -> None:
    columns = ["when", "preis", "clicked", "brand", "category", "stock"]
    sample = pd.DataFrame({column: ["1", "2"] for column in columns}).assign(clicked=["Yes", "no"])
    assert guess_table(columns, "export.csv", sample=sample) == "offers"
    for answers in (["Yes", "Yes"], ["Yes", "later"], ["", None]):
        assert guess_table(columns, "export.csv", sample=sample.assign(clicked=answers)) == "products"
