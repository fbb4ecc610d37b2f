"""Which column of a shop's file is which field: guessed from the headers, corrected by the user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pricing_core import schema
from pricing_core.data.names import name_key
from pricing_core.data.needed import lacking
from pricing_core.errors import MappingError


def guess_mapping(columns: Iterable[str], table: str) -> dict[str, str]:
    """Guess field → column from the headers of a file.

    A header that equals a field's name wins; then the field's synonyms are tried in order. Case,
    punctuation and units in brackets do not matter, and no column is used twice. Fields without a match are
    left out.
    """
    free = {name_key(column): column for column in reversed(list(columns))}
    guess: dict[str, str] = {}
    for field in schema.fields(table):
        key = name_key(field.name)
        if key in free:
            guess[field.name] = free.pop(key)
    for field in schema.fields(table):
        if field.name in guess:
            continue
        key = next((name for name in map(name_key, field.synonyms) if name in free), "")
        if key:
            guess[field.name] = free.pop(key)
    return {name: guess[name] for name in schema.field_names(table) if name in guess}


def complete_mapping(given: Mapping[str, str], columns: Iterable[str], table: str) -> dict[str, str]:
    """Add guesses for the fields that the user did not map; a field mapped to ``""`` stays unmapped."""
    columns = list(columns)
    chosen = {field: column for field, column in given.items() if column}
    rest = guess_mapping([column for column in columns if column not in chosen.values()], table)
    merged = {**{field: column for field, column in rest.items() if field not in given}, **chosen}
    known = schema.field_names(table)
    return {name: merged[name] for name in (*known, *(n for n in merged if n not in known)) if name in merged}


def check_mapping(mapping: Mapping[str, str], columns: Iterable[str], table: str, *, name: str = "") -> None:
    """Raise MappingError unless every required field has a column and every mapped column exists once.

    Parameters
    ----------
    mapping
        Field → column.
    columns
        Headers of the file.
    table
        Canonical table.
    name
        Name of the file, for the message.
    """
    columns = list(columns)
    where = name or f"the {table} table"
    unknown = [field for field in mapping if field not in schema.field_names(table)]
    if unknown:
        raise MappingError(
            f"{table} has no field {unknown[0]!r}.", fix=f"Fields are {', '.join(schema.field_names(table))}."
        )
    absent = [column for column in mapping.values() if column not in columns]
    if absent:
        raise MappingError(f"{where}: there is no column {absent[0]!r}.", fix=f"Columns found: {_listed(columns)}.")
    fields_of: dict[str, str] = {}
    for field, column in mapping.items():
        if column in fields_of:
            raise MappingError(
                f"{where}: the column {column!r} is mapped to both {fields_of[column]} and {field}.",
                fix="Map each column to one field.",
            )
        fields_of[column] = field
    missing = lacking(table, mapping)
    if missing:
        words = "required column is" if len(missing) == 1 else "required columns are"
        raise MappingError(
            f"{where}: the {words} missing: {', '.join(missing)}. Columns found: {_listed(columns)}.",
            fix=f"Say which column it is, for example {missing[0].split(' or ')[0]}=<column>.",
        )


def parse_assignments(assignments: Iterable[str], default: str = "offers") -> dict[str, dict[str, str]]:
    """Read ``field=column`` (for the table ``default``) and ``table.field=column`` into table → field → column.

    Raises
    ------
    MappingError
        If an assignment has no ``=``, or names a table or field that does not exist.
    """
    mapping: dict[str, dict[str, str]] = {}
    for assignment in assignments:
        left, equals, column = assignment.partition("=")
        table, dot, field = left.strip().rpartition(".")
        table = table if dot else default
        if not equals or not column.strip():
            raise MappingError(
                f"The mapping {assignment!r} cannot be read.", fix="Write field=column or table.field=column."
            )
        if table not in schema.SOURCES:
            raise MappingError(f"There is no table {table!r}.", fix=f"Tables are {', '.join(schema.SOURCES)}.")
        if field not in schema.field_names(table):
            raise MappingError(
                f"{table} has no field {field!r}.", fix=f"Fields are {', '.join(schema.field_names(table))}."
            )
        mapping.setdefault(table, {})[field] = column.strip()
    return mapping


def _listed(columns: list[str]) -> str:
    shown = ", ".join(columns[:12])
    return shown + (f" and {len(columns) - 12} more" if len(columns) > 12 else "")
