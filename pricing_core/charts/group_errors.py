"""Where the forecast is off: error by group of offers with its 90% range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, INDIGO, ORANGE, TEAL, frame, number, safe, shorten

_Z90: Final = 1.645
_KINDS: Final = (
    ("as forecast", "as forecast", TEAL, "circle"),
    ("too high", "forecast too high", ORANGE, "triangle-up"),
    ("too low", "forecast too low", INDIGO, "triangle-down"),
    ("too few", "too few offers to say", GRAY, "circle-open"),
)


@dataclass(frozen=True)
class GroupErrorChart:
    """Table of :func:`~pricing_core.evaluate.group_errors.group_errors`, by what it groups, and the finding."""

    table: pd.DataFrame
    name: str
    finding: str


def group_error_data(table: pd.DataFrame, name: str) -> GroupErrorChart:
    """Say in how many groups the forecast holds, and where it is off most."""
    judged = table[table["verdict"] != "too few"]
    off = judged[judged["verdict"] != "as forecast"]
    if not len(judged):
        return GroupErrorChart(table, name, f"No group by {name.lower()} has enough offers to judge the forecast")
    if not len(off):
        every = "the group" if len(judged) == 1 else f"all {len(judged)} groups"
        return GroupErrorChart(table, name, f"By {name.lower()}, the forecast holds in {every}")
    worst = off.iloc[int(off["error"].abs().argmax())]
    size, se = 100 * abs(float(worst["error"])), 100 * float(worst["error_se"])
    finding = (
        f"By {name.lower()}, the forecast holds in {len(judged) - len(off)} of {len(judged)} groups; most off for "
        f"“{worst['group']}”: {number(size, 1)} points {worst['verdict']} (standard error {number(se, 1)})"
    )
    return GroupErrorChart(table, name, finding)


def group_error_figure(data: GroupErrorChart) -> go.Figure:
    """Draw forecast minus observed conversion in points, one line per group, each kind with its own color and shape."""
    table = data.table.iloc[::-1]
    labels = [shorten(group, 26) for group in table["group"]]
    place = pd.Series(labels, index=table.index)
    figure = go.Figure()
    for verdict, words, color, symbol in _KINDS:
        part = table[table["verdict"] == verdict]
        if not len(part):
            continue
        hover = [
            f"{safe(row['group'])}: {row['predicted_rate']:.1%} forecast, {row['observed_rate']:.1%} bought "
            f"({row['n']:,} offers)"
            for row in part.to_dict("records")
        ]
        figure.add_scatter(
            x=100 * part["error"], y=place[part.index], mode="markers", name=words, text=hover,
            marker={"color": color, "symbol": symbol, "size": 10}, hovertemplate="%{text}<extra></extra>",
            error_x={
                "type": "data", "array": 100 * _Z90 * part["error_se"], "color": color, "thickness": 1.5, "width": 4,
            },
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": GRAY, "dash": "dash", "width": 1})
    figure.update_yaxes(categoryorder="array", categoryarray=labels)
    rows = 34 * max(len(table), 4)
    frame(figure, data.finding, x="Forecast minus observed conversion, points (90% range)", height=rows + 170)
    return figure.update_layout(legend_y=-64 / rows)
