"""Tables that queries made of other tables: judged, renamed and written as those of files are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from pricing_core.data.importing import Pseudonymize
from pricing_core.data.validate import validate_table
from pricing_core.engines.column_hash import ColumnHash
from pricing_core.engines.limits import Limits
from pricing_core.engines.rules import Rows, as_categories
from pricing_core.engines.session import Session
from pricing_core.engines.stored_rows import StoredRows
from pricing_core.engines.typed import Type, TypedColumn, quoted

_ARROW: Final[Mapping[str, pa.DataType]] = {
    "time": pa.timestamp("us", "UTC"), "words": pa.dictionary(pa.int32(), pa.string()), "text": pa.string(),
    "float64": pa.float64(), "int64": pa.int64(), "int8": pa.int8(),
}  # fmt: skip
_STORED: Final[Mapping[str, str]] = {"words": "INTEGER", "text": "VARCHAR", "time": "BIGINT", "float64": "DOUBLE",
                                     "int64": "BIGINT", "int8": "TINYINT"}  # fmt: skip


def column(name: str, kind: Type, words: pd.Series | None = None) -> TypedColumn:
    """A column that stands in no file; ``words`` are the texts that its numbers stand for."""
    return TypedColumn(name, 0, kind, np.zeros(0), pd.Series(dtype="str") if words is None else words)


def stored_type(kind: Type) -> str:
    """Type of a column in the database."""
    return _STORED[kind]


def made_rows(session: Session, made: str, columns: list[TypedColumn], limits: Limits) -> StoredRows:
    """Rows of a table of the database that has the columns and the place ``p``."""
    (count,) = session.row(f"SELECT count(*) FROM {quoted(made)}")
    return StoredRows(session, made, columns, int(count), limits)


def rename_customers(rows: Rows, rename: Pseudonymize) -> None:
    """Put pseudonyms in the place of the customers that occur; nobody else's id is remembered."""
    known = rows.columns["customer_id"]
    codes = np.sort(rows.session.positions(f"SELECT DISTINCT customer_id FROM {rows.usable()}"))
    words = known.words.to_numpy(dtype=object).copy()
    words[codes] = rename(pd.Series(words[codes], dtype="str")).to_numpy(dtype=object)
    rows.columns["customer_id"] = column("customer_id", "words", pd.Series(words, dtype="str"))


def write_made(rows: StoredRows, table: str, path: Path, stage: tuple[float, float]) -> tuple[int, dict[str, str]]:
    """Write the rows in order, each piece checked against the schema; returns their number, and each column's hash.

    Raises
    ------
    DataError
        If a row does not fit the schema.
    """
    columns = list(rows.columns.values())
    words = {each.name: pa.array(each.words, type=pa.string()) for each in columns if each.type == "words"}
    hashes = {each.name: ColumnHash(each.type, each.words) for each in columns}
    arrow = pa.schema([(each.name, _ARROW[each.type]) for each in columns])
    picked, size, total = ", ".join(each.sql for each in columns), rows.limits.chunk_rows, rows.kept_rows()
    with parquet.ParquetWriter(
        path, arrow, store_schema=False, use_dictionary=list(words), dictionary_pagesize_limit=1 << 26,
        write_statistics=[each.name for each in columns if each.type == "time"],
    ) as writer:  # fmt: skip
        for start in range(0, total, size):
            share = stage[0] + (stage[1] - stage[0]) * start / total
            rows.session.stage("Storing", share, f"{table}: {start:,} rows")
            found = rows.session.arrow(
                f"SELECT {picked} FROM {rows.table} WHERE p >= {start} AND p < {start + size} ORDER BY p"
            ).combine_chunks()
            arrays = {each.name: found.column(each.name).combine_chunks() for each in columns}
            for name, values in arrays.items():
                hashes[name].add(values)
            _check(table, columns, arrays)
            stored = [
                pa.DictionaryArray.from_arrays(arrays[each.name], words[each.name]) if each.type == "words"
                else arrays[each.name].cast(_ARROW[each.type]) for each in columns
            ]  # fmt: skip
            writer.write_table(pa.Table.from_arrays(stored, schema=arrow))
    return total, {name: each.hexdigest() for name, each in hashes.items()}


def _check(table: str, columns: list[TypedColumn], arrays: Mapping[str, pa.Array]) -> None:
    frame = {}
    for each in columns:
        values = arrays[each.name].to_pandas()
        if each.type == "words":
            values = as_categories(values, each.words).astype("str")
        elif each.type == "time":
            values = pd.to_datetime(values, unit="us", utc=True).astype("datetime64[us, UTC]")
        frame[each.name] = values
    validate_table(table, pd.DataFrame(frame))
