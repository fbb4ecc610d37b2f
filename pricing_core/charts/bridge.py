"""From one outcome to another: what volume, mix, price and unit cost contribute."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Final

import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, ORANGE, TEAL, frame, money, padded, safe
from pricing_core.simulate.bridge import Bridge

PART_WORDS: Final = {
    "volume": "sales volume", "mix": "product mix", "price": "prices", "cost": "unit costs",
}  # fmt: skip
_NEGLIGIBLE: Final = 0.005  # of the larger end
_LABEL_WIDTH: Final = 13
_WHOLE: Final = 100


@dataclass(frozen=True)
class BridgeChart:
    """Steps of the bridge and the finding.

    ``table`` has ``name, amount, kind`` (``end`` or ``step``): the start, each part's effect, the end.
    """

    table: pd.DataFrame
    measure: str
    finding: str


def bridge_data(bridge: Bridge, start: str, end: str, *, currency: str = "") -> BridgeChart:
    """Order the steps and name what contributes most.

    Parameters
    ----------
    start, end
        Names of the two sides, in words.
    """
    parts = [(PART_WORDS[part], amount) for part, amount in bridge.effects.items()]
    rows = [(start, bridge.start, "end"), *((name, amount, "step") for name, amount in parts), (end, bridge.end, "end")]
    table = pd.DataFrame(rows, columns=["name", "amount", "kind"])
    change = bridge.end - bridge.start
    if abs(change) <= _NEGLIGIBLE * max(abs(bridge.start), abs(bridge.end), 1e-12) and not any(
        abs(amount) > _NEGLIGIBLE * abs(bridge.start) for _, amount in parts
    ):
        return BridgeChart(table, bridge.measure, f"{_capital(bridge.measure)} is about the same in both")
    helps = [name for name, amount in sorted(parts, key=lambda p: -p[1]) if amount > 0.05 * abs(change)]
    hurts = [name for name, amount in sorted(parts, key=lambda p: p[1]) if amount < -0.05 * abs(change)]
    text = f"{_capital(bridge.measure)} {short_money(change, currency, signed=True)}"
    if helps:
        text += f": {_list(helps)} add{_verb(helps)} to it"
    if hurts:
        text += f"{';' if helps else ':'} {_list(hurts)} take{_verb(hurts)} from it"
    return BridgeChart(table, bridge.measure, text)


def bridge_figure(data: BridgeChart, *, currency: str = "") -> go.Figure:
    """Draw the bridge as a waterfall; each step carries its sign and amount."""
    table = data.table
    figure = go.Figure(
        go.Waterfall(
            x=["<br>".join(safe(line) for line in textwrap.wrap(name, _LABEL_WIDTH)) for name in table["name"]],
            y=table["amount"],
            measure=["absolute", *["relative"] * (len(table) - 2), "total"],
            text=[
                short_money(amount, currency, signed=kind == "step")
                for amount, kind in zip(table["amount"], table["kind"], strict=True)
            ],
            textposition="outside",
            textfont={"size": 12},
            constraintext="none",
            increasing={"marker": {"color": TEAL}},
            decreasing={"marker": {"color": ORANGE}},
            totals={"marker": {"color": GRAY}},
            connector={"line": {"color": GRAY, "width": 1, "dash": "dot"}},
            hovertemplate="%{x}: %{text}<extra></extra>",
            cliponaxis=False,
        )
    )
    figure.update_yaxes(range=_window(table), tickformat=",.3~s")
    figure.update_xaxes(tickangle=0)
    axis = f"{_capital(data.measure)}{f' ({currency})' if currency else ''}"
    return frame(figure, data.finding, y=axis, showlegend=False, height=380)


def short_money(value: float, currency: str, *, signed: bool = False) -> str:
    """Amount for a label: without minor units from 100 up."""
    whole = abs(value) >= _WHOLE
    return money(round(value) if whole else value, currency, signed=signed, compact=True).removesuffix(
        ".00" if whole else "\0"
    )


def _window(table: pd.DataFrame) -> list[float]:
    """Range that shows the steps: it need not start at zero where both ends are far from it."""
    amounts = table["amount"].to_numpy(dtype=float)
    levels = [amounts[0], *(amounts[0] + amounts[1:-1].cumsum()), amounts[-1]]
    low, high = min(levels), max(levels)
    if low > 0 and low > 4 * (high - low):
        return padded([low - 2 * (high - low) - 0.01 * high, high], share=0.15)
    return padded([0.0, low, high], share=0.15)


def _verb(names: list[str]) -> str:
    return "s" if len(names) == 1 and not names[0].endswith("s") else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
