"""Shapley values of many offers: a point per offer and feature, and one feature against its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from pricing_core.charts.style import GRAY, INDIGO, MINUS, ORANGE, TEAL, faint, frame, padded, percent, safe, shorten
from pricing_core.errors import ConfigError
from pricing_core.explain.shapley import ShapResult

Floats = NDArray[np.float64]

_SCALE: Final = [[0.0, TEAL], [0.5, "#B9C0C8"], [1.0, ORANGE]]
_BINS: Final = 60
_LEVELS: Final = 12
_SPREAD: Final = 0.38


@dataclass(frozen=True)
class Beeswarm:
    """Points to draw: ``feature, contribution, place`` (height within its row, −0.5 to 0.5), ``rank`` (of the feature's
    value, 0 lowest to 1 highest, NaN for text) and ``displayed``; ``features`` from the most to the least important.
    """

    points: pd.DataFrame
    features: tuple[str, ...]
    finding: str


@dataclass(frozen=True)
class Dependence:
    """One feature: ``points`` with ``value``, ``contribution``; ``line`` with ``value, contribution, n``.

    The line is the mean contribution in bands of the value that hold about as many offers each, or by level of a text.
    """

    feature: str
    points: pd.DataFrame
    line: pd.DataFrame
    numeric: bool
    finding: str


def beeswarm_data(result: ShapResult, values: pd.DataFrame, *, name: str = "prediction", most: int = 12) -> Beeswarm:
    """Place a point for every offer and each of the most important features.

    Parameters
    ----------
    result
        Shapley values; its ``displayed`` texts are what hovering shows.
    values
        Values of the features, numbers or text, a column per feature.
    name
        The outcome in words.
    most
        Features at most.

    Raises
    ------
    ConfigError
        If the values have another number of rows than the Shapley values.
    """
    if len(values) != len(result.values):
        raise ConfigError(f"There are {len(values)} rows of values for {len(result.values)} rows of Shapley values.")
    order = np.argsort(-np.abs(result.values).mean(axis=0), kind="stable")[:most]
    features = tuple(result.feature_names[g] for g in order)
    low, high = float(result.values[:, order].min()), float(result.values[:, order].max())
    parts = []
    for g, feature in zip(order, features, strict=True):
        contribution = result.values[:, g]
        shown = values[feature] if result.displayed is None else result.displayed[feature]
        parts.append(
            pd.DataFrame(
                {
                    "feature": feature,
                    "contribution": contribution,
                    "place": _swarm(contribution, low, high),
                    "rank": _ranks(values[feature]),
                    "displayed": shown.astype(str).to_numpy(),
                }
            )
        )
    both = " and ".join(features[:2])
    finding = f"What moves the {name} most, offer by offer: {both}"
    return Beeswarm(pd.concat(parts, ignore_index=True), features, finding)


def beeswarm_figure(data: Beeswarm, *, unit: str = "Effect", is_rate: bool = False) -> go.Figure:
    """Draw the points, orange where the feature's value is high and teal where it is low."""
    place = {feature: len(data.features) - 1 - k for k, feature in enumerate(data.features)}
    points = data.points.assign(y=data.points["feature"].map(place) + data.points["place"])
    text = points["rank"].isna()
    figure = go.Figure()
    for mask, marker, label in (
        (text, {"color": GRAY, "size": 4, "opacity": 0.7}, "text"),
        (~text, {"color": points.loc[~text, "rank"], "colorscale": _SCALE, "cmin": 0, "cmax": 1, "size": 4,
                 "colorbar": {"title": {"text": "value", "side": "right"}, "tickvals": [0, 1],
                              "ticktext": ["low", "high"], "thickness": 10}}, "number"),
    ):  # fmt: skip
        part = points[mask]
        if len(part):
            hover = [f"{safe(f)} = {safe(d)}" for f, d in zip(part["feature"], part["displayed"], strict=True)]
            figure.add_trace(
                go.Scattergl(
                    x=part["contribution"], y=part["y"], mode="markers", marker=marker, name=label, hovertext=hover,
                    hovertemplate="%{hovertext}: %{x:+.3g}<extra></extra>", showlegend=False,
                )
            )  # fmt: skip
    figure.add_vline(x=0, line={"color": GRAY, "width": 1})
    figure.update_yaxes(
        tickvals=list(place.values()), ticktext=[shorten(f) for f in place], showgrid=False,
        range=[-0.6, len(place) - 0.4],
    )  # fmt: skip
    if is_rate:
        figure.update_xaxes(tickformat="+.0%")
    note = " · gray: text" if bool(text.any()) else ""
    return frame(figure, data.finding, x=f"{unit}{note}", height=150 + 30 * len(place))


