"""The price step ladder as a waterfall in money."""

from __future__ import annotations

from typing import Final

import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, LOWERS, RAISES, decimals_of, frame, money
from pricing_core.errors import ConfigError
from pricing_core.explain.price_steps import PriceLadder

_STEP_WORDS: Final = {
    "reference": "going price", "sensitivity": "price sensitivity", "objective": "aim", "shared": "one price for all",
    "guardrail": "guardrails", "coupled": "shared rules", "ending": "price ending", "kept": "kept",
}  # fmt: skip


def price_ladder_data(ladder: PriceLadder) -> pd.DataFrame:
    """Rungs for drawing: ``step, meaning, price, change`` in words and numbers, ``kind`` (start, change or final).

    Raises
    ------
    ConfigError
        If the ladder has no steps.
    """
    if not ladder.steps:
        raise ConfigError("The price ladder has no steps.")
    table = ladder.to_frame().assign(kind=["start", *["change"] * (len(ladder.steps) - 1)])
    table["step"] = [_STEP_WORDS.get(step, step) for step in table["step"]]
    final = {"step": "recommended", "meaning": "Recommended price", "price": ladder.final, "change": 0, "kind": "final"}
    table = pd.concat([table, pd.DataFrame([final])], ignore_index=True)
    return table.assign(price=table["price"].astype(float), change=table["change"].astype(float))


def price_ladder_figure(ladder: PriceLadder, *, currency: str = "") -> go.Figure:
    """Draw the ladder as a waterfall in money, from the going price to the recommended one."""
    table = price_ladder_data(ladder)
    middle = table[table["kind"] == "change"]
    shown = [float(ladder.start), *middle["change"], float(ladder.final)]
    totals = (money(shown[0], currency), money(shown[-1], currency))
    text = [totals[0], *[money(v, currency, signed=True) if v else "no change" for v in shown[1:-1]], totals[1]]
    figure = go.Figure(
        go.Waterfall(
            x=[str(step) for step in table["step"]], y=shown, text=text, textposition="outside", cliponaxis=False,
            measure=["absolute", *["relative"] * len(middle), "total"], hovertext=table["meaning"],
            increasing={"marker": {"color": RAISES}}, decreasing={"marker": {"color": LOWERS}},
            totals={"marker": {"color": GRAY}}, connector={"line": {"color": GRAY, "width": 1, "dash": "dot"}},
            hovertemplate="%{hovertext}: %{text}<extra></extra>",
        )
    )  # fmt: skip
    # Steps are small beside the price, so the axis starts near the lowest rung; the bars' lengths are the changes.
    low, high = float(table["price"].min()), float(table["price"].max())
    room = max(0.3 * (high - low), 0.02 * high)
    figure.update_yaxes(range=[max(0.0, low - room), high + room], tickformat=f",.{decimals_of(currency)}f")
    return frame(figure, ladder_finding(ladder, currency), y=f"Price ({currency})" if currency else "Price")


def ladder_finding(ladder: PriceLadder, currency: str = "") -> str:
    """Say where the price comes from in one sentence."""
    start, final = money(float(ladder.start), currency), money(float(ladder.final), currency)
    largest = ladder.largest()
    if largest is None:
        return f"The recommended price {final} is the going price; no step moves it"
    change = money(float(largest.change), currency, signed=True)
    name = _STEP_WORDS.get(largest.name, largest.name)
    return f"From the going price {start} to {final}: the largest step is {name} ({change})"
