"""Two downloads, because their rules conflict: one that opens safely in Excel, one that another system can import.

*For Excel*: UTF-8 with a byte order mark; a text cell or header that a spreadsheet would run as a formula gets a
leading apostrophe; numbers stay numbers. *For import*: UTF-8 without mark, dot decimals, nothing altered; identifiers
that look like formulas are reported, so that whoever imports them knows. Both end their lines as RFC 4180 says.
"""

from __future__ import annotations

import re
from typing import Final

import pandas as pd

from pricing_core.pricelist.cells import (
    column_texts,
    csv_bytes,
    exact_money,
    looks_like_formula,
    spreadsheet_safe,
    text_columns,
)

BOM: Final = b"\xef\xbb\xbf"
_NEGATIVE: Final = re.compile(r"-[0-9]+(?:[.,][0-9]+)*")

__all__ = ["dangerous_identifiers", "exact_money", "looks_like_formula", "to_excel_csv", "to_import_csv"]


def dangerous_identifiers(frame: pd.DataFrame) -> pd.DataFrame:
    """Cells of text columns that look like formulas: ``row_number, column, value`` (the header is row 1)."""
    found = []
    for column in text_columns(frame):
        cells = frame[column]
        levels = [level for level in pd.unique(cells.dropna()) if looks_like_formula(str(level))]
        if levels:
            hit = cells.isin(levels).to_numpy()
            rows = hit.nonzero()[0] + 2
            found += [(int(row), column, str(value)) for row, value in zip(rows, cells[hit], strict=True)]
    return pd.DataFrame(found, columns=["row_number", "column", "value"])


def to_excel_csv(frame: pd.DataFrame, *, cells_of_files: bool = False) -> bytes:
    """CSV that opens safely in Excel: byte order mark, text that looks like a formula made harmless.

    Parameters
    ----------
    cells_of_files
        Whether the text is cells as a file has them, so that a plain negative number, such as -5.20, is one and stays.
    """
    return BOM + _csv(frame, escape=True, cells_of_files=cells_of_files)


def to_import_csv(frame: pd.DataFrame) -> bytes:
    """CSV for another system: no byte order mark, dot decimals, nothing altered."""
    return _csv(frame, escape=False)


def _csv(frame: pd.DataFrame, *, escape: bool, cells_of_files: bool = False) -> bytes:
    header = [spreadsheet_safe(str(c)) if escape else str(c) for c in frame.columns]
    columns = [column_texts(frame, c) for c in frame.columns]
    if escape:
        for position, name in enumerate(frame.columns):
            if name in text_columns(frame):
                columns[position] = _escaped(columns[position], cells_of_files)
    return csv_bytes(header, columns)


def _escaped(texts: list[str], cells_of_files: bool) -> list[str]:
    stays = _NEGATIVE.fullmatch if cells_of_files else lambda _: None
    safe = {text: text if stays(text) else spreadsheet_safe(text) for text in set(texts)}
    return [safe[text] for text in texts]
