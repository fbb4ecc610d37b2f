"""Columns as codes: each different value once, and for each row the number of its value.

Blocks are prepared side by side, settled in their order, and coded side by side again, so that the numbers of the
values depend on nothing but the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pricing_core.engines.numbered import NumberedCodes, Pattern
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
    numbers, numbered
        Numbers of cells that share a pattern, and these cells; they come before all others.
    """

    words: pa.Array
    places: NDArray[np.int32]
    missing: int
    rows: int
    coded: NDArray[np.int64] | None = None
    values: pa.Array | None = None
    raw: pa.Array | None = None
    classes: dict[str, PlainClass] | None = None
    numbers: NDArray[np.int64] | None = None
    numbered: pa.Array | None = None


@dataclass(frozen=True, eq=False)
class Settled:
    """Code of each word of a block, the last of missing cells; and of each numbered cell, where there are some."""

    words: Codes
    numbered: Codes | None = None


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
        self._numbered: NumberedCodes | None = None
        self._others: NDArray[np.int32] | None = None

    @property
    def as_text(self) -> bool:
        """Whether the cells are wanted as text, not coded."""
        return bool(self.plain) or self._numbered is not None

    def level_series(self) -> pd.Series:
        """The different values as pandas reads a whole column of them, a missing one last where there is one."""
        levels = self.levels if self.levels is not None else pa.nulls(0, pa.string())
        if self.missing:
            levels = pa.concat_arrays([levels, pa.nulls(1, levels.type)])
        series = levels.to_pandas()
        if pa.types.is_string(levels.type):
            return series.astype("str")
        return series.astype("Int64") if self.nullable else series

    def texts(self, codes: Codes) -> pd.Series:
        """Text of coded cells; empty where they are missing or plain."""
        which = np.unique(codes[codes >= 0])
        text = pd.Series("", index=range(len(codes)), dtype="str")
        if self.levels is None or not len(which):
            return text
        levels = self.levels.take(pa.array(which))
        gap = pa.nulls(1 if self.missing else 0, levels.type)  # pandas reads whole numbers with gaps as others
        series = pa.concat_arrays([levels, gap]).to_pandas()
        words = (series.astype("Int64") if self.nullable else series).astype("str").mask(series.isna(), "")
        rows = np.flatnonzero(codes >= 0)
        text.iloc[rows] = words.to_numpy(dtype=object)[np.searchsorted(which, codes[rows])]
        return text

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

    def find_numbers(self, array: pa.Array) -> None:
        """Code the column by the numbers in its cells from now on, if they share a pattern."""
        cells = text_cells(array.slice(0, 20_000))
        if not self.plain and self.levels is None and pa.types.is_string(cells.type):
            pattern = Pattern.of(cells)
            self._numbered = None if pattern is None else NumberedCodes(pattern)

    def take(self, array: pa.Array) -> tuple[Codes, pa.Array | None]:
        """Codes of a block's cells, and their plain values where the code is -2."""
        cells = self.prepare(array)
        return self.codes(cells, self.settle(cells)), cells.values

    def prepare(self, array: pa.Array) -> Cells:
        """Read the cells of a block as far as no other block matters; blocks may be prepared side by side."""
        if self._numbered is not None:
            return _numbered(text_cells(array), self._numbered.pattern)
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

    def settle(self, cells: Cells) -> Settled:
        """Number the values of a block, in the order of the blocks."""
        self._begun = True
        numbered = None
        if self._numbered is not None and cells.numbers is not None and cells.numbered is not None:
            have = 0 if self.levels is None else len(self.levels)
            numbered, first = self._numbered.take(cells.numbers, have)
            self._append(cells.numbered.take(pa.array(first)))
        place = self._place(cells.words)
        self.missing += cells.missing
        if cells.values is not None and cells.coded is not None:
            self.plain_rows += cells.rows - len(cells.coded)
        for name, found in (cells.classes or {}).items():
            known = self.classes.setdefault(name, PlainClass(found.cell, 0))
            known.rows += found.rows
        kind = narrowest(0 if self.levels is None else len(self.levels))
        return Settled(np.append(place, MISSING).astype(kind), None if numbered is None else numbered.astype(kind))

    def codes(self, cells: Cells, settled: Settled) -> Codes:
        """Codes of a block's cells; blocks may be coded side by side."""
        codes: Codes = cast(Codes, look_up(settled.words, cells.places))
        if cells.coded is None:
            return codes if settled.numbered is None else settled.numbered
        every = np.full(cells.rows, PLAIN, dtype=codes.dtype)
        if settled.numbered is not None:
            fits = np.ones(cells.rows, dtype=bool)
            fits[cells.coded] = False
            every[fits] = settled.numbered
        every[cells.coded] = codes
        return every

    def _place(self, words: pa.Array) -> NDArray[np.int64]:
        """Codes of words, new ones behind the others."""
        if self._numbered is None:
            known = self.levels
        else:  # only cells without the pattern are compared
            known = None if self._others is None or self.levels is None else self.levels.take(pa.array(self._others))
        if known is None or not len(known) or not len(words):
            place = np.full(len(words), -1, dtype=np.int64)
        else:
            place = pc.index_in(words, known).fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
            if self._others is not None:
                place[place >= 0] = self._others[place[place >= 0]]
        new = np.flatnonzero(place < 0)
        if len(new):
            place[new] = (0 if self.levels is None else len(self.levels)) + np.arange(len(new))
            self._append(words.take(pa.array(new)))
            if self._numbered is not None:
                others = place[new].astype(np.int32)
                self._others = others if self._others is None else np.append(self._others, others)
        elif self.levels is None:
            self._append(words)
        return place

    def _append(self, words: pa.Array) -> None:
        self.levels = words if self.levels is None else pa.concat_arrays([self.levels, words])


def narrowest(levels: int) -> type[np.signedinteger]:
    """The smallest type that holds the codes of so many values."""
    return np.int8 if levels <= 127 else np.int16 if levels <= 32_767 else np.int32


def look_up(values: NDArray[np.generic], places: NDArray[Any]) -> NDArray[np.generic]:
    """``values[places]``, not to be written to; the places are not widened first where none counts from the end."""
    if values.dtype == object or places.min(initial=0) < 0:
        return cast(NDArray[np.generic], values[places])
    found = pc.take(pa.array(values), pa.array(places), boundscheck=False)
    return cast(NDArray[np.generic], found.to_numpy())


def text_cells(array: pa.Array) -> pa.Array:
    """The cells of an array that may be coded already."""
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _numbered(array: pa.Array, pattern: Pattern) -> Cells:
    numbers, fits = pattern.numbers(array)
    if fits.all():
        return Cells(array.slice(0, 0), np.zeros(0, np.int32), 0, len(array), numbers=numbers, numbered=array)
    coded = np.flatnonzero(~fits)
    rest = _different(array.take(pa.array(coded)))
    return Cells(
        rest.words, rest.places, rest.missing, len(array), coded, numbers=numbers,
        numbered=array.filter(pa.array(fits)),
    )  # fmt: skip


def _different(array: pa.Array) -> Cells:
    found = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    places = found.indices
    missing = places.null_count
    if missing:
        places = places.fill_null(len(found.dictionary))
    return Cells(found.dictionary, places.to_numpy(), missing, len(array))
