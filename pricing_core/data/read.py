"""Read a shop's files as a table, whatever delimiter, encoding, format or packing they came in.

CSV cells are read as text, so that an identifier such as ``00123`` keeps its zeros; numbers and times are
read later, where it is known what a column means (:mod:`pricing_core.data.parsing`).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from pricing_core.data.archives import files_of_folder, unpack_gzip, unpack_zip
from pricing_core.data.header import find_header
from pricing_core.data.raw_table import RawTable, stacked, typed
from pricing_core.data.text_table import read_text
from pricing_core.data.workbook import SHEET_MARK, filled_sheets, read_workbook
from pricing_core.errors import FileReadError


@dataclass(frozen=True)
class NamedPath:
    """A file that is kept under another name than the user's."""

    path: Path
    name: str


File = Path | str | tuple[bytes, str] | NamedPath
Source = File | Sequence[File]
"""A path (of a folder: all its files as one table), the content of an upload with its name, or several of these."""

TABLE_FORMATS: Final = ("csv", "tsv", "txt", "parquet", "pq", "xlsx", "xlsm", "gz")
FORMATS: Final = (*TABLE_FORMATS, "zip")

__all__ = ["FORMATS", "RawTable", "Source", "from_frame", "read_raw", "read_table", "sheets_of", "source_name"]


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
            f"{source_name(source)}: {len(raw.malformed)} rows do not fit the header (rows {rows}).",
            fix="Check for delimiters inside unquoted text.",
        )
    return raw.frame


def read_raw(source: Source) -> RawTable:
    """Read a file as :func:`read_table` does, keeping row numbers and the rows that do not fit.

    A zip file, a folder and a list of files are read as one table; their columns must be the same.
    """
    files = files_of(source)
    if len(files) == 1:
        return _read_file(files[0])
    tables = [(file_name(file), _read_file(file)) for file in files]
    _check_same_columns(tables)
    return stacked(tables)


def sheets_of(source: File) -> list[str]:
    """Sheets of a workbook that hold a table, as ``name#sheet``; none for other files or a single sheet."""
    name = file_name(source)
    if suffix_of(name) not in ("xlsx", "xlsm") or SHEET_MARK in name:
        return []
    sheets = filled_sheets(_content(source, name), name)
    return [f"{name}{SHEET_MARK}{sheet}" for sheet in sheets] if len(sheets) > 1 else []


def source_name(source: Source) -> str:
    """Name of a source for messages."""
    if isinstance(source, (str, Path, tuple, NamedPath)):
        return file_name(source)
    names = [file_name(file) for file in source]
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def from_frame(frame: pd.DataFrame, name: str = "the table") -> RawTable:
    """Take a DataFrame as if it had been read from a file; its rows are numbered from 2."""
    return _named(frame.reset_index(drop=True), name)


def files_of(source: Source) -> list[File]:
    """The files of a source: those of a folder in the order of their names."""
    if isinstance(source, NamedPath):
        return [source]
    if isinstance(source, (str, Path)):
        path = Path(source)
        return list(files_of_folder(path, FORMATS)) if path.is_dir() else [source]
    if isinstance(source, tuple) and len(source) == 2 and isinstance(source[0], bytes):
        return [(source[0], str(source[1]))]
    return [inner for file in source for inner in files_of(file)]  # type: ignore[arg-type]


def _read_file(file: File) -> RawTable:
    name = file_name(file)
    suffix = suffix_of(name)
    if suffix not in FORMATS:
        raise FileReadError(
            f"{name}: files of type {suffix or 'without an ending'!r} cannot be read.",
            fix="Use CSV, Parquet or Excel (.xlsx); zip and gzip are unpacked.",
        )
    content = _content(file, name)
    if suffix == "gz":
        return _read_file(unpack_gzip(content, name))
    if suffix == "zip":
        tables = [(inner[1], _read_file(inner)) for inner in unpack_zip(content, name, TABLE_FORMATS)]
        _check_same_columns(tables)
        return stacked(tables)
    if suffix in ("parquet", "pq"):
        return _named(_read_parquet(content, name), name)
    if suffix in ("xlsx", "xlsm"):
        book, _, sheet = name.partition(SHEET_MARK)
        return read_workbook(content, book, sheet or None)
    return read_text(content, name)


def file_name(file: File) -> str:
    """Name of a file as the user knows it."""
    if isinstance(file, NamedPath):
        return file.name
    return file[1] if isinstance(file, tuple) else Path(file).name


def suffix_of(name: str) -> str:
    """Ending of a file's name, in lower case, without the dot."""
    return Path(name.partition(SHEET_MARK)[0]).suffix.lower().lstrip(".")


def _content(file: File, name: str) -> bytes:
    if isinstance(file, tuple):
        content = file[0]
    else:
        path = file.path if isinstance(file, NamedPath) else Path(file)
        if not path.exists() and SHEET_MARK in path.name:
            path = path.with_name(path.name.partition(SHEET_MARK)[0])
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise FileReadError(f"{name}: there is no such file.", fix="Check the path.") from None
        except OSError as error:
            raise FileReadError(f"{name}: the file cannot be opened ({error.strerror}).") from error
    if not content:
        raise FileReadError(f"{name}: the file is empty (0 bytes).", fix="Export it again and check its size.")
    return content


def _named(frame: pd.DataFrame, name: str) -> RawTable:
    if frame.shape[1] == 0:
        raise FileReadError(f"{name}: the file has no columns.", fix="The first row must hold the column names.")
    header = find_header([[str(column) for column in frame.columns]])
    return typed(frame.set_axis(header.names, axis=1), notes=header.notes)


def _read_parquet(content: bytes, name: str) -> pd.DataFrame:
    import pyarrow.parquet as parquet

    try:
        frame = parquet.read_table(io.BytesIO(content)).to_pandas()
    except Exception as error:  # pyarrow raises many types for a damaged file
        raise FileReadError(f"{name}: this is not a readable Parquet file.", fix="Export it again.") from error
    return frame if isinstance(frame.index, pd.RangeIndex) else frame.reset_index()


def _check_same_columns(tables: list[tuple[str, RawTable]]) -> None:
    """Refuse files whose columns differ: they are not parts of one table."""
    first_name, first = tables[0]
    wanted = set(first.frame.columns)
    for name, raw in tables[1:]:
        found = set(raw.frame.columns)
        if found != wanted:
            differing = sorted(map(str, wanted ^ found))
            where = "missing" if differing[0] in set(map(str, wanted)) else "only there"
            raise FileReadError(
                f"{name}: its columns differ from those of {first_name} ({differing[0]!r} is {where}).",
                fix="Put only files of the same columns together.",
            )
