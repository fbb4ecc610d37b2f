"""Do forecasts hold: by level, and by price band."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, ORANGE, TEAL, faint, frame, number, percent
from pricing_core.errors import DataError
from pricing_core.evaluate.calibration import expected_calibration_error

_RANGE: Final = ("forecast_low", "forecast_high")
_RATES: Final = ("n", "predicted_rate", "observed_rate", "observed_low", "observed_high")
_ALIKE: Final = (0.7, 1.4)
_ROUGH: Final = (0.5, 2.0)  # a range that goes beyond leaves a reaction half or twice as strong possible
_TOLD: Final = 0.3  # half of the 90% range above which a slope of 1 confirms little
_CANNOT_TELL: Final = "Later offers cannot tell whether buyers react to price as forecast"


@dataclass(frozen=True)
class CalibrationChart:
    """Groups of offers with forecast and observed rate, how many of them agree, and the finding.

    ``table`` is that of :func:`~pricing_core.evaluate.calibration.calibration_table` with ``agrees``: whether the
    forecast lies in the 90% interval of what was observed. ``error`` is the mean distance of forecast and observation.
    """

    table: pd.DataFrame
    error: float
    finding: str


@dataclass(frozen=True)
class PriceBandChart:
    """Price bands with forecast and observed conversion, the slope between them with its 90% range, and the finding.

    ``table`` says of each band whether what was observed lies in the forecast's 90% range (``within``), where the run
    holds such ranges (``forecast_low, forecast_high``).
    """

    table: pd.DataFrame
    slope: float
    slope_low: float
    slope_high: float
    finding: str


def calibration_data(metrics: Mapping[str, Any]) -> CalibrationChart:
    """Compare forecast and observed conversion by level of the forecast.

    Parameters
    ----------
    metrics
        A run's figures; ``calibration`` holds the columns of the calibration table.

    Raises
    ------
    DataError
        If the figures lack the table.
    """
    table = _table(metrics, "calibration")
    error = expected_calibration_error(table)
    agreeing, groups = int(table["agrees"].sum()), len(table)
    worst = int((table["predicted_rate"] - table["observed_rate"]).abs().argmax())
    forecast, observed = float(table["predicted_rate"].iloc[worst]), float(table["observed_rate"].iloc[worst])
    finding = f"Forecasts hold in {agreeing} of {groups} groups; on average they are off by {100 * error:.1f} points"
    if agreeing < groups:
        finding += f", most where {percent(forecast)} was forecast and {percent(observed)} bought"
    return CalibrationChart(table, error, finding)


def price_band_data(metrics: Mapping[str, Any]) -> PriceBandChart:
    """Compare forecast and observed conversion by price band.

    Parameters
    ----------
    metrics
        A run's figures: ``price_bands`` holds the bands' columns, in a run of an earlier version without the forecast's
        range, and ``price_band_slope`` slope, low and high.

    Raises
    ------
    DataError
        If the figures lack them.
    """
    table = _table(metrics, "price_bands")
    slope, low, high = (math.nan if v is None else float(v) for v in metrics.get("price_band_slope", (math.nan,) * 3))
    finding = _slope_finding(slope, low, high)
    if set(_RANGE) <= set(table.columns):
        rate = table["observed_rate"]
        table = table.assign(within=(table["forecast_low"] <= rate) & (rate <= table["forecast_high"]))
        held = f"{int(table['within'].sum())} of {len(table)} bands sold within the forecast's 90% range"
        finding = f"{finding}; {held}"
    return PriceBandChart(table, slope, low, high, finding)


def calibration_figure(data: CalibrationChart) -> go.Figure:
    """Draw observed against forecast rates with 90% intervals and the diagonal of perfect forecasts."""
    table = data.table
    top = float(max(table["predicted_rate"].max(), table["observed_high"].max())) * 1.05
    figure = go.Figure()
    figure.add_scatter(
        x=[0, top], y=[0, top], mode="lines", name="perfect forecast", line={"color": GRAY, "dash": "dash", "width": 1},
        hoverinfo="skip",
    )  # fmt: skip
    for agrees, name, color, symbol in (
        (True, "forecast within the 90% interval", TEAL, "circle"),
        (False, "forecast outside", ORANGE, "x"),
    ):
        part = table[table["agrees"] == agrees]
        if len(part):
            figure.add_scatter(
                x=part["predicted_rate"], y=part["observed_rate"], mode="markers", name=name, customdata=part["n"],
                marker={"color": color, "symbol": symbol, "size": 9}, error_y=_interval(part, color),
                hovertemplate="forecast %{x:.1%}, observed %{y:.1%}, %{customdata:,} offers<extra></extra>",
            )  # fmt: skip
    figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return frame(figure, data.finding, x="Forecast conversion rate", y="Observed conversion rate")


def price_band_figure(data: PriceBandChart) -> go.Figure:
    """Draw forecast and observed conversion over the bands' mean relative price.

    The forecast has its 90% range of what is then observed; in a run of an earlier version, which holds none, what was
    observed has its own.
    """
    table = data.table
    figure, ranged = go.Figure(), "within" in table.columns
    if ranged:
        edge: dict[str, Any] = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_scatter(x=table["mean_price"], y=table["forecast_high"], showlegend=False, **edge)
        figure.add_scatter(
            x=table["mean_price"], y=table["forecast_low"], fill="tonexty", fillcolor=faint(TEAL),
            name="forecast, 90% range", **edge,
        )  # fmt: skip
    symbols = ["diamond" if inside else "x" for inside in table["within"]] if ranged else "diamond"
    figure.add_scatter(
        x=table["mean_price"], y=table["predicted_rate"], mode="lines+markers", name="forecast",
        line={"color": TEAL, "dash": "solid"}, marker={"symbol": "circle", "size": 7},
        hovertemplate="forecast %{y:.1%} at %{x:.0%} of the going price<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=table["mean_price"], y=table["observed_rate"], mode="lines+markers",
        name="observed" if ranged else "observed, 90% interval", line={"color": ORANGE, "dash": "dot"},
        marker={"symbol": symbols, "size": 9}, customdata=table["n"],
        error_y=None if ranged else _interval(table, ORANGE),
        hovertemplate="observed %{y:.1%} at %{x:.0%} of the going price, %{customdata:,} offers<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(tickformat=".1%", rangemode="tozero")
    return frame(figure, data.finding, x="Price, % of the going price", y="Conversion rate")


def response_doubt(metrics: Mapping[str, Any]) -> str | None:
    """Say why the forecast reaction to price, and with it the promised profit, deserves caution.

    Returns
    -------
    str or None
        One sentence, or None where later offers confirm the forecast: the 90% range of the slope between price bands
        lies above 0, and either contains 1 and lies between a half and twice the forecast, or the slope is between 0.7
        and 1.4 and the range does not contain 1. None also where a run holds no slope.
    """
    found = metrics.get("price_band_slope")
    if found is None:
        return None
    slope, low, high = (math.nan if value is None else float(value) for value in found)
    if not (math.isfinite(slope) and math.isfinite(low) and math.isfinite(high)):
        return f"{_CANNOT_TELL}: treat the promised profit with caution."
    span = f"90% range {number(low)} to {number(high)}"
    if low <= 0 <= high:
        return f"{_CANNOT_TELL} (slope {number(slope)}, {span}): treat the promised profit with caution."
    if high < 0:
        what = f"buyers bought more at higher prices, against the model's forecast (slope {number(slope)}, {span})"
    elif low <= 1 <= high:
        if low >= _ROUGH[0] and high <= _ROUGH[1]:
            return None
        what = f"it can only roughly be told how strongly buyers react to price (slope {number(slope)}, {span})"
    elif _ALIKE[0] <= slope <= _ALIKE[1]:
        return None
    else:
        what = f"buyers reacted {number(slope)} times as strongly to price as the model forecast ({span})"
    return f"On later offers, {what}: treat the promised profit with caution."


def _table(metrics: Mapping[str, Any], name: str) -> pd.DataFrame:
    found = metrics.get(name)
    table = pd.DataFrame(found if found is not None else {})
    if len(table) == 0 or not set(_RATES) <= set(table.columns):
        raise DataError(f"The run holds no figures called {name}.", fix="Train the models again.")
    agrees = (table["observed_low"] <= table["predicted_rate"]) & (table["predicted_rate"] <= table["observed_high"])
    return table.assign(agrees=agrees)


def _interval(table: pd.DataFrame, color: str) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": table["observed_high"] - table["observed_rate"],
        "arrayminus": table["observed_rate"] - table["observed_low"],
        "color": color,
        "thickness": 1.5,
        "width": 4,
    }


def _slope_finding(slope: float, low: float, high: float) -> str:
    if not math.isfinite(slope):
        return "Forecasts do not differ between price bands, so the reaction to price cannot be judged here"
    span = f"(90% range {number(low, 2)} to {number(high, 2)})"
    if low <= 0 <= high:
        return (
            f"These offers cannot tell whether conversion differs between price bands: slope {number(slope, 2)} {span}"
        )
    if low <= 1 <= high:
        # A wide range holds a right forecast and quite a wrong one: prices vary too little, or too few bought.
        told = "" if (high - low) / 2 <= _TOLD else ", as far as these few differences in price can tell"
        return f"Conversion differs between price bands as forecast{told}: slope {number(slope, 2)} {span}"
    verdict = "less" if slope < 1 else "more"
    return f"Conversion differs {verdict} between price bands than forecast: slope {number(slope, 2)} {span}"
