"""Spread of price elasticities over offers, and any figure by two groupings as a heat map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, INDIGO, TEAL, empty, frame, number, percent, shorten
from pricing_core.errors import ConfigError, DataError
from pricing_core.response.pricing_rows import PricingRows


@dataclass(frozen=True)
class ElasticitySpread:
    """Distribution of own-price elasticities over occasions.

    ``bins`` has ``low, high, share``; the outermost bins also hold ``n_below`` and ``n_above`` rows beyond their edges.
    """

    bins: pd.DataFrame
    median: float
    elastic_share: float
    n_below: int
    n_above: int
    finding: str


def elasticity_data(rows: PricingRows, *, bins: int = 24) -> ElasticitySpread:
    """Spread of the rows' own-price elasticities at their current prices, each row counting with its weight.

    Raises
    ------
    DataError
        If there are no rows.
    """
    if rows.n == 0:
        raise DataError("There are no offers to show elasticities of.")
    value = rows.response.elasticity(rows.current_price)
    weight = rows.weight / rows.weight.sum()
    low, high = np.quantile(value, [0.005, 0.995])
    width = max(high - low, 0.05)
    edges = np.linspace(low, low + width, bins + 1)
    share, _ = np.histogram(np.clip(value, edges[0], edges[-1]), edges, weights=weight)
    order = np.argsort(value)
    median = float(value[order][np.searchsorted(np.cumsum(weight[order]), 0.5)])
    elastic = float(weight @ (value < -1))
    return ElasticitySpread(
        bins=pd.DataFrame({"low": edges[:-1], "high": edges[1:], "share": share}),
        median=median,
        elastic_share=elastic,
        n_below=int((value < edges[0]).sum()),
        n_above=int((value > edges[-1]).sum()),
        finding=f"At {percent(elastic, digits=0)} of offers 1% more price costs over 1% of sales; the typical offer "
        f"loses {number(-median)}%",
    )


def elasticity_figure(data: ElasticitySpread) -> go.Figure:
    """Draw the histogram with its median and the line at −1, beyond which a price rise lowers revenue."""
    bins = data.bins
    middle = (bins["low"] + bins["high"]) / 2
    figure = go.Figure()
    figure.add_bar(
        x=middle, y=bins["share"], width=bins["high"] - bins["low"], marker={"color": TEAL}, showlegend=False,
        customdata=bins[["low", "high"]],
        hovertemplate="%{customdata[0]:.2f} to %{customdata[1]:.2f}: %{y:.1%} of offers<extra></extra>",
    )  # fmt: skip
    figure.add_vline(
        x=data.median, line={"color": INDIGO, "dash": "dot"}, annotation_text=f"median {number(data.median)}",
        annotation_position="top left",
    )  # fmt: skip
    if bins["low"].min() < -1 < bins["high"].max():
        figure.add_vline(x=-1, line={"color": GRAY, "dash": "dash"}, annotation_text=number(-1, 0))
    figure.update_yaxes(tickformat=".0%")
    return frame(figure, data.finding, x="Own-price elasticity (% of sales per 1% of price)", y="Share of offers")


@dataclass(frozen=True)
class HeatMap:
    """Weighted mean of a figure by two groupings.

    Attributes
    ----------
    value, weight
        Rows × columns; the value is NaN, not zero, where the cell holds less than the least weight.
    n_left_out
        Rows and columns that were not shown, smallest first to go.
    finding
        The title.
    """

    value: pd.DataFrame
    weight: pd.DataFrame
    n_left_out: tuple[int, int]
    finding: str


def heat_map_data(
    table: pd.DataFrame,
    row: str,
    column: str,
    value: str,
    *,
    weight: str | None = None,
    least_weight: float = 1.0,
    most: tuple[int, int] = (15, 10),
    name: str = "",
) -> HeatMap:
    """Average ``value`` over the cells of ``row`` × ``column``.

    Parameters
    ----------
    table
        One row per observation.
    row, column, value, weight
        Names of its columns; weight one each by default.
    least_weight
        Cells with less stay blank.
    most
        Rows and columns shown at most, those with most weight.
    name
        What the value is, for the title; default the column's name.

    Raises
    ------
    ConfigError
        If a column is missing.
    DataError
        If no cell has enough weight.
    """
    wanted = [row, column, value, *([weight] if weight else [])]
    missing = [each for each in wanted if each not in table.columns]
    if missing:
        raise ConfigError(f"The table has no column {missing[0]!r}; it has {', '.join(map(str, table.columns))}.")
    size = table[weight].astype(float) if weight else pd.Series(1.0, index=table.index)
    known = table[[row, column]].astype(str).assign(weight=size, total=size * table[value].astype(float))
    known = known[table[value].notna().to_numpy()]
    sums = known.groupby([row, column])[["weight", "total"]].sum()
    weights = sums["weight"].unstack(fill_value=0)
    values = sums["total"].unstack(fill_value=0) / weights.where(weights >= least_weight)
    rows = weights.sum(axis=1).sort_values(ascending=False, kind="stable").index[: most[0]]
    columns = weights.sum(axis=0).sort_values(ascending=False, kind="stable").index[: most[1]]
    left_out = (len(weights) - len(rows), weights.shape[1] - len(columns))
    shown = values.loc[rows, columns]
    if shown.notna().sum().sum() == 0:
        raise DataError(f"No combination of {row} and {column} has enough offers.", fix="Choose coarser groups.")
    return HeatMap(shown, weights.loc[rows, columns], left_out, _extremes(shown, name or value))


def heat_map_figure(
    data: HeatMap, *, x: str, y: str, scale: str, text_format: str = ".2f", weight: str = "offers"
) -> go.Figure:
    """Draw the heat map with each cell's figure written into it.

    Parameters
    ----------
    x, y, scale
        Titles of the axes and of the color scale, with units.
    text_format
        d3 format of the cells.
    weight
        What the weights count, in words.
    """
    if data.value.empty:
        return empty("There is nothing to compare.")
    text = data.value.notna()
    figure = go.Figure(
        go.Heatmap(
            z=data.value, x=[shorten(c, 20) for c in data.value.columns], y=[shorten(r, 28) for r in data.value.index],
            customdata=data.weight, colorscale="Cividis", colorbar={"title": {"text": scale, "side": "right"}},
            texttemplate=f"%{{z:{text_format}}}" if text.to_numpy().any() else "", hoverongaps=False, xgap=1, ygap=1,
            hovertemplate=f"%{{y}}, %{{x}}: %{{z:{text_format}}} (%{{customdata:,.0f}} {weight})<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(type="category")
    figure.update_yaxes(type="category", autorange="reversed")
    rest = " and ".join(f"{n} more {what}" for n, what in zip(data.n_left_out, ("rows", "columns"), strict=True) if n)
    return frame(figure, data.finding, x=f"{x} ({rest} not shown)" if rest else x, y=y)


def _extremes(shown: pd.DataFrame, name: str) -> str:
    cells = shown.to_numpy(dtype=float)

    def told(place: int) -> str:
        row, column = divmod(place, cells.shape[1])
        return f"{number(cells[row, column], 2)} for {shown.index[row]} × {shown.columns[column]}"

    low, high = int(np.nanargmin(cells)), int(np.nanargmax(cells))
    return f"{name}: {told(low)}" if low == high else f"{name}: from {told(low)} to {told(high)}"
