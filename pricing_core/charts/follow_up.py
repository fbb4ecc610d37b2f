"""Predicted beside observed: by week in a backtest, and by product in a price list's ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, ORANGE, TEAL, empty, faint, frame, percent, safe, shorten
from pricing_core.errors import DataError

SHOWN_PRODUCTS: Final = 15
_KINDS: Final = {"rate": ("Conversion rate", ".1%"), "profit": ("Profit per offer", ",.2f")}


@dataclass(frozen=True)
class PredictedObserved:
    """``table`` has ``week, predicted, observed, low, high, seen`` (whether the model had learned from the week)."""

    table: pd.DataFrame
    kind: str
    finding: str


@dataclass(frozen=True)
class WeeklyValue:
    """``table`` has ``week, logged, value, low, high``: profit per offer as charged and as the strategy would earn."""

    table: pd.DataFrame
    finding: str


@dataclass(frozen=True)
class ListLedger:
    """``table`` has ``product_id, predicted, realized, low, high, offers``, the most offered first."""

    table: pd.DataFrame
    finding: str


def predicted_observed_data(weeks: pd.DataFrame, *, kind: str = "rate", unseen: str = "not seen") -> PredictedObserved:
    """Take conversion (``rate``) or ``profit`` per offer from the weeks of a backtest.

    Raises
    ------
    DataError
        If there are no weeks, or no such figure.
    """
    if weeks.empty or kind not in _KINDS:
        raise DataError(f"There are {len(weeks)} weeks to show, and the figure is {kind!r}.")
    names = {"rate": ("observed_low", "observed_high"), "profit": ("observed_profit_low", "observed_profit_high")}
    low, high = names[kind]
    table = pd.DataFrame(
        {
            "week": weeks["week"],
            "predicted": weeks[f"predicted_{kind}"],
            "observed": weeks[f"observed_{kind}"],
            "low": weeks[low],
            "high": weeks[high],
            "seen": weeks["seen"] != unseen,
        }
    )
    within = int(table["predicted"].between(table["low"], table["high"]).sum())
    return PredictedObserved(
        table, kind, f"{_KINDS[kind][0]}: the prediction is within the 90% range in {within} of {len(table)} weeks"
    )


def predicted_observed_figure(data: PredictedObserved, *, currency: str = "") -> go.Figure:
    """Draw predictions as a line and observed weeks as points with range; hollow points: the model had learned them."""
    words, form = _KINDS[data.kind]
    if data.kind == "profit":
        form = _money_form(data.table[["predicted", "observed"]])
    figure = go.Figure()
    figure.add_scatter(
        x=data.table["week"], y=data.table["predicted"], mode="lines", name="predicted",
        line={"color": ORANGE, "width": 2, "dash": "dash"},
        hovertemplate=f"week from %{{x|%d %b %Y}}: predicted %{{y:{form}}}<extra></extra>",
    )  # fmt: skip
    new = "observed, new" if data.table["seen"].any() else "observed"
    for seen, name, symbol in ((True, "observed, learned from", "circle-open"), (False, new, "circle")):
        part = data.table[data.table["seen"] == seen]
        if part.empty:
            continue
        figure.add_scatter(
            x=part["week"], y=part["observed"], mode="markers", name=name,
            marker={"color": TEAL, "size": 9, "symbol": symbol, "line": {"width": 2, "color": TEAL}},
            error_y=_span(part["observed"], part["low"], part["high"]),
            hovertemplate=f"week from %{{x|%d %b %Y}}: observed %{{y:{form}}}<extra></extra>",
        )  # fmt: skip
    unit = f" ({currency})" if currency and data.kind == "profit" else ""
    figure.update_yaxes(tickformat=form, rangemode="normal")
    _mondays(figure, data.table["week"])
    return frame(figure, data.finding, x="Week (starting Monday)", y=f"{words}{unit}, 90% range")


def _money_form(values: pd.DataFrame) -> str:
    """Number format of profit per offer, which is less than a cent where offers seldom sell."""
    return ",.2f" if float(values.abs().max().max()) >= 1 else ",.2~r"


def weekly_value_data(weeks: pd.DataFrame) -> WeeklyValue:
    """Take what the strategy's prices would have earned by week; weeks without enough overlap are left blank."""
    table = pd.DataFrame(
        {
            "week": weeks["week"],
            "logged": weeks["observed_profit"],
            "value": weeks["value"],
            "low": weeks["value_low"],
            "high": weeks["value_high"],
        }
    )
    known = table["value"].notna()
    better = int((table["value"] > table["logged"])[known].sum())
    sure = int((table["low"] > table["logged"])[known].sum())
    text = f"The strategy's prices would have earned more in {better} of {int(known.sum())} weeks"
    if better:
        text += ", surely (90%) in " + ("none of them" if not sure else "all of them" if sure == better else str(sure))
    return WeeklyValue(table, text if known.any() else "No week has enough offers near the strategy's prices")


