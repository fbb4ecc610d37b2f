"""SHA-256 of the content of tables, put together from that of each column, so that rows can come in pieces."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np
import pandas as pd


def hash_columns(rows: Mapping[str, int], columns: Mapping[str, Mapping[str, str]]) -> str:
    """SHA-256 of tables, from their numbers of rows and the :func:`column_hash` of each of their columns."""
    digest = hashlib.sha256()
    for name in sorted(columns):
        digest.update(f"table {json.dumps(name)} {rows[name]}\n".encode())
        for column in sorted(columns[name]):
            digest.update(f"column {json.dumps(column)} {columns[name][column]}\n".encode())
    return digest.hexdigest()


def column_hash(column: pd.Series) -> str:
    """SHA-256 of the kind of values and of the values, in a form that no storage format changes."""
    return hashlib.sha256(b"".join(_column_bytes(column))).hexdigest()


def _column_bytes(column: pd.Series) -> list[bytes]:
    if isinstance(column.dtype, pd.DatetimeTZDtype) or column.dtype.kind == "M":
        times = pd.to_datetime(column, utc=True).dt.as_unit("us")
        return [b"time\n", np.asarray(times.astype("int64"), dtype="<i8").tobytes()]
    if pd.api.types.is_numeric_dtype(column.dtype):
        numbers = column.to_numpy(dtype="<f8", na_value=np.nan)
        numbers = np.where(np.isnan(numbers), np.nan, numbers + 0.0)  # one NaN, one zero
        return [b"number\n", np.asarray(numbers, dtype="<f8").tobytes()]
    codes, values = pd.factorize(column)
    texts = json.dumps([str(value) for value in values], ensure_ascii=True)
    return [b"text\n", np.asarray(codes, dtype="<i8").tobytes(), texts.encode()]
