"""Numbers on screen: sign, unit and range."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pandas as pd
import pytest

from pages.components import tables, words


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
    assert words.points(0.008) == "+0.8 points"
    assert words.percent_range(-0.003, 0.044) == "90% range −0.3% to +4.4%"


def test_a_fall_keeps_its_true_minus_sign_its_arrow_and_its_color() -> None:
    assert words.change("−2.0%") == {"delta": "−2.0%", "delta_color": "inverse", "delta_arrow": "down"}
    assert words.change("+2.0%") == {"delta": "+2.0%", "delta_color": "normal", "delta_arrow": "up"}
    assert words.change("−2.0%", neutral=True)["delta_color"] == "off"
    assert words.change("0.0%") == {"delta": "0.0%", "delta_color": "off", "delta_arrow": "off"}


def test_tables_write_the_sign_before_the_unit_and_keep_numbers() -> None:
    frame = pd.DataFrame({"gain": [-0.07, 1234.5, None], "change": [-3.04, 2.0, 0.0]}, index=[7, 7, 9])
    styled = tables.signed(frame, "USD", money=["gain"], percent=["change"])
    text = styled.to_html()
    for shown in ("−$0.07", "$1,234.50", "–", "−3.0%", "+2.0%", "0.0%"):
        assert f">{shown}<" in text
    assert styled.data["gain"].tolist()[:2] == [-0.07, 1234.5]


def test_a_model_is_never_certain() -> None:
    found = [words.chance(share) for share in (0.0, 0.009, 0.01, 0.5, 0.99, 0.999, 1.0, None)]
    assert found == ["<1%", "<1%", "1%", "50%", "99%", ">99%", ">99%", "unknown"]


def test_a_change_that_rounds_to_zero_carries_no_sign() -> None:
    assert words.percent(-0.0001, signed=True) == "0.0%"
    assert words.points(0.0001) == "0.0 points"
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


HOSTILE = [
    '=HYPERLINK("http://evil.example","click")',
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<https://evil.example>",
    "www.evil.example",
    "someone@evil.example",
    "<b>bold</b>",
    "**bold** _it_ `code` ~~gone~~ $x^2$",
    ":material/home: :smile: :red[x] :100:",
    "# heading",
    "a|b\\*c &lt; d",
    "- item",
    "1. item",
    "first\n\n# second",
    "a--b->c",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_the_data_is_shown_and_never_interpreted(text: str) -> None:
    shown = words.markdown(text)
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", shown)  # what is left without the escaped characters
    assert not re.search(r"[\\`*_\[\]()<>#$~|&\n]|:\S|^[-+] |^\d+\. |--", bare), shown
    read = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown)  # as Markdown reads it: no address, icon or symbol is whole
    assert not re.search(r"https?://|www\.|\w@\w|:[\w+/-]|->|--", read), shown
    assert read.replace("\u2060", "") == " ".join(text.splitlines())
