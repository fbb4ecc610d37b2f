"""Typed columns of a large table: the cleaning rules read each different value once, the rows take the result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pricing_core import schema
from pricing_core.data.clean import free_name, note_reading, read_field, read_further
from pricing_core.data.options import CleaningOptions
from pricing_core.data.worksheet import Worksheet
from pricing_core.engines.coding import PLAIN, look_up
from pricing_core.engines.plain import Plain
from pricing_core.engines.session import Session
from pricing_core.engines.sheet import LargeSheet, LevelSheet

Type = Literal["words", "text", "time", "float64", "int64", "int8"]

_ARROW = {"words": pa.int32(), "text": pa.string(), "time": pa.int64(), "float64": pa.float64(), "int64": pa.int64(),
          "int8": pa.int8()}  # fmt: skip
NO_TIME = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class TypedColumn:
    """A canonical column of a large table.

    Attributes
    ----------
    name
        Canonical or free name.
    index
        Column of the file, by position.
    type
        ``words`` (text as numbers into ``words``), ``text``, ``time`` (microseconds since 1970), or a number type.
    by_code
        Value for each code of the file's column; the last two are those of plain and missing cells.
    words
        The different texts, in the order in which they first occur.
    """

    name: str
    index: int
    type: Type
    by_code: NDArray[np.generic]
    words: pd.Series

    def values(self, codes: NDArray[np.signedinteger], plain: pa.Array | None = None) -> NDArray[np.generic]:
        """Values of cells from their codes, and their plain values where the code is -2."""
        if self.type == "words" and self.in_order:
            return codes.astype(np.int32)
        if plain is None or not (kept := codes == PLAIN).any():
            return look_up(self.by_code, codes)
        if plain.type == _ARROW[self.type] and self.type in ("time", "float64"):  # most cells: take all, mend the rest
            values = np.frombuffer(plain.buffers()[1], dtype=self.by_code.dtype)[plain.offset :][: len(plain)].copy()
            rest = np.flatnonzero(~kept)
            values[rest] = self.by_code[codes[rest]]
            return values
        known = plain.fill_null("" if self.type == "text" else 0)
        values = known.to_numpy(zero_copy_only=False).astype(self.by_code.dtype, copy=False)
        return values if kept.all() else np.where(kept, values, self.by_code[codes])

    @cached_property
    def in_order(self) -> bool:
        """Whether the codes of texts are their numbers."""
        return bool(np.array_equal(self.by_code[:-2], np.arange(len(self.by_code) - 2)))

    def missing(self, values: NDArray[np.generic]) -> NDArray[np.bool_]:
        """Marks the missing ones among values."""
        if self.type == "words":
            return np.asarray(values.astype(np.int64) < 0, dtype=bool)
        if self.type == "time":
            return np.asarray(values == NO_TIME, dtype=bool)
        if self.type == "text":
            return np.asarray(pd.isna(pd.Series(values)), dtype=bool)
        return np.isnan(values.astype(np.float64)) if self.type == "float64" else np.zeros(len(values), dtype=bool)

    def array(self, values: NDArray[np.generic], gaps: bool = True) -> pa.Array:
        """Values as an Arrow array; missing ones are null."""
        mask = self.missing(values) if gaps else None
        return pa.array(values, type=_ARROW[self.type], mask=mask)

    @property
    def sql(self) -> str:
        """Quoted name for a query."""
        return quoted(self.name)


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def type_columns(sheet: LargeSheet, mapping: dict[str, str], options: CleaningOptions) -> list[TypedColumn]:
    """Read the values of all columns by the rules of :func:`pricing_core.data.clean.clean_table`."""
    place = {column.name: index for index, column in enumerate(sheet.columns) if column.name not in sheet.hidden}
    typed: dict[str, TypedColumn] = {}
    for field in schema.fields(sheet.table):
        if field.name in mapping:
            typed[field.name] = _typed(sheet, place[mapping[field.name]], field.name, field, options)
    used = set(mapping.values())
    for name, index in place.items():
        if name not in used:
            free = free_name(name, typed)  # type: ignore[arg-type]
            typed[free] = _typed(sheet, index, free, None, options)
    note_reading(cast(Worksheet, sheet), sheet.spool.rows)
    return list(typed.values())


def plain_kind(field: schema.Field | None, name: str, levels: pd.Series, options: CleaningOptions) -> Plain:
    """How a column of which nearly every cell differs can be kept: by its field, else by its first values."""
    if field is not None:
        return {"time": "time", "money": "number", "number": "number"}.get(field.kind, "")  # type: ignore[return-value]
    if pd.api.types.is_integer_dtype(levels):
        return "integer"
    values = read_further(_Probe(), name, levels, options)
    if pd.api.types.is_datetime64_any_dtype(values):
        return "time"
    if pd.api.types.is_string_dtype(values):
        return "text" if pd.api.types.is_string_dtype(levels) else ""
    return "number" if values.dtype == np.float64 else ""


def create_table(session: Session, sheet: LargeSheet, columns: list[TypedColumn], stage: tuple[float, float]) -> None:
    """Make the database's table of a sheet; rows keep their order, so that ``rowid`` is their position."""
    arrow = pa.schema([(column.name, _ARROW[column.type]) for column in columns])
    reader = pa.RecordBatchReader.from_batches(arrow, _batches(session, sheet, columns, arrow, stage))
    session.run(f"CREATE TABLE {quoted(sheet.table)} AS SELECT * FROM typed_rows", typed_rows=reader)


