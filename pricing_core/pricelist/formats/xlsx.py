"""The workbench's own columns as an Excel workbook: text is always text, amounts are exact numbers.

openpyxl makes the workbook with its styles and sheets. The rows of the price sheet are then written in one go, since a
cell object for each of millions of cells would take many times as long. Every text is a shared string, which Excel
never runs as a formula (ECMA-376, part 1, 18.3.1.4 and 18.18.11).
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime
from typing import Any, Final
from xml.sax.saxutils import escape

import pandas as pd

from pricing_core.errors import DataError
from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.pricelist.cells import any_text, is_money, money_texts, number_text, number_texts, written
from pricing_core.pricelist.disclosure import with_disclosure
from pricing_core.pricelist.formats import checks
from pricing_core.pricelist.formats.contract import ExportOptions, ShopFormat
from pricing_core.pricelist.formats.native import no_notes

LONGEST_CELL: Final = 32_767
MOST_ROWS: Final = 1_048_575
SHEET: Final = "Price list"
_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
_DAY: Final = 86_400
# What XML cannot hold is written as _xHHHH_; text that already looks like that is protected.
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_WIDTHS: Final = {"reason": 60, "disclosure_text": 40, "product_id": 18, "customer_id": 24}
_SHEET_PART: Final = "xl/worksheets/sheet1.xml"
_STRINGS_PART: Final = "xl/sharedStrings.xml"
_STRINGS_ENTRIES: Final = {
    "[Content_Types].xml": b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/'
    b'vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>',
    "xl/_rels/workbook.xml.rels": b'<Relationship Id="rIdStrings" Target="sharedStrings.xml" Type="http://schemas.'
    b'openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/>',
}
_STYLES: Final = ("text", "whole", "cents", "thousandths", "rate", "number", "time")
_FORMATS: Final = {"text": "@", "whole": "#,##0", "cents": "#,##0.00", "thousandths": "#,##0.000", "rate": "0.0%",
                   "number": "0.0000", "time": "yyyy-mm-dd hh:mm"}  # fmt: skip


def _check(frame: pd.DataFrame, currency: str, options: ExportOptions) -> list[pd.DataFrame]:
    found = checks.readable(frame)
    for column in frame.columns:
        if frame[column].dtype != object and not isinstance(frame[column].dtype, pd.StringDtype):
            continue
        long = [v for v in pd.unique(frame[column].dropna()) if isinstance(v, str) and len(v) > LONGEST_CELL]
        found.append(
            checks.problem_rows(
                frame, frame[column].isin(long).to_numpy(), str(column),
                f"The text is longer than the {LONGEST_CELL:,} characters of an Excel cell and ends there.",
                "The CSV has the whole text.", blocking=False,
            )
        )  # fmt: skip
    return found


def _encode(frame: pd.DataFrame, currency: str, options: ExportOptions) -> bytes:
    if len(frame) > MOST_ROWS:
        raise DataError(
            f"The price list has {len(frame):,} rows, and an Excel sheet holds {MOST_ROWS:,}.",
            fix="Use the CSV or Parquet file.",
        )
    table = with_disclosure(frame, options.markets)
    template, styles = _template(table)
    strings = _Strings()
    header = "".join(f'<c s="{styles["header"]}" t="s"><v>{strings.index(str(c))}</v></c>' for c in table)
    columns = [_cells(table, str(name), styles, strings) for name in table.columns]
    rows = "</row><row>".join(map("".join, zip(*columns, strict=True)))
    body = f"<row>{rows}</row>" if rows else ""
    return _filled(template, f"<sheetData><row>{header}</row>{body}</sheetData>", strings)


class _Strings:
    """The workbook's texts, each once."""

    def __init__(self) -> None:
        self.position: dict[str, int] = {}

    def index(self, text: str) -> int:
        return self.position.setdefault(text[:LONGEST_CELL], len(self.position))

    def xml(self) -> str:
        items = "".join(f'<si><t xml:space="preserve">{_xml(text)}</t></si>' for text in self.position)
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
            f'uniqueCount="{len(self.position)}">{items}</sst>'
        )


