"""Whatever stands in a streamed file: no row disappears, nothing crashes, and it comes out as a small file does."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing_core.data.options import CleaningOptions
from tests.engines.messy_shop import messy_shop
from tests.engines.paths import DATABASE, TINY, assert_same

OFFERS = messy_shop(offers=120)["offers"]
CELLS = st.one_of(
    st.sampled_from(["", "1", "0", "-1", "1,5", "1.234,5", "NaN", "inf", "1e999", "=1+1", "007", "yes", "2025-01-01",
                     "31/12/2024", "2025-02-30", "2025-13-01T00:00:00Z", "2024-01-31T12:00:00Z", "1735776000",
                     "9" * 30, "{x}", 'a "b" c', '"', "two\nlines", "a,b", "C-00000007", "é", "N/A"]),
    st.text(max_size=6),
    st.floats().map(str),
    st.datetimes().map(str),
)  # fmt: skip
SPOILED = st.lists(st.tuples(st.integers(0, len(OFFERS) - 1), st.sampled_from(list(OFFERS)), CELLS), max_size=25)
LINES = st.lists(st.tuples(st.integers(1, len(OFFERS)), st.text(",;ab\"\r\n \t", max_size=8)), max_size=4)
RULES = CleaningOptions(date_order="day_first", decimal="point")
SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def _check(spoiled: list[tuple[int, str, str]], lines: list[tuple[int, str]], database: bool) -> None:
    frame = OFFERS.astype(object)
    for row, column, cell in spoiled:
        frame.at[row, column] = cell
    content = _written(frame, lines)
    assert_same({"offers": (content, "offers.csv")}, DATABASE if database else TINY, options=RULES)


def _written(frame: pd.DataFrame, lines: list[tuple[int, str]]) -> bytes:
    """CSV of a table, with further text before some of its rows."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(frame.columns)
    for row, cells in enumerate(frame.to_numpy().tolist()):
        for place, text in lines:
            if place == row:
                stream.write(text)
        writer.writerow(cells)
    return stream.getvalue().encode()


@settings(SETTINGS, max_examples=6)
@given(spoiled=SPOILED, lines=LINES, database=st.booleans())
def test_a_spoiled_file_comes_out_as_a_small_one_does(
    spoiled: list[tuple[int, str, str]], lines: list[tuple[int, str]], database: bool
) -> None:
    _check(spoiled, lines, database)


@pytest.mark.extra
@settings(SETTINGS, max_examples=150)
@given(spoiled=SPOILED, lines=LINES, database=st.booleans())
def test_many_spoiled_files_come_out_as_small_ones_do(
    spoiled: list[tuple[int, str, str]], lines: list[tuple[int, str]], database: bool
) -> None:
    _check(spoiled, lines, database)
