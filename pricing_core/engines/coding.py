"""Columns as codes: each different value once, and for each row the number of its value.

Columns of which nearly every cell differs (times to the second, measured numbers, free text) are kept *plain* where
the cell reads in one way only, and coded where it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pricing_core.data.parsing import MISSING_WORDS, parse_number
from pricing_core.data.parsing_times import parse_time

Plain = Literal["", "time", "number", "integer", "text"]

MISSING: Final = -1
PLAIN: Final = -2
PROBED: Final = 200
"""Different values that are looked at to tell what a further column holds; they are always coded."""

_ISO: Final = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?(?:Z|[+-]\d{2}:?\d{2})?$"
_ZONED: Final = r":\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})$"
_NUMBER: Final = r"^\d{1,15}(?:\.\d{1,15})?$"
_TEXT: Final = r"^\S(?:.*\S)?$"


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
    levels, counts
        The different values, and the number of rows of each.
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
        self.counts = np.zeros(0, dtype=np.int64)
        self.missing = 0
        self.plain_rows = 0
        self.classes: dict[str, PlainClass] = {}
        self._timezone = timezone

    def level_series(self) -> pd.Series:
        """The different values as pandas reads a whole column of them, a missing one last where there is one."""
        levels = self.levels if self.levels is not None else pa.nulls(0, pa.string())
        if self.missing:
            levels = pa.concat_arrays([levels, pa.nulls(1, levels.type)])
        series = levels.to_pandas()
        if pa.types.is_string(levels.type):
            return series.astype("str")
        return series.astype("Int64") if self.nullable else series

    def take(self, array: pa.Array) -> tuple[NDArray[np.int32], pa.Array | None]:
        """Codes of a block's cells, and their plain values where the code is -2."""
        if not self.plain:
            return self._coded(array), None
        values = self._plain_values(array)
        known = values.is_valid().to_numpy(zero_copy_only=False)
        if self.plain_rows == 0 and self.levels is not None:
            known &= pc.is_null(pc.index_in(array, self.levels)).to_numpy(zero_copy_only=False)
        codes = np.full(len(array), PLAIN, dtype=np.int32)
        rest = np.flatnonzero(~known)
        if len(rest):
            codes[rest] = self._coded(array.take(pa.array(rest)))
        self._count_plain(array, values, known)
        return codes, values

    def first_levels(self, array: pa.Array) -> pa.Array:
        """Take the first values of the first block as levels, before it is decided how to keep the column."""
        distinct = array.slice(0, 20_000).drop_null().unique().slice(0, PROBED)
        self.levels, self.counts = distinct, np.zeros(len(distinct), dtype=np.int64)
        return distinct

    def keep_plain(self, kind: Plain, array: pa.Array) -> None:
        """Keep the column plain from now on, if most of the first cells can be kept that way."""
        self.plain = kind
        sample = array.slice(0, 2_000).drop_null()
        if kind and self._plain_values(sample).null_count > 0.1 * len(sample):
            self.plain = ""

    def _coded(self, array: pa.Array) -> NDArray[np.int32]:
        found = array.dictionary_encode()
        words = found.dictionary
        if self.levels is None or len(self.levels) == 0:
            place = np.arange(len(words), dtype=np.int32)
            self.levels, self.counts = words, np.zeros(len(words), dtype=np.int64)
        else:
            known = pc.index_in(words, self.levels)
            place = known.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
            new = np.flatnonzero(place < 0)
            if len(new):
                place[new] = len(self.levels) + np.arange(len(new), dtype=np.int32)
                self.levels = pa.concat_arrays([self.levels, words.take(pa.array(new))])
                self.counts = np.append(self.counts, np.zeros(len(new), dtype=np.int64))
        indices = found.indices
        if indices.null_count:
            self.missing += indices.null_count
            codes = np.append(place, np.int32(MISSING))[indices.fill_null(len(place)).to_numpy()]
        else:
            codes = place[indices.to_numpy()]
        counted = np.bincount(codes[codes >= 0] if indices.null_count else codes, minlength=len(self.counts))
        self.counts += counted
        return np.asarray(codes, dtype=np.int32)

    def _plain_values(self, array: pa.Array) -> pa.Array:
        if self.plain == "time":
            return _times(array, self._timezone)
        if self.plain == "number":
            return _numbers(array)
        if self.plain == "integer":
            return array.cast(pa.int64())
        return _texts(array)

    def _count_plain(self, array: pa.Array, values: pa.Array, known: NDArray[np.bool_]) -> None:
        if not known.any():
            return
        self.plain_rows += int(known.sum())
        plain = array.filter(pa.array(known))
        if self.plain == "time":
            zoned = _zoned(plain)
            if zoned:
                self._add_class("zoned", plain, zoned, _is_zoned)
            if zoned < len(plain):
                self._add_class("zoneless", plain, len(plain) - zoned, lambda cells: pc.invert(_is_zoned(cells)))
            return
        self._add_class("", plain, len(plain), None)
        if self.plain == "number" and pa.types.is_string(array.type) and len(self.classes) < 5:
            for name, test in _POINTS.items():
                if name not in self.classes:
                    self._add_class(name, plain, 0, test)

    def _add_class(self, name: str, cells: pa.Array, rows: int, test: Callable[[pa.Array], pa.Array] | None) -> None:
        """Count the rows of a class of plain cells, and keep its first cell; a class without rows needs a cell."""
        if name not in self.classes:
            place = 0 if test is None or rows == len(cells) else pc.index(test(cells), True).as_py()
            if place < 0:
                return
            self.classes[name] = PlainClass(cells[place].as_py(), 0)
        self.classes[name].rows += rows


