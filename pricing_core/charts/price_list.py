"""What changes: histogram of price changes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from pricing_core.charts.style import GRAY, INDIGO, LOWERS, RAISES, frame, percent
from pricing_core.errors import DataError

SAME: Final = 5e-5  # a change that rounds to 0.00%
_KINDS: Final = (("cut", LOWERS, "/"), ("unchanged", GRAY, ""), ("raise", RAISES, ""))


@dataclass(frozen=True)
class PriceChanges:
    """Histogram of price changes.

    Attributes
    ----------
    bins
        ``low, high`` (rates), ``n`` and ``kind`` (cut, unchanged or raise); unchanged prices have a bin of their own.
    n_raised, n_cut, n_unchanged, n_unknown
        Prices of each kind; unknown ones have no current price to compare with.
    median_change
        Of the prices that change; NaN if none does.
    finding
        The title.
    """

    bins: pd.DataFrame
    n_raised: int
    n_cut: int
    n_unchanged: int
    n_unknown: int
    median_change: float
    finding: str


def price_change_data(change_rate: ArrayLike, *, bins: int = 20) -> PriceChanges:
    """Count price changes by size.

    Parameters
    ----------
    change_rate
        New price / current price − 1 of each price, shape (n,); NaN where there is no current price.
    bins
        Bins over the range of changes, about.

    Raises
    ------
    DataError
        If there are no prices.
    """
    rate = np.asarray(change_rate, dtype=float).ravel()
    if not len(rate):
        raise DataError("The price list is empty.")
    known = rate[np.isfinite(rate)]
    raised, cut = known[known > SAME], known[known < -SAME]
    moved = np.concatenate([cut, raised])
    same = len(known) - len(moved)
    width = _nice(float(np.abs(moved).max()) * (2 if len(cut) and len(raised) else 1) / bins) if len(moved) else 0.01
    tables = [_bins(-cut, width, "cut"), _bins(raised, width, "raise")]
    tables[0][["low", "high"]] = -tables[0][["high", "low"]].to_numpy()
    middle = pd.DataFrame({"low": [-width / 2], "high": [width / 2], "n": [same], "kind": ["unchanged"]})
    table = pd.concat([tables[0].iloc[::-1], middle, tables[1]], ignore_index=True)
    median = float(np.median(moved)) if len(moved) else math.nan
    unknown = len(rate) - len(known)
    finding = _finding(len(raised), len(cut), same, unknown, median)
    return PriceChanges(table, len(raised), len(cut), same, unknown, median, finding)


def price_change_figure(data: PriceChanges) -> go.Figure:
    """Draw the histogram; cuts are hatched and raises plain."""
    figure = go.Figure()
    for kind, color, pattern in _KINDS:
        part = data.bins[(data.bins["kind"] == kind) & (data.bins["n"] > 0)]
        if len(part):
            figure.add_bar(
                x=(part["low"] + part["high"]) / 2, y=part["n"], width=(part["high"] - part["low"]) * 0.96, name=kind,
                marker={"color": color, "pattern": {"shape": pattern, "fgcolor": "#FFFFFF", "size": 6}},
                customdata=part[["low", "high"]],
                hovertemplate="unchanged: %{y:,} prices<extra></extra>" if kind == "unchanged"
                else "%{customdata[0]:+.1%} to %{customdata[1]:+.1%}: %{y:,} prices<extra></extra>",
            )  # fmt: skip
    if math.isfinite(data.median_change):
        figure.add_vline(
            x=data.median_change, line={"color": INDIGO, "dash": "dot"},
            annotation_text=f"median {percent(data.median_change, signed=True)}",
        )  # fmt: skip
    figure.update_xaxes(tickformat="+.0%" if data.bins["high"].max() - data.bins["low"].min() > 0.1 else "+.1%")
    return frame(figure, data.finding, x="Change against the current price", y="Number of prices", bargap=0)


def _bins(size: np.ndarray, width: float, kind: str) -> pd.DataFrame:
    """Bins of sizes above zero, the first starting half a width away so that zero keeps a bin of its own."""
    place = np.maximum(np.ceil((size - width / 2) / width), 1).astype(int) - 1
    count = np.bincount(place) if len(place) else np.zeros(0, dtype=int)
    low = width / 2 + width * np.arange(len(count))
    return pd.DataFrame({"low": low, "high": low + width, "n": count, "kind": kind})


def _nice(width: float) -> float:
    """Next rounder bin width: 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(max(width, 1e-4)))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= width * (1 - 1e-9))


def _finding(raised: int, cut: int, same: int, unknown: int, median: float) -> str:
    parts = [f"{raised:,} up", f"{cut:,} down", f"{same:,} unchanged"]
    if unknown:
        parts.append(f"{unknown:,} without a current price")
    text = "Prices: " + ", ".join(parts)
    return f"{text}; the median change is {percent(median, signed=True)}" if math.isfinite(median) else text