class _Probe(Worksheet):
    """A sheet that forgets what it is told."""

    def __init__(self) -> None:
        self.table = ""
        self.findings = []

    def note(self, *_: object) -> None:
        """Forget."""


def _typed(
    sheet: LargeSheet, index: int, name: str, field: schema.Field | None, options: CleaningOptions
) -> TypedColumn:
    before = len(sheet.findings), sheet.mark()
    level_sheet = LevelSheet(sheet, index)
    values = _read(level_sheet, sheet.columns[index].name, field, options)
    column = sheet.columns[index]
    if column.plain and not _fits_plain(column.plain, level_sheet, values):
        del sheet.findings[before[0] :]
        sheet.forget(before[1])
        sheet.columns[index] = column = sheet.spool.recode(index, column)
        level_sheet = LevelSheet(sheet, index)
        values = _read(level_sheet, column.name, field, options)
    levels = 0 if column.levels is None else len(column.levels)
    known = values.iloc[:levels]
    missing = values.iloc[levels : levels + 1] if column.missing else None
    return _by_code(name, index, known, missing, values.dtype, bool(column.plain))


def _read(sheet: LevelSheet, name: str, field: schema.Field | None, options: CleaningOptions) -> pd.Series:
    if field is not None:
        return read_field(sheet, field, sheet.cells, options)
    return read_further(sheet, name, sheet.cells, options)


def _fits_plain(plain: Plain, sheet: LevelSheet, values: pd.Series) -> bool:
    """Whether the cells that were kept plain are read as they were kept."""
    if plain == "text":
        return pd.api.types.is_string_dtype(values)
    if plain == "time":
        return pd.api.types.is_datetime64_any_dtype(values)
    if values.dtype not in (np.float64, np.int64):
        return False
    classes = [each.cell for each in sheet.classes]
    if not classes or not isinstance(classes[0], str):
        return True
    return bool(np.array_equal(values.iloc[-len(classes) :].to_numpy(dtype=np.float64), np.array(classes, dtype=float)))


def _by_code(
    name: str, index: int, known: pd.Series, missing: pd.Series | None, dtype: object, plain: bool
) -> TypedColumn:
    nothing = pd.Series(dtype="str")
    if pd.api.types.is_datetime64_any_dtype(known):
        values = known.dt.tz_convert(None).astype("datetime64[us]").to_numpy().view(np.int64)
        return TypedColumn(name, index, "time", np.append(values, [NO_TIME, NO_TIME]), nothing)
    if pd.api.types.is_string_dtype(known) and not pd.api.types.is_numeric_dtype(known):
        if plain:
            texts = known.astype(object).where(known.notna(), None).to_numpy()
            return TypedColumn(name, index, "text", np.append(texts, [None, None]), nothing)
        codes, words = pd.factorize(known)
        return TypedColumn(name, index, "words", np.append(codes, [-1, -1]).astype(np.int32), pd.Series(words))
    if name == "purchased" or dtype == np.int8:
        values = known.fillna(0).to_numpy(dtype=np.int8)
        last = 0 if missing is None or missing.isna().all() else int(missing.iloc[0])
        return TypedColumn(name, index, "int8", np.append(values, np.array([0, last], dtype=np.int8)), nothing)
    if dtype == np.int64:
        return TypedColumn(name, index, "int64", np.append(known.to_numpy(dtype=np.int64), [0, 0]), nothing)
    numbers = known.to_numpy(dtype=np.float64, na_value=np.nan)
    filled = np.nan if missing is None else float(missing.to_numpy(dtype=np.float64, na_value=np.nan)[0])
    return TypedColumn(name, index, "float64", np.append(numbers, [np.nan, filled]), nothing)


def _batches(
    session: Session, sheet: LargeSheet, columns: list[TypedColumn], arrow: pa.Schema, stage: tuple[float, float]
) -> Iterator[pa.RecordBatch]:
    blocks = len(sheet.spool.starts)
    wanted = [f"{kind}{column.index}" for column in columns for kind in "cp"]
    for block in range(blocks):
        done = stage[0] + (stage[1] - stage[0]) * block / blocks
        session.at("Cleaning", done, f"{sheet.table}: {sheet.spool.starts[block]:,} rows")
        arrays = sheet.spool.read(block, wanted)
        yield pa.RecordBatch.from_arrays([_values(column, arrays) for column in columns], schema=arrow)


def _values(column: TypedColumn, arrays: dict[str, pa.Array]) -> pa.Array:
    codes = arrays[f"c{column.index}"].to_numpy()
    plain = arrays.get(f"p{column.index}")
    return column.array(column.values(codes, plain))
