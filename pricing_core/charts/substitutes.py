"""How much of a promised gain stays if products of a category compete, by how similar they are."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, ORANGE, TEAL, frame, money, percent
from pricing_core.optimize.substitutes import CategoryDemand, cannibalization, similarity_table


@dataclass(frozen=True)
class SimilarityChart:
    """Gains by similarity (``similarity, alone, together, best``), the chosen similarity with its gain, the finding."""

    table: pd.DataFrame
    chosen: float
    gain: float
    finding: str


def similarity_data(demand: CategoryDemand, chosen: float) -> SimilarityChart:
    """Gains of the same prices at similarities from 0 to 80%."""
    table, here = similarity_table(demand), cannibalization(demand, chosen)
    return SimilarityChart(table, chosen, here.together, _finding(table, here.alone))


def similarity_figure(data: SimilarityChart, *, currency: str = "", period: str = "") -> go.Figure:
    """Draw the gain over the assumed similarity; a dashed line is what independent products would gain."""
    figure = go.Figure()
    lines = (
        ("together", "these prices", TEAL, "solid"),
        ("best", "prices that mind their siblings", ORANGE, "dot"),
        ("alone", "if independent", GRAY, "dash"),
    )
    for name, label, color, dash in lines:
        figure.add_scatter(
            x=data.table["similarity"], y=data.table[name], mode="lines", name=label,
            line={"color": color, "dash": dash, "width": 2},
            customdata=[money(value, currency, compact=True, signed=True) for value in data.table[name]],
            hovertemplate=f"{label}: %{{customdata}} at %{{x:.0%}}<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=[data.chosen], y=[data.gain], mode="markers", showlegend=False,
        marker={"color": TEAL, "size": 11, "symbol": "circle"}, hoverinfo="skip",
    )  # fmt: skip
    figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(tickformat=",.4~s", zeroline=True, zerolinecolor=GRAY)
    unit = ", ".join(part for part in (currency, period) if part)
    x, y = "Share of moved sales that stays in the category (assumed)", "Gain over today's prices"
    return frame(figure, data.finding, x=x, y=f"{y} ({unit})" if unit else y, height=440)


def _finding(table: pd.DataFrame, alone: float) -> str:
    if alone <= 0:
        return "These prices do not gain even if products are independent"
    lost = table[table["together"] <= 0]
    if lost.empty:
        last = table.iloc[-1]
        left = percent(float(last["together"]) / alone, digits=0)
        return (
            f"Even if {percent(float(last['similarity']), digits=0)} stays in the category, {left} of the gain is left"
        )
    before = table[table["similarity"] < float(lost["similarity"].iloc[0])]
    if before.empty:
        return "These prices do not gain once products compete"
    low, high = before.iloc[-1], lost.iloc[0]
    share = float(low["together"]) / (float(low["together"]) - float(high["together"]))
    at = float(low["similarity"]) + share * (float(high["similarity"]) - float(low["similarity"]))
    return f"The gain is gone if {percent(at, digits=0)} of moved sales stays in the category"
