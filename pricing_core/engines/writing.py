"""The rows that are left of a large table, as a Parquet file; their fingerprint, and the check of the schema."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from pricing_core import schema
from pricing_core.data.validate import validate_table
from pricing_core.engines.rules import Rows
from pricing_core.engines.typed import TypedColumn

_DICTIONARY_BYTES: Final = 1 << 26
_MANY_WORDS: Final = 1_000_000
_NO_TIME: Final = np.iinfo(np.int64).min
_ARROW: Final = {"time": pa.timestamp("us", "UTC"), "words": pa.string(), "text": pa.string(),
                 "float64": pa.float64(), "int64": pa.int64(), "int8": pa.int8()}  # fmt: skip


def write_parquet(rows: Rows, path: Path, stage: tuple[float, float]) -> int:
    """Write the rows that are not set aside, in order; returns their number."""
    columns = list(rows.columns.values())
    words = {column.name: pa.array(column.words, type=pa.string()) for column in columns if column.type == "words"}
    arrow = pa.schema([(column.name, _stored_type(column)) for column in columns])
    written = 0
    with parquet.ParquetWriter(
        path, arrow, compression="snappy", store_schema=False, dictionary_pagesize_limit=_DICTIONARY_BYTES,
        use_dictionary=[column.name for column in columns if column.type == "words"],
    ) as writer:  # fmt: skip
        for start, chunk in _chunks(rows, columns):
            share = start / max(1, rows.sheet.spool.rows)
            rows.session.stage(
                "Storing", stage[0] + (stage[1] - stage[0]) * share, f"{rows.sheet.table}: {start:,} rows"
            )
            arrays = [_stored(column, chunk.column(column.name).combine_chunks(), words) for column in columns]
            writer.write_table(pa.Table.from_arrays(arrays, schema=arrow))
            written += len(chunk)
    return written


def validate(rows: Rows) -> None:
    """Check the schema on the extremes of every column: its rules are types, ranges, sets and gaps.

    Raises
    ------
    DataError
        If a column does not fit.
    """
    usable = rows.usable()
    frame: dict[str, pd.Series] = {}
    for field in schema.fields(rows.sheet.table):
        column = rows.columns.get(field.name)
        if column is None:
            continue
        low, high, known, total = rows.session.row(
            f"SELECT min({column.sql}), max({column.sql}), count({column.sql}), count(*) FROM {usable}"
        )
        values: list[Any] = [low, high, None if known < total else high]
        frame[field.name] = _checked(column, values, rows, usable)
    length = max((len(values) for values in frame.values()), default=0)
    filled = {name: values.reindex(range(length)).ffill() if values.notna().all() else values.reindex(range(length))
              for name, values in frame.items()}  # fmt: skip
    validate_table(
        rows.sheet.table, pd.DataFrame({name: values.astype(frame[name].dtype) for name, values in filled.items()})
    )


def fingerprint(tables: Mapping[str, Rows | pd.DataFrame], small: Any) -> str:
    """SHA-256 of the content, the same as :func:`pricing_core.store.datasets.hash_tables` gives for small tables.

    Parameters
    ----------
    tables
        Large and small tables by name.
    small
        Gives the bytes of a column of a small table.
    """
    digest = hashlib.sha256()
    for name in sorted(tables):
        table = tables[name]
        if isinstance(table, pd.DataFrame):
            columns: list[str] = sorted(table.columns, key=str)
            length = len(table)
        else:
            columns = sorted(table.columns)
            length = table.sheet.spool.rows - len(table.sheet.rejected)
        digest.update(f"table {json.dumps(name)} {length}\n".encode())
        for column in columns:
            digest.update(f"column {json.dumps(str(column))} ".encode())
            for part in small(table[column]) if isinstance(table, pd.DataFrame) else _bytes(table, column):
                digest.update(part)
    return digest.hexdigest()


def _chunks(rows: Rows, columns: list[TypedColumn]) -> Iterator[tuple[int, pa.Table]]:
    picked = ", ".join(column.sql for column in columns)
    aside = rows.sheet.rejected
    size = rows.limits.chunk_rows
    for start in range(0, rows.sheet.spool.rows, size):
        rows.session.look()
        found = rows.session.arrow(
            f"SELECT rowid AS p, {picked} FROM {rows.table} WHERE rowid >= {start} AND rowid < {start + size}"
        )
        places = found.column("p").to_numpy()
        if (np.diff(places) <= 0).any():
            order = np.argsort(places)
            found, places = found.take(pa.array(order)), places[order]
        out = aside[np.searchsorted(aside, start) : np.searchsorted(aside, start + size)]
        if len(out):
            keep = np.ones(len(places), dtype=bool)
            keep[out - start] = False
            found = found.filter(pa.array(keep))
        yield start, found.drop_columns("p")


def _stored_type(column: TypedColumn) -> pa.DataType:
    if column.type == "words" and len(column.words) <= _MANY_WORDS:
        return pa.dictionary(pa.int32(), pa.string())
    return _ARROW[column.type]


def _stored(column: TypedColumn, values: pa.Array, words: Mapping[str, pa.Array]) -> pa.Array:
    if column.type == "words":
        if len(column.words) > _MANY_WORDS:
            return words[column.name].take(values)
        return pa.DictionaryArray.from_arrays(values, words[column.name])
    return values.cast(_ARROW[column.type])


def _checked(column: TypedColumn, values: list[Any], rows: Rows, usable: str) -> pd.Series:
    if column.type == "time":
        return pd.to_datetime(pd.Series(values, dtype="Int64"), unit="us", utc=True).astype("datetime64[us, UTC]")
    if column.type == "words":
        gap = values[2] is None
        codes = rows.session.positions(
            f"SELECT DISTINCT {column.sql} FROM {usable} WHERE {column.sql} IS NOT NULL LIMIT 1000"
        )
        texts = column.words.iloc[codes].astype("str").reset_index(drop=True)
        return pd.concat([texts, pd.Series([None], dtype="str")], ignore_index=True) if gap else texts
    kind = "str" if column.type == "text" else "float64" if None in values else column.type
    return pd.Series(values).astype(kind)


def _bytes(rows: Rows, name: str) -> Iterator[bytes]:
    column = rows.columns[name]
    usable = rows.usable()
    if column.type in ("words", "text"):
        yield from _text_bytes(rows, column, usable)
        return
    yield b"time\n" if column.type == "time" else b"number\n"
    for _, chunk in _chunks(rows, [column]):
        values = chunk.column(name)
        if column.type == "time":
            yield np.asarray(values.fill_null(_NO_TIME).to_numpy(), dtype="<i8").tobytes()
        else:
            numbers = np.asarray(values.cast(pa.float64()).to_numpy(), dtype="<f8")
            yield np.where(np.isnan(numbers), np.nan, numbers + 0.0).astype("<f8").tobytes()


def _text_bytes(rows: Rows, column: TypedColumn, usable: str) -> Iterator[bytes]:
    """Texts in the order in which they first occur, as JSON, and the number of each row's text."""
    session = rows.session
    query = f"SELECT {column.sql} AS w, min(p) AS f FROM {usable} WHERE {column.sql} IS NOT NULL GROUP BY 1"
    first = session.frame(f"SELECT w FROM ({query}) ORDER BY f")["w"]
    texts = column.words.iloc[first.to_numpy(dtype=np.int64)] if column.type == "words" else first
    yield b"text\n"
    yield json.dumps([str(text) for text in texts], ensure_ascii=True).encode()
    if column.type == "words":
        place = np.full(len(column.words) + 1, -1, dtype=np.int64)
        place[first.to_numpy(dtype=np.int64)] = np.arange(len(first))
        for _, chunk in _chunks(rows, [column]):
            codes = chunk.column(column.name).fill_null(len(column.words)).to_numpy()
            yield place[codes].astype("<i8").tobytes()
        return
    index = pd.Index(first)
    for _, chunk in _chunks(rows, [column]):
        yield index.get_indexer(chunk.column(column.name).to_pandas()).astype("<i8").tobytes()
