"""Blocks of rows of a text file, parsed side by side and given out in order."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from pricing_core.data.text_table import arrow_options, not_splittable
from pricing_core.engines.row_ends import Body, pieces

Ints = NDArray[np.int64]
Work = TypeVar("Work")
Made = TypeVar("Made")

CODED = pa.dictionary(pa.int32(), pa.string())


class OtherEncoding(Exception):
    """The file begins as UTF-8 and does not go on so: its encoding is to be found from the whole of it."""


@dataclass
class Parsed:
    """Rows of a piece of text.

    Attributes
    ----------
    rows
        Those that fit the header and hold a filled cell.
    blank
        Positions, among the rows that fit the header, of those without any filled cell.
    fitting, given
        Number of rows that fit the header, and by how many rows the next piece begins later than this one.
    skipped
        Numbers of rows that do not fit, counted from 1 within the piece.
    bad
        Number, text and reason of those of them that are not blank.
    """

    rows: pa.RecordBatch
    blank: Ints
    fitting: int
    given: int = 0
    skipped: list[int] = field(default_factory=list)
    bad: list[tuple[int, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class TextForm:
    """How the rows of a text file are written: names of the columns, delimiter, and the file's name for messages."""

    columns: list[str]
    delimiter: str
    name: str


def text_blocks(
    body: Body, form: TextForm, size: int, kinds: Callable[[], dict[str, pa.DataType]]
) -> Iterator[Callable[[], Parsed]]:
    """Yield for each piece of a text what parses it, in any thread.

    Parameters
    ----------
    size
        Bytes of a piece, about.
    kinds
        Asked before each piece: column → type in which its cells are wanted, text or coded text.
    """
    for piece, quoted in pieces(body, size, form.delimiter):
        yield _parser(form, piece, quoted, kinds())
    if not body.is_utf8():
        raise OtherEncoding
    yield from _in_turn(body, form, size, kinds())


def in_order(
    pool: Executor, works: Iterable[Callable[[], Work]], then: Callable[[Work], Made], ahead: Callable[[], int]
) -> Iterator[tuple[Work, Made]]:
    """Do work in the pool and yield the results in order; so many as ``ahead`` says are begun before they are taken."""
    waiting: deque[Future[tuple[Work, Made]]] = deque()

    def both(work: Callable[[], Work]) -> tuple[Work, Made]:
        done = work()
        return done, then(done)

    try:
        for work in works:
            waiting.append(pool.submit(both, work))
            if len(waiting) > ahead():
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for left in waiting:
            left.cancel()


def _parser(form: TextForm, piece: memoryview, quoted: bool, kinds: dict[str, pa.DataType]) -> Callable[[], Parsed]:
    def parse() -> Parsed:
        _check(piece)
        heard = _Heard(form)
        read, split, convert = arrow_options(form.columns, form.delimiter, heard.take, len(piece) + 1)
        split.newlines_in_values = quoted
        convert.column_types = kinds
        convert.check_utf8 = False  # the whole piece was checked
        try:
            table = arrow_csv.read_csv(pa.BufferReader(pa.py_buffer(piece)), read, split, convert)
        except pa.ArrowInvalid as error:
            if "Empty CSV" not in str(error):
                raise not_splittable(form.name, error) from error
            table = _nothing(form, kinds)
        parsed = _parsed(table)
        parsed.skipped, parsed.bad = heard.skipped, heard.bad
        parsed.given = parsed.fitting + len(heard.skipped)
        return parsed

    return parse


def _check(piece: memoryview) -> None:
    """Whether a piece is UTF-8, as all that is parsed has to be."""
    if np.frombuffer(piece, dtype=np.uint8).max(initial=0) < 128:
        return
    try:
        codecs.utf_8_decode(piece, "strict", True)
    except UnicodeDecodeError:
        raise OtherEncoding from None


def _in_turn(body: Body, form: TextForm, size: int, kinds: dict[str, pa.DataType]) -> Iterator[Callable[[], Parsed]]:
    """The rows that are left where one piece can only be parsed after the other."""
    heard = _Heard(form)
    read, split, convert = arrow_options(form.columns, form.delimiter, heard.take, size)
    convert.column_types = kinds
    try:
        for block in arrow_csv.open_csv(pa.PythonFile(body, mode="r"), read, split, convert):
            yield partial(_parsed, pa.Table.from_batches([block]))
    except pa.ArrowInvalid as error:
        if "Empty CSV" not in str(error):
            raise not_splittable(form.name, error) from error
    rest = _parsed(_nothing(form, kinds))
    rest.skipped, rest.bad = heard.skipped, heard.bad
    yield lambda: rest


class _Heard:
    """Rows that do not fit, as the parser reports them."""

    def __init__(self, form: TextForm) -> None:
        self._form = form
        self.skipped: list[int] = []
        self.bad: list[tuple[int, str, str]] = []

    def take(self, row: Any) -> str:
        """Remember a row; called by the parser."""
        self.skipped.append(row.number)
        if (row.text or "").strip(self._form.delimiter + " \r\n\t"):
            reason = f"has {row.actual_columns} cells where the header has {row.expected_columns}"
            self.bad.append((row.number, row.text, reason))
        return "skip"


def _nothing(form: TextForm, kinds: dict[str, pa.DataType]) -> pa.Table:
    return pa.table({column: pa.array([], kinds[column]) for column in form.columns})


def _parsed(table: pa.Table) -> Parsed:
    batches = table.unify_dictionaries().combine_chunks().to_batches()
    rows = batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema)
    empty = _blank(rows)
    blank = np.flatnonzero(empty)
    return Parsed(rows.filter(pa.array(~empty)) if len(blank) else rows, blank, len(rows))


def _blank(block: pa.RecordBatch) -> NDArray[np.bool_]:
    """Rows without any filled cell."""
    empty = np.ones(block.num_rows, dtype=bool)
    for column in block.columns:
        if not empty.any():
            break
        if column.null_count == 0:
            return np.zeros(block.num_rows, dtype=bool)
        empty &= np.asarray(pc.is_null(column).to_numpy(zero_copy_only=False), dtype=bool)
    return empty
