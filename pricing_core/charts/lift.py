"""How well the model finds the buyers: conversion from the tenth of offers it rates highest down to the lowest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, ORANGE, TEAL, empty, faint, frame, number, percent


@dataclass(frozen=True)
class LiftChart:
    """Table of :func:`~pricing_core.evaluate.lift.lift_table`, the rate of all offers, and the finding."""

    table: pd.DataFrame
    overall: float
    finding: str


def lift_data(table: pd.DataFrame) -> LiftChart:
    """Say how much more often the highest rated offers sell."""
    if not (table["lift"] > 0).any():
        return LiftChart(table, 0.0, "Nobody bought, so that there is nothing to rank")
    # Rows of a table that was weighted count unequally: its own lift tells the average.
    best = int(np.nanargmax(table["lift"].to_numpy(dtype=float)))
    overall = float(table["observed_rate"].iloc[best] / table["lift"].iloc[best])
    half = int((table["cumulative_share"] < 0.5).sum()) + 1
    share = float(table["cumulative_share"].iloc[half - 1])
    finding = (
        f"The highest rated tenth buys {number(float(table['lift'].iloc[0]), 1)} times as often as the average; "
        f"the first {_tenths(half)} {'holds' if half == 1 else 'hold'} {percent(share, digits=0)} of all purchases"
    )
    return LiftChart(table, overall, finding)


def lift_figure(data: LiftChart) -> go.Figure:
    """Draw observed conversion by group as bars with 90% range, the forecast as diamonds, and the average."""
    if not data.overall > 0:
        return empty(data.finding)
    table = data.table
    figure = go.Figure()
    figure.add_bar(
        x=table["group"], y=table["observed_rate"], name="observed, 90% interval", customdata=table[["n", "lift"]],
        marker={"color": faint(TEAL, 0.55), "line": {"color": TEAL, "width": 1}},
        error_y={
            "type": "data", "symmetric": False, "array": table["observed_high"] - table["observed_rate"],
            "arrayminus": table["observed_rate"] - table["observed_low"], "color": GRAY, "thickness": 1.5, "width": 4,
        },
        hovertemplate="group %{x}: %{y:.1%} of %{customdata[0]:,} offers bought, %{customdata[1]:.1f} times the average"
        "<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=table["group"], y=table["predicted_rate"], mode="markers", name="forecast",
        marker={"color": ORANGE, "symbol": "diamond", "size": 9},
        hovertemplate="group %{x}: forecast %{y:.1%}<extra></extra>",
    )  # fmt: skip
    figure.add_hline(y=data.overall, line={"color": GRAY, "dash": "dash", "width": 1})
    figure.update_xaxes(dtick=1)
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return frame(figure, data.finding, x="Tenth of the offers, highest forecast first", y="Conversion rate")


def _tenths(count: int) -> str:
    return "tenth" if count == 1 else f"{count} tenths"
