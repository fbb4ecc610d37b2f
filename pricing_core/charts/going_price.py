"""How far the going price is from the prices that were charged: trees, network, and without the demand pressure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, INDIGO, ORANGE, TEAL, frame, percent, safe, shorten
from pricing_core.errors import DataError

NAMES: Final = {
    "level": "usual price level alone",
    "trees": "boosted trees",
    "network": "network",
    "without_pressure": "trees without demand pressure",
}
_LOOK: Final = {
    "level": (GRAY, "line-ns-open"), "trees": (TEAL, "circle"), "network": (ORANGE, "diamond"),
    "without_pressure": (INDIGO, "cross"),
}  # fmt: skip


@dataclass(frozen=True)
class GoingPriceChart:
    """One row per category, ``category, n`` and an error per model (share of the going price); and the finding."""

    table: pd.DataFrame
    models: tuple[str, ...]
    finding: str


def going_price_data(figures: Mapping[str, Any]) -> GoingPriceChart:
    """Take the errors by category from a run's figures of the going price, the largest category first.

    Raises
    ------
    DataError
        If the run has none.
    """
    if not figures or "by_category" not in figures:
        raise DataError("The run holds no errors of the going price.", fix="Train the models again.")
    table = pd.DataFrame(figures["by_category"]).sort_values(["n", "category"], ascending=[False, True])
    models = tuple(name for name in NAMES if name in table.columns)
    chosen, errors = str(figures["chosen"]), figures["errors"]
    finding = f"A charged price is {percent(float(errors[chosen]))} from the going price on average"
    if len(table) > 1:
        worst = table.iloc[int(table[chosen].argmax())]
        finding += f", most in “{worst['category']}” ({percent(float(worst[chosen]))})"
    return GoingPriceChart(table.reset_index(drop=True), models, finding)


def going_price_figure(data: GoingPriceChart, most: int = 15) -> go.Figure:
    """Draw the errors by category as dots, one color and shape per model."""
    table = data.table.head(most).iloc[::-1]
    labels = [shorten(name, 26) for name in table["category"]]
    figure = go.Figure()
    for model in data.models:
        color, symbol = _LOOK[model]
        hover = [f"{safe(c)}, {NAMES[model]}: {e:.2%} ({n:,} offers)"
                 for c, e, n in zip(table["category"], table[model], table["n"], strict=True)]  # fmt: skip
        figure.add_scatter(
            x=table[model], y=labels, mode="markers", name=NAMES[model], text=hover,
            marker={"color": color, "symbol": symbol, "size": 11, "line": {"width": 2, "color": color}},
            hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(tickformat=".1%")
    rows = 34 * max(len(table), 4)
    frame(figure, data.finding, x="Mean distance of charged and going price, % of the going price", height=rows + 190)
    return figure.update_layout(legend_y=-64 / rows)
