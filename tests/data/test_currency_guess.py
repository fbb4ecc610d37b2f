"""A currency is suggested where the file shows one, and only there."""

from __future__ import annotations

import pandas as pd
import pytest

from pricing_core.data.currency_guess import guess_currency


@pytest.mark.parametrize(
    ("column", "cell", "code", "others"),
    [
        ("Preis", "1.234,50 €", "EUR", ()),
        ("Price", "£12.00", "GBP", ()),
        ("Price", "$ 12.00", "USD", ("CAD", "AUD", "MXN")),
        ("Preço", "R$ 12,00", "BRL", ()),
        ("Cena", "12,00 zł", "PLN", ()),
        ("Pris", "1 200 kr", "SEK", ("NOK", "DKK")),
        ("价格", "12.00元", "CNY", ()),
        ("価格", "¥1200", "JPY", ("CNY",)),
        ("Price", "12.00 CHF", "CHF", ()),
        ("currency", "EUR", "EUR", ()),
        ("Price (EUR)", "12.00", "EUR", ()),
        ("price_usd", "12.00", "USD", ()),
        ("Price €", "12.00", "EUR", ()),
    ],
)
def test_signs_and_codes_are_found(column: str, cell: str, code: str, others: tuple[str, ...]) -> None:
    found = guess_currency([pd.DataFrame({"id": ["1", "2"], column: [cell, cell]})])
    assert found is not None
    assert (found.code, found.column, found.others) == (code, column, others)
    assert found.code in found.words and column in found.words


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("Price", "12.00"), ("note", "costs 5 € each day"), ("SKU", "ABC 12"), ("Customer", "EURO-PACK 7"),
        ("country", "USA"), ("size", "12 KGS"), ("Customer key", "1"), ("product_sku", "x"), ("when", "12 MAR"),
    ],
)  # fmt: skip
def test_what_is_no_currency_is_not_taken_for_one(column: str, cell: str) -> None:
    assert guess_currency([pd.DataFrame({column: [cell] * 3})]) is None


def test_cells_count_more_than_headers_and_several_currencies_are_told() -> None:
    table = pd.DataFrame({"Price (USD)": ["12 €", "13 €", "14 £"]})
    found = guess_currency([table, pd.DataFrame({"cost": [1.5]})])
    assert found is not None
    assert (found.code, found.also) == ("EUR", ("GBP",))
    assert "all amounts must be in one currency" in found.words
    assert guess_currency([]) is None
