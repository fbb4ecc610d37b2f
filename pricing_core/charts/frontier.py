"""What profit buys in revenue and in conversion, with today's prices and the chosen ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pricing_core.charts.style import GRAY, ORANGE, TEAL, empty, frame, money, number, padded, percent
from pricing_core.errors import DataError
from pricing_core.optimize.frontier import CHOSEN, TODAY, FrontierResult

_GIVEN_UP: Final = 0.02  # of profit, in the title
_PANELS: Final = (("conversion", "conversion_rate"), ("revenue", "revenue"))
_COLUMNS: Final = ("point", "edge", "profit", "revenue", "conversion_rate")


@dataclass(frozen=True)
class TradeOff:
    """Points (``point, edge, profit, revenue, conversion_rate``) and the finding."""

    table: pd.DataFrame
    finding: str


def frontier_trade_data(result: FrontierResult) -> TradeOff:
    """Say what 2% of the largest profit would buy in conversion and revenue.

    Raises
    ------
    DataError
        If a column is missing or there is no point.
    """
    table = result.table
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing or table.empty:
        raise DataError(f"The frontier lacks {', '.join(missing) or 'points'}.")
    return TradeOff(table.loc[:, list(_COLUMNS)].reset_index(drop=True), _finding(table))


def frontier_trade_figure(data: TradeOff, *, currency: str = "") -> go.Figure:
    """Draw profit over conversion and over revenue: the frontier, today's prices and the chosen ones."""
    if data.table.empty:
        return empty("There is nothing to trade.")
    titles = ("Profit and conversion", "Profit and revenue")
    figure = make_subplots(rows=1, cols=2, subplot_titles=titles, horizontal_spacing=0.12)
    for k, (edge, name) in enumerate(_PANELS, start=1):
        _panel(figure, data.table, edge, name, k, currency)
    unit = f" ({currency})" if currency else ""
    figure.update_xaxes(title_text="Conversion rate", tickformat=".1%", row=1, col=1)
    figure.update_xaxes(title_text=f"Revenue{unit}", tickformat=",.4~s", row=1, col=2)
    figure.update_yaxes(title_text=f"Profit{unit}", tickformat=",.4~s", range=padded(data.table["profit"]))
    frame(figure, data.finding, height=460)
    return figure.update_layout(margin_t=figure.layout.margin.t + 30)


def _panel(figure: go.Figure, table: pd.DataFrame, edge: str, name: str, column: int, currency: str) -> None:
    line = table[table["edge"] == edge].sort_values(name, kind="stable")
    shown = [
        (line, "best for goals in between", GRAY, "circle", "lines+markers", 7),
        (table[table["point"] == TODAY], "today's prices", ORANGE, "diamond", "markers", 13),
        (table[table["point"] == CHOSEN], "these prices", TEAL, "star", "markers", 15),
    ]
    for part, label, color, symbol, mode, size in shown:
        style = "%{x:.2%}" if name.endswith("_rate") else "%{x:,.0f}"
        figure.add_scatter(
            x=part[name], y=part["profit"], mode=mode, name=label, legendgroup=label, showlegend=column == 1,
            marker={"color": color, "symbol": symbol, "size": size}, line={"color": GRAY, "width": 2},
            customdata=[money(value, currency, compact=True) for value in part["profit"]],
            hovertemplate=f"{label}: {name.replace('_', ' ')} {style}, profit %{{customdata}}<extra></extra>",
            row=1, col=column,
        )  # fmt: skip
    figure.update_xaxes(range=padded(table.loc[table["edge"].isin([edge, ""]), name]), row=1, col=column)


def _finding(table: pd.DataFrame) -> str:
    gains = [_bought(table[table["edge"] == edge], name) for edge, name in _PANELS]
    base = table[table["edge"] == "conversion"]["conversion_rate"].iloc[0] if (table["edge"] != "").any() else np.nan
    conversion, revenue = gains
    parts = []
    if np.isfinite(conversion) and conversion * base >= 0.0005:
        parts.append(f"{number(100 * conversion * base)} points of conversion")
    if np.isfinite(revenue) and revenue >= 0.0005:
        parts.append(f"{percent(revenue)} more revenue")
    if not parts:
        return "Within these rules, no conversion or revenue can be bought with a little profit"
    return f"Giving up {percent(_GIVEN_UP, digits=0)} of profit would buy {' or '.join(parts)}"


def _bought(edge: pd.DataFrame, name: str) -> float:
    """Relative gain of ``name`` at 2% less than the largest profit, between the points of an edge."""
    ordered = edge.sort_values(name, kind="stable")
    profit, value = ordered["profit"].to_numpy(dtype=float), ordered[name].to_numpy(dtype=float)
    if not len(profit) or profit.max() <= 0:
        return float("nan")
    top = int(profit.argmax())
    fall = np.minimum.accumulate(profit[top:])
    wanted = (1.0 - _GIVEN_UP) * profit[top]
    if fall[-1] > wanted:
        return float(value[-1] / value[top] - 1.0)
    return float(np.interp(-wanted, -fall, value[top:]) / value[top] - 1.0)
