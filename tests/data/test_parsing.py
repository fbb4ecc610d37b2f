"""Cells become numbers, flags and times as a person would read them; doubt is stated."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from pricing_core.data.parsing import parse_flag, parse_number, to_text
from pricing_core.data.parsing_times import parse_time


def _text(*cells: str | None) -> pd.Series:
    return pd.Series(list(cells), dtype="str")


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (("1.5", "-3", "1e3"), [1.5, -3.0, 1000.0]),
        (("$1.50", "2,00 €".replace(",", "."), "¥ 3"), [1.5, 2.0, 3.0]),
        (("1,5", "2,55"), [1.5, 2.55]),
        (("1.234,5", "2,0"), [1234.5, 2.0]),
        (("1,234.5", "2.0"), [1234.5, 2.0]),
        (("1,234", "2.5"), [1234.0, 2.5]),
    ],
)
def test_numbers_are_read_with_either_decimal_sign(cells: tuple[str, ...], numbers: list[float]) -> None:
    parsed = parse_number(_text(*cells))
    assert parsed.values.tolist() == numbers
    assert not parsed.unreadable.any()
    assert parsed.question is None


def test_thousands_or_decimals_is_asked() -> None:
    parsed = parse_number(_text("1,234", "5,678"))
    assert parsed.question == "'1,234' can mean 1.234 or 1234"
    assert parse_number(_text("1,234"), "comma").values.tolist() == [1.234]
    assert parse_number(_text("1,234"), "point").values.tolist() == [1234.0]


def test_words_are_unreadable_and_gaps_are_not() -> None:
    parsed = parse_number(_text("1", "twelve", "n/a", None, "inf"))
    assert parsed.unreadable.tolist() == [False, True, False, False, True]
    assert parsed.values.isna().tolist() == [False, True, True, True, True]


def test_single_precision_prices_have_no_tail() -> None:
    parsed = parse_number(pd.Series([0.88, 1.99, np.nan], dtype="float32"))
    assert parsed.values.tolist()[:2] == [0.88, 1.99]


def test_flags_are_read_from_words() -> None:
    parsed = parse_flag(pd.Series(["yes", "No", 1, 0.0, True, "是", "maybe", None], dtype=object))
    assert parsed.values.tolist()[:6] == [1, 0, 1, 0, 1, 1]
    assert parsed.unreadable.tolist() == [False] * 6 + [True, False]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2025-01-02", datetime(2025, 1, 2, tzinfo=UTC)),
        ("2025-01-02 03:04:05", datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2025-01-02T03:04:05.5Z", datetime(2025, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC)),
        ("2025-01-02T03:04:05+02:00", datetime(2025, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2025/1/2", datetime(2025, 1, 2, tzinfo=UTC)),
        ("20250102", datetime(2025, 1, 2, tzinfo=UTC)),
        ("31/12/2024", datetime(2024, 12, 31, tzinfo=UTC)),
        ("12/31/2024 5:06", datetime(2024, 12, 31, 5, 6, tzinfo=UTC)),
        ("1735776000", datetime(2025, 1, 2, tzinfo=UTC)),
        ("1735776000000", datetime(2025, 1, 2, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_common_forms(cell: str, expected: datetime) -> None:
    parsed = parse_time(_text(cell))
    assert parsed.values.dtype == "datetime64[us, UTC]"
    assert parsed.values[0].to_pydatetime() == expected


def test_local_times_follow_their_zone_through_the_clock_change() -> None:
    parsed = parse_time(_text("2025-03-29 12:00", "2025-03-31 12:00", "2025-03-30 02:30"), "Europe/Berlin")
    assert [time.hour for time in parsed.values] == [11, 10, 1]
    assert parsed.repaired == {"times without a zone taken as Europe/Berlin": 3}


def test_day_or_month_first_is_asked_only_in_doubt() -> None:
    assert parse_time(_text("03/04/2025")).question == "'03/04/2025' can be read day first or month first"
    assert parse_time(_text("03/04/2025", "13/04/2025")).question is None
    assert parse_time(_text("03/04/2025"), order="day_first").values[0].month == 4
    assert parse_time(_text("03/04/2025"), order="month_first").values[0].month == 3


def test_impossible_times_are_unreadable() -> None:
    assert parse_time(_text("2025-13-01", "soon", "30/02/2025")).unreadable.tolist() == [True, True, True]


def test_ids_stay_as_written() -> None:
    assert to_text(_text(" 007 ", "a")).tolist() == ["007", "a"]
    assert to_text(pd.Series([1.0, 2.0, np.nan])).tolist()[:2] == ["1", "2"]
    assert to_text(_text("", "null")).isna().all()
