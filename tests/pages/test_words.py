"""Numbers on screen: sign, unit and range."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pages.components import words


@pytest.mark.parametrize(
    ("value", "currency", "options", "text"),
    [
        (1234.5, "USD", {}, "$1,234.50"),
        (1234.5, "JPY", {}, "¥1,234"),
        (-3120, "EUR", {"compact": True}, "−€3.1k"),
        (12.3, "CHF", {"signed": True}, "+CHF 12.30"),
        (2_345_678, "GBP", {"compact": True}, "£2.3M"),
        (999, "USD", {"compact": True}, "$999.00"),
        (0.0, "USD", {"signed": True}, "$0.00"),
        (None, "USD", {}, "unknown"),
        (float("nan"), "USD", {}, "unknown"),
    ],
)
def test_money_has_its_currency_sign_and_decimals(value: float, currency: str, options: dict, text: str) -> None:
    assert words.money(value, currency, **options) == text


def test_rates_are_in_percent_and_their_changes_in_points() -> None:
    assert words.percent(0.021, signed=True) == "+2.1%"
    assert words.percent(-0.003, signed=True) == "−0.3%"
    assert words.percent(None) == "unknown"
    assert words.points(0.008) == "+0.8 pp"
    assert words.percent_range(-0.003, 0.044) == "90% range −0.3% to +4.4%"


def test_a_change_that_rounds_to_zero_carries_no_sign() -> None:
    assert words.percent(-0.0001, signed=True) == "0.0%"
    assert words.points(0.0001) == "0.0 pp"
    assert words.money(-0.001, "USD") == "$0.00"


def test_durations_and_moments_are_coarse() -> None:
    assert words.duration(0.2) == "1 s"
    assert words.duration(119) == "2 min"
    assert words.duration(4_200) == "70 min"
    assert words.duration(7_200) == "2 h 0 min"
    now = datetime(2025, 3, 5, 12, 0, tzinfo=UTC)
    assert words.ago("2025-03-05T11:59:40+00:00", now) == "just now"
    assert words.ago("2025-03-05T11:55:00", now) == "5 min ago"
    assert words.ago("2025-03-01T11:55:00+00:00", now) == "1 Mar 2025"


def test_markdown_leaves_money_readable() -> None:
    assert words.markdown("from $5 to $6") == "from \\$5 to \\$6"
