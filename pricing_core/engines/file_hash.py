"""Fingerprints of the columns of a Parquet file, read in pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from pricing_core.engines.column_hash import ColumnHash
from pricing_core.engines.typed import Type

_ROWS: Final = 500_000


def column_hashes(path: Path) -> dict[str, str]:
    """Column → its :func:`pricing_core.data.fingerprints.column_hash`."""
    file = parquet.ParquetFile(path)
    kinds = {column.name: _kind(column.type) for column in file.schema_arrow}
    hashes = {name: ColumnHash(kind, pd.Series(dtype="str")) for name, kind in kinds.items()}
    for batch in file.iter_batches(batch_size=_ROWS):
        for name, kind in kinds.items():
            hashes[name].add(_plain(batch.column(name), kind))
    return {name: each.hexdigest() for name, each in hashes.items()}


def _kind(stored: pa.DataType) -> Type:
    if pa.types.is_timestamp(stored):
        return "time"
    if pa.types.is_integer(stored) or pa.types.is_floating(stored) or pa.types.is_boolean(stored):
        return "float64"
    return "text"


def _plain(values: pa.Array, kind: Type) -> pa.Array:
    if kind == "time":
        return values.cast(pa.timestamp("us", "UTC")).cast(pa.int64())
    if kind == "float64":
        return values.cast(pa.float64())
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values.cast(pa.string())
