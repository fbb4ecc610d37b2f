"""Segments: the tree of rules, and how much of what personal prices earn each depth keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, LOWERS, ORANGE, RAISES, TEAL, frame, percent, safe, shorten
from pricing_core.optimize.segment_words import EVERYONE, rule_words
from pricing_core.optimize.segments import Segments
from pricing_core.simulate.segment_shares import SegmentShares

_ELBOW: Final = 0.12
_EDGE: Final = 44


@dataclass(frozen=True)
class SegmentTreeChart:
    """Nodes of the tree, each before its children, and the finding.

    ``table`` has ``id, parent`` (empty at the root), ``words`` (what sets the node apart from its sibling), ``rule``
    (all of it), ``rows, share, segment`` (empty unless a leaf), ``change_rate`` (NaN unless a leaf), ``effect``.
    """

    table: pd.DataFrame
    finding: str


@dataclass(frozen=True)
class SharesChart:
    """``table`` of ``SegmentShares`` with the finding, and the chosen depth."""

    table: pd.DataFrame
    chosen: int
    finding: str


def segment_tree_data(segments: Segments) -> SegmentTreeChart:
    """Lay out the tree of segments for drawing."""
    tree, names = segments.tree, segments.names
    effects: dict[str, dict[str, Any]] = {
        str(row["segment"]): {str(key): value for key, value in row.items()}
        for row in segments.to_frame().to_dict("records")
    }
    records = []
    for k, node in enumerate(tree.nodes):
        path = tree.path(k)
        name = names.get(k, "")
        records.append(
            {
                "id": str(k),
                "parent": "" if node.parent < 0 else str(node.parent),
                "words": rule_words(path[-1:]) if path else EVERYONE,
                "rule": rule_words(path),
                "rows": node.rows,
                "share": node.rows / tree.nodes[0].rows,
                "segment": name,
                "change_rate": float(effects[name]["change_rate"]) if name else float("nan"),
                "effect": str(effects[name]["words"]) if name else "",
            }
        )
    return SegmentTreeChart(pd.DataFrame(records), _tree_finding(segments))


def _tree_finding(segments: Segments) -> str:
    table = segments.to_frame()
    if len(table) == 1:
        return "One segment: no question is worth asking"
    low, high = table["change_rate"].min(), table["change_rate"].max()
    return (
        f"{len(table)} segments, from {percent(low, signed=True, digits=0)} to {percent(high, signed=True, digits=0)}"
    )


def segment_tree_figure(data: SegmentTreeChart) -> go.Figure:
    """Draw the tree from left to right: what sets each node apart above its line, the price change at each leaf."""
    table, figure = data.table, go.Figure()
    nodes: list[dict[str, Any]] = [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
    place = _places(table)
    deepest = max(x for x, _ in place.values())
    for node in nodes[1:]:
        (x, y), (from_x, from_y) = place[node["id"]], place[node["parent"]]
        figure.add_scatter(
            x=[from_x, from_x + _ELBOW, x], y=[from_y, y, y], mode="lines", line={"color": GRAY, "width": 1.5},
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        figure.add_annotation(
            x=from_x + _ELBOW, y=y, text=shorten(node["words"], _EDGE), showarrow=False, font={"size": 12},
            xanchor="left", yanchor="bottom",
        )  # fmt: skip
    leaf = (table["segment"] != "").to_numpy()
    figure.add_scatter(
        x=[place[k][0] for k in table["id"]], y=[place[k][1] for k in table["id"]], mode="markers+text",
        marker={
            "size": (8 + 26 * table["share"] ** 0.5).where(leaf, 7), "line": {"width": 0},
            "color": [_color(rate) if own else GRAY for rate, own in zip(table["change_rate"], leaf, strict=True)],
            "symbol": [_symbol(rate) for rate in table["change_rate"]],
        },
        text=[
            f"  <b>{node['segment']}: {_short(node['change_rate'])}</b>, {node['share']:.0%} of offers"
            if node["segment"] else ""
            for node in nodes
        ],
        textposition="middle right", cliponaxis=False, showlegend=False,
        hovertext=[
            f"{safe(node['rule'])}<br>{node['rows']:,} offers{'<br>' + safe(node['effect']) if node['effect'] else ''}"
            for node in nodes
        ],
        hoverinfo="text",
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[-0.05, deepest + 0.75])
    figure.update_yaxes(visible=False, range=[-leaf.sum() + 0.4, 0.6])
    return frame(figure, data.finding, height=110 + 46 * int(leaf.sum()))


def _places(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Place of each node: its depth, and its height: leaves below each other, parents between their children."""
    children: dict[str, list[str]] = {}
    for node, parent in zip(table["id"].astype(str), table["parent"].astype(str), strict=True):
        children.setdefault(parent, []).append(node)
    out: dict[str, tuple[float, float]] = {}
    free = 0.0

    def put(node: str, depth: int) -> float:
        nonlocal free
        below = [put(child, depth + 1) for child in children.get(node, [])]
        if below:
            y = (below[0] + below[-1]) / 2
        else:
            y, free = free, free - 1.0
        out[node] = (float(depth), y)
        return y

    put(str(table["id"].iloc[0]), 0)
    return out


def _short(rate: float) -> str:
    return "no change" if round(rate, 4) == 0 else percent(rate, signed=True, digits=0)


def _color(rate: float) -> str:
    return GRAY if round(rate, 4) == 0 else RAISES if rate > 0 else LOWERS


def _symbol(rate: float) -> str:
    return "triangle-up" if rate > 0.00005 else "triangle-down" if rate < -0.00005 else "circle"


def segment_shares_data(shares: SegmentShares, chosen: int) -> SharesChart:
    """Name what the chosen depth keeps, and the smallest depth that keeps as much within half a percentage point."""
    table = shares.table.copy()
    row = table[table["depth"] == chosen]
    if row.empty or not table["share"].notna().any():
        return SharesChart(table, chosen, "What each depth keeps of the profit of personal prices")
    kept = float(row["share"].iloc[0])
    enough = int(table.loc[table["share"] >= kept - 0.005, "depth"].min())
    finding = f"Depth {chosen} keeps {percent(kept)} of the profit of personal prices"
    if enough < chosen:
        finding += f"; depth {enough} keeps as much within half a point"
    return SharesChart(table, chosen, finding)


def segment_shares_figure(data: SharesChart) -> go.Figure:
    """Draw the share kept by depth with its 90% range; the chosen depth is a diamond."""
    table = data.table
    mine = (table["depth"] == data.chosen).to_numpy()
    figure = go.Figure(
        go.Scatter(
            x=table["depth"],
            y=table["share"],
            mode="lines+markers",
            showlegend=False,
            line={"color": GRAY, "width": 1, "dash": "dot"},
            marker={
                "size": 11,
                "color": [ORANGE if own else TEAL for own in mine],
                "symbol": ["diamond" if own else "circle" for own in mine],
            },
            error_y={
                "type": "data",
                "symmetric": False,
                "array": table["share_high"] - table["share"],
                "arrayminus": table["share"] - table["share_low"],
                "color": GRAY,
                "thickness": 2,
                "width": 5,
            },
            customdata=table[["share_low", "share_high", "segments"]],
            hovertemplate=(
                "Depth %{x}, at most %{customdata[2]} segments: %{y:.1%} "
                "(90% range %{customdata[0]:.1%} to %{customdata[1]:.1%})<extra></extra>"
            ),
        )
    )
    figure.update_yaxes(tickformat=".1%")
    figure.update_xaxes(dtick=1)
    return frame(figure, data.finding, x="Questions asked (depth)", y="Share of personal prices' profit", height=320)
