"""Numbers as a pricing manager reads them: unit, sign and range, never a bare float."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

from pricing_core.guardrails.money import minor_unit_digits

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "CN¥", "JPY": "¥", "INR": "₹", "KRW": "₩"}
MINUS = "\u2212"
UNKNOWN = "unknown"

_JOINER = "\u2060"  # invisible; keeps apart what Streamlit would turn into a link, an icon or a symbol
_SPECIAL = re.compile(r"([\\`*_\[\]()<>#$~|&]|:(?=\S))")
_JOINED = re.compile(r":(?=[\w+/-])|@(?=\w)|(?i:\bwww)(?=\.)|-(?=[->])|[<>~](?=[=-])")
_LIST_MARK = re.compile(r"^([-+]|\d+[.)])(?=\s|$)")


def markdown(text: str) -> str:
    """Make text of the user's data harmless: Markdown and Streamlit show it as it is, on one line.

    Escaped is what starts a link, an emphasis, code, a formula, a tag or a heading. A backslash does not stop
    Streamlit from linking addresses or drawing icons and arrows; an invisible character inside them does.
    """
    line = " ".join(text.splitlines())
    line = _SPECIAL.sub(r"\\\1", _JOINED.sub(lambda sign: sign[0] + _JOINER, line))
    return _LIST_MARK.sub(lambda mark: f"{mark[0][:-1]}\\{mark[0][-1]}", line)


def money(value: float | None, currency: str, *, compact: bool = False, signed: bool = False) -> str:
    """Write an amount: ``$1,234.50``, or ``$12.3k`` when ``compact``; blank is not zero."""
    amount = _number(value)
    if not math.isfinite(amount):
        return UNKNOWN
    symbol = SYMBOLS.get(currency, f"{currency} ")
    size = abs(amount)
    text = _compact(size) if compact and size >= 1_000 else f"{size:,.{minor_unit_digits(currency)}f}"
    return _sign(amount, text, signed) + symbol + text


def count(value: float | None) -> str:
    """Write a count with thousands separators."""
    number = _number(value)
    return f"{number:,.0f}" if math.isfinite(number) else UNKNOWN


def number(value: float | None, *, digits: int = 2) -> str:
    """Write a plain number with a true minus sign: ``−1.32``."""
    plain = _number(value)
    if not math.isfinite(plain):
        return UNKNOWN
    text = f"{abs(plain):,.{digits}f}"
    return _sign(plain, text, False) + text


def percent(rate: float | None, *, digits: int = 1, signed: bool = False) -> str:
    """Write a share or a change in percent: ``+2.1%``."""
    share = _number(rate)
    if not math.isfinite(share):
        return UNKNOWN
    text = f"{abs(share):.{digits}%}"
    return _sign(share, text, signed) + text


def chance(probability: float | None) -> str:
    """Write a probability that comes from a model in whole percent, and never as certain: ``<1%``, ``>99%``."""
    share = _number(probability)
    if not math.isfinite(share):
        return UNKNOWN
    return "<1%" if share < 0.01 else ">99%" if share > 0.99 else f"{share:.0%}"


def points(change: float | None, *, digits: int = 1) -> str:
    """Write a change of a rate in percentage points: ``+0.8 points``."""
    step = _number(change)
    if not math.isfinite(step):
        return UNKNOWN
    text = f"{abs(step) * 100:.{digits}f} points"
    return _sign(step, text, True) + text


def change(text: str, *, neutral: bool = False) -> dict[str, Any]:
    """Return the arguments of ``st.metric`` that show a change; gray where it is zero or neither good nor bad.

    Streamlit takes a true minus sign for a rise, so that a fall states its own arrow and color.
    """
    if not _digits(text):
        return note(text)
    falls = text.startswith(MINUS)
    color = "off" if neutral else "inverse" if falls else "normal"
    return {"delta": text, "delta_color": color, "delta_arrow": "down" if falls else "up"}


def note(text: str) -> dict[str, Any]:
    """Return the arguments of ``st.metric`` that show a remark where a change would stand."""
    return {"delta": text, "delta_color": "off", "delta_arrow": "off"}


def percent_range(low: float | None, high: float | None, *, signed: bool = True) -> str:
    """Write a 90% range of a rate: ``90% range −0.3% to +4.4%``."""
    return f"90% range {percent(low, signed=signed)} to {percent(high, signed=signed)}"


def money_range(low: float | None, high: float | None, currency: str) -> str:
    """Write a 90% range of an amount."""
    return f"90% range {money(low, currency, compact=True)} to {money(high, currency, compact=True)}"


def size(number_of_bytes: float | None) -> str:
    """Write the size of a file: ``820 kB``, ``1.2 GB``."""
    length = _number(number_of_bytes)
    if not math.isfinite(length):
        return UNKNOWN
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if length >= limit:
            scaled = length / limit
            return f"{scaled:,.0f} {unit}" if scaled >= 10 else f"{scaled:.1f} {unit}"
    return f"{length:.0f} bytes"


def duration(seconds: float | None) -> str:
    """Write how long something takes, coarsely: ``40 s``, ``2 min``, ``1 h 10 min``."""
    length = _number(seconds)
    if not math.isfinite(length):
        return "a moment"
    whole = max(1, round(length))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def ago(moment: str | datetime | None, now: datetime | None = None) -> str:
    """Write how long ago a UTC time was: ``just now``, ``5 min ago``, ``3 Nov 2025``."""
    if moment is None or moment == "":
        return UNKNOWN
    then = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    seconds = ((now or datetime.now(UTC)) - then).total_seconds()
    if seconds < 45:
        return "just now"
    return f"{duration(seconds)} ago" if seconds < 86_400 else f"{then.day} {then:%b %Y}"


def plural(number: float, one: str, many: str | None = None) -> str:
    """Write a count with its noun: ``1 row``, ``14 rows``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def _number(value: float | None) -> float:
    """Return the value as a float; NaN for what is unknown."""
    return math.nan if value is None else float(value)


def _sign(value: float, text: str, signed: bool) -> str:
    """Return the sign to write before ``text``; none if the text reads as zero."""
    if not _digits(text):
        return ""
    return MINUS if value < 0 else "+" if signed else ""


def _digits(text: str) -> bool:
    return any(digit in text for digit in "123456789")


def _compact(size: float) -> str:
    for limit, suffix in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if size >= limit:
            scaled = size / limit
            return f"{scaled:.0f}{suffix}" if scaled >= 100 else f"{scaled:.1f}{suffix}"
    return f"{size:.0f}"
