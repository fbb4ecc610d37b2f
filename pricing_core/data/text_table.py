"""Read delimited text as a table of text cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.header import Header, find_header
from pricing_core.data.raw_table import RawTable, malformed_rows, without_blank_rows
from pricing_core.data.sniff import decode, sniff_delimiter
from pricing_core.errors import FileReadError

_HEAD_LINES = 60


def read_text(content: bytes, name: str) -> RawTable:
    """Read CSV of any usual delimiter and encoding; rows that do not fit the header are kept apart.

    Raises
    ------
    FileReadError
        If the encoding or the delimiter is not known, quotation marks are not closed, or there are no rows.
    """
    layout = find_layout(decode(content, name), name)
    header, first = layout.header, layout.first_row
    frame, rows, bad, blank = _parse(layout.body.encode("utf-8"), header.names, layout.delimiter, name)
    malformed = malformed_rows([(number + first - 1, cells, reason) for number, cells, reason in bad])
    raw = without_blank_rows(RawTable(frame, rows + (first - 1), malformed, blank, header.notes))
    if len(raw.frame) == 0 and not bad:
        raise no_rows(name)
    return without_nameless(raw)


@dataclass(frozen=True)
class Layout:
    """How a text is laid out: delimiter, header, number of the first row below it, and the text from there on."""

    delimiter: str
    header: Header
    first_row: int
    body: str


def find_layout(text: str, name: str) -> Layout:
    """Find the delimiter and the header; the text may be the first part of a file.

    Raises
    ------
    FileReadError
        If there is no delimiter, or nothing below the header.
    """
    text = text.lstrip("\ufeff")
    if not text.strip():
        raise FileReadError(f"{name}: the file holds no text, only blank lines.", fix="Export it again.")
    delimiter, text, lines = _delimiter(text, name)
    blank_start = len(text) - len(text.lstrip("\r\n"))
    lines += text[:blank_start].count("\n")
    text = text[blank_start:]
    header, skipped = _header(text, delimiter)
    body = text[skipped:]
    if not body.strip():
        raise no_rows(name)
    return Layout(delimiter, header, lines + header.first_row + 1, body)


def no_rows(name: str) -> FileReadError:
    """The error that a file has nothing but a header."""
    return FileReadError(f"{name}: the file has a header but no rows.", fix="Export it again with its rows.")


def _delimiter(text: str, name: str) -> tuple[str, str, int]:
    """The delimiter, the text after a line that names it (``sep=;``), and the number of lines before it."""
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        return first.strip()[4], rest, 1
    return sniff_delimiter(text, name), text, 0


def _header(text: str, delimiter: str) -> tuple[Header, int]:
    """The header, and the number of characters before the first data row."""
    stream = io.StringIO(text, newline="")
    counted = _Counted(stream)
    reader = csv.reader(counted, delimiter=delimiter)
    rows: list[list[str]] = []
    ends: list[int] = []
    try:
        for row in reader:
            rows.append(row)
            ends.append(counted.read)
            if len(rows) == _HEAD_LINES:
                break
    except csv.Error:
        pass  # what cannot be split is reported by the parser, with its reason
    rows, ends = rows or [[text]], ends or [len(text)]
    header = find_header(rows)
    return header, ends[header.first_row - 1] if header.first_row else 0


class _Counted:
    """Lines of a stream, with the number of characters read so far."""

    def __init__(self, stream: io.StringIO) -> None:
        self.stream, self.read = stream, 0

    def __iter__(self) -> _Counted:
        return self

    def __next__(self) -> str:
        line = self.stream.readline()
        if not line:
            raise StopIteration
        self.read += len(line)
        return line


def without_nameless(raw: RawTable) -> RawTable:
    """Leave out columns without name and without any cell: what a delimiter at the end of every line makes."""
    empty = [c for c in raw.frame.columns if str(c).startswith("column ") and raw.frame[c].isna().all()]
    if not empty or len(empty) == len(raw.frame.columns):
        return raw
    notes = [note for note in raw.notes if "no name; read as" not in note or len(empty) < note.count("column ")]
    notes.append(f"{len(empty)} empty column{'s' if len(empty) > 1 else ''} without a name left out.")
    frame = raw.frame.drop(columns=empty)
    return RawTable(frame, raw.row_numbers, raw.malformed, raw.blank_rows, tuple(notes), raw.files)


def _parse(
    content: bytes, columns: list[str], delimiter: str, name: str
) -> tuple[pd.DataFrame, NDArray[np.int64], list[tuple[int, str, str]], int]:
    """Parse with Arrow; rows with too few or too many cells are returned apart, and the number of those that are blank.

    Rows are numbered from 1.
    """
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
        table = arrow_csv.read_csv(io.BytesIO(content), *arrow_options(columns, delimiter, handle, 1 << 26))
    except pa.ArrowInvalid as error:
        raise not_splittable(name, error) from error
    frame = table.to_pandas()
    skipped = np.sort(np.array([number for number, *_ in bad] + blank, dtype=np.int64))
    return frame, _numbers(len(frame), skipped), bad, len(blank)


def arrow_options(
    columns: list[str], delimiter: str, handle: Callable[[Any], str], block_bytes: int
) -> tuple[Any, Any, Any]:
    """Arrow's options to read rows of text; a row that does not fit goes to ``handle``, with its number."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    return (
        arrow_csv.ReadOptions(column_names=columns, use_threads=False, block_size=block_bytes),
        arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=handle
        ),
        arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )


def not_splittable(name: str, error: Exception) -> FileReadError:
    """The error that a text cannot be split into rows."""
    return FileReadError(
        f"{name}: the text cannot be split into rows ({str(error).splitlines()[0][:120]}).",
        fix="Check for a quotation mark that is not closed.",
    )


def _numbers(rows: int, skipped: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return row numbers from 1 on, without those of skipped rows."""
    every = np.arange(1, rows + len(skipped) + 1, dtype=np.int64)
    return every[~np.isin(every, skipped)] if len(skipped) else every