def _xml(text: str) -> str:
    return escape(_ILLEGAL.sub(lambda sign: f"_x{ord(sign[0]):04X}_", text))


def _cells(frame: pd.DataFrame, name: str, styles: dict[str, int], strings: _Strings) -> list[str]:
    """XML of each cell of a column."""
    column, kinds = frame[name], pd.api.types
    if is_money(name) and kinds.is_numeric_dtype(column):
        starts = {code: f'<c s="{styles[_money_style(str(code))]}"' for code in pd.unique(frame["currency"])}
        texts = money_texts(column, frame["currency"])
        return [
            f"{starts[code]}><v>{text}</v></c>" if text else f"{starts[code]}/>"
            for code, text in zip(frame["currency"], texts, strict=True)
        ]
    if kinds.is_datetime64_any_dtype(column):
        return _numbers(written(column, _serial), styles["time"])
    if kinds.is_bool_dtype(column):
        return [f'<c t="b"><v>{int(value)}</v></c>' for value in column]
    if kinds.is_integer_dtype(column):
        return _numbers(written(column, number_text), styles["whole"])
    if kinds.is_float_dtype(column):
        return _numbers(number_texts(column), styles["rate" if name.endswith("_rate") else "number"])
    texts = written(column, any_text)
    start = f'<c s="{styles["text"]}"'
    cells = {
        text: f'{start} t="s"><v>{strings.index(text)}</v></c>' if text else f"{start}/>"
        for text in dict.fromkeys(texts)
    }
    return [cells[text] for text in texts]


def _numbers(texts: list[str], style: int) -> list[str]:
    start = f'<c s="{style}"'
    return [f"{start}><v>{text}</v></c>" if text else f"{start}/>" for text in texts]


def _money_style(currency: str) -> str:
    return {0: "whole", 3: "thousandths"}.get(minor_unit_digits(currency), "cents")


def _serial(value: Any) -> str:
    return "" if pd.isna(value) else f"{(value.to_pydatetime() - _EPOCH).total_seconds() / _DAY:.10g}"


def _template(frame: pd.DataFrame) -> tuple[bytes, dict[str, int]]:
    """Workbook without rows, and the number of each style in it."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = SHEET
    sheet.freeze_panes = "A2"
    for position, name in enumerate(frame.columns, start=1):
        sheet.column_dimensions[get_column_letter(position)].width = _WIDTHS.get(str(name), max(12, len(str(name)) + 2))
    for position, style in enumerate(_STYLES, start=1):
        sheet.cell(1, position, 0).number_format = _FORMATS[style]
    sheet.cell(1, len(_STYLES) + 1, "text").font = Font(bold=True)
    target = io.BytesIO()
    book.save(target)
    with zipfile.ZipFile(target) as archive:
        cells = re.findall(r'<c r="[A-Z]+1"(?: s="(\d+)")?', archive.read(_SHEET_PART).decode())
    return target.getvalue(), dict(zip((*_STYLES, "header"), (int(number or 0) for number in cells), strict=True))


def _filled(template: bytes, sheet_data: str, strings: _Strings) -> bytes:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(template)) as source,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        parts = {name: source.read(name) for name in source.namelist()}
        before, after = re.split(rb"<sheetData>.*</sheetData>", parts[_SHEET_PART], flags=re.DOTALL)
        parts[_SHEET_PART] = re.sub(rb"<dimension [^>]*/>", b"", before) + sheet_data.encode() + after
        if _STRINGS_PART not in parts:  # openpyxl writes few texts into the cells themselves
            for name, entry in _STRINGS_ENTRIES.items():
                head, end = parts[name].rsplit(b"</", 1)
                parts[name] = head + entry + b"</" + end
        parts[_STRINGS_PART] = strings.xml().encode()
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


XLSX: Final = ShopFormat(
    "xlsx", "Excel workbook", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "All columns; numbers are numbers and text is text, so that nothing runs as a formula: to read and to share.",
    _check, _encode, no_notes, shop=False,
)  # fmt: skip
