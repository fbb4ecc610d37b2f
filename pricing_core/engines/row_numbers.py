"""Numbers of rows as a spreadsheet shows them, for rows that are known by their position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Section:
    """Rows of one file.

    Attributes
    ----------
    name
        Name of the file.
    start
        Position of its first row among the rows of all files.
    first
        Number of its first row.
    skipped
        Rows that were left out, counted from 1 at the first row, in order.
    """

    name: str
    start: int
    first: int
    skipped: Ints

    def numbers(self, positions: Ints) -> Ints:
        """Numbers of rows of this file."""
        place = positions - self.start
        kept_before = self.skipped - 1 - np.arange(len(self.skipped))
        return place + self.first + np.searchsorted(kept_before, place, side="right")


class RowNumbers:
    """Row numbers of a table that was read from one or several files."""

    def __init__(self) -> None:
        self.sections: list[Section] = []

    def of(self, positions: Ints) -> Ints:
        """Number of each row, by its position among the rows of all files."""
        out = np.zeros(len(positions), dtype=np.int64)
        owner = self._owner(positions)
        for index, section in enumerate(self.sections):
            mine = owner == index
            if mine.any():
                out[mine] = section.numbers(positions[mine])
        return out

    def of_kept(self, rejected: Ints, places: Ints) -> Ints:
        """Number of each row, by its place among the rows that are left without those at the ``rejected`` positions."""
        kept_before = rejected - np.arange(len(rejected))
        return self.of(places + np.searchsorted(kept_before, places, side="right"))

    def files(self, positions: Ints) -> NDArray[np.object_] | None:
        """Name of the file of each row; None where there is only one file."""
        if len(self.sections) < 2:
            return None
        names = np.array([section.name for section in self.sections], dtype=object)
        return np.asarray(names[self._owner(positions)], dtype=object)

    def _owner(self, positions: Ints) -> Ints:
        starts = np.array([section.start for section in self.sections], dtype=np.int64)
        return np.searchsorted(starts, positions, side="right") - 1
