"""Columns as codes: each different value once, and for each row the number of its value.

Blocks are prepared side by side, settled in their order, and coded side by side again, so that the numbers of the
values depend on nothing but the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pricing_core.engines.plain import Plain, PlainClass, plain_classes, plain_values, raw_cells

MISSING: Final = -1
PLAIN: Final = -2
PROBED: Final = 200
"""Different values that are looked at to tell what a further column holds; they are always coded."""

Codes = NDArray[np.signedinteger]


@dataclass(frozen=True, eq=False)
class Cells:
    """What a block's cells of one column hold, before their values are numbered.

    Attributes
    ----------
    words, places
        The different values, and for each coded cell its place among them; that of missing cells is behind the last.
    missing
        How many are missing.
    coded
        Positions of the coded cells; None where all are.
    values, raw
        Plain values, and the cells whose text these do not tell.
    classes
        Kinds of plain cells.
    """

    words: pa.Array
    places: NDArray[np.int32]
    missing: int
    rows: int
    coded: NDArray[np.int64] | None = None
    values: pa.Array | None = None
    raw: pa.Array | None = None
    classes: dict[str, PlainClass] | None = None


class ColumnCodes:
    """Codes of one column, given out in the order in which values first occur.

    Parameters
    ----------
    name
        Column of the file.
    timezone
        Zone of times that carry none.

    Attributes
    ----------
    plain
        What is kept plain; empty where every cell is coded.
    nullable
        Whether the file says that these are whole numbers with gaps.
    levels
        The different values.
    missing, plain_rows
        Number of missing cells, and of those that were kept plain.
    classes
        Kinds of plain cells.
    """

    def __init__(self, name: str, timezone: str) -> None:
        self.name = name
        self.plain: Plain = ""
        self.nullable = False
        self.levels: pa.Array | None = None
        self.missing = 0
        self.plain_rows = 0
        self.classes: dict[str, PlainClass] = {}
        self._timezone = timezone
        self._begun = False

    def level_series(self) -> pd.Series:
        """The different values as pandas reads a whole column of them, a missing one last where there is one."""
        levels = self.levels if self.levels is not None else pa.nulls(0, pa.string())
        if self.missing:
            levels = pa.concat_arrays([levels, pa.nulls(1, levels.type)])
        series = levels.to_pandas()
        if pa.types.is_string(levels.type):
            return series.astype("str")
        return series.astype("Int64") if self.nullable else series

    def first_levels(self, array: pa.Array) -> pa.Array:
        """Take the first values of the first block as levels, before it is decided how to keep the column."""
        self.levels = text_cells(array.slice(0, 20_000)).drop_null().unique().slice(0, PROBED)
        return self.levels

    def keep_plain(self, kind: Plain, array: pa.Array) -> None:
        """Keep the column plain from now on, if most of the first cells can be kept that way."""
        self.plain = kind
        sample = text_cells(array.slice(0, 2_000)).drop_null()
        if kind and plain_values(kind, sample, self._timezone)[0].null_count > 0.1 * len(sample):
            self.plain = ""

    def take(self, array: pa.Array) -> tuple[Codes, pa.Array | None]:
        """Codes of a block's cells, and their plain values where the code is -2."""
        cells = self.prepare(array)
        return self.codes(cells, self.settle(cells)), cells.values

    def prepare(self, array: pa.Array) -> Cells:
        """Read the cells of a block as far as no other block matters; blocks may be prepared side by side."""
        if not self.plain:
            return _different(array)
        array = text_cells(array)
        values, usual = plain_values(self.plain, array, self._timezone)
        kept = np.ones(len(array), dtype=bool)
        if values.null_count:
            kept = np.asarray(values.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
        if not self._begun and self.levels is not None:
            kept &= pc.is_null(pc.index_in(array, self.levels)).to_numpy(zero_copy_only=False)
        coded = np.flatnonzero(~kept)
        found = _different(array.take(pa.array(coded)))
        return Cells(
            found.words, found.places, found.missing, len(array), coded, values,
            raw_cells(self.plain, array, kept, usual), plain_classes(self.plain, array, kept, usual, self.classes),
        )  # fmt: skip

    def settle(self, cells: Cells) -> Codes:
        """Number the values of a block, in the order of the blocks; returns the number of each of its words."""
        self._begun = True
        words = cells.words
        if self.levels is None or len(self.levels) == 0:
            place = np.arange(len(words), dtype=np.int64)
            self.levels = words
        else:
            place = pc.index_in(words, self.levels).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
            new = np.flatnonzero(place < 0)
            if len(new):
                place[new] = len(self.levels) + np.arange(len(new))
                self.levels = pa.concat_arrays([self.levels, words.take(pa.array(new))])
        self.missing += cells.missing
        if cells.coded is not None:
            self.plain_rows += cells.rows - len(cells.coded)
        for name, found in (cells.classes or {}).items():
            known = self.classes.setdefault(name, PlainClass(found.cell, 0))
            known.rows += found.rows
        return np.append(place, MISSING).astype(narrowest(len(self.levels)))

    def codes(self, cells: Cells, numbers: Codes) -> Codes:
        """Codes of a block's cells, given the numbers of its words; blocks may be coded side by side."""
        codes = numbers[cells.places]
        if cells.coded is None:
            return codes
        every = np.full(cells.rows, PLAIN, dtype=codes.dtype)
        every[cells.coded] = codes
        return every


def narrowest(levels: int) -> type[np.signedinteger]:
    """The smallest type that holds the codes of so many values."""
    return np.int8 if levels <= 127 else np.int16 if levels <= 32_767 else np.int32


def text_cells(array: pa.Array) -> pa.Array:
    """The cells of an array that may be coded already."""
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _different(array: pa.Array) -> Cells:
    found = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    places = found.indices
    missing = places.null_count
    if missing:
        places = places.fill_null(len(found.dictionary))
    return Cells(found.dictionary, places.to_numpy(), missing, len(array))
