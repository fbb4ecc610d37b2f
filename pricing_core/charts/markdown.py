"""A markdown: the price and the stock of one product, week by week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pricing_core.charts.style import GRAY, ORANGE, TEAL, faint, frame, money, percent
from pricing_core.optimize.markdown_plan import MarkdownPlan


@dataclass(frozen=True)
class MarkdownChart:
    """``table`` has ``week, price, expected_price, stock`` (before each week, last row: at the end), the finding."""

    table: pd.DataFrame
    constant_price: float
    finding: str


def markdown_data(plan: MarkdownPlan, *, currency: str = "") -> MarkdownChart:
    """Lay out one product's plan, and say what it gains over the best single price and what is left over."""
    weeks = len(plan.price)
    table = pd.DataFrame(
        {
            "week": np.arange(1, weeks + 2),
            "price": [*plan.price, np.nan],
            "expected_price": [*plan.expected_price, np.nan],
            "stock": plan.expected_stock,
        }
    )
    first, last = money(plan.price[0], currency), money(plan.price[-1], currency)
    path = f"From {first} to {last} in {weeks} weeks" if plan.price[0] != plan.price[-1] else f"{first} until the end"
    gain = plan.value / plan.constant_value - 1 if plan.constant_value > 0 else float("nan")
    more = f"{percent(gain, signed=True)} over the best single price" if np.isfinite(gain) and gain >= 5e-4 else ""
    left = f"{plan.leftover:,.0f} units left over" if plan.leftover >= 0.5 else "nothing left over"
    return MarkdownChart(table, plan.constant_price, ", ".join(part for part in (path, more, left) if part))


def markdown_figure(data: MarkdownChart, *, currency: str = "") -> go.Figure:
    """Draw the weekly price as steps above the stock that is expected to be left."""
    table = data.table
    unit = f" ({currency})" if currency else ""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.12)
    held = table["price"].ffill()
    figure.add_scatter(
        x=table["week"], y=held, mode="lines", line={"shape": "hv", "color": TEAL, "width": 3},
        name="price if sales go as expected", row=1, col=1, hovertemplate="week %{x}: %{y:,.2f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=table["week"], y=np.full(len(table), data.constant_price), mode="lines", row=1, col=1,
        line={"color": ORANGE, "dash": "dash", "width": 2}, name="best single price", hoverinfo="skip",
    )  # fmt: skip
    figure.add_bar(
        x=table["week"], y=table["stock"], marker={"color": faint(TEAL, 0.45), "line": {"color": GRAY, "width": 1}},
        name="stock left", showlegend=False, row=2, col=1, hovertemplate="week %{x}: %{y:,.0f} units<extra></extra>",
    )  # fmt: skip
    ends = [*(str(k) for k in table["week"].iloc[:-1]), "end"]
    figure.update_xaxes(tickvals=table["week"], ticktext=ends, tickangle=0)
    figure.update_xaxes(title_text="Week", row=2, col=1)
    figure.update_yaxes(title_text=f"Price{unit}", row=1, col=1)
    figure.update_yaxes(title_text="Units left", rangemode="tozero", row=2, col=1)
    return frame(figure, data.finding, height=460)
