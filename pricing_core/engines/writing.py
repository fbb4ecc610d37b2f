"""The rows that are left of a large table, as a Parquet file, and the check of the schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from pricing_core import schema
from pricing_core.data.importing import Pseudonymize
from pricing_core.data.validate import validate_table
from pricing_core.engines.ahead import ahead
from pricing_core.engines.column_hash import ColumnHash
from pricing_core.engines.rules import Rows
from pricing_core.engines.typed import TypedColumn

_DICTIONARY_BYTES: Final = 1 << 26
_MANY_WORDS: Final = 1_000_000
_FEW_VALUES: Final = 50_000
_SOME: Final = 1_000
_ARROW: Final = {"time": pa.timestamp("us", "UTC"), "words": pa.string(), "text": pa.string(),
                 "float64": pa.float64(), "int64": pa.int64(), "int8": pa.int8()}  # fmt: skip


def write_parquet(
    rows: Rows, path: Path, report: Callable[[int, int], None], renamed: Mapping[str, pd.Series] | None = None
) -> tuple[int, dict[str, str]]:
    """Write the rows that are not set aside, in order; returns their number, and the hash of each column.

    Parameters
    ----------
    report
        Called before each piece with the number of rows before it, and of all rows.
    renamed
        Column → texts in the place of its own.
    """
    columns = [
        replace(column, words=(renamed or {}).get(column.name, column.words)) for column in rows.columns.values()
    ]
    words = {column.name: pa.array(column.words, type=pa.string()) for column in columns if column.type == "words"}
    arrow = pa.schema([(column.name, _stored_type(column)) for column in columns])
    hashes = {column.name: ColumnHash(column.type, column.words) for column in columns}
    written = 0

    def take(chunk: pa.Table) -> None:
        for column in columns:
            hashes[column.name].add(_cells(chunk, column))

    with ThreadPoolExecutor(1, thread_name_prefix="import-hash") as pool, parquet.ParquetWriter(
        path, arrow, store_schema=False, dictionary_pagesize_limit=_DICTIONARY_BYTES, **_layout(rows),
        write_statistics=[column.name for column in columns if column.type == "time"],  # what readers filter by
    ) as writer:  # fmt: skip
        for start, chunk in ahead(rows.chunks(list(rows.columns))):
            report(start, rows.sheet.spool.rows)
            taken = pool.submit(take, chunk)
            arrays = [_stored(column, _cells(chunk, column), words) for column in columns]
            writer.write_table(pa.Table.from_arrays(arrays, schema=arrow))
            written += len(chunk)
            taken.result()
    return written, {name: each.hexdigest() for name, each in hashes.items()}


def renamed_customers(rows: Rows, rename: Pseudonymize) -> dict[str, pd.Series]:
    """Texts of the column of customers with the pseudonyms of those that are left; nobody else's id is kept."""
    column = rows.columns.get("customer_id")
    if column is None:
        return {}
    codes = rows.used("customer_id")
    words = np.empty(len(column.words), dtype=object)
    unused = np.setdiff1d(np.arange(len(words)), codes, assume_unique=True)
    words[unused] = [f"unused {place}" for place in unused]
    words[codes] = rename(pd.Series(column.words.iloc[codes], dtype="str")).to_numpy(dtype=object)
    return {"customer_id": pd.Series(words, dtype="str")}


def validate(rows: Rows) -> None:
    """Check the schema on the extremes of every column: its rules are types, ranges, sets and gaps.

    Raises
    ------
    DataError
        If a column does not fit.
    """
    fields = [field.name for field in schema.fields(rows.sheet.table) if field.name in rows.columns]
    total = rows.kept_rows()
    frame: dict[str, pd.Series] = {}
    for name, (low, high, known) in zip(fields, rows.extremes(fields), strict=True):
        frame[name] = _checked(rows.columns[name], [low, high, None if known < total else high], known < total, rows)
    length = max((len(values) for values in frame.values()), default=0)
    filled = {name: values.reindex(range(length)).ffill() if values.notna().all() else values.reindex(range(length))
              for name, values in frame.items()}  # fmt: skip
    validate_table(
        rows.sheet.table, pd.DataFrame({name: values.astype(frame[name].dtype) for name, values in filled.items()})
    )


def _layout(rows: Rows) -> dict[str, Any]:
    """How each column is packed: the quickest way that keeps the file small."""
    columns = list(rows.columns.values())
    few = {column.name for column in columns
           if not rows.sheet.columns[column.index].plain and len(column.by_code) <= _FEW_VALUES}  # fmt: skip
    coded = [column.name for column in columns if column.type == "words" or column.name in few]
    shrinking = {column.name for column in columns if column.type == "words" and len(column.words) > _MANY_WORDS}
    packed = {name: "none" if name in coded and name not in shrinking else "snappy" for name in rows.columns}
    times = {column.name: "DELTA_BINARY_PACKED" for column in columns
             if column.type == "time" and column.name not in coded}  # fmt: skip
    return {"use_dictionary": coded, "compression": packed, "column_encoding": times or None}


def _stored_type(column: TypedColumn) -> pa.DataType:
    if column.type == "words" and len(column.words) <= _MANY_WORDS:
        return pa.dictionary(pa.int32(), pa.string())
    return _ARROW[column.type]


def _cells(chunk: pa.Table, column: TypedColumn) -> pa.Array:
    """Values of a column in one piece, which they mostly are."""
    values = chunk.column(column.name)
    return values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()


def _stored(column: TypedColumn, values: pa.Array, words: Mapping[str, pa.Array]) -> pa.Array:
    if column.type == "words":
        if len(column.words) > _MANY_WORDS:
            return words[column.name].take(values)
        return pa.DictionaryArray.from_arrays(values, words[column.name])
    return values.cast(_ARROW[column.type])


def _checked(column: TypedColumn, values: list[Any], gap: bool, rows: Rows) -> pd.Series:
    if column.type == "time":
        return pd.to_datetime(pd.Series(values, dtype="Int64"), unit="us", utc=True).astype("datetime64[us, UTC]")
    if column.type == "words":
        texts = column.words.iloc[rows.used(column.name, _SOME)].astype("str").reset_index(drop=True)
        return pd.concat([texts, pd.Series([None], dtype="str")], ignore_index=True) if gap else texts
    if column.type == "text":
        texts = rows.first_texts(column.name, 1).reset_index(drop=True)
        return pd.concat([texts, pd.Series([None], dtype="str")], ignore_index=True) if gap else texts
    kind = "float64" if None in values else column.type
    return pd.Series(values).astype(kind)