@dataclass
class PlainClass:
    """A cell that stands for others that are read in the same way, and the number of their rows."""

    cell: object
    rows: int


def _thousands(cells: pa.Array) -> pa.Array:
    return pc.match_substring_regex(cells, r"^[1-9]\d{0,2}\.\d{3}$")


def _other_point(cells: pa.Array) -> pa.Array:
    return pc.and_not(pc.match_substring(cells, "."), _thousands(cells))


def _large(cells: pa.Array) -> pa.Array:
    return pc.match_substring_regex(cells, r"^0*[1-9]\d{3,}$")


_POINTS: Final = {"thousands": _thousands, "point": _other_point, "large": _large}
"""Classes of plain numbers that decide what a point means: see ``parsing._decimal_point``."""


def _times(array: pa.Array, timezone: str) -> pa.Array:
    """Microseconds since 1970 of cells that are ISO 8601; null for the others."""
    if not pa.types.is_string(array.type):
        series = parse_time(array.to_pandas(), timezone).values
        return pa.Array.from_pandas(series).cast(pa.int64())
    usual = _usual_times(array)
    zoned = _zoned(array)
    try:
        if 0 < usual.true_count < len(array):
            return _but_for(array, usual, timezone)
        if zoned == len(array):
            return array.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
        if zoned == 0 and timezone == "UTC":
            return array.cast(pa.timestamp("us")).cast(pa.int64())
    except pa.ArrowInvalid:
        pass
    iso, with_zone = pc.match_substring_regex(array, _ISO), _is_zoned(array)
    try:
        stamps = pc.if_else(pc.and_(iso, with_zone), array, None).cast(pa.timestamp("us", "UTC"))
        local = pc.if_else(pc.and_not(iso, with_zone), array, None).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:  # looks like a time and is none, such as the 30th of February
        cells = pc.if_else(iso, array, None).to_pandas().astype("str")
        return pa.Array.from_pandas(parse_time(cells, timezone).values).cast(pa.int64())
    if local.null_count < len(local):
        stamps = pc.coalesce(stamps, pa.Array.from_pandas(parse_time(local.to_pandas(), timezone).values))
    return stamps.cast(pa.int64())


def _usual_times(array: pa.Array) -> pa.Array:
    """Marks cells as long as, and ending as, ``2024-01-31T12:00:00Z``."""
    return pc.and_(pc.equal(pc.binary_length(array), 20), pc.ends_with(array, "Z")).fill_null(False)


def _but_for(array: pa.Array, usual: pa.Array, timezone: str) -> pa.Array:
    """As :func:`_times`, where some cells are usual; raises pyarrow.ArrowInvalid if one of these is no time."""
    stamps = pc.if_else(usual, array, None).cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    return pc.replace_with_mask(stamps, pc.invert(usual), _times(array.filter(pc.invert(usual)), timezone))


def _zoned(array: pa.Array) -> int:
    """Number of times with a zone."""
    if not pa.types.is_string(array.type):
        return int(pc.sum(_is_zoned(array)).as_py() or 0)
    if pc.all(pc.ends_with(array, "Z")).as_py():
        return len(array) - array.null_count
    return int(pc.sum(_is_zoned(array)).as_py() or 0)


def _is_zoned(array: pa.Array) -> pa.Array:
    if not pa.types.is_string(array.type):
        return pa.array(np.full(len(array), not pa.types.is_timestamp(array.type) or array.type.tz is not None))
    return pc.match_substring_regex(array, _ZONED)


def _numbers(array: pa.Array) -> pa.Array:
    """Values of cells that are plain numbers above zero; null for the others."""
    if pa.types.is_string(array.type):
        simple = pc.match_substring_regex(array, _NUMBER)
        values = pc.if_else(simple, array, None).cast(pa.float64())
    else:
        values = pa.Array.from_pandas(parse_number(array.to_pandas()).values).cast(pa.float64())
    positive = pc.and_(pc.is_finite(values), pc.greater(values, 0))
    return pc.if_else(positive, values, None)


def _texts(array: pa.Array) -> pa.Array:
    """Text without outer blanks that is no word for *missing*; null for the others."""
    word = pc.is_in(pc.utf8_lower(array), value_set=pa.array(MISSING_WORDS))
    good = pc.and_not(pc.match_substring_regex(array, _TEXT), word)
    return pc.if_else(good, array, None)
