"""What buyers would pay: how many of a group's offers would end in a purchase up to which price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, INDIGO, TEAL, frame, money, percent
from pricing_core.errors import DataError
from pricing_core.response.pricing_rows import PricingRows

_BANDS: Final = 8


@dataclass(frozen=True)
class WillingnessToPay:
    """Distribution of willingness to pay over the offers of a group.

    ``bands``: ``low, high`` (money) and ``share`` of offers whose buyer would pay at least ``low`` but not ``high``,
    with ``share_low, share_high`` (90% range over the posterior draws). ``below`` would not buy even at the lowest
    supported price, ``above`` would still buy at the highest; how much less or more is not known.
    """

    bands: pd.DataFrame
    below: float
    above: float
    current_price: float


def willingness_data(rows: PricingRows, *, bands: int = _BANDS) -> WillingnessToPay:
    """Read the distribution off the demand curve: who buys at a price would pay at least that price.

    Raises
    ------
    DataError
        If there are no rows.
    """
    if rows.n == 0:
        raise DataError("There are no offers to show willingness to pay of.")
    weight = rows.weight / rows.weight.sum()
    edges = np.linspace(float(np.median(rows.support_low)), float(np.median(rows.support_high)), bands + 1)
    draws = np.array([weight @ rows.response.probability_draws(np.full(rows.n, edge)) for edge in edges])
    share = draws[:-1] - draws[1:]
    low, high = np.quantile(share, [0.05, 0.95], axis=1)
    table = pd.DataFrame(
        {"low": edges[:-1], "high": edges[1:], "share": share.mean(axis=1), "share_low": low, "share_high": high}
    )
    current = float(weight @ rows.current_price)
    return WillingnessToPay(table, float(1 - draws[0].mean()), float(draws[-1].mean()), current)


def willingness_figure(data: WillingnessToPay, *, currency: str = "") -> go.Figure:
    """Draw the bands; what lies beyond the supported prices is written into the title."""
    table = data.bands
    middle = (table["low"] + table["high"]) / 2
    figure = go.Figure()
    figure.add_bar(
        x=middle, y=table["share"], width=(table["high"] - table["low"]) * 0.96, marker={"color": TEAL},
        error_y={
            "type": "data", "symmetric": False, "array": table["share_high"] - table["share"],
            "arrayminus": table["share"] - table["share_low"], "color": GRAY, "thickness": 1.5, "width": 4,
        },
        customdata=table[["low", "high"]], showlegend=False,
        hovertemplate="%{customdata[0]:,.2f} to %{customdata[1]:,.2f}: %{y:.1%} of offers<extra></extra>",
    )  # fmt: skip
    now = f"now {money(data.current_price, currency)}"
    figure.add_vline(x=data.current_price, line={"color": INDIGO, "dash": "dash"}, annotation_text=now)
    figure.update_yaxes(tickformat=".1%", rangemode="tozero")
    low, high = float(table["low"].iloc[0]), float(table["high"].iloc[-1])
    title = f"Of 100 offers {100 * data.above:.0f} would still sell at {money(high, currency)}; "
    title += f"{100 * data.below:.0f} would not even at {money(low, currency)}"
    between = percent(float(table["share"].sum()), digits=0)
    axis = f"Highest price that the buyer would pay{f' ({currency})' if currency else ''}; {between} lie in this range"
    return frame(figure, title, x=axis, y="Share of offers")
