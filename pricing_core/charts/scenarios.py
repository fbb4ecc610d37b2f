"""Strategies side by side: what each earns, with its 90% range, and which of them are worth considering."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pricing_core.charts.style import GRAY, ORANGE, SERIES, TEAL, empty, frame, padded, percent, safe
from pricing_core.errors import DataError
from pricing_core.optimize.registry import labels

BASELINE: Final = "uniform"
TODAY: Final = "status_quo"
PANELS: Final = (("profit", "Profit"), ("revenue", "Revenue"), ("conversion_rate", "Conversion rate"))
_BETWEEN: Final = 74  # pixels between panels: the numbers of one, the title of the next
STRATEGY_WORDS: Final = {
    "status_quo": "today's prices",
    "cost_plus": "cost-plus",
    "competitor": "competitor index",
    "uniform": "one change for all",
    "product": "one price per product",
    "personalized": "personal prices",
    "personalized_discount": "personal discounts",
    "segment": "segment prices",
    "markdown": "markdowns",
}


@dataclass(frozen=True)
class ScenarioChart:
    """Strategies, best profit first, and the finding.

    ``table`` has ``strategy, name`` and, for each of :data:`PANELS`, the value with ``…_low`` and ``…_high``.
    """

    table: pd.DataFrame
    finding: str


@dataclass(frozen=True)
class Frontier:
    """Strategies by two goals: ``table`` has ``strategy, name, x, y, best`` (no other is better in both)."""

    table: pd.DataFrame
    x: str
    y: str
    finding: str


def strategy_words(strategy: str) -> str:
    """Name of a strategy in a few words; one of the shop's own goes by its label."""
    return STRATEGY_WORDS.get(strategy) or labels().get(strategy, strategy)


def scenario_data(table: pd.DataFrame) -> ScenarioChart:
    """Order strategies by profit and say whether the best one beats the best uniform change.

    Parameters
    ----------
    table
        One row per strategy: ``strategy``, and ``profit, revenue, conversion_rate`` each with ``_low`` and ``_high``;
        with ``profit_uplift_rate`` and its range, the title gives the gain over today's prices.

    Raises
    ------
    DataError
        If there is no strategy or a column is missing.
    """
    wanted = ["strategy", *(f"{name}{end}" for name, _ in PANELS for end in ("", "_low", "_high"))]
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise DataError(f"The simulation lacks the columns {', '.join(missing)}.")
    if table.empty:
        raise DataError("The simulation holds no strategy.")
    ordered = table.sort_values("profit", ascending=False, kind="stable", ignore_index=True)
    ordered.insert(1, "name", [strategy_words(str(s)) for s in ordered["strategy"]])
    return ScenarioChart(ordered, _finding(ordered))


def scenario_figure(data: ScenarioChart, *, currency: str = "") -> go.Figure:
    """Draw a dot with its 90% range per strategy in three panels; dashed lines are the best uniform change."""
    table = data.table.iloc[::-1]
    tall = len(PANELS) * (26 * len(table) + _BETWEEN)
    figure = make_subplots(
        rows=len(PANELS), cols=1, vertical_spacing=_BETWEEN / tall, subplot_titles=_panel_titles(currency)
    )
    figure.update_annotations(font_size=13)
    base = table[table["strategy"] == BASELINE]
    is_base = (table["strategy"] == BASELINE).to_numpy()
    for k, (name, _) in enumerate(PANELS, start=1):
        style = "%{x:.2%}" if name.endswith("_rate") else "%{x:,.0f}"
        span = np.column_stack([table[f"{name}_low"], table[f"{name}_high"]])
        ends = style.replace("%{x", "%{customdata[0]"), style.replace("%{x", "%{customdata[1]")
        figure.add_scatter(
            x=table[name], y=[safe(each) for each in table["name"]], mode="markers", showlegend=False, row=k, col=1,
            marker={
                "color": np.where(is_base, ORANGE, TEAL), "symbol": np.where(is_base, "diamond", "circle"), "size": 10,
            },
            error_x={
                "type": "data", "symmetric": False, "array": table[f"{name}_high"] - table[name],
                "arrayminus": table[name] - table[f"{name}_low"], "thickness": 2, "width": 5, "color": GRAY,
            },
            customdata=span, hovertemplate=f"%{{y}}: {style} (90% range {ends[0]} to {ends[1]})<extra></extra>",
        )  # fmt: skip
        if len(base):
            line: dict[str, Any] = {"color": ORANGE, "dash": "dash", "width": 1}
            figure.add_vline(x=float(base[name].iloc[0]), line=line, row=k, col=1)
        figure.update_xaxes(tickformat=".1%" if name.endswith("_rate") else ",.4~s", row=k, col=1)
    if len(base):
        figure.add_scatter(
            x=[None], y=[None], mode="markers+lines", name="best uniform change, the fair baseline", showlegend=True,
            marker={"color": ORANGE, "symbol": "diamond", "size": 10},
            line={"color": ORANGE, "dash": "dash", "width": 1},
            hoverinfo="skip", row=len(PANELS), col=1,
        )  # fmt: skip
    figure.update_yaxes(type="category")
    frame(figure, data.finding, height=150 + tall)
    figure.update_layout(legend_y=-0.08)
    return figure.update_layout(margin_t=figure.layout.margin.t + 30)


