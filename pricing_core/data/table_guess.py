"""Which table a file holds, guessed from its name and its headers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from pricing_core import schema
from pricing_core.data.mapping import guess_mapping


def guess_table(columns: Iterable[str], name: str = "") -> str:
    """Guess which canonical table a file is.

    A file name that contains a table's name decides. Otherwise the table that the headers fit best wins: one point for
    every field that has a column, two less for every required field that has none; offers win a tie.

    Parameters
    ----------
    columns
        Headers of the file.
    name
        Name of the file.
    """
    stem = PurePath(name).stem.lower()
    named = [table for table in schema.TABLES if table.rstrip("s") in stem]
    if len(named) == 1:
        return named[0]
    headers = list(columns)
    return max(schema.TABLES, key=lambda table: _fit(headers, table))


def _fit(headers: list[str], table: str) -> int:
    found = guess_mapping(headers, table)
    return len(found) - 2 * sum(field not in found for field in schema.required_names(table))
