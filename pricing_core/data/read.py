"""Read a shop's file as a table, whatever delimiter, encoding or format it came in.

CSV cells are read as text, so that an identifier such as ``00123`` keeps its zeros; numbers and times are
read later, where it is known what a column means (:mod:`pricing_core.data.parsing`).
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.sniff import decode, sniff_delimiter
from pricing_core.errors import FileReadError

Source = Path | str | tuple[bytes, str]
"""A path, or the content of an upload with its file name."""

FORMATS: Final = ("csv", "tsv", "txt", "parquet", "pq", "xlsx", "xlsm")


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in the file.

    Attributes
    ----------
    frame
        The rows, under the headers of the file.
    row_numbers
        For each row of ``frame``, its number as a spreadsheet shows it: the header is row 1.
    malformed
        Rows that do not fit the header: columns ``row_number, text, reason``.
    blank_rows
        Number of rows without any cell filled; they are passed over, their row numbers are not given again.
    """

    frame: pd.DataFrame
    row_numbers: NDArray[np.int64]
    malformed: pd.DataFrame
    blank_rows: int = 0


def read_table(source: Source) -> pd.DataFrame:
    """Read a CSV, Parquet or Excel file; text stays text.

    Raises
    ------
    FileReadError
        If the file is missing, empty, of an unknown format or encoding, damaged, or has rows that do not
        fit its header (use :func:`read_raw` to set these aside instead).
    """
    raw = read_raw(source)
    if len(raw.malformed):
        rows = ", ".join(str(number) for number in raw.malformed["row_number"].head(5))
        raise FileReadError(
            f"{_name(source)}: {len(raw.malformed)} rows do not fit the header (rows {rows}).",
            fix="Check for delimiters inside unquoted text.",
        )
    return raw.frame


def read_raw(source: Source) -> RawTable:
    """Read a file as :func:`read_table` does, keeping row numbers and the rows that do not fit."""
    name = _name(source)
    suffix = Path(name).suffix.lower().lstrip(".")
    if suffix not in FORMATS:
        raise FileReadError(
            f"{name}: files of type {suffix or 'without an ending'!r} cannot be read.",
            fix="Use CSV, Parquet or Excel (.xlsx).",
        )
    content = _content(source, name)
    if suffix in ("parquet", "pq"):
        return _typed(_read_parquet(content, name), name)
    if suffix in ("xlsx", "xlsm"):
        return _without_blank_rows(_typed(_read_excel(content, name), name))
    return _read_csv(content, name)


def _name(source: Source) -> str:
    return source[1] if isinstance(source, tuple) else Path(source).name


def _content(source: Source, name: str) -> bytes:
    if isinstance(source, tuple):
        content = source[0]
    else:
        try:
            content = Path(source).read_bytes()
        except FileNotFoundError:
            raise FileReadError(f"{name}: there is no such file.", fix="Check the path.") from None
        except OSError as error:
            raise FileReadError(f"{name}: the file cannot be opened ({error.strerror}).") from error
    if not content:
        raise FileReadError(f"{name}: the file is empty (0 bytes).", fix="Export it again and check its size.")
    return content


def from_frame(frame: pd.DataFrame, name: str = "the table") -> RawTable:
    """Take a DataFrame as if it had been read from a file; its rows are numbered from 2."""
    return _typed(frame.reset_index(drop=True), name)


def _typed(frame: pd.DataFrame, name: str) -> RawTable:
    frame = frame.set_axis(_check_header([str(column) for column in frame.columns], name), axis=1)
    nested = [column for column in frame.columns if frame[column].dtype == object and _nested(frame[column])]
    frame = frame.assign(**{column: frame[column].map(str, na_action="ignore") for column in nested})
    return RawTable(frame, np.arange(2, len(frame) + 2, dtype=np.int64), _malformed([]))


def _nested(cells: pd.Series) -> bool:
    """Whether a column holds lists or the like, which can only be taken as text."""
    return bool(cells.map(lambda cell: isinstance(cell, (list, tuple, dict, set, bytes, np.ndarray))).any())


def _without_blank_rows(raw: RawTable) -> RawTable:
    blank = raw.frame.isna().all(axis=1).to_numpy()
    if not blank.any():
        return raw
    frame = raw.frame[~blank].reset_index(drop=True)
    return RawTable(frame, raw.row_numbers[~blank], raw.malformed, raw.blank_rows + int(blank.sum()))


