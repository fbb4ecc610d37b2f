"""The state of one table while it is cleaned: typed columns, rows to set aside with reasons, findings."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.quality import Finding, Severity, first_rows
from pricing_core.data.raw_table import RawTable

Mask = NDArray[np.bool_]
SHOWN_CELL = 40

TEACH_NOTHING: Final = "These rows teach the models nothing until they are corrected."


class Worksheet:
    """Collects what happens to the rows of one table; rows are never removed before :meth:`kept`.

    Parameters
    ----------
    table
        Canonical table.
    raw
        The table as read.
    """

    def __init__(self, table: str, raw: RawTable) -> None:
        self.table = table
        self.raw = raw
        self.frame = pd.DataFrame(index=raw.frame.index)
        self.findings: list[Finding] = []
        self.reasons: dict[int, list[str]] = {}
        self.rejected: Mask = np.zeros(len(raw.frame), dtype=bool)

    def note(self, severity: Severity, column: str, mask: Mask, message: str, effect: str) -> None:
        """Add a finding about the rows of a mask; nothing happens when there are none.

        In the message, ``{count}`` stands for the number of rows, and ``{s}``, ``{are}``, ``{were}`` for a
        plural s and the verb that fits the number.
        """
        count = int(mask.sum())
        if count:
            rows = first_rows(self.raw.row_numbers, mask)
            self.findings.append(Finding(severity, self.table, column, count, rows, counted(message, count), effect))

    def rows_in(self, mask: Mask) -> int:
        """Number of rows of the file that a mask of cells stands for."""
        return int(mask.sum())

    def note_count(self, severity: Severity, column: str, count: int, message: str, effect: str) -> None:
        """Add a finding that has a number of rows but no row numbers."""
        if count:
            self.findings.append(Finding(severity, self.table, column, count, (), counted(message, count), effect))

    def set_aside(
        self, column: str, mask: Mask, reason: str, *, cells: pd.Series | None = None, effect: str = TEACH_NOTHING
    ) -> None:
        """Reject the rows of a mask; ``cells``, if given, is quoted after the reason, row by row."""
        rows = np.flatnonzero(mask)
        if len(rows) == 0:
            return
        self.rejected |= mask
        quoted = [reason] * len(rows) if cells is None else [f"{reason}: {shown(cell)}" for cell in cells.iloc[rows]]
        for row, text in zip(rows.tolist(), quoted, strict=True):
            self.reasons.setdefault(row, []).append(text)
        example = f" (for example {braced(shown(cells.iloc[rows[0]]))})" if cells is not None else ""
        message = f"{{count}} row{{s}} {{were}} set aside: {reason}{example}."
        self.note("warning", column, mask, message, effect)

    def kept(self) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        """Return the rows that are left, and their row numbers."""
        if not self.rejected.any():
            return self.frame, self.raw.row_numbers
        return self.frame[~self.rejected].reset_index(drop=True), self.raw.row_numbers[~self.rejected]

    def set_aside_frame(self) -> pd.DataFrame:
        """Return ``table, row_number, reason`` and the original cells, as text, of the rows set aside."""
        rows = sorted(self.reasons)
        original = self.raw.frame.iloc[rows]
        text = original.astype("str").mask(original.isna(), "")
        text.insert(0, "table", self.table)
        text.insert(1, "row_number", self.raw.row_numbers[rows])
        text.insert(2, "reason", ["; ".join(self.reasons[row]) for row in rows])
        if self.raw.files is not None:
            text.insert(1, "file", self.raw.files[rows])
        bad = self.raw.malformed
        if len(bad):
            first = str(self.raw.frame.columns[0])
            whole = bad.rename(columns={"text": first}).assign(table=self.table)
            text = pd.concat([text, whole], ignore_index=True).fillna("")
        return text.sort_values("row_number", kind="stable").reset_index(drop=True)


def counted(message: str, count: int) -> str:
    """Fill number, plural and verbs into a message."""
    one = count == 1
    return message.format(
        count=f"{count:,}", s="" if one else "s", are="is" if one else "are", were="was" if one else "were",
        verb="s" if one else "",
    )  # fmt: skip


def braced(text: str) -> str:
    """Protect the braces of a cell that is quoted in a message."""
    return text.replace("{", "{{").replace("}", "}}")


def shown(cell: object) -> str:
    """Quote a cell for a message, cut to 40 characters."""
    text = str(cell)
    return repr(text if len(text) <= SHOWN_CELL else text[:SHOWN_CELL] + "…")
