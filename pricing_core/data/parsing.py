"""Turn the cells of a column into identifiers, numbers or flags, counting what could not be read.

Every function reads the *different* values of a column once and spreads the answer over the rows, so that a
column of a million cells with a few hundred prices costs a few hundred conversions.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Decimal = Literal["auto", "point", "comma"]

MISSING_WORDS: Final = (
    "",
    "na",
    "n/a",
    "nan",
    "null",
    "none",
    "nil",
    "-",
    "--",
    "#n/a",
    "<na>",
    "nat",
    "无",
    "空",
)
_MISSING_TEXT: Final = ("", "n/a", "nan", "null", "#n/a", "<na>")
_TRUE: Final = (
    "1", "1.0", "true", "t", "yes", "y", "bought", "purchased", "sold", "ja", "j", "wahr", "oui", "si", "sí", "是",
    "已购买", "真",
)  # fmt: skip
_FALSE: Final = ("0", "0.0", "false", "f", "no", "n", "not bought", "nein", "falsch", "non", "否", "未购买", "假")
_CODES: Final = "USD|EUR|GBP|CNY|RMB|JPY|CHF|CAD|AUD|INR|SEK|NOK|DKK|PLN|BRL|KRW"
_MONEY_SIGNS: Final = rf"[$€£¥₩₹\s\u00a0\u202f'’]|^(?i:{_CODES}|Fr\.?|R\$)|(?i:{_CODES}|元|kr\.?|zł)$"
_THOUSANDS_POINT: Final = r"^[+-]?[1-9]\d{0,2}(?:\.\d{3})+$"
_THOUSANDS_COMMA: Final = r"^[+-]?\d{1,3}(?:,\d{3})+$"


@dataclass(frozen=True)
class Parsed:
    """A column after reading.

    Attributes
    ----------
    values
        The column in its canonical type; missing where a cell was missing or could not be read.
    unreadable
        Mask of cells that held something that could not be read.
    marks
        What was changed on the way, in words, with the mask of its cells: ``"currency sign removed" → mask``.
    question
        Set when the cells can be read in two ways and the user has to choose; then ``values`` are one of
        them.
    """

    values: pd.Series
    unreadable: NDArray[np.bool_]
    marks: dict[str, NDArray[np.bool_]]
    question: str | None = None

    @property
    def repaired(self) -> dict[str, int]:
        """What was changed on the way, in words, with the number of cells."""
        return {words: int(mask.sum()) for words, mask in self.marks.items() if mask.any()}


def to_text(values: pd.Series) -> pd.Series:
    """Return text without outer blanks and ``.0``; empty cells and words for *missing* become missing."""
    if pd.api.types.is_float_dtype(values):
        number = values.dropna()
        if bool((number == number.round()).all()):
            values = values.astype("Int64")
    codes, levels = pd.factorize(values)
    plain = levels if isinstance(values.dtype, pd.StringDtype) else [plain_text(level) for level in levels]
    text = pd.Series(plain, dtype="str").str.strip()
    text = text.mask(text.str.lower().isin(_MISSING_TEXT))
    return spread_levels(text, codes, values.index)


def plain_text(level: object) -> str:
    """Text of a cell; a float that is whole loses its ``.0``."""
    return str(int(level)) if isinstance(level, float) and level.is_integer() else str(level)


def spread_levels(levels: pd.Series, codes: NDArray[np.int64], index: pd.Index) -> pd.Series:
    """Give each row the value of its code; code -1 is missing."""
    found = levels.array.take(codes, allow_fill=True)
    return pd.Series(found, index=index)


def parse_number(values: pd.Series, decimal: Decimal = "auto") -> Parsed:
    """Read a column of numbers; currency signs, blanks and thousands separators are removed.

    With ``decimal="auto"`` the last separator of a cell that has both is the decimal sign, a single comma
    is a decimal sign unless every such cell looks like ``1,234``: then the column is ambiguous and
    ``question`` is set.
    """
    nothing = np.zeros(len(values), dtype=bool)
    if pd.api.types.is_bool_dtype(values):
        return Parsed(values.astype("float64"), nothing, {})
    if pd.api.types.is_numeric_dtype(values):
        infinite = np.isinf(values.to_numpy(dtype=np.float64, na_value=np.nan))
        return Parsed(_exact(values).mask(infinite), infinite, {})
    codes, levels = pd.factorize(values)
    text = pd.Series([str(level) for level in levels], dtype="str").str.strip()
    missing = text.str.lower().isin(MISSING_WORDS).to_numpy(dtype=bool)
    bare = text.map(_half_width).str.replace(_MONEY_SIGNS, "", regex=True)
    bare = bare.str.replace(r"^\((.+)\)$", r"-\1", regex=True).str.replace(r"^([\d.,]+)-$", r"-\1", regex=True)
    plain, commas, question = _decimal_point(bare[~missing], decimal)
    number = pd.to_numeric(plain, errors="coerce").astype("float64").reindex(text.index)
    number = number.mask(np.isinf(number))
    bad = number.isna().to_numpy() & ~missing
    signs = (bare != text).to_numpy(dtype=bool) & ~missing & ~bad
    marks = {
        "currency signs or blanks removed": mask_of_rows(codes, signs),
        "decimal or thousands commas read": mask_of_rows(
            codes, commas.reindex(text.index, fill_value=False).to_numpy() & ~bad
        ),
    }
    return Parsed(spread_levels(number, codes, values.index), mask_of_rows(codes, bad), marks, question)


def _half_width(text: str) -> str:
    """Write full-width digits and signs, as East Asian systems export them, in their usual width."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _exact(values: pd.Series) -> pd.Series:
    """Return float64; float32 takes the shortest decimal (0.88, not 0.8799999952)."""
    if values.dtype != np.float32:
        return values.astype("float64")
    codes, levels = pd.factorize(values)
    shortest = np.array([float(str(level)) for level in np.asarray(levels)], dtype=np.float64)
    return spread_levels(pd.Series(shortest, dtype="float64"), codes, values.index)