def _malformed(rows: list[tuple[int, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["row_number", "text", "reason"])


def _check_header(columns: list[str], name: str) -> list[str]:
    columns = [column.strip().lstrip("\ufeff") for column in columns]
    if not columns:
        raise FileReadError(f"{name}: the file has no columns.", fix="The first row must hold the column names.")
    twice = [column for column, count in Counter(columns).items() if count > 1 and column]
    if twice:
        raise FileReadError(
            f"{name}: the column name {twice[0]!r} occurs more than once.",
            fix="Give every column its own name.",
        )
    return [column or f"column {number}" for number, column in enumerate(columns, start=1)]


def _read_parquet(content: bytes, name: str) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except Exception as error:  # pyarrow raises many types for a damaged file
        raise FileReadError(f"{name}: this is not a readable Parquet file.", fix="Export it again.") from error
    return frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()


def _read_excel(content: bytes, name: str) -> pd.DataFrame:
    try:
        frame = pd.read_excel(io.BytesIO(content), engine="openpyxl", dtype=object, keep_default_na=False)
    except Exception as error:  # openpyxl and zipfile raise many types for a damaged file
        raise FileReadError(
            f"{name}: this is not a readable Excel workbook.",
            fix="Save it as .xlsx without a password, or export CSV.",
        ) from error
    if frame.shape[1] == 0:
        raise FileReadError(f"{name}: the first sheet is empty.", fix="Put the table on the first sheet.")
    return frame.mask(frame.map(lambda cell: isinstance(cell, str) and not cell.strip()).astype(bool))


def _read_csv(content: bytes, name: str) -> RawTable:
    text = decode(content, name)
    if not text.strip():
        raise FileReadError(f"{name}: the file holds no text, only blank lines.", fix="Export it again.")
    delimiter = sniff_delimiter(text, name)
    text = text.lstrip("\ufeff")
    blank_start = len(text) - len(text.lstrip("\r\n"))
    header = next(csv.reader(io.StringIO(text[blank_start:]), delimiter=delimiter))
    columns = _check_header(header, name)
    first_row = 2 + text[:blank_start].count("\n")
    frame, rows, bad = _parse_csv(text[blank_start:].encode("utf-8"), columns, delimiter, name)
    malformed = _malformed([(number + first_row - 2, cells, reason) for number, cells, reason in bad])
    raw = _without_blank_rows(RawTable(frame, rows + (first_row - 2), malformed))
    if len(raw.frame) == 0 and not bad:
        raise FileReadError(f"{name}: the file has a header but no rows.", fix="Export it again with its rows.")
    return raw


def _parse_csv(
    content: bytes, columns: list[str], delimiter: str, name: str
) -> tuple[pd.DataFrame, NDArray[np.int64], list[tuple[int, str, str]]]:
    """Parse with Arrow; rows with too few or too many cells are returned apart."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    bad: list[tuple[int, str, str]] = []
    blank: list[int] = []

    def handle(row: Any) -> str:
        if not (row.text or "").strip(delimiter + " \r\n\t"):
            blank.append(row.number)
        else:
            reason = f"has {row.actual_columns} cells where the header has {row.expected_columns}"
            bad.append((row.number, row.text, reason))
        return "skip"

    try:
        table = arrow_csv.read_csv(
            io.BytesIO(content),
            arrow_csv.ReadOptions(column_names=columns, skip_rows=1, use_threads=False, block_size=1 << 26),
            arrow_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=handle,
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
    except pa.ArrowInvalid as error:
        raise FileReadError(
            f"{name}: the text cannot be split into rows ({str(error).splitlines()[0][:120]}).",
            fix="Check for a quotation mark that is not closed.",
        ) from error
    frame = table.to_pandas()
    skipped = np.sort(np.array([number for number, *_ in bad] + blank, dtype=np.int64))
    return frame, _numbers(len(frame), skipped), bad


def _numbers(rows: int, skipped: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return row numbers from 2 on, without those of skipped rows."""
    every = np.arange(2, rows + len(skipped) + 2, dtype=np.int64)
    return every[~np.isin(every, skipped)] if len(skipped) else every
