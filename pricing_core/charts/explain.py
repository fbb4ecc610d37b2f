"""Why this answer: Shapley values and LIME of one offer, and importance over many, as bars."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import (
    GRAY,
    LOWERS,
    MINUS,
    RAISES,
    TEAL,
    empty,
    frame,
    number,
    padded,
    percent,
    safe,
    shorten,
)
from pricing_core.errors import DataError
from pricing_core.explain.lime import LimeResult
from pricing_core.explain.shapley import ShapResult

REST: Final = "all other features"
GOOD_FIT: Final = 0.8
FAIR_FIT: Final = 0.5


@dataclass(frozen=True)
class Bars:
    """Bars to draw, largest first, and what they say.

    ``table`` has ``feature, value`` and ``spread`` (standard deviation or error; NaN if unknown), and ``displayed``,
    the feature's value for this offer, if any. Features beyond the shown ones are one bar: their sum where values add
    up, else left out and counted in ``n_left_out``.
    """

    table: pd.DataFrame
    n_left_out: int
    finding: str


@dataclass(frozen=True)
class Waterfall:
    """Steps from ``start`` to ``end``: ``table`` has ``feature, displayed, contribution, standard_error``.

    ``is_rate`` where they are shares, which are written in percent.
    """

    table: pd.DataFrame
    start: float
    end: float
    additivity_error: float
    finding: str
    is_rate: bool = False


def shap_global_data(importance: pd.DataFrame, *, outcome: str, name: str = "", most: int = 12) -> Bars:
    """Features that move an outcome most, on average over offers.

    Parameters
    ----------
    importance
        ``outcome, feature, mean_abs`` and, if known, ``share``, the part of all movement that a feature has.
    outcome
        Which outcome to show.
    name
        The outcome in words; default ``outcome``.
    most
        Features at most.

    Raises
    ------
    DataError
        If the table holds nothing for the outcome.
    """
    mine = importance[importance["outcome"] == outcome].sort_values("mean_abs", ascending=False, kind="stable")
    if mine.empty:
        held = ", ".join(sorted(importance["outcome"].astype(str).unique())) or "nothing"
        raise DataError(f"There is no importance for {outcome!r}; the run holds {held}.")
    shown = mine.head(most)
    total = float(mine["mean_abs"].sum())
    table = pd.DataFrame({"feature": shown["feature"], "value": shown["mean_abs"], "spread": math.nan, "displayed": ""})
    table["share"] = table["value"] / total if total > 0 else math.nan
    top = " and ".join(str(each) for each in table["feature"].head(2))
    finding = f"Nothing moves the {name or outcome}"
    if total > 0:
        finding = (
            f"The {name or outcome} is moved most by {top}: {percent(float(table['share'].head(2).sum()), digits=0)} "
        )
        finding += "of all movement"
    return Bars(table.reset_index(drop=True), len(mine) - len(shown), finding[:1].upper() + finding[1:])


def shap_global_figure(data: Bars, *, unit: str = "Mean effect", is_rate: bool = False) -> go.Figure:
    """Draw mean |contribution| per feature."""
    if data.table.empty:
        return empty("There is nothing to explain yet.")
    table = data.table.iloc[::-1]
    figure = go.Figure(
        go.Bar(
            x=table["value"], y=[shorten(f) for f in table["feature"]], orientation="h", marker={"color": TEAL},
            text=[percent(s, digits=0) for s in table["share"]], textposition="outside", cliponaxis=False,
            hovertext=[safe(f) for f in table["feature"]], hovertemplate="%{hovertext}: %{x:.3g}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(type="category")
    figure.update_xaxes(range=padded([0.0, *table["value"]]), tickformat=".1%" if is_rate else None)
    return frame(figure, data.finding, x=f"{unit}<br>(label: share of all{_rest(data)})", height=_height(len(table)))


def shap_local_data(
    result: ShapResult, row: int = 0, *, name: str = "prediction", most: int = 10, is_rate: bool = False
) -> Waterfall:
    """Contributions for one offer, the small ones added into one, so that start + contributions = end.

    Parameters
    ----------
    result
        Shapley values of one outcome.
    row
        Which of its rows.
    name
        The outcome in words, for the title.
    most
        Features shown on their own.
    is_rate
        Whether the outcome is a share, to be written in percent.
    """
    table = result.to_frame(row)
    if len(table) > most:
        rest = table.iloc[most:]
        lumped = {
            "feature": REST,
            "displayed": "",
            "contribution": rest["contribution"].sum(),
            "standard_error": float(np.sqrt((rest["standard_error"] ** 2).sum())),
        }
        table = pd.concat([table.head(most), pd.DataFrame([lumped])], ignore_index=True)
    start, end = result.base_value, float(result.prediction[row])
    first = table.iloc[0]
    verb = "raised" if first["contribution"] > 0 else "lowered"
    levels = _level(start, is_rate), _level(end, is_rate)
    finding = (
        f"The {name} is {verb} most by {first['feature']}: from the typical {levels[0]} to {levels[1]} with all steps"
    )
    if not np.any(result.values[row]):
        finding = f"This offer's {name} is the typical one: {levels[0]}"
    return Waterfall(table, start, end, result.additivity_error, finding, is_rate)


def shap_local_figure(data: Waterfall, *, unit: str = "") -> go.Figure:
    """Draw the way from the typical answer to this offer's; the axis title says so where it does not add up."""
    table = data.table
    labels = [f"{f} = {d}" if d else str(f) for f, d in zip(table["feature"], table["displayed"], strict=True)]
    steps = _distinct(["typical offer", *[shorten(each, 36) for each in labels], "this offer"])
    figure = go.Figure(
        go.Waterfall(
            orientation="h", y=steps, x=[data.start, *table["contribution"], data.end],
            measure=["absolute", *["relative"] * len(table), "total"], hovertext=["", *map(safe, labels), ""],
            text=[
                _level(data.start, data.is_rate), *[_signed(v, data.is_rate) for v in table["contribution"]],
                _level(data.end, data.is_rate),
            ],
            textposition="outside", cliponaxis=False, increasing={"marker": {"color": RAISES}},
            decreasing={"marker": {"color": LOWERS}}, totals={"marker": {"color": GRAY}},
            connector={"line": {"color": GRAY, "width": 1, "dash": "dot"}},
            hovertemplate="%{hovertext} %{text}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(type="category", autorange="reversed")
    levels = data.start + np.concatenate([[0.0], np.cumsum(table["contribution"])])
    near = float(min(levels.min(), data.end))  # small steps far from zero are seen only if the axis starts near them
    ends = [*levels, data.end] if near > 2 * np.ptp(levels) > 0 else [0.0, *levels, data.end]
    figure.update_xaxes(range=padded(ends, share=0.22), nticks=5)
    if data.is_rate:
        figure.update_xaxes(tickformat=".2~%")
    check = "" if data.additivity_error < 1e-4 else f", off by {data.additivity_error:.2g}"
    title = "<br>".join(textwrap.wrap(f"{unit or 'Answer'}{check}", 36))
    return frame(figure, data.finding, x=title, height=_height(len(steps)))


def lime_data(result: LimeResult, *, name: str = "prediction", most: int = 10) -> Bars:
    """Coefficients of the line around one offer, with their spread over random seeds."""
    table = result.to_frame().rename(columns={"coefficient": "value"})
    shown = table.head(most).assign(displayed="")
    finding = f"The model is flat around this offer: its {name} does not change"
    if math.isfinite(result.r2):
        fit = "well" if result.r2 >= GOOD_FIT else "roughly" if result.r2 >= FAIR_FIT else "badly"
        verb = "raised" if float(shown["value"].iloc[0]) > 0 else "lowered"
        finding = f"The {name} is {verb} most by {shown['feature'].iloc[0]}; the line fits the model {fit} "
        finding += f"(R² {number(result.r2, 2)}, stability {number(result.stability, 2)})"
    return Bars(shown.reset_index(drop=True), len(table) - len(shown), finding[:1].upper() + finding[1:])


def lime_figure(data: Bars, *, unit: str = "Effect against a typical value") -> go.Figure:
    """Draw the coefficients with one standard deviation over the seeds; hatched bars lower the answer."""
    table = data.table.iloc[::-1]
    rises = table["value"] > 0
    figure = go.Figure(
        go.Bar(
            x=table["value"], y=[shorten(f) for f in table["feature"]], orientation="h",
            marker={
                "color": np.where(rises, RAISES, LOWERS),
                "pattern": {"shape": np.where(rises, "", "/"), "fillmode": "overlay", "fgcolor": "#FFFFFF", "size": 6},
            },
            error_x={"type": "data", "array": table["spread"], "color": GRAY, "thickness": 1.5, "width": 4},
            hovertext=[safe(f) for f in table["feature"]],
            hovertemplate="%{hovertext}: %{x:.3g}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_yaxes(type="category")
    return frame(figure, data.finding, x=unit + _rest(data), height=_height(len(table)))


def _rest(data: Bars) -> str:
    return f"; {data.n_left_out} smaller not shown" if data.n_left_out else ""


def _level(value: float, is_rate: bool) -> str:
    """Write an answer; a share in percent with two digits that count: ``12%``, ``0.86%``."""
    return percent(value, digits=_digits(value)) if is_rate else f"{value:.3g}".replace("-", MINUS)


def _signed(value: float, is_rate: bool) -> str:
    """Write a step; of a share in percentage points, as the axis shows them."""
    if is_rate:
        return percent(value, signed=True, digits=_digits(value))
    return f"+{value:.3g}" if value > 0 else f"{value:.3g}".replace("-", MINUS)


def _digits(rate: float) -> int:
    size = abs(rate)
    return 1 if size >= 0.01 else 2 if size >= 0.001 else 3


def _distinct(labels: list[str]) -> list[str]:
    """Keep labels apart that read the same, since each names a place on the axis."""
    return [label + "\u200b" * labels[:place].count(label) for place, label in enumerate(labels)]


def _height(bars: int) -> int:
    return 150 + 26 * bars
