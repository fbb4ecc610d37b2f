"""Columns that a user leaves out: named as in the source or canonically."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pricing_core.errors import MappingError


def check_excluded(
    excluded: Mapping[str, str], tables: dict[str, pd.DataFrame], mapping: dict[str, dict[str, str]]
) -> dict[str, str]:
    """Check that excluded columns exist; they may be named as in the source or canonically."""
    checked = {}
    for key, reason in excluded.items():
        table, _, column = key.partition(".")
        if table not in tables:
            raise MappingError(
                f"The exclusion {key!r} names no imported table.",
                fix=f"Tables imported: {', '.join(tables)}.",
            )
        canonical = {source: name for name, source in mapping[table].items()}.get(column, column)
        if canonical not in tables[table].columns:
            raise MappingError(
                f"{table} has no column {column!r} to exclude.",
                fix=f"Columns: {', '.join(tables[table].columns)}.",
            )
        checked[f"{table}.{canonical}"] = reason
    return checked
