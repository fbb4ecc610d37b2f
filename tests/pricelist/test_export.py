"""The two downloads: what Excel may not run, and what an import needs unaltered."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest

from pricing_core.guardrails import NO_GUARDRAILS
from pricing_core.optimize.strategies import price_strategy
from pricing_core.pricelist.build import ListFacts, build_price_list
from pricing_core.pricelist.export import dangerous_identifiers, to_excel_csv, to_import_csv
from tests.pricing_cases import make_rows

BAD = ["=1+1", "+49", "-5", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x"]


def read(content: bytes, encoding: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(encoding), newline="")))


def frame(ids: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "product_id": ids,
            "currency": "USD",
            "new_price": [0.1 + 0.2] * len(ids),
            "change_rate": [-1 / 3] * len(ids),
            "disclosure_required": [True] * len(ids),
        }
    )


@pytest.mark.parametrize("text", BAD)
def test_text_that_a_spreadsheet_would_run_is_made_harmless_for_excel_only(text: str) -> None:
    excel, plain = to_excel_csv(frame([text])), to_import_csv(frame([text]))
    assert excel.startswith(b"\xef\xbb\xbf") and not plain.startswith(b"\xef\xbb\xbf")
    assert read(excel, "utf-8-sig")[0]["product_id"] == "'" + text
    assert read(plain, "utf-8")[0]["product_id"] == text


def test_negative_numbers_of_a_file_stay_numbers_and_nothing_else_does() -> None:
    cells = ["-5.20", "-1,234.50", "-1.234,50", "-7", "-5+3", "-2-3", "-1 2", "-A1", "-", "-5;-6", "－5", "-٣"]
    rows = read(to_excel_csv(pd.DataFrame({"price": cells}), cells_of_files=True), "utf-8-sig")
    shown = ["-5.20", "-1,234.50", "-1.234,50", "-7", "'-5+3", "'-2-3", "'-1 2", "'-A1", "'-", "'-5;'-6", "'－5", "'-٣"]
    assert [row["price"] for row in rows] == shown


def test_headers_are_made_harmless_too() -> None:
    table = frame(["a"]).rename(columns={"product_id": "=cmd"})
    assert "'=cmd" in read(to_excel_csv(table), "utf-8-sig")[0]
    assert "=cmd" in read(to_import_csv(table), "utf-8")[0]


def test_numbers_stay_numbers_without_binary_tails() -> None:
    for content, encoding in ((to_excel_csv(frame(["a"])), "utf-8-sig"), (to_import_csv(frame(["a"])), "utf-8")):
        row = read(content, encoding)[0]
        assert row["new_price"] == "0.30"
        assert row["change_rate"] == "-0.333333"
        assert row["disclosure_required"] == "true"


def test_money_has_the_digits_of_its_currency() -> None:
    table = frame(["a", "b"]).assign(currency=["JPY", "KWD"], new_price=[1200.0, 1.5])
    assert [r["new_price"] for r in read(to_import_csv(table), "utf-8")] == ["1200", "1.500"]


def test_unknown_is_blank_and_not_zero() -> None:
    table = frame(["a"]).assign(new_price=np.nan, change_rate=np.nan)
    row = read(to_import_csv(table), "utf-8")[0]
    assert (row["new_price"], row["change_rate"]) == ("", "")


def test_identifiers_that_an_import_must_know_about_are_reported_by_row() -> None:
    found = dangerous_identifiers(frame(["ok", "=1+1", "007"]))
    assert found.to_dict("records") == [{"row_number": 3, "column": "product_id", "value": "=1+1"}]


def test_a_whole_price_list_comes_back_as_written() -> None:
    rows = make_rows(30)
    prices = price_strategy("personalized", rows, NO_GUARDRAILS)
    made = build_price_list(rows, prices, ListFacts("personalized", "USD", "r0001", {}))
    back = pd.read_csv(io.BytesIO(to_import_csv(made)), dtype={"customer_id": str})
    assert list(back.columns) == list(made.columns)
    np.testing.assert_array_equal(back["new_price"], made["new_price"])
    assert back["customer_id"].tolist() == made["customer_id"].tolist()
    assert back["reason"].tolist() == made["reason"].tolist()