def frontier_data(table: pd.DataFrame, *, x: str = "conversion_rate", y: str = "profit") -> Frontier:
    """Find the strategies that no other one beats in both goals.

    Raises
    ------
    DataError
        If there is no strategy or a column is missing.
    """
    missing = [name for name in ("strategy", x, y) if name not in table.columns]
    if missing:
        raise DataError(f"The simulation lacks the columns {', '.join(missing)}.")
    if table.empty:
        raise DataError("The simulation holds no strategy.")
    points = pd.DataFrame({"strategy": table["strategy"], "x": table[x].astype(float), "y": table[y].astype(float)})
    points.insert(1, "name", [strategy_words(str(s)) for s in points["strategy"]])
    across, up = points["x"].to_numpy()[:, None], points["y"].to_numpy()[:, None]
    beaten = (across <= across.T) & (up <= up.T) & ((across < across.T) | (up < up.T))
    points["best"] = np.asarray(~beaten.any(axis=1))
    points = points.sort_values("x", kind="stable", ignore_index=True)
    names = [str(name) for name in points.loc[points["best"], "name"]]
    goals = f"{_words(y)} and {_words(x)}"
    if len(names) == 1:
        finding = f"{names[0]} is best in both {goals}"
    else:
        finding = f"{', '.join(names[:-1])} and {names[-1]} trade {goals} off; every other strategy is beaten in both"
        if len(names) == len(points):
            finding = f"Every strategy trades {goals} off: none is best in both"
    return Frontier(points, x, y, finding[:1].upper() + finding[1:])


def frontier_figure(data: Frontier, *, currency: str = "") -> go.Figure:
    """Draw the strategies; the line joins those that no other one beats."""
    if data.table.empty:
        return empty("There is no strategy to compare.")
    figure = go.Figure()
    best = data.table[data.table["best"]]
    figure.add_scatter(
        x=best["x"], y=best["y"], mode="lines", line={"color": GRAY, "dash": "dot"}, name="not beaten in both",
        hoverinfo="skip",
    )  # fmt: skip
    for value, symbol, color, name in ((True, "circle", TEAL, "not beaten"), (False, "x", SERIES[1], "beaten in both")):
        part = data.table[data.table["best"] == value]
        if len(part):
            figure.add_scatter(
                x=part["x"], y=part["y"], mode="markers+text", text=[safe(n) for n in part["name"]], name=name,
                textposition="top center", marker={"size": 10, "symbol": symbol, "color": color}, cliponaxis=False,
                hovertemplate="%{text}<extra></extra>",
            )  # fmt: skip
    for axis, name in ((figure.update_xaxes, data.x), (figure.update_yaxes, data.y)):
        axis(tickformat=".1%" if name.endswith("_rate") else ",.4~s")
    figure.update_xaxes(range=padded(data.table["x"], share=0.22))
    figure.update_yaxes(range=padded(data.table["y"]))
    return frame(figure, data.finding, x=_axis(data.x, currency), y=_axis(data.y, currency))


def _panel_titles(currency: str) -> list[str]:
    return [_axis(name, currency) + ", 90% range" for name, _ in PANELS]


def _axis(name: str, currency: str) -> str:
    words = _words(name)
    unit = f" ({currency})" if currency and not name.endswith("_rate") else ""
    return words[:1].upper() + words[1:] + unit


def _words(name: str) -> str:
    return name.replace("_", " ")


def _finding(ordered: pd.DataFrame) -> str:
    best = ordered.iloc[0]
    name = str(best["name"])
    text = (
        f"{name[:1].upper()}{name[1:]} earn most" if name.endswith("s") else f"{name[:1].upper()}{name[1:]} earns most"
    )
    base = ordered[ordered["strategy"] == BASELINE]
    if len(base) and best["strategy"] != BASELINE and float(base["profit"].iloc[0]) > 0:
        over = float(best["profit"]) / float(base["profit"].iloc[0]) - 1
        text += f", {percent(over, signed=True)} profit over {STRATEGY_WORDS[BASELINE]}"
    low, high = (float(best.get(f"profit_uplift_rate_{end}", math.nan)) for end in ("low", "high"))
    if math.isfinite(low) and best["strategy"] != TODAY:
        rate = percent(float(best["profit_uplift_rate"]), signed=True)
        doubt = "; a loss is not ruled out" if low < 0 else ""
        text += f" and {rate} over today (90% range {percent(low, signed=True)} to {percent(high, signed=True)}){doubt}"
    return text
