"""Read times as shops write them: ISO, day or month first, Excel day numbers, seconds since 1970."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.parsing import MISSING_WORDS, Parsed, mask_of_rows, plain_text, spread_levels

DateOrder = Literal["auto", "day_first", "month_first"]

_ISO: Final = r"^\d{4}-\d{2}-\d{2}(?!\d)"
_ZONE: Final = r"(?:[Zz]|[+-]\d{2}:?\d{2})$"
_EPOCH: Final = r"^\d{10}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?$"
_EXCEL_DAY: Final = r"^[2-7]\d{4}(?:\.\d+)?$"  # 1954 to 2119
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = r"(jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\.?"
_AM_PM: Final = r"^(.*?)\b(\d{1,2}):(\d{2})(:\d{2})?\s*([AaPp])\.?[Mm]\.?$"


def parse_time(values: pd.Series, timezone: str = "UTC", order: DateOrder = "auto") -> Parsed:
    """Read times as ``datetime64[us, UTC]``; cells without a zone are taken in ``timezone``.

    Understood: ISO 8601, ``YYYYMMDD``, ``YYYY/MM/DD``, 2025年3月4日, day and month in either order with ``/``, ``.`` or
    ``-`` and years of four or two digits, month names in English, hours with am and pm, Excel day numbers, seconds,
    milli-, micro- or nanoseconds since 1970. When no cell says whether the day or the month comes first,
    ``question`` is set. A local time that a clock change skips is moved forward, one that it repeats is
    taken as the first.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        zoned = values.dt.tz is not None
        stamp = values.dt.tz_convert("UTC") if zoned else _localize(values, timezone)
        marks = {} if zoned else {_no_zone(timezone): values.notna().to_numpy()}
        return Parsed(stamp.astype("datetime64[us, UTC]"), np.zeros(len(values), dtype=bool), marks)
    codes, levels = pd.factorize(values)
    text = pd.Series([plain_text(level) for level in levels], dtype="str").str.strip()
    missing = text.str.lower().isin(MISSING_WORDS).to_numpy(dtype=bool)
    stamp, zoneless, question = _parse_levels(text, timezone, order)
    bad = stamp.isna().to_numpy() & ~missing
    serial = text.str.match(_EXCEL_DAY).to_numpy(dtype=bool)
    marks = {
        _no_zone(timezone): mask_of_rows(codes, zoneless & ~bad),
        "Excel day numbers read as dates": mask_of_rows(codes, serial & ~bad),
    }
    return Parsed(spread_levels(stamp, codes, values.index), mask_of_rows(codes, bad), marks, question)


def _no_zone(timezone: str) -> str:
    return f"times without a zone taken as {timezone}"


def _localize(stamp: pd.Series, timezone: str) -> pd.Series:
    first = np.ones(len(stamp), dtype=bool)
    local = stamp.dt.tz_localize(timezone, ambiguous=first, nonexistent="shift_forward")
    return local.dt.tz_convert("UTC").astype("datetime64[us, UTC]")


def _parse_levels(text: pd.Series, timezone: str, order: DateOrder) -> tuple[pd.Series, NDArray[np.bool_], str | None]:
    stamp = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us, UTC]")
    epoch = text.str.match(_EPOCH).astype(bool)
    if epoch.any():
        stamp = stamp.fillna(_from_epoch(text[epoch]).reindex(text.index))
    plain, question = _to_iso(text, order)
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


def _from_epoch(text: pd.Series) -> pd.Series:
    """Seconds, milli-, micro- or nanoseconds since 1970, told apart by the number of digits."""
    digits = text.str.partition(".")[0].str.len()
    seconds = pd.to_numeric(text, errors="coerce") / 10.0 ** (digits - 10)
    return pd.to_datetime(seconds, unit="s", utc=True, errors="coerce").astype("datetime64[us, UTC]")


