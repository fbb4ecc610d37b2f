"""The rule receipt: what each guardrail costs over a period, as a table and as bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import ORANGE, empty, frame, money, number, shorten
from pricing_core.optimize.receipts import ALL_RULES, Receipt, receipts_data

_SHOWN: Final = 12
_ROW_HEIGHT: Final = 34
_LEAST: Final = 0.005  # money; less is none


@dataclass(frozen=True)
class RuleCosts:
    """What rules cost over a period.

    Attributes
    ----------
    table
        One row per rule, the dearest first: ``rule, words, hard, cost, dual, rows_bound, share_bound``.
    total
        What all rules cost together.
    finding
        The title.
    """

    table: pd.DataFrame
    total: float
    finding: str


def rule_cost_data(
    receipts: Sequence[Receipt], *, scale: float, period: str, currency: str, words: Sequence[str] | None = None
) -> RuleCosts:
    """Scale receipts to a period.

    Parameters
    ----------
    receipts
        Of :func:`~pricing_core.optimize.receipts.rule_receipts`.
    scale
        Offers of the period per offer that the receipts count.
    period
        Such as ``4 weeks``.
    currency
        ISO 4217 code; empty where the objective counts purchases.
    words
        Each receipt's rule in the words of the shop; default: its own.
    """
    table = receipts_data(receipts)
    table["cost"] = table["cost"] * scale
    if words is not None:
        table["words"] = list(words)
    together = table["rule"] == ALL_RULES
    total = float(table.loc[together, "cost"].sum())
    single = table[~together].reset_index(drop=True)
    return RuleCosts(single, total, _finding(single, total, period, currency))


def rule_cost_figure(costs: RuleCosts, *, currency: str, period: str) -> go.Figure:
    """Draw a bar for each rule that costs something, the dearest on top."""
    shown = costs.table[costs.table["cost"] > _LEAST].head(_SHOWN).iloc[::-1]
    if shown.empty:
        return empty("No rule costs anything.")
    values = shown["cost"].to_numpy(dtype=float)
    figure = go.Figure(
        go.Bar(
            x=values, y=[shorten(words, 46) for words in shown["words"]], orientation="h", marker_color=ORANGE,
            text=[_amount(value, currency) for value in values], textposition="outside", cliponaxis=False,
            customdata=np.stack([shown["words"], shown["rows_bound"]], axis=1),
            hovertemplate="%{customdata[0]}<br>costs %{text}, stops %{customdata[1]:,} prices<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(range=[0, 1.18 * float(values.max())])
    figure.update_yaxes(automargin=True)
    unit = currency or "purchases"
    height = 130 + _ROW_HEIGHT * len(shown)
    return frame(figure, costs.finding, x=f"Cost over {period} ({unit})", height=height, showlegend=False)


def _finding(table: pd.DataFrame, total: float, period: str, currency: str) -> str:
    if total <= _LEAST:
        return "The rules cost nothing: no price would be better without them"
    whole = f"All rules together cost {_amount(total, currency)} in {period}"
    if table.empty or table["cost"].iloc[0] <= _LEAST:
        return f"{whole}; leaving out a single one gains nothing"
    first = table.iloc[0]
    if len(table) == 1:
        return f"The one rule costs {_amount(total, currency)} in {period}"
    return f"{whole}; most of all “{first['words']}”: {_amount(float(first['cost']), currency)}"


def _amount(value: float, currency: str) -> str:
    return money(value, currency, compact=True) if currency else f"{number(value, 0)} purchases"
