"""The state of a large table while it is cleaned; see :mod:`pricing_core.data.worksheet` for that of a small one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.quality import SHOWN_ROWS, Finding, Severity
from pricing_core.data.worksheet import TEACH_NOTHING, Mask, Worksheet, braced, counted, shown
from pricing_core.engines.coding import ColumnCodes
from pricing_core.engines.reading import RawRows
from pricing_core.engines.spool import Spool

Ints = NDArray[np.int64]


class LargeSheet:
    """Collects findings about a table, and which rows are set aside and why.

    Parameters
    ----------
    table
        Canonical table.
    raw
        What is known of its rows.
    spool, columns
        Its coded cells.
    """

    def __init__(self, table: str, raw: RawRows, spool: Spool, columns: list[ColumnCodes]) -> None:
        self.table = table
        self.raw = raw
        self.spool = spool
        self.columns = columns
        self.hidden: set[str] = set()
        """Columns without name and without any cell: they are in the file, but no part of the table."""
        self.findings: list[Finding] = []
        self._aside: list[tuple[Ints, list[str], Ints]] = []
        self._rejected: Ints | None = np.zeros(0, dtype=np.int64)

    @property
    def rejected(self) -> Ints:
        """Positions of the rows set aside, in order."""
        if self._rejected is None:
            self._rejected = np.unique(np.concatenate([positions for positions, _, _ in self._aside]))
        return self._rejected

    def note(self, severity: Severity, column: str, count: int, first: Ints, message: str, effect: str) -> None:
        """Add a finding about ``count`` rows, of which ``first`` are the first positions; none when count is 0."""
        if count:
            rows = tuple(int(number) for number in self.raw.numbers.of(first[:SHOWN_ROWS]))
            self.findings.append(Finding(severity, self.table, column, count, rows, counted(message, count), effect))

    def note_count(self, severity: Severity, column: str, count: int, message: str, effect: str) -> None:
        """Add a finding that has a number of rows but no row numbers."""
        self.note(severity, column, count, np.zeros(0, dtype=np.int64), message, effect)

    def reject(self, positions: Ints, texts: Sequence[str], which: Ints) -> None:
        """Set rows aside, each for the text with its number."""
        if len(positions):
            self._aside.append((positions, list(texts), which))
            self._rejected = None

    def mark(self) -> int:
        """A point to which :meth:`forget` goes back."""
        return len(self._aside)

    def forget(self, mark: int) -> None:
        """Take back what was set aside since a mark."""
        del self._aside[mark:]
        self._rejected = None if self._aside else np.zeros(0, dtype=np.int64)

    def set_aside(self, column: str, positions: Ints, reason: str, quoted: pd.Series | None = None) -> None:
        """Set rows aside for a reason; ``quoted`` cells, one a row, are shown after it. Positions are in order."""
        if len(positions) == 0:
            return
        example = ""
        if quoted is None:
            self.reject(positions, [reason], np.zeros(len(positions), dtype=np.int64))
        else:
            codes, cells = pd.factorize(quoted.to_numpy(dtype=object))
            self.reject(positions, [f"{reason}: {shown(cell)}" for cell in cells], codes.astype(np.int64))
            example = f" (for example {braced(shown(quoted.iloc[0]))})"
        message = f"{{count}} row{{s}} {{were}} set aside: {reason}{example}."
        self.note("warning", column, len(positions), positions, message, TEACH_NOTHING)

    def set_aside_frame(self) -> pd.DataFrame:
        """Return ``table, row_number, reason`` and the original cells, as text, of the rows set aside."""
        rows = self.rejected
        text = self.spool.original(self.columns, rows).drop(columns=list(self.hidden))
        text.insert(0, "table", self.table)
        text.insert(1, "row_number", self.raw.numbers.of(rows))
        text.insert(2, "reason", self._reasons())
        files = self.raw.numbers.files(rows)
        if files is not None:
            text.insert(1, "file", files)
        bad = self.raw.malformed
        if len(bad):
            whole = bad.rename(columns={"text": self.columns[0].name}).assign(table=self.table)
            text = pd.concat([text, whole], ignore_index=True).fillna("")
        return text.sort_values("row_number", kind="stable").reset_index(drop=True)

    def _reasons(self) -> pd.Series:
        """Reasons of each row set aside, in the order in which they were found."""
        if not self._aside:
            return pd.Series(dtype="str")
        parts = [
            pd.DataFrame({"row": positions, "reason": np.array(texts, dtype=object)[which]})
            for positions, texts, which in self._aside
        ]
        every = pd.concat(parts, ignore_index=True).sort_values("row", kind="stable")
        if every["row"].is_unique:
            return every["reason"].reset_index(drop=True)
        return every.groupby("row", sort=True)["reason"].agg("; ".join).reset_index(drop=True)


class LevelSheet(Worksheet):
    """A worksheet whose rows are the different values of one column of a large sheet.

    What the cleaning rules note about a value is noted about all of its rows.

    Parameters
    ----------
    sheet
        The large sheet.
    index
        Which of its columns.
    """

    def __init__(self, sheet: LargeSheet, index: int) -> None:
        column = sheet.columns[index]
        self.table = sheet.table
        self.findings = sheet.findings
        self._sheet, self._index = sheet, index
        self.cells = column.level_series()
        self._levels = 0 if column.levels is None else len(column.levels)
        self._has_missing = bool(column.missing)
        self._coded = sheet.spool.rows - column.missing - column.plain_rows
        self._counts: Ints | None = None
        self.classes = list(column.classes.values())
        others = [column.missing] if column.missing else []
        if self.classes:
            plain = pd.Series([each.cell for each in self.classes], dtype=self.cells.dtype)
            self.cells = pd.concat([self.cells, plain], ignore_index=True)
            others += [each.rows for each in self.classes]
        self._others = np.array(others, dtype=np.int64)

    def rows_in(self, mask: Mask) -> int:
        """Number of rows whose value is marked."""
        marked = mask[: self._levels]
        others = int(self._others[mask[self._levels :]].sum())
        if not marked.any():
            return others
        if marked.all():
            return self._coded + others
        if self._counts is None:
            self._counts = self._sheet.spool.count(self._index, self._levels)
        return int(self._counts[marked].sum()) + others

    def note(self, severity: Severity, column: str, mask: Mask, message: str, effect: str) -> None:
        """Add a finding about the rows of the marked values."""
        count = self.rows_in(mask)
        if count:
            first = self._sheet.spool.positions(self._index, self._lookup(mask), SHOWN_ROWS)
            self._sheet.note(severity, column, count, first, message, effect)

    def set_aside(
        self, column: str, mask: Mask, reason: str, *, cells: pd.Series | None = None, effect: str = TEACH_NOTHING
    ) -> None:
        """Set aside the rows of the marked values."""
        if self.rows_in(mask) == 0:
            return
        lookup = self._lookup(mask)
        texts, which = [reason], np.zeros(len(lookup), dtype=np.int64)
        example = ""
        if cells is not None:
            marked = np.flatnonzero(mask)
            texts = [f"{reason}: {shown(cell)}" for cell in cells.iloc[marked]]
            which[marked] = np.arange(len(marked))
            example = f" (for example {braced(shown(cells.iloc[marked[0]]))})"
        positions: list[Ints] = []
        numbers: list[Ints] = []
        for start, codes in self._sheet.spool.codes(self._index):
            rows = np.flatnonzero(lookup[codes])
            positions.append(rows + start)
            numbers.append(which[codes[rows]])
        every = np.concatenate(positions)
        self._sheet.reject(every, texts, np.concatenate(numbers))
        message = f"{{count}} row{{s}} {{were}} set aside: {reason}{example}."
        self._sheet.note("warning", column, len(every), every, message, effect)

    def _lookup(self, mask: Mask) -> NDArray[np.bool_]:
        """Marks by code: of levels, then of plain cells (-2) and of missing ones (-1)."""
        place = self._levels + self._has_missing
        plain = bool(mask[place:].any()) if self.classes else False
        return np.append(mask[: self._levels], [plain, bool(mask[self._levels]) if self._has_missing else False])
