"""Two downloads, because their rules conflict: one that opens safely in Excel, one that another system can import.

*For Excel*: UTF-8 with a byte order mark; a text cell or header that a spreadsheet would run as a formula gets a
leading apostrophe; numbers stay numbers. *For import*: UTF-8 without mark, dot decimals, nothing altered; identifiers
that look like formulas are reported, so that whoever imports them knows. Both end their lines as RFC 4180 says.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from pricing_core.guardrails.money import exact_amount, minor_unit_digits

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_RATE_DIGITS: Final = 6


def exact_money(value: float | Decimal | None, currency: str) -> Decimal | None:
    """Money as an exact decimal with the currency's digits (ISO 4217); None where unknown."""
    if value is None or value != value:
        return None
    return exact_amount(float(value), minor_unit_digits(currency))


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet could take a text cell for a formula."""
    return text.startswith(_FORMULA_STARTS) or text.lstrip(" \u00a0\u3000").startswith(_FORMULA_STARTS)


def dangerous_identifiers(frame: pd.DataFrame) -> pd.DataFrame:
    """Cells of text columns that look like formulas: ``row_number, column, value`` (the header is row 1)."""
    found = []
    for column in _text_columns(frame):
        values = frame[column].dropna().astype(str)
        hit = values[values.map(looks_like_formula)]
        found += [(int(row) + 2, column, value) for row, value in zip(_positions(frame, hit), hit, strict=True)]
    return pd.DataFrame(found, columns=["row_number", "column", "value"])


def to_excel_csv(frame: pd.DataFrame) -> bytes:
    """CSV that opens safely in Excel: byte order mark, text that looks like a formula made harmless."""
    return b"\xef\xbb\xbf" + _csv(frame, escape=True)


def to_import_csv(frame: pd.DataFrame) -> bytes:
    """CSV for another system: no byte order mark, dot decimals, nothing altered."""
    return _csv(frame, escape=False)


def _csv(frame: pd.DataFrame, *, escape: bool) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_safe(str(c)) if escape else str(c) for c in frame.columns)
    columns = [_cells(frame[c], frame, escape=escape) for c in frame.columns]
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode("utf-8")


def _cells(column: pd.Series, frame: pd.DataFrame, *, escape: bool) -> Iterable[str]:
    name = str(column.name)
    if pd.api.types.is_datetime64_any_dtype(column):
        return [t.isoformat().replace("+00:00", "Z") if not pd.isna(t) else "" for t in column]
    if _is_money(name) and pd.api.types.is_numeric_dtype(column):
        known = "currency" in frame.columns
        currencies = frame["currency"].astype(str) if known else pd.Series("USD", index=frame.index)
        return [_plain(exact_money(v, c)) for v, c in zip(column.astype(float), currencies, strict=True)]
    if pd.api.types.is_bool_dtype(column):
        return ["true" if v else "false" for v in column]
    if pd.api.types.is_numeric_dtype(column):
        return [_number(v) for v in column]
    return [_text(v, escape=escape) for v in column]


def _is_money(name: str) -> bool:
    # Expected profits are estimates per offer, not amounts to charge: cents would round most of them to nothing.
    return name.endswith(("_price", "_cost")) or name == "prior_price_30d"


def _text(value: Any, *, escape: bool) -> str:
    if isinstance(value, Decimal):
        return _plain(value)
    if value is None or value is pd.NA or value != value:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | float | np.number):
        return _number(value)
    return _safe(str(value)) if escape else str(value)


def _safe(text: str) -> str:
    return "'" + text if looks_like_formula(text) else text


def _number(value: Any) -> str:
    if pd.isna(value):
        return ""
    if isinstance(value, int | np.integer):
        return str(value)
    return _plain(Decimal(repr(round(float(value), _RATE_DIGITS))))


def _plain(value: Decimal | None) -> str:
    return "" if value is None else format(value, "f")


def _text_columns(frame: pd.DataFrame) -> list[str]:
    kinds = pd.api.types
    return [c for c in frame.columns if not (kinds.is_numeric_dtype(frame[c]) or kinds.is_bool_dtype(frame[c]))]


def _positions(frame: pd.DataFrame, part: pd.Series) -> list[int]:
    return list(frame.index.get_indexer(part.index))
