"""How prices of others move sales: competitors and other products of the category, measured apart from assumed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, INDIGO, ORANGE, TEAL, empty, frame, number, shorten
from pricing_core.explain.cross_price import CrossPrice


def cross_price_table(found: Sequence[CrossPrice]) -> pd.DataFrame:
    """One row per category: offers seen together, the measured elasticity with its range, verdict, and assumed one."""
    return pd.DataFrame(
        [
            {
                "category": each.category,
                "offers": each.offers,
                "elasticity": each.elasticity,
                "low": each.low,
                "high": each.high,
                "verdict": each.verdict,
                "assumed": each.assumed,
                "competitor": each.competitor,
                "competitor_low": each.competitor_low,
                "competitor_high": each.competitor_high,
            }
            for each in found
        ]
    )


def cross_price_finding(found: Sequence[CrossPrice]) -> str:
    """Say whether the log shows any effect of other products' prices."""
    verdicts = [each.verdict for each in found]
    if not found or all(verdict == "not measurable" for verdict in verdicts):
        return "Other products' prices: not measurable here, since offers were hardly ever seen together"
    moved = [each.category for each in found if each.verdict in ("substitutes", "complements")]
    if not moved:
        return "Other products' prices: the log shows no effect that chance could not explain"
    return f"Other products' prices move sales in {', '.join(moved)}; elsewhere no effect is seen"


def cross_price_figure(found: Sequence[CrossPrice]) -> go.Figure:
    """Draw per category the measured cross-price elasticity, the assumed one, and that of competitors' prices."""
    if not found:
        return empty("There is no category to compare.")
    table = cross_price_table(found)
    place = np.arange(len(table))
    figure = go.Figure()
    for shift, middle, low, high, name, color, symbol in (
        (-0.2, "elasticity", "low", "high", "other products: measured, 90% range", TEAL, "diamond"),
        (0.0, "assumed", None, None, "one other product: assumed (multinomial logit)", GRAY, "x-thin-open"),
        (0.2, "competitor", "competitor_low", "competitor_high", "competitor: learned by the model, 90% range",
         ORANGE, "circle"),
    ):  # fmt: skip
        bars = None
        if low is not None and high is not None:
            bars = {"type": "data", "symmetric": False, "array": table[high] - table[middle],
                    "arrayminus": table[middle] - table[low], "color": color, "thickness": 1.5, "width": 4}  # fmt: skip
        figure.add_scatter(
            x=table[middle], y=place + shift, mode="markers", name=name, error_x=bars,
            marker={"color": color, "symbol": symbol, "size": 10, "line": {"width": 2, "color": color}},
            hovertemplate=f"%{{x:.2f}}<extra>{name}</extra>",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": INDIGO, "width": 1, "dash": "dot"})
    figure.update_yaxes(tickvals=place, ticktext=[shorten(c, 22) for c in table["category"]], autorange="reversed")
    figure = frame(
        figure, cross_price_finding(found), x="% of sales per 1% of the other price (above zero: substitutes)",
        height=240 + 52 * len(table),
    )  # fmt: skip
    return figure.update_layout(legend={"orientation": "v", "y": -0.18})


def competitor_text(found: Sequence[CrossPrice]) -> str:
    """Say what a competitor's price does on average, weighted by offers."""
    known = [each for each in found if np.isfinite(each.competitor)]
    if not known:
        return "No competitor prices are known, so their effect cannot be learned."
    mean = float(np.average([each.competitor for each in known], weights=[each.rows for each in known]))
    return f"1% more of the competitor's price goes with {number(mean, 2)}% of sales, as the model has learned it."
