"""Column formats shared by the tables: money, percent, evidence, severity."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import pandas as pd
import streamlit as st

from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.pricelist.cells import CONTROL, DIRECTION

from . import words
from .words import SYMBOLS

Width = Literal["small", "medium", "large"]
STYLED_CELLS = 60_000

SEVERITIES = {"blocking": "⛔ blocking", "warning": "⚠️ warning", "info": "ℹ️ note"}
EVIDENCE = {
    "measured": "Measured: this product was offered often enough, at prices different enough, to tell its reaction.",
    "borrowed": "Borrowed: its own offers are too few, or too alike in price; similar products fill in.",
    "extrapolated": "Extrapolated: outside the prices that the data support.",
}


def record(table: pd.DataFrame, column: str, value: object) -> dict[str, Any]:
    """Return the first row in which a column has this value, as name → value."""
    return records(table[table[column] == value])[0]


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as name → value."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def money_column(label: str, currency: str, *, help: str | None = None, pinned: bool | None = None) -> Any:
    """Column of amounts with the decimals of their currency."""
    symbol = SYMBOLS.get(currency, f"{currency} ")
    return st.column_config.NumberColumn(
        label, format=f"{symbol}%,.{minor_unit_digits(currency)}f", help=help, pinned=pinned
    )


def signed(
    frame: pd.DataFrame, currency: str, *, money: Sequence[str], percent: Sequence[str] = (), plain: Sequence[str] = ()
) -> Any:
    """Write numbers that can be negative with the sign before the unit: ``−$0.07``, ``−3.0%``; they sort as numbers.

    Their columns must come from :func:`number_column`. A table of very many cells keeps bare numbers, rounded.

    Parameters
    ----------
    money, percent, plain
        Columns of amounts, of signed percentages (× 100 already), and of plain numbers.
    """
    digits = {
        **dict.fromkeys(money, minor_unit_digits(currency)),
        **dict.fromkeys(percent, 1),
        **dict.fromkeys(plain, 2),
    }
    rounded = frame.reset_index(drop=True).assign(**{name: frame[name].astype(float).to_numpy() for name in digits})
    if rounded.size > STYLED_CELLS:
        return rounded.round(digits)
    formats: dict[Any, Any] = {
        **{name: partial(words.money, currency=currency) for name in money},
        **{name: _signed_percent for name in percent},
        **{name: words.number for name in plain},
    }
    return rounded.style.format(formats, na_rep="–")


def _signed_percent(value: float) -> str:
    return words.percent(value / 100, signed=True)


def number_column(label: str, *, help: str | None = None, pinned: bool | None = None) -> Any:
    """Column whose numbers :func:`signed` has written."""
    return st.column_config.NumberColumn(label, help=help, pinned=pinned)


def rate_column(label: str, *, help: str | None = None, signed: bool = False, digits: int = 1) -> Any:
    """Column of shares in [0, 1], or of signed changes, written in percent (the values must be × 100 already)."""
    sign = "+" if signed else ""
    return st.column_config.NumberColumn(label, format=f"%{sign}.{digits}f%%", help=help)


def text_column(label: str, *, help: str | None = None, width: Width | None = None, pinned: bool | None = None) -> Any:
    """Column of text."""
    return st.column_config.TextColumn(label, help=help, width=width, pinned=pinned)


def count_column(label: str, *, help: str | None = None) -> Any:
    """Column of counts."""
    return st.column_config.NumberColumn(label, format="%,d", help=help)


def more_columns(key: str, few: Sequence[str], further: Sequence[str]) -> list[str]:
    """Let the user see further columns of a table, and return those to show; a few fit on a narrow page."""
    return [*few, *further] if st.toggle("More columns", key=key) else list(few)


def visible(text: str) -> str:
    """Text to look at: signs that are invisible or turn a text around are shown as the replacement character."""
    return DIRECTION.sub("\ufffd", CONTROL.sub("\ufffd", text))


def visible_table(table: pd.DataFrame) -> pd.DataFrame:
    """Table whose texts are :func:`visible`; Streamlit draws them on a canvas, where nothing is read as HTML."""
    shown = {
        str(name): [visible(value) if isinstance(value, str) else value for value in table[name]]
        for name in table.columns
        if table[name].dtype == object or isinstance(table[name].dtype, pd.StringDtype)
    }
    return table.assign(**shown)
