"""Find the header of a table: below titles, over two merged rows, with names that are missing or occur twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pricing_core import schema
from pricing_core.data.names import name_key

Cells = Sequence[str]

_LOOKED_AT: Final = 30
_VALUE: Final = re.compile(r"^[+-]?[\d.,]+$|^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_KNOWN: Final = frozenset(
    name_key(word) for table in schema.FIELDS.values() for field in table for word in (field.name, *field.synonyms)
)


@dataclass(frozen=True)
class Header:
    """Where a table begins.

    Attributes
    ----------
    names
        Column names, each once, none empty.
    first_row
        Position of the first data row among the rows looked at (0-based).
    notes
        What was done, one sentence each.
    """

    names: list[str]
    first_row: int
    notes: tuple[str, ...]


def find_header(rows: Sequence[Cells], *, merged: Sequence[Sequence[int]] = ()) -> Header:
    """Find the header among the first rows of a table.

    Rows before the header are passed over while they have no more than one filled cell and later rows have more:
    titles and remarks. A header whose cells are merged over several columns goes with the row below it: ``Price`` over
    ``list`` and ``offer`` makes ``Price list`` and ``Price offer``. Where the first row looks like data, the table has
    no header.

    Parameters
    ----------
    rows
        First rows of the table, as text; an empty cell is ``""``.
    merged
        For each row, the positions of cells that continue a merged cell to their left.
    """
    shown = list(rows[:_LOOKED_AT])
    width = _usual_width(shown)
    start = 0
    while start < len(shown) - 1 and width > 1 and _filled(shown[start]) <= 1:
        start += 1
    notes: list[str] = []
    titles = sum(_filled(row) > 0 for row in shown[:start])
    if titles:
        notes.append(f"{titles} line{'s' if titles > 1 else ''} above the header passed over.")
    names = [cell.strip().lstrip("\ufeff").strip() for cell in shown[start]]
    first = start + 1
    continued = set(merged[start]) if start < len(merged) else set()
    if continued and first < len(shown) and not _looks_like_data(shown[first]):
        names = _joined(names, list(shown[first]), continued)
        notes.append("A header of two rows was read as one.")
        first += 1
    names += [""] * (max((len(row) for row in shown[start:]), default=0) - len(names) if _padded(shown[first:]) else 0)
    if _looks_like_data(names) and len(shown) > start + 1:
        notes.append("The first row looks like data: the file has no header, columns are numbered.")
        return Header([f"column {number}" for number in range(1, len(names) + 1)], start, tuple(notes))
    return Header(_unique(names, notes), first, tuple(notes))


def _usual_width(rows: Sequence[Cells]) -> int:
    counts = Counter(_filled(row) for row in rows if _filled(row))
    return max(counts, key=lambda width: (counts[width], width)) if counts else 0


def _filled(row: Cells) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _padded(rows: Sequence[Cells]) -> bool:
    """Whether there are data rows, and all of the same length: a header that is shorter lacks names."""
    return len({len(row) for row in rows if _filled(row)}) == 1


def _looks_like_data(names: Cells) -> bool:
    filled = [name for name in names if name.strip()]
    if not filled or any(name_key(name) in _KNOWN for name in filled):
        return False
    return sum(bool(_VALUE.match(name.strip())) for name in filled) >= 0.4 * len(filled)


def _joined(upper: list[str], lower: list[str], continued: set[int]) -> list[str]:
    width = max(len(upper), len(lower))
    upper, lower = upper + [""] * (width - len(upper)), lower + [""] * (width - len(lower))
    for position in range(1, width):
        if position in continued:
            upper[position] = upper[position - 1]
    return [" ".join(part for part in (top, bottom.strip()) if part) for top, bottom in zip(upper, lower, strict=True)]


def _unique(names: list[str], notes: list[str]) -> list[str]:
    """Give every column a name of its own, and say which had none or shared one."""
    taken: set[str] = set(filter(None, names))
    seen: set[str] = set()
    out = []
    missing = [position for position, name in enumerate(names, start=1) if not name]
    for position, name in enumerate(names, start=1):
        fresh, number = name or f"column {position}", 2
        while fresh in seen or (fresh != name and fresh in taken):
            fresh, number = f"{name or f'column {position}'} ({number})", number + 1
        if name and fresh != name:
            notes.append(f"The column name {name!r} occurs more than once; a later one was read as {fresh!r}.")
        seen.add(fresh)
        out.append(fresh)
    if missing:
        words = ", ".join(out[position - 1] for position in missing[:5])
        notes.append(f"{len(missing)} column{'s have' if len(missing) > 1 else ' has'} no name; read as {words}.")
    return out
