"""Cells that are kept as they read: times, numbers and text of columns of which nearly every cell differs.

A cell is kept *plain* where it reads in one way only, whatever the other cells of its column are; where it does not,
it is coded, and the cleaning rules decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pricing_core.data.parsing import MISSING_WORDS, parse_number
from pricing_core.data.parsing_times import parse_time

Plain = Literal["", "time", "number", "integer", "text"]
Mask = NDArray[np.bool_]

_ISO: Final = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?(?:Z|[+-]\d{2}:?\d{2})?$"
_ZONED: Final = r":\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})$"
_NUMBER: Final = r"^\d{1,15}(?:\.\d{1,15})?$"
_TEXT: Final = r"^\S(?:.*\S)?$"
_USUAL_LENGTH: Final = 20
_USUAL_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass
class PlainClass:
    """A cell that stands for others that are read in the same way, and the number of their rows."""

    cell: object
    rows: int


def plain_values(kind: Plain, array: pa.Array, timezone: str) -> tuple[pa.Array, Mask | None]:
    """Values of the cells that can be kept plain, null for the others; of times, also which have the usual form."""
    if kind == "time":
        return _times(array, timezone)
    if kind == "number":
        return _numbers(array), None
    if kind == "integer":
        return array.cast(pa.int64()), None
    return _texts(array), None


def plain_classes(
    kind: Plain, cells: pa.Array, kept: Mask, usual: Mask | None, known: dict[str, PlainClass]
) -> dict[str, PlainClass]:
    """Classes of the cells of a block that are kept plain; of times, by whether they carry a zone.

    A class of numbers that is known already is not looked for again.
    """
    if not kept.any():
        return {}
    if kind == "time":
        return dict(_time_classes(cells, kept, usual))
    plain = cells if kept.all() else cells.filter(pa.array(kept))
    found = {"": PlainClass(plain[0].as_py(), len(plain))}
    if kind == "number" and pa.types.is_string(cells.type):
        for name, test in _POINTS.items():
            place = -1 if name in known else pc.index(test(plain), True).as_py()
            if place >= 0:
                found[name] = PlainClass(plain[place].as_py(), 0)
    return found


def raw_cells(kind: Plain, cells: pa.Array, kept: Mask, usual: Mask | None) -> pa.Array | None:
    """The cells whose text the values do not tell; None where they tell all."""
    if kind in ("integer", "text"):
        return None
    if usual is None:
        return cells
    odd = kept & ~usual
    return pc.if_else(pa.array(odd), cells, None) if odd.any() else None


def written(kind: Plain, values: pa.Array) -> pa.Array:
    """The cells of plain values that :func:`raw_cells` left out."""
    if kind != "time":
        return values
    seconds = values.cast(pa.timestamp("us")).cast(pa.timestamp("s"), safe=False)  # the usual form has no fractions
    return pc.strftime(seconds, format=_USUAL_FORMAT)


def _time_classes(cells: pa.Array, kept: Mask, usual: Mask | None) -> Iterator[tuple[str, PlainClass]]:
    odd = kept if usual is None else kept & ~usual
    zoned = np.zeros(len(kept), dtype=bool) if usual is None else kept & usual
    if odd.any():
        with_zone = np.asarray(_is_zoned(cells.filter(pa.array(odd))).to_numpy(zero_copy_only=False), dtype=bool)
        zoned = zoned.copy()
        zoned[np.flatnonzero(odd)[with_zone]] = True
    for name, mask in (("zoned", zoned), ("zoneless", kept & ~zoned)):
        rows = int(np.count_nonzero(mask))
        if rows:
            yield name, PlainClass(cells[int(mask.argmax())].as_py(), rows)


def _thousands(cells: pa.Array) -> pa.Array:
    return pc.match_substring_regex(cells, r"^[1-9]\d{0,2}\.\d{3}$")


def _other_point(cells: pa.Array) -> pa.Array:
    return pc.and_not(pc.match_substring(cells, "."), _thousands(cells))


def _large(cells: pa.Array) -> pa.Array:
    return pc.match_substring_regex(cells, r"^0*[1-9]\d{3,}$")


_POINTS: Final[dict[str, Callable[[pa.Array], pa.Array]]] = {
    "thousands": _thousands, "point": _other_point, "large": _large,
}  # fmt: skip
"""Classes of plain numbers that decide what a point means: see ``parsing._decimal_point``."""


def _times(array: pa.Array, timezone: str) -> tuple[pa.Array, Mask | None]:
    """Microseconds since 1970 of cells that are ISO 8601; null for the others."""
    if not pa.types.is_string(array.type):
        series = parse_time(array.to_pandas(), timezone).values
        return pa.Array.from_pandas(series).cast(pa.int64()), None
    usual = _usual_times(array)
    try:
        if usual.all():
            return _stamps(array), usual
        if usual.any():
            rest = np.flatnonzero(~usual)
            stamps = pc.if_else(pa.array(usual), array, None)
            other = _other_times(array.take(pa.array(rest)), timezone)
            return pc.replace_with_mask(_stamps(stamps), pa.array(~usual), other), usual
    except pa.ArrowInvalid:  # one looks like a time and is none, such as the 30th of February
        pass
    return _other_times(array, timezone), None


def _usual_times(array: pa.Array) -> Mask:
    """Marks cells as long as, and ending as, ``2024-01-31T12:00:00Z``."""
    _, offsets, data = array.buffers()
    if not len(array) or data is None or not data.size:
        return np.zeros(len(array), dtype=bool)
    ends = np.frombuffer(offsets, dtype=np.int32, count=len(array) + 1, offset=4 * array.offset)
    last = np.frombuffer(data, dtype=np.uint8)[ends[1:] - 1]
    return np.asarray((np.diff(ends) == _USUAL_LENGTH) & (last == ord("Z")), dtype=bool)


def _stamps(array: pa.Array) -> pa.Array:
    return array.cast(pa.timestamp("us", "UTC")).cast(pa.int64())


def _other_times(array: pa.Array, timezone: str) -> pa.Array:
    zoned = pc.sum(_is_zoned(array)).as_py() or 0
    try:
        if zoned == len(array):
            return _stamps(array)
        if zoned == 0 and timezone == "UTC":
            return array.cast(pa.timestamp("us")).cast(pa.int64())
    except pa.ArrowInvalid:  # one is written in another way, or is none: told apart below
        pass
    iso, with_zone = pc.match_substring_regex(array, _ISO), _is_zoned(array)
    try:
        stamps = pc.if_else(pc.and_(iso, with_zone), array, None).cast(pa.timestamp("us", "UTC"))
        local = pc.if_else(pc.and_not(iso, with_zone), array, None).cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        cells = pc.if_else(iso, array, None).to_pandas().astype("str")
        return pa.Array.from_pandas(parse_time(cells, timezone).values).cast(pa.int64())
    if local.null_count < len(local):
        stamps = pc.coalesce(stamps, pa.Array.from_pandas(parse_time(local.to_pandas(), timezone).values))
    return stamps.cast(pa.int64())


def _is_zoned(array: pa.Array) -> pa.Array:
    if not pa.types.is_string(array.type):
        return pa.array(np.full(len(array), not pa.types.is_timestamp(array.type) or array.type.tz is not None))
    return pc.fill_null(pc.match_substring_regex(array, _ZONED), False)


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