def dependence_data(
    result: ShapResult, values: pd.DataFrame, feature: str, *, name: str = "prediction", bands: int = 12
) -> Dependence:
    """One feature's contributions against its values.

    Raises
    ------
    ConfigError
        If there is no such feature.
    """
    if feature not in result.feature_names:
        raise ConfigError(f"There is no feature {feature!r}.", fix=f"Choose of {', '.join(result.feature_names)}.")
    contribution = result.values[:, result.feature_names.index(feature)]
    value = values[feature]
    if set(value.dropna().unique()) <= {0.0, 1.0}:
        value = value.map({0.0: "no", 1.0: "yes"})
    numeric = pd.api.types.is_numeric_dtype(value)
    points = pd.DataFrame({"value": value.to_numpy(), "contribution": contribution})
    points = points[points["value"].notna()] if numeric else points.assign(value=points["value"].fillna("unknown"))
    if numeric:
        edges = np.unique(np.quantile(points["value"], np.linspace(0, 1, bands + 1)[1:-1]))
        group: Any = np.searchsorted(edges, points["value"], side="right")
        line = points.groupby(group).agg(value=("value", "mean"), contribution=("contribution", "mean"))
        line["n"] = np.bincount(group)[line.index]
    else:
        counts = points["value"].value_counts()
        kept = counts.index[:_LEVELS]
        points = points[points["value"].isin(kept)]
        line = points.groupby("value")["contribution"].mean().rename_axis("value").reset_index()
        line = line.assign(n=line["value"].map(counts)).sort_values("contribution", ascending=False, kind="stable")
    line = line.reset_index(drop=True)[["value", "contribution", "n"]]
    return Dependence(feature, points, line, numeric, _dependence_finding(line, feature, name, numeric))


def dependence_figure(
    data: Dependence, *, x: str = "", unit: str = "Effect", is_rate: bool = False, x_rate: bool = False
) -> go.Figure:
    """Draw offers as points and the mean as a line, or as diamonds by level of a text."""
    figure = go.Figure()
    figure.add_scatter(
        x=data.points["value"] if data.numeric else data.points["value"].astype(str).map(lambda t: shorten(t, 18)),
        y=data.points["contribution"], mode="markers", name="offers", marker={"color": faint(TEAL, 0.45), "size": 5},
        hovertemplate="%{x}: %{y:+.3g}<extra></extra>",
    )  # fmt: skip
    line = data.line
    figure.add_scatter(
        x=line["value"] if data.numeric else line["value"].astype(str).map(lambda t: shorten(t, 18)),
        y=line["contribution"], name="mean", mode="lines+markers" if data.numeric else "markers",
        line={"color": INDIGO, "width": 3}, customdata=line["n"],
        marker={"color": INDIGO, "size": 7 if data.numeric else 11, "symbol": "diamond"},
        hovertemplate="%{x}: mean %{y:+.3g} of %{customdata:,} offers<extra></extra>",
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": GRAY, "width": 1})
    if not data.numeric:
        figure.update_xaxes(
            type="category", categoryorder="array", categoryarray=[shorten(v, 18) for v in line["value"]]
        )
    if is_rate:
        figure.update_yaxes(tickformat="+.1%")
    if x_rate:
        figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(range=padded(data.points["contribution"]) if len(data.points) else None)
    return frame(figure, data.finding, x=x or data.feature, y=unit)


def additivity_text(share: float, error: float, *, n: int) -> str:
    """Say how exactly contributions add up, as a share of the range of predictions."""
    if error < 1e-9:
        return f"The contributions of {n:,} offers add up exactly."
    return (
        f"Additivity error: at most {percent(share, digits=2)} of the range of predictions over {n:,} offers "
        f"({error:.2g})."
    )


def _swarm(x: Floats, low: float, high: float) -> Floats:
    """Heights that keep points of nearly the same contribution apart, within half a row."""
    width = (high - low) or 1.0
    cell = np.minimum(((x - low) / width * _BINS).astype(int), _BINS - 1)
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], cell[order], side="left")
    turn = np.empty(len(x))
    turn[order] = np.arange(len(x)) - start
    size = np.bincount(cell, minlength=_BINS)
    step = np.where(turn % 2 == 0, turn / 2, -(turn + 1) / 2)
    return np.asarray(step / max(size.max() / 2, 1.0) * _SPREAD)


def _ranks(values: pd.Series) -> Floats:
    if not pd.api.types.is_numeric_dtype(values):
        return np.full(len(values), np.nan)
    rank = values.rank(method="average", pct=True).to_numpy(dtype=float)
    low, high = np.nanmin(rank), np.nanmax(rank)
    return np.asarray((rank - low) / (high - low) if high > low else np.full(len(rank), 0.5))


def _dependence_finding(line: pd.DataFrame, feature: str, name: str, numeric: bool) -> str:
    if len(line) < 2 or np.ptp(line["contribution"]) == 0:
        return f"“{feature}” does not move the {name}"
    if not numeric:
        return f"The {name} is highest for {feature} = {line['value'].iloc[0]}, lowest for {line['value'].iloc[-1]}"
    step = float(line["contribution"].iloc[-1] - line["contribution"].iloc[0])
    direction = "rises" if step > 0 else "falls"
    level = f"{step:+.2g}".replace("-", MINUS)
    return f"The {name} {direction} with “{feature}”: {level} from its lowest to its highest values"
