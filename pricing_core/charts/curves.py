"""Response curves of one offer among others, with the past values that support them."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, INDIGO, ORANGE, TEAL, faint, frame, padded, percent
from pricing_core.explain.curves import ResponseCurves

_SHOWN: Final = 30
_HOLD: Final = 0.18  # of the figure's height for the support


def curves_finding(data: ResponseCurves, *, what: str, name: str, is_rate: bool = True) -> str:
    """Say how far the answer of this offer moves over the supported values."""
    low, high = float(data.own.min()), float(data.own.max())
    first, last = float(data.own[0]), float(data.own[-1])
    write = (lambda v: percent(v, digits=0)) if is_rate else (lambda v: f"{v:.3g}")
    if high - low < 1e-3 * max(abs(high), 1e-9):
        return f"{what[:1].upper()}{what[1:]} does not move this offer's {name}"
    turn = "rises" if last > first else "falls"
    return f"As {what} goes up, this offer's {name} {turn}: {write(first)} to {write(last)}"


def curves_figure(
    data: ResponseCurves, *, what: str, x: str, name: str, y: str, is_rate: bool = True, x_rate: bool = False
) -> go.Figure:
    """Draw single offers faintly, their mean, this offer, where it stands, and below the share of past offers."""
    figure = go.Figure()
    values = np.concatenate([data.curves.ravel(), data.own])
    low, high = float(values.min()), float(values.max())
    room = (high - low) or abs(high) or 1.0
    floor = low - _HOLD * room * 1.6
    peak = float(data.support["share"].max()) or 1.0
    figure.add_bar(
        x=(data.support["low"] + data.support["high"]) / 2, y=data.support["share"] / peak * _HOLD * room * 1.4,
        base=floor, width=data.support["high"] - data.support["low"], marker={"color": faint(GRAY, 0.45)},
        name="past offers", customdata=data.support["share"],
        hovertemplate="%{x}: %{customdata:.1%} of past offers<extra></extra>",
    )  # fmt: skip
    for k, curve in enumerate(data.curves[:_SHOWN]):
        figure.add_scatter(
            x=data.grid, y=curve, mode="lines", line={"color": faint(TEAL, 0.25), "width": 1}, hoverinfo="skip",
            name="other offers", legendgroup="others", showlegend=k == 0,
        )  # fmt: skip
    number = "%{y:.1%}" if is_rate else "%{y:.3g}"
    for line, label, color, dash in (
        (data.mean, "mean (partial dependence)", INDIGO, "dash"),
        (data.own, "this offer", ORANGE, "solid"),
    ):
        figure.add_scatter(
            x=data.grid, y=line, mode="lines", name=label, line={"color": color, "width": 3, "dash": dash},
            hovertemplate=f"%{{x}}: {number}<extra>{label}</extra>",
        )  # fmt: skip
    if math.isfinite(data.own_value) and data.grid[0] <= data.own_value <= data.grid[-1]:
        at = float(np.interp(data.own_value, data.grid, data.own))
        figure.add_scatter(
            x=[data.own_value], y=[at], mode="markers", name="now", hovertemplate=f"now: {number}<extra></extra>",
            marker={"color": ORANGE, "size": 12, "symbol": "diamond", "line": {"color": GRAY, "width": 1}},
        )  # fmt: skip
    top = padded([low, high])[1]
    figure.update_yaxes(range=[floor, top], tickformat=".0%" if is_rate else None)
    figure.update_yaxes(tickvals=_ticks(low, high))
    if x_rate:
        figure.update_xaxes(tickformat=".0%")
    return frame(figure, curves_finding(data, what=what, name=name, is_rate=is_rate), x=x, y=y, bargap=0)


def _ticks(low: float, high: float) -> list[float]:
    """Round values between low and high, four or so, so that none stands where only the support is drawn."""
    span = (high - low) or abs(high) or 1.0
    size = 10.0 ** math.floor(math.log10(span / 4))
    step = min((size * k for k in (1, 2, 5, 10)), key=lambda each: abs(span / each - 4))
    return [round(k * step, 12) for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]