def _decimal_point(text: pd.Series, decimal: Decimal) -> tuple[pd.Series, pd.Series, str | None]:
    """Rewrite numbers with a decimal point; say which had a comma, and whether the column is ambiguous."""
    comma = text.str.contains(",", regex=False).astype(bool)
    if decimal == "comma":
        return text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False), comma, None
    if decimal == "auto" and not comma.any() and bool((text.str.count(r"\.") > 1).any()):
        return text.str.replace(".", "", regex=False), comma, None  # 1.234.567: points that can only be thousands
    if decimal == "point" or not comma.any():
        question = _point_question(text) if decimal == "auto" else None
        return text.str.replace(",", "", regex=False), comma, question
    point = text.str.contains(".", regex=False).astype(bool)
    comma_last = text.str.rfind(",") > text.str.rfind(".")
    thousands = text.str.match(_THOUSANDS_COMMA).astype(bool)
    only_comma = comma & ~point
    question = None
    if (comma & point).any():
        decimal_comma = bool(comma_last[comma & point].all())
    else:
        decimal_comma = not bool(thousands[only_comma].all())
        if not decimal_comma and not point.any():
            example = text[only_comma].iloc[0]
            question = f"{example!r} can mean {example.replace(',', '.')} or {example.replace(',', '')}"
    if decimal_comma:
        return text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False), comma, question
    return text.str.replace(",", "", regex=False), comma, question


def _point_question(text: pd.Series) -> str | None:
    """Ask when every point stands before three digits and no other cell tells what it means."""
    point = text.str.contains(".", regex=False).astype(bool)
    if not point.any() or not bool(text[point].str.match(_THOUSANDS_POINT).all()):
        return None
    plain = pd.to_numeric(text[~point], errors="coerce").abs()
    if bool((plain >= 1000).any()):  # a thousand without a point: points are decimal
        return None
    example = text[point].iloc[0]
    return f"{example!r} can mean {example} or {example.replace('.', '')}"


def parse_flag(values: pd.Series) -> Parsed:
    """Read yes and no, true and false, 1 and 0, 是 and 否 as 1 and 0 (nullable int8)."""
    codes, levels = pd.factorize(values)
    text = pd.Series([plain_text(level) for level in levels], dtype="str").str.strip().str.lower()
    flag = pd.Series(pd.NA, index=text.index, dtype="Int8")
    flag[text.isin(_TRUE)] = 1
    flag[text.isin(_FALSE)] = 0
    bad = flag.isna().to_numpy() & ~text.isin(MISSING_WORDS).to_numpy(dtype=bool)
    return Parsed(spread_levels(flag, codes, values.index), mask_of_rows(codes, bad), {})


def mask_of_rows(codes: NDArray[np.int64], bad_levels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Spread a mask of levels over the rows; missing cells are False."""
    return np.append(bad_levels, False)[codes]
