"""Rows of large files in blocks, read by the rules of :mod:`pricing_core.data.text_table`."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from pricing_core.data.header import find_header
from pricing_core.data.raw_table import RawTable, malformed_rows
from pricing_core.data.text_table import Layout, find_layout, no_rows, without_nameless
from pricing_core.engines.files import PlainFile, sniff_encoding
from pricing_core.engines.row_ends import Body
from pricing_core.engines.row_numbers import RowNumbers, Section
from pricing_core.engines.text_blocks import CODED, Parsed, TextForm, in_order, text_blocks
from pricing_core.errors import FileReadError
from pricing_core.progress import Progress

Made = TypeVar("Made")
Parsers = Iterator[Callable[[], Parsed]]

_HEAD_BYTES: Final = 1 << 22


class NotStreamable(Exception):
    """The files can be read, but not in pieces: they go the way of small files."""


@dataclass
class RawRows:
    """What is known of a table besides its cells, once all blocks were read; compare ``RawTable``."""

    columns: list[str]
    numbers: RowNumbers = field(default_factory=RowNumbers)
    bad: list[tuple[int, str, str, str]] = field(default_factory=list)
    blank_rows: int = 0
    notes: tuple[str, ...] = ()
    rows: int = 0

    @property
    def malformed(self) -> pd.DataFrame:
        """Rows that do not fit the header, as ``row_number, text, reason`` and, of several files, ``file``."""
        frame = malformed_rows([row[:3] for row in self.bad])
        return frame.assign(file=[row[3] for row in self.bad]) if len(self.numbers.sections) > 1 else frame


@dataclass(frozen=True, eq=False)
class _Opened:
    """A file whose header was read."""

    file: PlainFile
    columns: list[str]
    notes: tuple[str, ...]
    layout: Layout | None = None
    encoding: str = ""
    types: tuple[str, ...] = ()
    nullable: tuple[str, ...] = ()


class Reader:
    """Reads the files of one table in blocks of columns of coded text, or text (Parquet: of its own types).

    Parameters
    ----------
    files
        Plain files; all of the same columns.
    block_bytes
        Text read at once, bytes.
    whole
        Whether the encoding is found from all of a file; else a block that does not fit raises ``OtherEncoding``.

    Raises
    ------
    FileReadError
        If a file cannot be read, or the columns differ.
    NotStreamable
        If the files hold what can only be read as a whole.
    """

    def __init__(self, files: Sequence[PlainFile], block_bytes: int, *, whole: bool = True) -> None:
        self._block_bytes = block_bytes
        self.files = files
        self._opened = [_open(file, whole) for file in files]
        if len({opened.types for opened in self._opened}) > 1:
            raise NotStreamable
        _check_same_columns(self._opened)
        columns = list(dict.fromkeys(column for opened in self._opened for column in opened.columns))
        self.raw = RawRows(columns)
        self.nullable = set(self._opened[0].nullable)
        """Columns of whole numbers that may have gaps, as pandas writes them."""
        self.as_text: set[str] = set()
        """Columns of which nearly every cell differs: they are given as text, the others coded."""
        self._begun: tuple[io.BufferedReader, Parsers] | None = None

    def begin(self) -> None:
        """Read the first block of the first file, which is text, now; :meth:`blocks` goes on behind it."""
        with ExitStack() as on_error:
            source = on_error.enter_context(self._opened[0].file.path.open("rb"))
            parsers = self._parsers(self._opened[0], source)
            parsed = next(parsers)()
            self._begun = source, chain([lambda: parsed], parsers)
            on_error.pop_all()

    def is_at(self, path: Path) -> bool:
        """Whether the file that was begun is still the one at a path."""
        return self._begun is not None and os.path.samestat(os.fstat(self._begun[0].fileno()), path.stat())

    def blocks(
        self, pool: Executor, ahead: Callable[[], int], then: Callable[[pa.RecordBatch], Made], progress: Progress,
        stage: tuple[float, float],
    ) -> Iterator[tuple[int, Made]]:
        """Yield number of rows of each block and what ``then`` made of it, in order; rows that do not fit, and blank
        ones, are left out and counted in ``raw``.

        Parameters
        ----------
        pool, ahead
            Where blocks are read and worked on, and how many are begun before they are taken.
        then
            Work on a block, in any thread.
        stage
            Share of the whole import before and after.
        """  # fmt: skip
        total = sum(opened.file.path.stat().st_size for opened in self._opened) or 1
        done = 0
        for opened in self._opened:
            source, parsers = self._begun or (opened.file.path.open("rb"), None)
            self._begun = None
            with source:
                read = self._parquet if opened.layout is None else partial(self._text, parsers)
                for rows, made in read(opened, source, pool, ahead, then):
                    yield rows, made
                    self.raw.rows += rows
                    share = (done + source.tell()) / total if opened.layout is not None else 0.5
                    message = f"{opened.file.name}: {self.raw.rows:,} rows"
                    progress.stage("Reading", stage[0] + (stage[1] - stage[0]) * min(1.0, share), message)
            done += opened.file.path.stat().st_size
        several = len(self._opened) > 1
        notes = (f"{opened.file.name}: {note}" if several else note for opened in self._opened for note in opened.notes)
        self.raw.notes = tuple(dict.fromkeys(notes))

    def settle_columns(self, filled: dict[str, bool]) -> list[str]:
        """Columns that count, once it is known which hold any cell; nameless empty ones are left out, and noted."""
        if all(opened.layout is None for opened in self._opened):
            return self.raw.columns
        frame = pd.DataFrame({column: ["x" if filled[column] else None] for column in self.raw.columns})
        kept = without_nameless(RawTable(frame, np.zeros(1, np.int64), malformed_rows([]), notes=self.raw.notes))
        self.raw.notes = kept.notes
        return list(kept.frame.columns)

    def _parquet(
        self, opened: _Opened, _: io.BufferedReader, pool: Executor, ahead: Callable[[], int],
        then: Callable[[pa.RecordBatch], Made],
    ) -> Iterator[tuple[int, Made]]:  # fmt: skip
        self.raw.numbers.sections.append(Section(opened.file.name, self.raw.rows, 2, np.zeros(0, np.int64)))
        batches = parquet.ParquetFile(opened.file.path).iter_batches(batch_size=500_000)
        plain = (partial(_plain_types, batch, opened.columns) for batch in batches)
        for rows, made in in_order(pool, plain, lambda rows: then(_with_columns(rows, self.raw.columns)), ahead):
            yield rows.num_rows, made

    def _parsers(self, opened: _Opened, source: io.BufferedReader) -> Parsers:
        assert opened.layout is not None
        body = Body(source, opened.encoding, opened.layout.body, _HEAD_BYTES)
        form = TextForm(opened.columns, opened.layout.delimiter, opened.file.name)
        return text_blocks(body, form, self._block_bytes, lambda: self._kinds(opened.columns))

    def _text(
        self, begun: Parsers | None, opened: _Opened, source: io.BufferedReader, pool: Executor,
        ahead: Callable[[], int], then: Callable[[pa.RecordBatch], Made],
    ) -> Iterator[tuple[int, Made]]:  # fmt: skip
        layout, name = opened.layout, opened.file.name
        assert layout is not None
        skipped: list[int] = []
        bad: list[tuple[int, str, str, str]] = []
        start, fitting, before, blank = self.raw.rows, 0, 0, [np.zeros(0, np.int64)]
        parsers = self._parsers(opened, source) if begun is None else begun
        made_of = in_order(pool, parsers, lambda parsed: then(_with_columns(parsed.rows, self.raw.columns)), ahead)
        for parsed, made in made_of:
            skipped += [before + number for number in parsed.skipped]
            bad += [(before + number + layout.first_row - 1, text, reason, name) for number, text, reason in parsed.bad]
            blank.append(fitting + parsed.blank)
            fitting, before = fitting + parsed.fitting, before + parsed.given
            yield parsed.rows.num_rows, made
        inner = Section(name, 0, 1, np.array(sorted(skipped), dtype=np.int64))
        empties = inner.numbers(np.concatenate(blank))
        left_out = np.sort(np.concatenate([inner.skipped, empties]))
        self.raw.numbers.sections.append(Section(name, start, layout.first_row, left_out))
        self.raw.blank_rows += len(left_out) - len(bad)
        self.raw.bad += bad
        if fitting == len(empties) and not bad:
            raise no_rows(name)

    def _kinds(self, columns: list[str]) -> dict[str, pa.DataType]:
        return {column: pa.string() if column in self.as_text else CODED for column in columns}


def _open(file: PlainFile, whole: bool) -> _Opened:
    if file.is_parquet:
        return _open_parquet(file)
    encoding = sniff_encoding(file, whole=whole)
    with file.path.open("rb") as stream:
        content = stream.read(_HEAD_BYTES)
        text = codecs.getincrementaldecoder(encoding)().decode(content, final=len(content) < _HEAD_BYTES)
    layout = find_layout(text, file.name)
    return _Opened(file, layout.header.names, layout.header.notes, layout, encoding)


def _open_parquet(file: PlainFile) -> _Opened:
    try:
        opened = parquet.ParquetFile(file.path)
    except Exception as error:  # pyarrow raises many types for a damaged file
        raise FileReadError(f"{file.name}: this is not a readable Parquet file.", fix="Export it again.") from error
    schema = opened.schema_arrow
    indices = (schema.pandas_metadata or {}).get("index_columns", [])
    if any(isinstance(index, str) for index in indices) or not len(schema):
        raise NotStreamable
    for column in schema:
        if not _is_plain(column.type):
            raise NotStreamable
    header = find_header([list(schema.names)])
    types = tuple(str(column.type) for column in schema)
    described = {each["name"]: each["numpy_type"] for each in (schema.pandas_metadata or {}).get("columns", [])}
    nullable = [described.get(column, "").startswith(("Int", "UInt")) for column in schema.names]
    named = tuple(name for name, gaps in zip(header.names, nullable, strict=True) if gaps)
    return _Opened(file, header.names, header.notes, types=types, nullable=named)


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_boolean)
    floats = pa.types.is_float32(kind) or pa.types.is_float64(kind)
    return floats or pa.types.is_timestamp(kind) or any(test(kind) for test in tests)


def _plain_types(batch: pa.RecordBatch, names: list[str]) -> pa.RecordBatch:
    arrays = []
    for array in batch.columns:
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        arrays.append(array.cast(pa.string()) if pa.types.is_large_string(array.type) else array)
    return pa.RecordBatch.from_arrays(arrays, names=names)


def _with_columns(block: pa.RecordBatch, columns: list[str]) -> pa.RecordBatch:
    if block.schema.names == columns:
        return block
    have = {name: block.column(name) for name in block.schema.names}
    nothing = pa.nulls(block.num_rows, pa.string())
    return pa.RecordBatch.from_arrays([have.get(column, nothing) for column in columns], names=columns)


def _check_same_columns(opened: Sequence[_Opened]) -> None:
    """Refuse files whose columns differ, leaving nameless ones out of account."""
    first = opened[0]
    wanted = _named(first.columns)
    for other in opened[1:]:
        found = _named(other.columns)
        if found != wanted:
            differing = sorted(wanted ^ found)
            where = "missing" if differing[0] in wanted else "only there"
            raise FileReadError(
                f"{other.file.name}: its columns differ from those of {first.file.name} ({differing[0]!r} is {where}).",
                fix="Put only files of the same columns together.",
            )


def _named(columns: list[str]) -> set[str]:
    """Columns with a name of their own; all, where none has."""
    return {column for column in columns if not column.startswith("column ")} or set(columns)
