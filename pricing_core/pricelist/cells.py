"""Cells of a price list as text: exact amounts, numbers without binary tails, and text that no spreadsheet runs.

Whole columns at a time; a value that occurs often is written once. CSV lines end as RFC 4180 says.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pandas as pd

from pricing_core.guardrails.money import minor_unit_digits

FORMULA_SIGNS: Final = "=+-@"
RATE_DIGITS: Final = 6

_WIDE: Final = Context(prec=400, rounding=ROUND_HALF_EVEN)  # every finite binary float fits
_START: Final = frozenset("\t\r\n")
# A spreadsheet that splits lines at another delimiter would take what follows it for the start of a cell.
_INNER_START: Final = re.compile(r"[;\t\r\n]")
_INVISIBLE: Final = frozenset(("Cc", "Cf", "Zs", "Zl", "Zp", "Mn"))
CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
DIRECTION: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
SURROGATE: Final = re.compile("[\ud800-\udfff]")


def exact_money(value: float | Decimal | None, currency: str) -> Decimal | None:
    """Money as an exact decimal with the currency's digits (ISO 4217); None where unknown or not finite."""
    if value is None or value != value:
        return None
    amount = Decimal(repr(float(value)))
    return _WIDE.quantize(amount, _unit(minor_unit_digits(currency))) if amount.is_finite() else None


@lru_cache(maxsize=8)
def _unit(digits: int) -> Decimal:
    return Decimal(1).scaleb(-digits)


def plain(value: Decimal | None) -> str:
    """Decimal without exponent; blank where unknown."""
    return "" if value is None else format(value, "f")


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet could take a text cell for a formula.

    It is one if its first visible character is ``= + - @`` in any width, whatever invisible characters stand before,
    or if it starts with a tab or a line break.
    """
    if not text:
        return False
    if text[0] in _START:
        return True
    first = next((c for c in text if unicodedata.category(c) not in _INVISIBLE), "")
    return bool(first) and (first == "\u2212" or unicodedata.normalize("NFKC", first)[:1] in FORMULA_SIGNS)


def spreadsheet_safe(text: str) -> str:
    """Text with an apostrophe wherever a spreadsheet could start to read a formula."""
    parts = _INNER_START.split(text)
    if len(parts) > 1:
        breaks = _INNER_START.findall(text)
        inner = ["'" + part if looks_like_formula(part) else part for part in parts[1:]]
        text = parts[0] + "".join(sign + part for sign, part in zip(breaks, inner, strict=True))
    return "'" + text if looks_like_formula(text) else text


def written(column: pd.Series, write: Callable[[Any], str]) -> list[str]:
    """Each cell written; equal values only once."""
    codes, levels = pd.factorize(column, use_na_sentinel=True)
    texts = np.array([*(write(level) for level in levels), ""], dtype=object)
    return list(texts[codes])


def money_texts(column: pd.Series, currency: pd.Series | str) -> list[str]:
    """Exact amounts of a column; blank where unknown or not finite."""
    values = pd.Series(column.to_numpy(dtype=float, na_value=np.nan))
    if isinstance(currency, str):
        return written(values, lambda value: plain(exact_money(value, currency)))
    out = np.full(len(values), "", dtype=object)
    codes = currency.astype(str).to_numpy()
    for code in pd.unique(codes):
        rows = codes == code
        out[rows] = money_texts(values[rows], str(code))
    return list(out)


def number_text(value: Any) -> str:
    """Plain number with at most six decimals; blank where unknown."""
    if pd.isna(value):
        return ""
    if isinstance(value, int | np.integer):
        return str(int(value))
    number = float(value)
    if not np.isfinite(number):
        return ""
    text = repr(round(number, RATE_DIGITS))
    return plain(Decimal(text)) if "e" in text else text


def number_texts(column: pd.Series) -> list[str]:
    """Column of plain numbers with at most six decimals; blank where unknown or not finite."""
    rounded = np.round(column.to_numpy(dtype=float, na_value=np.nan), RATE_DIGITS).tolist()
    texts = [repr(number) for number in rounded]
    return [text if text[-1].isdigit() and "e" not in text else number_text(float(text)) for text in texts]


def time_text(value: Any) -> str:
    """ISO 8601 in UTC; blank where unknown."""
    return "" if pd.isna(value) else str(value.isoformat()).replace("+00:00", "Z")


def any_text(value: Any) -> str:
    """Text of a cell of a mixed column; blank where unknown."""
    if isinstance(value, Decimal):
        return plain(value)
    if value is None or value is pd.NA or value != value:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | float | np.number):
        return number_text(value)
    return storable(str(value))


def storable(text: str) -> str:
    """Text that UTF-8 can hold: half characters (lone surrogates) become the replacement character."""
    return SURROGATE.sub("\ufffd", text)


def plain_texts(column: pd.Series) -> pd.Series:
    """Column as Python text whatever it holds, blank where missing; half characters included."""
    texts = [value if type(value) is str else "" if pd.isna(value) else str(value) for value in column.tolist()]
    return pd.Series(texts, index=column.index, dtype=object)


def is_money(name: str) -> bool:
    """Whether a native column holds amounts to charge.

    Expected profits are estimates per offer, not amounts to charge: cents would round most of them to nothing.
    """
    return name.endswith(("_price", "_cost")) or name == "prior_price_30d"


def column_texts(frame: pd.DataFrame, name: str) -> list[str]:
    """Column of a native price list as text, unescaped."""
    column = frame[name]
    kinds = pd.api.types
    if kinds.is_datetime64_any_dtype(column):
        return written(column, time_text)
    if kinds.is_bool_dtype(column):
        return ["true" if value else "false" for value in column]
    if is_money(name) and kinds.is_numeric_dtype(column):
        return money_texts(column, frame["currency"] if "currency" in frame.columns else "USD")
    if kinds.is_float_dtype(column):
        return number_texts(column)
    if kinds.is_numeric_dtype(column):
        return written(column, number_text)
    if isinstance(column.dtype, pd.StringDtype):
        return [storable(text) for text in column.fillna("").tolist()]
    return [any_text(value) for value in column] if column.map(type).nunique() > 1 else written(column, any_text)


def text_columns(frame: pd.DataFrame) -> list[str]:
    """Names of the columns that hold text."""
    kinds = pd.api.types
    return [
        str(c)
        for c in frame.columns
        if not (kinds.is_numeric_dtype(frame[c]) or kinds.is_bool_dtype(frame[c]))
        and not kinds.is_datetime64_any_dtype(frame[c])
    ]


def csv_bytes(header: Sequence[str], columns: Sequence[Sequence[str]], *, delimiter: str = ",") -> bytes:
    """CSV in UTF-8 without byte order mark, lines ended by CR LF; cells are quoted where they need it."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode("utf-8")