def _to_iso(text: pd.Series, order: DateOrder) -> tuple[pd.Series, str | None]:
    """Rewrite what is not ISO 8601 as ISO 8601; ask where day and month can be read both ways."""
    other = ~text.str.match(_ISO).astype(bool)
    if not other.any():
        return text, None
    plain = text[other]
    serial = plain.str.match(_EXCEL_DAY).astype(bool)
    if serial.any():
        plain = plain.where(~serial, _excel_days(plain.where(serial, "20000")))
    plain = plain.str.replace(r"^(\d{4})年(\d{1,2})月(\d{1,2})日?\s*", r"\1-\2-\3 ", regex=True).str.strip()
    plain = _named_months(_twenty_four_hours(plain))
    plain = plain.str.replace(r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})", r"\1-\2-\3", regex=True)
    plain = plain.str.replace(r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3", regex=True)
    plain = plain.str.replace(r"^(\d{4})-(\d)-", r"\1-0\2-", regex=True)
    plain = plain.str.replace(r"^(\d{4}-\d{2})-(\d)(\D|$)", r"\1-0\2\3", regex=True)
    plain = plain.str.replace(r"^(\d{4}-\d{2}-\d{2}) (\d):", r"\1 0\2:", regex=True)
    plain, question = _day_and_month(plain, order)
    return text.where(~other, plain.reindex(text.index)), question


def _excel_days(text: pd.Series) -> pd.Series:
    """Days since 30 December 1899, as Excel counts them, to the second."""
    seconds = (pd.to_numeric(text) * 86_400).round()
    stamp = pd.Timestamp("1899-12-30") + pd.to_timedelta(seconds, unit="s")
    return stamp.dt.strftime("%Y-%m-%d %H:%M:%S")


def _twenty_four_hours(text: pd.Series) -> pd.Series:
    """Rewrite 2:30 PM as 14:30."""
    parts = text.str.extract(_AM_PM)
    rows = parts[0].notna()
    if not rows.any():
        return text
    found = parts[rows]
    hour = found[1].astype(int) % 12 + 12 * found[4].str.lower().eq("p").astype(int)
    clock = hour.map("{:02d}".format) + ":" + found[2] + found[3].fillna("")
    return text.where(~rows, (found[0] + clock).reindex(text.index))


def _named_months(text: pd.Series) -> pd.Series:
    """Rewrite 4 Mar 2025, Mar 4, 2025 and 04-Mar-25 as ISO."""
    for pattern, day, month in (
        (rf"(?i)^(\d{{1,2}})[ .\-/]*{_MONTH}[ ,\-/]*(\d{{4}}|\d{{2}})(?!\d)(.*)$", 0, 1),
        (rf"(?i)^{_MONTH}[ ]*(\d{{1,2}})(?:st|nd|rd|th)?[ ,]+(\d{{4}})(?!\d)(.*)$", 1, 0),
    ):
        parts = text.str.extract(pattern)
        rows = parts[0].notna()
        if rows.any():
            found = parts[rows]
            number = found[month].str[:3].str.lower().map({name: k for k, name in enumerate(_MONTHS, start=1)})
            year = found[2].where(found[2].str.len() == 4, "20" + found[2])
            date = year + "-" + number.map("{:02d}".format) + "-" + found[day].str.zfill(2)
            text = text.where(~rows, (date + found[3].str.rstrip()).reindex(text.index))
    return text


def _day_and_month(text: pd.Series, order: DateOrder) -> tuple[pd.Series, str | None]:
    """Rewrite ``31/12/2024`` and ``12/31/2024`` as ISO; cells where only one order is possible decide."""
    parts = text.str.extract(r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2}(?!\d))(.*)$")
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
    year = parts.loc[rows, 2]
    date = month.map("{:02d}".format) + "-" + day.map("{:02d}".format)
    iso = year.where(year.str.len() == 4, "20" + year) + "-" + date + rest
    return text.where(~rows, iso.reindex(text.index)), question
