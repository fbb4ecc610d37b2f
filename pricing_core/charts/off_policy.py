"""What past offers say about a strategy: four estimates with their ranges, and how they hang on the kernel's width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import DASHES, GRAY, MARKERS, ORANGE, SERIES, TEAL, frame, money, percent
from pricing_core.evaluate.policy_value import HEADLINE, PolicyValue, PolicyValueConfig

ESTIMATOR_WORDS: Final = {
    "direct": "model alone", "snips": "past offers alone", "doubly_robust": "both, doubly robust",
    "self_normalized_doubly_robust": "both, self-normalized",
}  # fmt: skip


@dataclass(frozen=True)
class PastValue:
    """Estimates by name (``name, value, low, high, headline``), by width (``bandwidth, name, value``), the finding."""

    estimates: pd.DataFrame
    sweep: pd.DataFrame
    logged_value: float
    reliable: bool
    finding: str


def past_value_data(value: PolicyValue, *, currency: str = "") -> PastValue:
    """Put the estimates into words; where too few past offers speak about the prices, the finding says so instead."""
    table = value.table.assign(
        name=value.table["estimator"].map(ESTIMATOR_WORDS), headline=value.table["estimator"] == HEADLINE
    )
    long = value.sweep.melt(
        id_vars=["bandwidth", "effective_share"], value_vars=list(ESTIMATOR_WORDS), var_name="estimator"
    )
    long["name"] = long["estimator"].map(ESTIMATOR_WORDS)
    return PastValue(table, long, value.logged_value, value.reliable, _finding(value, currency))


def past_value_figure(data: PastValue, *, currency: str = "") -> go.Figure:
    """Draw the four estimates with their 90% ranges; the dashed line is what past prices really earned."""
    table = data.estimates.iloc[::-1]
    figure = go.Figure()
    figure.add_scatter(
        x=table["value"], y=table["name"], mode="markers", showlegend=False,
        marker={
            "size": 11,
            "color": [TEAL if flag and data.reliable else GRAY for flag in table["headline"]],
            "symbol": ["diamond" if flag else "circle" for flag in table["headline"]],
        },
        error_x={
            "type": "data", "symmetric": False, "array": table["high"] - table["value"],
            "arrayminus": table["value"] - table["low"], "thickness": 2, "width": 5, "color": GRAY,
        },
        customdata=table[["low", "high"]],
        hovertemplate="%{y}: %{x:.3f} (90% range %{customdata[0]:.3f} to %{customdata[1]:.3f})<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[data.logged_value] * len(table), y=table["name"], mode="lines", name="earned by past prices",
        line={"color": ORANGE, "dash": "dash", "width": 2}, hovertemplate="past prices: %{x:.3f}<extra></extra>",
    )  # fmt: skip
    unit = f" ({currency})" if currency else ""
    figure.update_yaxes(type="category")
    return frame(figure, data.finding, x=f"Profit per offer{unit}, 90% range", height=330)


def sweep_figure(data: PastValue, *, currency: str = "") -> go.Figure:
    """Draw the estimates against the width within which a past price counts as near."""
    figure = go.Figure()
    for k, name in enumerate(ESTIMATOR_WORDS.values()):
        part = data.sweep[data.sweep["name"] == name]
        figure.add_scatter(
            x=part["bandwidth"], y=part["value"], mode="lines+markers", name=name,
            line={"color": SERIES[k], "dash": DASHES[k]}, marker={"symbol": MARKERS[k], "size": 8},
            customdata=part["effective_share"],
            hovertemplate="within %{x:.1%}: %{y:.3f}; %{customdata:.0%} of offers in effect<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(type="log", tickformat=".1%", tickvals=sorted(data.sweep["bandwidth"].unique()))
    unit = f" ({currency})" if currency else ""
    title = "Does the answer hang on which past prices count as near?"
    return frame(figure, title, x="A past price counts as near within", y=f"Profit per offer{unit}", height=330)


def _finding(value: PolicyValue, currency: str) -> str:
    if not value.reliable:
        return value.reason
    rate = value.uplift / value.logged_value if value.logged_value > 0 else float("nan")
    change = percent(rate, signed=True) if value.logged_value > 0 else money(value.uplift, currency, signed=True)
    low, high = (
        percent(end / value.logged_value, signed=True) if value.logged_value > 0 else money(end, currency, signed=True)
        for end in (value.uplift_low, value.uplift_high)
    )
    verdict = "confirm a gain" if value.uplift_low > 0 else "point to a loss" if value.uplift_high < 0 else (
        "neither confirm nor rule out a gain"
    )  # fmt: skip
    text = f"Past offers {verdict}: {change} profit per offer (90% range {low} to {high})"
    return text if _is_steady(value) else f"{text}; the answer hangs on which past prices count as near"


def _is_steady(value: PolicyValue) -> bool:
    """Whether the headline stays within its range at every width at which enough offers are in effect."""
    wide = value.sweep[value.sweep["effective_share"] >= PolicyValueConfig().least_effective_share]
    return bool(wide[HEADLINE].between(value.low, value.high).all())