def weekly_value_figure(data: WeeklyValue, *, currency: str = "") -> go.Figure:
    """Draw the strategy's estimated profit per offer with its range beside what was earned."""
    known = data.table[data.table["value"].notna()]
    if known.empty:
        return empty(data.finding)
    form = _money_form(known[["value", "logged"]])
    figure = go.Figure()
    figure.add_scatter(
        x=[*known["week"], *known["week"][::-1]], y=[*known["high"], *known["low"][::-1]], fill="toself",
        fillcolor=faint(TEAL, 0.15), line={"width": 0}, hoverinfo="skip", name="90% range",
    )  # fmt: skip
    figure.add_scatter(
        x=known["week"], y=known["value"], mode="lines+markers", name="the strategy's prices",
        line={"color": TEAL, "width": 2}, hovertemplate=f"%{{x|%d %b %Y}}: %{{y:{form}}}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=data.table["week"], y=data.table["logged"], mode="lines+markers", name="prices that were charged",
        line={"color": ORANGE, "width": 2, "dash": "dash"}, marker={"symbol": "diamond"},
        hovertemplate=f"%{{x|%d %b %Y}}: %{{y:{form}}}<extra></extra>",
    )  # fmt: skip
    _mondays(figure, data.table["week"])
    unit = f" ({currency})" if currency else ""
    return frame(figure, data.finding, x="Week (starting Monday)", y=f"Profit per offer{unit}")


def ledger_data(table: pd.DataFrame) -> ListLedger:
    """Take conversion as promised and as it came, for the products with most offers at the list's prices."""
    came = table[table["offers"] > 0].head(SHOWN_PRODUCTS)
    shown = pd.DataFrame(
        {
            "product_id": came["product_id"],
            "predicted": came["predicted_rate"],
            "realized": came["realized_rate"],
            "low": came["realized_low"],
            "high": came["realized_high"],
            "offers": came["offers"],
        }
    )
    if shown.empty:
        return ListLedger(shown, "No offer has been made at the list's prices yet")
    within = int(shown["predicted"].between(shown["low"], shown["high"]).sum())
    return ListLedger(shown, f"Conversion came as promised for {within} of {len(shown)} products (90% range)")


def ledger_figure(data: ListLedger) -> go.Figure:
    """Draw promised conversion as diamonds and realized as points with their range, one line per product."""
    if data.table.empty:
        return empty(data.finding)
    table = data.table.iloc[::-1]
    names = [shorten(each) for each in table["product_id"]]
    parts = zip(table["product_id"], table["realized"], table["offers"], strict=True)
    hover = [f"{safe(name)}: {percent(rate)} over {n:,} offers" for name, rate, n in parts]
    figure = go.Figure()
    figure.add_scatter(
        x=table["realized"], y=names, mode="markers", name="realized, 90% range",
        marker={"color": TEAL, "size": 9}, text=hover, hovertemplate="%{text}<extra></extra>",
        error_x=_span(table["realized"], table["low"], table["high"]),
    )  # fmt: skip
    figure.add_scatter(
        x=table["predicted"], y=names, mode="markers", name="promised",
        marker={"color": ORANGE, "symbol": "diamond", "size": 10},
        hovertemplate="%{y}: promised %{x:.1%}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(tickformat=".0%")
    return frame(figure, data.finding, x="Conversion rate", height=160 + 26 * len(table))


def _mondays(figure: go.Figure, weeks: pd.Series) -> None:
    """Put the ticks on Mondays that are shown, at most about seven of them."""
    shown = weeks.iloc[:: max(1, -(-len(weeks) // 7))]
    figure.update_xaxes(tickvals=list(shown), tickformat="%d %b\n%Y")


def _span(middle: pd.Series, low: pd.Series, high: pd.Series) -> dict[str, Any]:
    return {
        "type": "data", "symmetric": False, "array": np.maximum(high - middle, 0), "color": GRAY,
        "arrayminus": np.maximum(middle - low, 0), "thickness": 2, "width": 4,
    }  # fmt: skip
