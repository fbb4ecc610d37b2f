"""The value ladder: what each step towards personal prices adds, and which step is enough."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.scenarios import strategy_words
from pricing_core.charts.style import GRAY, ORANGE, TEAL, frame, money, percent, safe
from pricing_core.optimize.settings import STATUS_QUO
from pricing_core.simulate.value_ladder import ValueLadder


@dataclass(frozen=True)
class LadderChart:
    """``table`` of the ladder with ``name`` and ``label``, the sufficient strategy, and the finding."""

    table: pd.DataFrame
    sufficient: str
    finding: str


def value_ladder_data(ladder: ValueLadder, *, currency: str = "") -> LadderChart:
    """Put the ladder into words: each step's gain over today, what it adds, and its share of the largest gain."""
    table = ladder.table.copy()
    table.insert(1, "name", [strategy_words(str(s)) for s in table["strategy"]])
    table["label"] = [
        ""
        if row["strategy"] == STATUS_QUO
        else f"{money(row['step'], currency, signed=True, compact=True)}, {_share(row['share'])}"
        for row in table.to_dict("records")
    ]
    return LadderChart(table, ladder.sufficient, ladder_sentence(ladder))


def ladder_sentence(ladder: ValueLadder) -> str:
    """Say which strategy is enough: ``One price per product already brings 92% of what personal prices bring``."""
    best, enough = strategy_words(ladder.best), strategy_words(ladder.sufficient)
    if ladder.sufficient == STATUS_QUO:
        return "No strategy is expected to earn more than today's prices"
    start = f"{enough[:1].upper()}{enough[1:]}"
    verb = _verb("bring", enough)
    if ladder.sufficient == ladder.best:
        before = ladder.table.iloc[max(int((ladder.table["strategy"] == ladder.best).to_numpy().argmax()) - 1, 0)]
        next_best = (
            f"{strategy_words(str(before['strategy']))} {_verb('reach', strategy_words(str(before['strategy'])))}"
        )
        return f"{start} {verb} most; {next_best} {percent(float(before['share']), digits=0)} of it"
    share = float(ladder.row(ladder.sufficient)["share"])
    return f"{start} already {verb} {percent(share, digits=0)} of what {best} {_verb('bring', best)}"


def value_ladder_figure(data: LadderChart, *, currency: str = "") -> go.Figure:
    """Draw the gain over today's prices of each step with its 90% range; the sufficient one is a diamond."""
    table = data.table.iloc[::-1]
    mine = (table["strategy"] == data.sufficient).to_numpy()
    figure = go.Figure(
        go.Scatter(
            x=table["gain"],
            y=[safe(name) for name in table["name"]],
            mode="markers",
            showlegend=False,
            marker={
                "size": 12,
                "color": [ORANGE if own else TEAL for own in mine],
                "symbol": ["diamond" if own else "circle" for own in mine],
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": table["gain_high"] - table["gain"],
                "arrayminus": table["gain"] - table["gain_low"],
                "color": GRAY,
                "thickness": 2,
                "width": 5,
            },
            customdata=table[["gain_low", "gain_high", "label"]],
            hovertemplate=(
                "%{y}: %{x:,.0f} (90% range %{customdata[0]:,.0f} to %{customdata[1]:,.0f})"
                "<br>%{customdata[2]}<extra></extra>"
            ),
        )
    )
    figure.add_vline(x=0, line={"color": GRAY, "dash": "dash", "width": 1})
    figure.update_yaxes(type="category")
    figure.update_xaxes(tickformat=",.4~s")
    unit = f" ({currency})" if currency else ""
    return frame(figure, data.finding, x=f"Profit over today's prices{unit}, 90% range", height=120 + 44 * len(table))


def _share(share: float) -> str:
    return "" if share != share else f"{percent(share, digits=0)} of the largest gain"


def _verb(stem: str, subject: str) -> str:
    """Verb in the number of its subject: prices bring, a price brings."""
    return stem if subject.endswith("s") else f"{stem}es" if stem.endswith("ch") else f"{stem}s"
