"""How large an unseen demand shock would change the decision, beside the strength of what is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import DASHES, GRAY, SERIES, empty, frame, money, percent, shorten
from pricing_core.errors import DataError

CHOSEN: Final = "personalized"
LABELS: Final = {"personalized": "Recommended prices", "status_quo": "Today's prices", "uniform": "One change for all"}
DIRECTIONS: Final = {
    "followed": "prices rose with demand that no column shows, so that customers react more to price than measured",
    "opposed": "prices fell when demand that no column shows rose, so that customers react less to price than measured",
}
AT_RANDOM: Final = (
    "Prices were varied at random, as was said when training began: what moved them had no part in demand, and their "
    "effect is taken as the data show it."
)
_MARKED: Final = 1


@dataclass(frozen=True)
class ShockChart:
    """Profit per 1,000 offers by strength of an unseen shock, the strongest observed features, and the finding.

    ``table`` has ``strength`` and one column per set of prices, for the direction of the shock that is worse for the
    recommended prices; ``direction`` says in words which one that is. ``benchmarks`` has ``feature, price_share,
    demand_share, slope_shift, strength``: the strength of a shock with equal shares that would bend the response as
    much.
    """

    table: pd.DataFrame
    benchmarks: pd.DataFrame
    tipping: dict[str, float | None]
    direction: str
    finding: str


def shock_data(metrics: Mapping[str, Any]) -> ShockChart:
    """Prepare the sensitivity analysis of a run.

    Raises
    ------
    DataError
        If the run's figures have none (it was trained by an earlier version).
    """
    try:
        known = metrics["endogeneity"]
        table = pd.DataFrame(known["shock"]["table"])
        tipping = dict(known["shock"]["tipping"])
        benchmarks = pd.DataFrame(
            known["benchmarks"], columns=["feature", "price_share", "demand_share", "slope_shift"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("This run has no analysis of unseen shocks.", fix="Train again.") from error
    direction = min(DIRECTIONS, key=lambda name: _worst(table[table["direction"] == name]))
    table = table[table["direction"] == direction].drop(columns="direction").reset_index(drop=True)
    said = DIRECTIONS[direction]
    if known.get("level_held"):  # then it is not the measured reaction that a shock is set against
        said = said.replace("than measured", "than is assumed where the price level is held")
    sets = [name for name in table.columns if name in LABELS]
    table[sets] = 1_000 * table[sets]
    shifts = table["slope_shift"].abs().to_numpy(dtype=float)
    benchmarks["strength"] = np.interp(benchmarks["slope_shift"], shifts, table["strength"])
    return ShockChart(table, benchmarks, tipping, said, _finding(tipping, benchmarks))


def shock_figure(data: ShockChart, currency: str) -> go.Figure:
    """Draw profit by strength of the shock, one line per set of prices, and the strongest observed features."""
    sets = [name for name in LABELS if name in data.table.columns]
    if not sets:
        return empty("No prices to compare.")
    figure = go.Figure()
    for k, name in enumerate(sets):
        profit = data.table[name]
        figure.add_scatter(
            x=data.table["strength"], y=profit, name=LABELS[name], mode="lines",
            line={"color": SERIES[k], "dash": DASHES[k], "width": 3 if name == CHOSEN else 2},
            customdata=[money(value, currency) for value in profit],
            hovertemplate="%{x:.1%} of price and demand: %{customdata} per 1,000 offers<extra>" + LABELS[name]
            + "</extra>",
        )  # fmt: skip
    top = float(data.table["strength"].iloc[-1])
    marked = data.benchmarks[data.benchmarks["strength"] < top].head(_MARKED)
    for k, (feature, strength) in enumerate(zip(marked["feature"], marked["strength"], strict=True)):
        figure.add_vline(x=float(strength), line={"color": GRAY, "dash": "dot", "width": 1})
        figure.add_annotation(
            x=float(strength), y=1.0 - 0.09 * k, yref="paper", text=f"as strong as {shorten(feature, 26)}",
            showarrow=False, xanchor="left", font={"color": GRAY, "size": 11},
        )  # fmt: skip
    frame(figure, data.finding, x="Share of price changes and of demand that the unseen explains",
          y=f"Profit per 1,000 offers, {currency}")  # fmt: skip
    seen = [*marked["strength"], *(value for value in data.tipping.values() if value is not None)]
    figure.update_xaxes(tickformat=".0%", range=[0, min(top, max(0.1, 1.8 * max(seen, default=0.0)))])
    return figure


def _worst(part: pd.DataFrame) -> tuple[float, float]:
    """Strength from which the recommended prices lead no longer (infinite if always), and their smallest lead."""
    rivals = [name for name in part.columns if name in LABELS and name != CHOSEN]
    lead = part[rivals].rsub(part[CHOSEN], axis=0).min(axis=1)
    behind = part.loc[lead <= 0, "strength"]
    return (float(behind.min()) if len(behind) else np.inf), float(lead.min())


def _finding(tipping: Mapping[str, float | None], benchmarks: pd.DataFrame) -> str:
    known = {name: strength for name, strength in tipping.items() if strength is not None}
    if not known:
        return "No unseen shock of up to half of price and demand would make today's or one price the better choice"
    rival = min(known, key=lambda name: float(known[name] or 0.0))
    strength = float(known[rival] or 0.0)
    against = LABELS.get(rival, rival).lower()
    words = (
        f"Something unseen that explains {percent(strength)} of price changes and demand would make {against} as good"
    )
    stronger = benchmarks[benchmarks["strength"] >= strength]["feature"]
    if len(benchmarks) and not len(stronger):
        return f"{words}; no observed feature is that strong"
    if len(stronger):
        return f"{words}; {shorten(stronger.iloc[0], 30)} is that strong"
    return words
