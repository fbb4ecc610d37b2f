"""Turn the cells of a column into identifiers, numbers, flags or times, counting what could not be read.

Every function reads the *different* values of a column once and spreads the answer over the rows, so that a
column of a million cells with a few hundred prices costs a few hundred conversions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Decimal = Literal["auto", "point", "comma"]
DateOrder = Literal["auto", "day_first", "month_first"]

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
_TRUE: Final = ("1", "1.0", "true", "t", "yes", "y", "bought", "purchased", "sold", "是", "已购买", "真")
_FALSE: Final = ("0", "0.0", "false", "f", "no", "n", "not bought", "否", "未购买", "假")
_MONEY_SIGNS: Final = r"[$€£¥₩₹\s\u00a0\u202f]|^(?:USD|EUR|GBP|CNY|JPY)|(?:USD|EUR|GBP|CNY|JPY|元)$"
_THOUSANDS_COMMA: Final = r"^[+-]?\d{1,3}(?:,\d{3})+$"
_ISO: Final = r"^\d{4}-\d{2}-\d{2}(?!\d)"
_ZONE: Final = r"(?:[Zz]|[+-]\d{2}:?\d{2})$"


@dataclass(frozen=True)
class Parsed:
    """A column after reading.

    Attributes
    ----------
    values
        The column in its canonical type; missing where a cell was missing or could not be read.
    unreadable
        Mask of cells that held something that could not be read.
    repaired
        What was changed on the way, in words, with the number of rows: ``"currency sign removed" → 120``.
    question
        Set when the cells can be read in two ways and the user has to choose; then ``values`` are one of
        them.
    """

    values: pd.Series
    unreadable: NDArray[np.bool_]
    repaired: dict[str, int]
    question: str | None = None


def to_text(values: pd.Series) -> pd.Series:
    """Return text without outer blanks and ``.0``; empty cells and words for *missing* become missing."""
    if pd.api.types.is_float_dtype(values):
        number = values.dropna()
        if bool((number == number.round()).all()):
            values = values.astype("Int64")
    codes, levels = pd.factorize(values)
    text = pd.Series([_plain(level) for level in levels], dtype="str").str.strip()
    text = text.mask(text.str.lower().isin(_MISSING_TEXT))
    return _spread(text, codes, values.index)


def _plain(level: object) -> str:
    return str(int(level)) if isinstance(level, float) and level.is_integer() else str(level)


def _spread(levels: pd.Series, codes: NDArray[np.int64], index: pd.Index) -> pd.Series:
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
    bare = text.str.replace(_MONEY_SIGNS, "", regex=True)
    plain, commas, question = _decimal_point(bare[~missing], decimal)
    number = pd.to_numeric(plain, errors="coerce").astype("float64").reindex(text.index)
    number = number.mask(np.isinf(number))
    bad = number.isna().to_numpy() & ~missing
    repaired = {
        "currency signs or blanks removed": _rows(codes, (bare != text).to_numpy(dtype=bool) & ~missing & ~bad),
        "decimal or thousands commas read": _rows(
            codes, commas.reindex(text.index, fill_value=False).to_numpy() & ~bad
        ),
    }
    return Parsed(
        _spread(number, codes, values.index),
        _mask(codes, bad),
        {words: count for words, count in repaired.items() if count},
        question,
    )


def _exact(values: pd.Series) -> pd.Series:
    """Return float64; float32 takes the shortest decimal (0.88, not 0.8799999952)."""
    if values.dtype != np.float32:
        return values.astype("float64")
    codes, levels = pd.factorize(values)
    shortest = np.array([float(str(level)) for level in np.asarray(levels)], dtype=np.float64)
    return _spread(pd.Series(shortest, dtype="float64"), codes, values.index)


def _decimal_point(text: pd.Series, decimal: Decimal) -> tuple[pd.Series, pd.Series, str | None]:
    """Rewrite numbers with a decimal point; say which had a comma, and whether the column is ambiguous."""
    comma = text.str.contains(",", regex=False).astype(bool)
    if decimal == "comma":
        return text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False), comma, None
    if decimal == "point" or not comma.any():
        return text.str.replace(",", "", regex=False), comma, None
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


def parse_flag(values: pd.Series) -> Parsed:
    """Read yes and no, true and false, 1 and 0, 是 and 否 as 1 and 0 (nullable int8)."""
    codes, levels = pd.factorize(values)
    text = pd.Series([_plain(level) for level in levels], dtype="str").str.strip().str.lower()
    flag = pd.Series(pd.NA, index=text.index, dtype="Int8")
    flag[text.isin(_TRUE)] = 1
    flag[text.isin(_FALSE)] = 0
    bad = flag.isna().to_numpy() & ~text.isin(MISSING_WORDS).to_numpy(dtype=bool)
    return Parsed(_spread(flag, codes, values.index), _mask(codes, bad), {})


def parse_time(values: pd.Series, timezone: str = "UTC", order: DateOrder = "auto") -> Parsed:
    """Read times as ``datetime64[us, UTC]``; cells without a zone are taken in ``timezone``.

    Understood: ISO 8601, ``YYYYMMDD``, ``YYYY/MM/DD``, day and month in either order with ``/``, ``.`` or
    ``-``, seconds or milliseconds since 1970. When no cell says whether the day or the month comes first,
    ``question`` is set. A local time that a clock change skips is moved forward, one that it repeats is
    taken as the first.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        zoned = values.dt.tz is not None
        stamp = values.dt.tz_convert("UTC") if zoned else _localize(values, timezone)
        repaired = {} if zoned else {_no_zone(timezone): int(values.notna().sum())}
        return Parsed(stamp.astype("datetime64[us, UTC]"), np.zeros(len(values), dtype=bool), repaired)
    codes, levels = pd.factorize(values)
    text = pd.Series([_plain(level) for level in levels], dtype="str").str.strip()
    missing = text.str.lower().isin(MISSING_WORDS).to_numpy(dtype=bool)
    stamp, zoneless, question = _parse_levels(text, timezone, order)
    bad = stamp.isna().to_numpy() & ~missing
    repaired = {_no_zone(timezone): _rows(codes, zoneless & ~bad)}
    return Parsed(
        _spread(stamp, codes, values.index),
        _mask(codes, bad),
        {words: count for words, count in repaired.items() if count},
        question,
    )


