"""What all figures share: colors that work on light and dark, titles that wrap, numbers in words."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Iterable
from typing import Any, Final

import plotly.graph_objects as go

# Each has a contrast of at least 3 : 1 with both of the app's backgrounds; neighbors also differ in lightness.
TEAL: Final = "#0E9384"
ORANGE: Final = "#D9701A"
INDIGO: Final = "#6F74D6"
PINK: Final = "#CF4B8D"
OLIVE: Final = "#7F8C2A"
SKY: Final = "#3A8AC4"
GRAY: Final = "#7A8896"
SERIES: Final = (TEAL, ORANGE, INDIGO, PINK, OLIVE, SKY)
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKERS: Final = ("circle", "diamond", "square", "triangle-up", "cross", "star")

RAISES: Final = ORANGE
LOWERS: Final = TEAL

MINUS: Final = "\u2212"
_SYMBOLS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "CNY": "CN¥", "JPY": "¥", "INR": "₹", "KRW": "₩"}
_MINOR_UNITS: Final = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "KWD": 3, "BHD": 3, "TND": 3, "JOD": 3, "OMR": 3}
_TITLE_WIDTH: Final = 56
_TITLE_LINE: Final = 22


def faint(color: str, opacity: float = 0.2) -> str:
    """Color with opacity, for bands."""
    red, green, blue = (int(color[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def frame(figure: go.Figure, title: str, *, x: str = "", y: str = "", **layout: Any) -> go.Figure:
    """Set title, axis titles and margins; everything else stays with the app's theme.

    Parameters
    ----------
    title
        The finding; wrapped, so that it stays readable in half a page.
    x, y
        Axis titles with their unit.
    """
    lines = textwrap.wrap(safe(title), _TITLE_WIDTH) or [""]
    figure.update_layout(
        title={"text": "<br>".join(lines), "x": 0, "xanchor": "left", "font": {"size": 15}},
        margin={"t": 34 + _TITLE_LINE * len(lines), "r": 16, "b": 8, "l": 8},
        legend={"orientation": "h", "yanchor": "top", "y": -0.22, "xanchor": "left", "x": 0},
        **layout,
    )
    if x:
        figure.update_xaxes(title_text=x)
    if y:
        figure.update_yaxes(title_text=y)
    return figure


def padded(values: Iterable[float], *, share: float = 0.12) -> list[float]:
    """Axis range around values with room for labels at both ends; an end at zero stays there."""
    known = [float(v) for v in values if math.isfinite(v)]
    low, high = min(known), max(known)
    room = share * ((high - low) or abs(high) or 1.0)
    return [low if low == 0 else low - room, high if high == 0 else high + room]


def empty(message: str) -> go.Figure:
    """Figure that says why there is nothing to see."""
    figure = go.Figure()
    figure.add_annotation(text=safe(message), showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return frame(figure, "")


def safe(text: object) -> str:
    """Text of the user's data without what Plotly would read as markup."""
    return html.escape(str(text), quote=False)


def shorten(text: object, width: int = 34) -> str:
    """Label that fits beside an axis; the full text belongs into the hover."""
    label = str(text)
    return safe(label if len(label) <= width else label[: width - 1] + "…")


def money(value: float, currency: str, *, signed: bool = False, compact: bool = False) -> str:
    """Amount with its currency: ``$11.49``, ``+$0.20``, ``$12.3k``; without symbol where the currency is ``""``."""
    if not math.isfinite(value):
        return "unknown"
    symbol = _SYMBOLS.get(currency, f"{currency} " if currency else "")
    size, decimals = abs(value), decimals_of(currency)
    if compact and size >= 10_000:
        power, letter = next((p, s) for p, s in ((1e9, "B"), (1e6, "M"), (1e3, "k")) if size >= p)
        return f"{_sign(value, signed)}{symbol}{size / power:,.1f}{letter}"
    return f"{_sign(round(value, decimals), signed)}{symbol}{size:,.{decimals}f}"


def decimals_of(currency: str) -> int:
    """Decimals of a currency (ISO 4217)."""
    return _MINOR_UNITS.get(currency, 2)


def percent(rate: float, *, signed: bool = False, digits: int = 1) -> str:
    """Share or relative change: ``12.4%``, ``+2.1%``."""
    if not math.isfinite(rate):
        return "unknown"
    return f"{_sign(round(rate, digits + 2), signed)}{abs(rate):.{digits}%}"


def number(value: float, digits: int = 1) -> str:
    """Plain number with a true minus sign."""
    return "unknown" if not math.isfinite(value) else f"{_sign(round(value, digits), False)}{abs(value):,.{digits}f}"


def plural_offers(n: float) -> str:
    """Count of offers in words: ``1 offer``, ``1,200 offers``."""
    return f"{n:,.0f} offer{'' if n == 1 else 's'}"


def _sign(value: float, signed: bool) -> str:
    return MINUS if value < 0 else "+" if signed and value > 0 else ""
