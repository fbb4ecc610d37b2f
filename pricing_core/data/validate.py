"""The contract of canonical tables, generated from the schema and checked with pandera."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pricing_core import schema
from pricing_core.errors import DataError

_DTYPES = {"identifier": "str", "category": "str", "time": "datetime64[us, UTC]", "money": "float64",
           "number": "float64", "rating": "float64", "flag": "int8"}  # fmt: skip


def table_schema(table: str) -> Any:
    """Return the pandera schema of a table; further columns are allowed, optional ones may be absent."""
    import pandera.pandas as pandera

    def checks(field: schema.Field) -> list[Any]:
        if field.kind == "flag":
            return [pandera.Check.isin((0, 1))]
        if field.kind == "rating":
            return [pandera.Check.in_range(1, 5)]
        if field.name == "event_type":
            return [pandera.Check.isin(schema.EVENT_TYPES)]
        if field.kind in ("money", "number") and not field.signed:
            positive = field.required or field.name in ("list_price", "competitor_price")
            return [pandera.Check.gt(0) if positive else pandera.Check.ge(0)]
        return []

    columns = {
        field.name: pandera.Column(
            None if field.name == "promotion" else _DTYPES[field.kind],
            checks(field),
            nullable=not field.required,
            required=field.required,
        )
        for field in schema.fields(table)
    }
    return pandera.DataFrameSchema(columns, name=table)


def validate_table(table: str, frame: pd.DataFrame) -> None:
    """Raise DataError unless a table has the canonical columns, types and ranges.

    An import produces such tables; call this for tables that were made otherwise.
    """
    import pandera.errors

    try:
        table_schema(table).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases[["column", "check"]].drop_duplicates().head(5)
        found = "; ".join(f"{column}: {check}" for column, check in cases.itertuples(index=False))
        raise DataError(
            f"The {table} table does not fit the schema ({found}).", fix="Import it from its source again."
        ) from error


def get_ready(table: str) -> None:
    """Load and try out what checks a table, so that its check later takes no time for that."""
    dtypes = {field.name: _DTYPES[field.kind] for field in schema.fields(table)}
    validate_table(table, pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in dtypes.items()}))
