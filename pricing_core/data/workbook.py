"""Read Excel workbooks: which sheet, where the table begins on it, and cells with their types."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from pricing_core.data.header import find_header
from pricing_core.data.raw_table import RawTable, typed, without_blank_rows
from pricing_core.errors import FileReadError

SHEET_MARK = "#"
"""Between a workbook's name and that of a sheet: ``book.xlsx#Orders``."""


def filled_sheets(content: bytes, name: str) -> list[str]:
    """Names of the sheets that hold at least two rows.

    Raises
    ------
    FileReadError
        If it is not a readable workbook.
    """
    book = _open(content, name)
    return [sheet.title for sheet in book.worksheets if sheet.max_row > 1 and sheet.max_column > 0]


def read_workbook(content: bytes, name: str, sheet: str | None = None) -> RawTable:
    """Read a sheet, by default the first that holds a table; the others are named in the notes.

    Raises
    ------
    FileReadError
        If it is not a readable workbook, has no such sheet, or no table.
    """
    book = _open(content, name)
    titles = [each.title for each in book.worksheets]
    if sheet is not None and sheet not in titles:
        raise FileReadError(f"{name}: there is no sheet {sheet!r}.", fix=f"Its sheets are {', '.join(titles)}.")
    notes: tuple[str, ...] = ()
    if sheet is None:
        tables = [each.title for each in book.worksheets if each.max_row > 1]
        sheet = tables[0] if tables else titles[0]
        if len(tables) > 1:
            others = ", ".join(repr(title) for title in tables[1:])
            notes = (f"The workbook has several sheets: {sheet!r} was read, not {others}.",)
    raw = _read_sheet(book[sheet], name)
    return RawTable(raw.frame, raw.row_numbers, raw.malformed, raw.blank_rows, (*notes, *raw.notes))


def _open(content: bytes, name: str) -> Any:
    import openpyxl

    try:
        return openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    except Exception as error:  # openpyxl and zipfile raise many types for a damaged file
        raise FileReadError(
            f"{name}: this is not a readable Excel workbook.",
            fix="Save it as .xlsx without a password, or export CSV.",
        ) from error


def _read_sheet(sheet: Any, name: str) -> RawTable:
    rows = [[None if _blank(cell) else cell for cell in row] for row in sheet.iter_rows(values_only=True)]
    if not any(cell is not None for row in rows for cell in row):
        raise FileReadError(f"{name}: the sheet {sheet.title!r} is empty.", fix="Put the table on the first sheet.")
    first = next(position for position, row in enumerate(rows) if any(cell is not None for cell in row))
    rows = rows[first:]
    used = _used_columns(rows)
    rows = [row[used] for row in rows]
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows[:30]]
    header = find_header(texts, merged=_continued(sheet, first, used))
    data = rows[header.first_row :]
    if not data:
        raise FileReadError(f"{name}: the sheet {sheet.title!r} has a header but no rows.", fix="Export it again.")
    frame = pd.DataFrame(data, columns=header.names, dtype=object)
    return without_blank_rows(typed(frame, first_row=first + header.first_row + 1, notes=header.notes))


def _blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _used_columns(rows: Sequence[Sequence[object]]) -> slice:
    """From the first to the last column with a filled cell."""
    filled = np.array([[cell is not None for cell in row] for row in rows[:1_000]]).any(axis=0)
    if len(rows) > 1_000:
        filled |= np.array([[cell is not None for cell in row] for row in rows[1_000:]]).any(axis=0)
    places = np.flatnonzero(filled)
    return slice(int(places[0]), int(places[-1]) + 1)


def _continued(sheet: Any, first: int, used: slice) -> list[list[int]]:
    """For each of the first rows, the columns that continue a cell merged from the left."""
    found: list[list[int]] = [[] for _ in range(30)]
    for area in sheet.merged_cells.ranges:
        row = area.min_row - 1 - first
        if 0 <= row < len(found) and area.max_col > area.min_col:
            found[row] += [column - 1 - used.start for column in range(area.min_col + 1, area.max_col + 1)]
    return found