def _no_zone(timezone: str) -> str:
    return f"times without a zone taken as {timezone}"


def _localize(stamp: pd.Series, timezone: str) -> pd.Series:
    first = np.ones(len(stamp), dtype=bool)
    local = stamp.dt.tz_localize(timezone, ambiguous=first, nonexistent="shift_forward")
    return local.dt.tz_convert("UTC").astype("datetime64[us, UTC]")


def _parse_levels(text: pd.Series, timezone: str, order: DateOrder) -> tuple[pd.Series, NDArray[np.bool_], str | None]:
    stamp = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us, UTC]")
    epoch = pd.to_numeric(text.where(text.str.match(r"^\d{10}(?:\d{3})?(?:\.\d+)?$")), errors="coerce")
    seconds = epoch.where(epoch < 1e11, epoch / 1e3)
    stamp = stamp.fillna(pd.to_datetime(seconds, unit="s", utc=True, errors="coerce").astype(stamp.dtype))
    iso = text.str.match(_ISO).astype(bool)
    plain, question = text, None
    if not iso.all():
        other, question = _to_iso(text[~iso], order)
        plain = text.where(iso, other.reindex(text.index))
        iso = plain.str.match(_ISO).astype(bool)
    zoned = iso & plain.str[10:].str.contains(_ZONE, regex=True).astype(bool)
    if zoned.any():
        read = pd.to_datetime(plain[zoned], format="ISO8601", utc=True, errors="coerce").astype(stamp.dtype)
        stamp = stamp.fillna(read.reindex(text.index))
    local = iso & ~zoned
    if local.any():
        naive = pd.to_datetime(plain[local], format="ISO8601", errors="coerce").astype("datetime64[us]")
        stamp = stamp.fillna(_localize(naive, timezone).reindex(text.index))
    return stamp, local.to_numpy(), question


def _to_iso(text: pd.Series, order: DateOrder) -> tuple[pd.Series, str | None]:
    plain = text.str.replace(r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})", r"\1-\2-\3", regex=True)
    plain = plain.str.replace(r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3", regex=True)
    plain = plain.str.replace(r"^(\d{4})-(\d)-", r"\1-0\2-", regex=True)
    plain = plain.str.replace(r"^(\d{4}-\d{2})-(\d)(\D|$)", r"\1-0\2\3", regex=True)
    return _day_and_month(plain, order)


def _day_and_month(text: pd.Series, order: DateOrder) -> tuple[pd.Series, str | None]:
    """Rewrite ``31/12/2024`` and ``12/31/2024`` as ISO; cells where only one order is possible decide."""
    parts = text.str.extract(r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(.*)$")
    rows = parts[0].notna()
    if not rows.any():
        return text, None
    first, second = parts.loc[rows, 0].astype(int), parts.loc[rows, 1].astype(int)
    question = None
    day_first = order == "day_first"
    if order == "auto":
        day_first = bool((first > 12).any())
        if not day_first and not (second > 12).any():
            question = f"{text[rows].iloc[0]!r} can be read day first or month first"
    day, month = (first, second) if day_first else (second, first)
    rest = parts.loc[rows, 3].str.replace(r"^ (\d):", r" 0\1:", regex=True)
    iso = parts.loc[rows, 2] + "-" + month.map("{:02d}".format) + "-" + day.map("{:02d}".format) + rest
    return text.where(~rows, iso.reindex(text.index)), question


def _mask(codes: NDArray[np.int64], bad_levels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Spread a mask of levels over the rows; missing cells are False."""
    return np.append(bad_levels, False)[codes]


def _rows(codes: NDArray[np.int64], levels: NDArray[np.bool_]) -> int:
    return int(_mask(codes, levels).sum())
