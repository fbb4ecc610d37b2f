"""What a test can see by its length, and what it found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, ORANGE, TEAL, empty, faint, frame, padded, percent, safe
from pricing_core.errors import DataError
from pricing_core.evaluate.test_design import DesignResult

SHOWN_WEEKS: Final = 52
_CAP: Final = 1.0  # effects above 100% are of no use to anyone who plans


@dataclass(frozen=True)
class DetectableCurve:
    """``table`` has ``weeks, detectable_rate`` (in steps for switchbacks); the plan's length and promise are marked."""

    table: pd.DataFrame
    weeks: int
    detectable_rate: float
    promised_rate: float | None
    weeks_needed: int | None
    power: float
    finding: str
    steps: bool = False


@dataclass(frozen=True)
class MeasuredChanges:
    """``table`` has ``figure, rate, low, high``: relative changes with their range, the profit first."""

    table: pd.DataFrame
    confidence: float
    finding: str


def detectable_data(result: DesignResult) -> DetectableCurve:
    """Return the smallest visible profit change for each duration of up to a year, or as long as the plan needs."""
    config, needed = result.config, result.weeks_needed
    last = min(max(SHOWN_WEEKS // 2, config.weeks + 4, (needed or 0) + 4), len(result.curve))
    table = result.curve.loc[result.curve["weeks"] <= last, ["weeks", "detectable_rate"]]
    table = table[np.isfinite(table["detectable_rate"]) & (table["detectable_rate"] <= _CAP)].reset_index(drop=True)
    return DetectableCurve(
        table, config.weeks, result.detectable_rate, result.promised_rate, needed, config.power, _curve_words(result),
        steps=config.switches,
    )  # fmt: skip


def detectable_figure(data: DetectableCurve) -> go.Figure:
    """Draw the curve falling with time, the promise as a dashed line, and the planned duration as a diamond."""
    if data.table.empty:
        return empty("No duration up to a year can see a change of less than 100%.")
    figure, shape = go.Figure(), "hv" if data.steps else "linear"
    figure.add_scatter(
        x=data.table["weeks"], y=data.table["detectable_rate"], mode="lines", fill="tozeroy",
        fillcolor=faint(TEAL, 0.12), line={"color": TEAL, "width": 2, "shape": shape}, showlegend=False,
        hovertemplate="%{x} weeks: ±%{y:.1%} or more<extra></extra>",
    )  # fmt: skip
    if np.isfinite(data.detectable_rate) and data.detectable_rate <= _CAP:
        figure.add_scatter(
            x=[data.weeks], y=[data.detectable_rate], mode="markers+text", showlegend=False,
            marker={"color": TEAL, "symbol": "diamond", "size": 12},
            text=[f"your plan: ±{percent(data.detectable_rate)}"], textposition="top right",
            hovertemplate=f"{data.weeks} weeks: ±{percent(data.detectable_rate)} or more<extra></extra>",
        )  # fmt: skip
    if data.promised_rate:
        figure.add_hline(
            y=abs(data.promised_rate), line={"color": ORANGE, "dash": "dash", "width": 2},
            annotation_text=f"promised: {percent(data.promised_rate, signed=True)}", annotation_position="top right",
        )  # fmt: skip
    top = float(data.table["detectable_rate"].max())
    figure.update_yaxes(tickformat=".0%", range=[0, min(top, 6 * float(data.table["detectable_rate"].iloc[-1])) * 1.1])
    figure.update_xaxes(range=[0, float(data.table["weeks"].iloc[-1]) + 1])
    label = f"Smallest profit change seen with {data.power:.0%} power"
    return frame(figure, data.finding, x="Weeks of testing", y=label)


def measured_data(table: pd.DataFrame, *, confidence: float = 0.9) -> MeasuredChanges:
    """Take the relative changes from a readout's table; figures without a percentage are left out.

    Raises
    ------
    DataError
        If the table has no figure.
    """
    if table.empty:
        raise DataError("The readout holds no figure.")
    shown = table[["figure", "rate", "rate_low", "rate_high"]]
    shown = shown.rename(columns={"rate_low": "low", "rate_high": "high"})
    finite = np.isfinite(shown[["rate", "low", "high"]].to_numpy(dtype=float)).all(axis=1)
    shown = shown.loc[finite].reset_index(drop=True)
    return MeasuredChanges(shown, confidence, _measured_words(shown, confidence))


def measured_figure(data: MeasuredChanges) -> go.Figure:
    """Draw each figure's change with its range; zero is today's prices."""
    if data.table.empty:
        return empty("The control arm has no positive figure to compare with.")
    table = data.table.iloc[::-1]
    profit = table["figure"].str.startswith("Profit").to_numpy()
    figure = go.Figure()
    figure.add_scatter(
        x=table["rate"], y=[safe(each) for each in table["figure"]], mode="markers+text", showlegend=False,
        marker={"size": 11, "color": np.where(profit, TEAL, GRAY), "symbol": np.where(profit, "diamond", "circle")},
        error_x={
            "type": "data", "symmetric": False, "array": table["high"] - table["rate"],
            "arrayminus": table["rate"] - table["low"], "thickness": 2, "width": 5, "color": GRAY,
        },
        text=[percent(float(rate), signed=True) for rate in table["rate"]], textposition="top center",
        customdata=table[["low", "high"]].to_numpy(),
        hovertemplate="%{y}: %{x:+.1%} (range %{customdata[0]:+.1%} to %{customdata[1]:+.1%})<extra></extra>",
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": ORANGE, "dash": "dash", "width": 2})
    figure.update_xaxes(tickformat=".0%", range=padded([*table["low"], *table["high"], 0.0]))
    figure.update_yaxes(range=[-0.6, len(table) - 0.3])
    return frame(figure, data.finding, x=f"Test against control, {data.confidence:.0%} range")


def _curve_words(result: DesignResult) -> str:
    if not math.isfinite(result.detectable_rate):
        return f"{result.config.weeks} weeks hold too few blocks to compare"
    seen = f"{result.config.weeks} weeks show changes of ±{percent(result.detectable_rate)} or more"
    if not result.promised_rate:
        return seen
    promise = percent(result.promised_rate, signed=True)
    if result.weeks_needed is None:
        return f"{seen}; {promise} stays unseen"
    return f"{seen}; {promise} needs {result.weeks_needed} week{'' if result.weeks_needed == 1 else 's'}"


def _measured_words(table: pd.DataFrame, confidence: float) -> str:
    if table.empty:
        return "No relative change can be given"
    first = table.iloc[0]
    low, high = percent(float(first["low"]), signed=True), percent(float(first["high"]), signed=True)
    change = percent(float(first["rate"]), signed=True)
    return f"{first['figure']} {change} against control, {confidence:.0%} range {low} to {high}"
