"""A table as it stands in a file, before its cells are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in the file.

    Attributes
    ----------
    frame
        The rows, under the headers of the file.
    row_numbers
        For each row of ``frame``, its number as a spreadsheet shows it: the header is row 1 unless lines precede it.
    malformed
        Rows that do not fit the header: columns ``row_number, text, reason``, and ``file`` where there are several.
    blank_rows
        Number of rows without any cell filled; they are passed over, their row numbers are not given again.
    notes
        What was done to read the file, one sentence each: a sheet chosen, a title passed over, a header renamed.
    files
        Where several files were put together: the name of the file of each row; row numbers are within it.
    """

    frame: pd.DataFrame
    row_numbers: NDArray[np.int64]
    malformed: pd.DataFrame
    blank_rows: int = 0
    notes: tuple[str, ...] = ()
    files: NDArray[np.object_] | None = field(default=None, repr=False)


def malformed_rows(rows: Sequence[tuple[int, str, str]]) -> pd.DataFrame:
    """Rows that do not fit, as ``row_number, text, reason``."""
    return pd.DataFrame(rows, columns=["row_number", "text", "reason"])


def without_blank_rows(raw: RawTable) -> RawTable:
    """Pass over rows without any filled cell, and count them."""
    blank = raw.frame.isna().all(axis=1).to_numpy()
    if not blank.any():
        return raw
    frame = raw.frame[~blank].reset_index(drop=True)
    count = raw.blank_rows + int(blank.sum())
    return RawTable(frame, raw.row_numbers[~blank], raw.malformed, count, raw.notes, raw.files)


def typed(frame: pd.DataFrame, first_row: int = 2, notes: tuple[str, ...] = ()) -> RawTable:
    """Take a frame whose cells have types already; lists and the like become text."""
    nested = [column for column in frame.columns if frame[column].dtype == object and _nested(frame[column])]
    frame = frame.assign(**{column: frame[column].map(str, na_action="ignore") for column in nested})
    numbers = np.arange(first_row, len(frame) + first_row, dtype=np.int64)
    return RawTable(frame, numbers, malformed_rows([]), notes=notes)


def _nested(cells: pd.Series) -> bool:
    """Whether a column holds lists or the like, which can only be taken as text."""
    return bool(cells.map(lambda cell: isinstance(cell, (list, tuple, dict, set, bytes, np.ndarray))).any())


def stacked(tables: Sequence[tuple[str, RawTable]]) -> RawTable:
    """Put several files of the same columns under one another; rows know their file."""
    if len(tables) == 1:
        return tables[0][1]
    columns: list[Any] = list(dict.fromkeys(column for _, raw in tables for column in raw.frame.columns))
    frames = [raw.frame.reindex(columns=columns) for _, raw in tables]
    bad = [raw.malformed.assign(file=name) for name, raw in tables if len(raw.malformed)]
    names = np.concatenate([np.full(len(raw.frame), name, dtype=object) for name, raw in tables])
    return RawTable(
        pd.concat(frames, ignore_index=True),
        np.concatenate([raw.row_numbers for _, raw in tables]),
        pd.concat(bad, ignore_index=True) if bad else malformed_rows([]),
        sum(raw.blank_rows for _, raw in tables),
        tuple(dict.fromkeys(f"{name}: {note}" for name, raw in tables for note in raw.notes)),
        names,
    )
