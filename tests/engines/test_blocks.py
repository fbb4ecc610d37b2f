"""Pieces of a text, and the numbers of its values: what is cut and coded is what stood there."""

from __future__ import annotations

import io
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import csv as arrow_csv

from pricing_core.data.text_table import arrow_options
from pricing_core.engines.coding import ColumnCodes
from pricing_core.engines.row_ends import Body, pieces

CELLS = st.one_of(
    st.text("ab ,;\n\r\"'", max_size=5),
    st.text('"\n,x', max_size=6).map(lambda text: '"' + text.replace('"', '""') + '"'),
)


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=3), max_size=20), st.integers(20, 60))
def test_pieces_of_rows_read_as_the_whole_does(rows: list[list[str]], size: int) -> None:
    text = "\n".join(",".join(row) for row in rows).encode()
    stream = io.BytesIO(text)
    body = Body(stream, "utf-8", text.decode(), len(text))  # type: ignore[arg-type]
    cut = [bytes(piece) for piece, _ in pieces(body, size, ",")]
    rest = body.read(1 << 20)
    assert b"".join(cut) + rest == text
    try:
        whole = _rows(text)
    except pa.ArrowInvalid:  # a quotation mark that is never closed: the rest holds it
        assert b'"' in rest
        return
    found = [_rows(piece) for piece in [*cut, rest]]
    for kind in (0, 1):
        assert [row for part in found for row in part[kind]] == whole[kind]


def _rows(text: bytes) -> tuple[list[object], list[str]]:
    """Rows of three columns, and how many cells each of the others has."""
    others: list[str] = []

    def other(row: object) -> str:
        others.append(str(row.actual_columns))  # type: ignore[attr-defined]
        return "skip"

    options = arrow_options(["a", "b", "c"], ",", other, 1 << 20)
    rows = arrow_csv.read_csv(io.BytesIO(text), *options).to_pylist() if text else []
    return rows, others


@pytest.mark.parametrize("prefix", ["", "C-", "SKU-", "abcdefgh", "é-x-yyyyyyyyyyyyyy"])
@pytest.mark.parametrize("width", [1, 6, 8, 9])
def test_ids_are_coded_by_the_number_in_them(prefix: str, width: int) -> None:
    chosen = random.Random(width)
    usual = [f"{prefix}{chosen.randrange(10 ** min(width, 7)):0{width}d}" for _ in range(50)]
    odd = ["odd", None, "C-12", "C-0000000x", prefix + "9" * width, usual[0] + "0"]
    blocks = [[chosen.choice(usual if chosen.random() < 0.97 else odd) for _ in range(120)] for _ in range(4)]
    column = ColumnCodes("id", "UTC")
    column.find_numbers(pa.array(blocks[0], pa.string()))
    assert column.as_text == (len(prefix.encode()) + width >= 8)
    codes = [column.take(pa.array(block, pa.string()))[0] for block in blocks]
    assert column.levels is not None
    levels = np.array([*column.levels.to_pylist(), None], dtype=object)
    assert column.levels.null_count == 0 and len(set(levels)) == len(levels)
    assert [levels[code].tolist() for code in codes] == blocks
    assert column.missing == sum(block.count(None) for block in blocks)
