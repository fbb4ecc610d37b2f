"""What changes: histogram of price changes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from pricing_core.charts.style import GRAY, LOWERS, RAISES, frame, percent
from pricing_core.errors import DataError

SAME: Final = 5e-5  # a change that rounds to 0.00%
_KINDS: Final = (("cut", LOWERS, "/"), ("unchanged", GRAY, ""), ("raise", RAISES, ""))


@dataclass(frozen=True)
class PriceChanges:
    """Histogram of price changes.

    Attributes
    ----------
    bins
        ``low, high`` (rates), ``n``, ``kind`` (cut, unchanged or raise) and ``label``, from deepest cut to highest
        raise; unchanged prices have a bin of their own, between the smallest cuts and the smallest raises.
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


def price_change_data(change_rate: ArrayLike, *, bins: int = 12) -> PriceChanges:
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
    middle = pd.DataFrame({"low": [0.0], "high": [0.0], "n": [same], "kind": ["unchanged"]})
    table = pd.concat([tables[0].iloc[::-1], middle, tables[1]], ignore_index=True)
    digits = 0 if width >= 0.01 else 1 if width >= 0.001 else 2
    table["label"] = [_label(low, high, digits) for low, high in zip(table["low"], table["high"], strict=True)]
    median = float(np.median(moved)) if len(moved) else math.nan
    unknown = len(rate) - len(known)
    finding = _finding(len(raised), len(cut), same, unknown, median)
    return PriceChanges(table, len(raised), len(cut), same, unknown, median, finding)


def price_change_figure(data: PriceChanges) -> go.Figure:
    """Draw the histogram; cuts are hatched and raises plain."""
    figure = go.Figure()
    for kind, color, pattern in _KINDS:
        part = data.bins[data.bins["kind"] == kind]
        if part["n"].sum() > 0:
            figure.add_bar(
                x=part["label"], y=part["n"], name=kind, hovertemplate="%{x}: %{y:,} prices<extra></extra>",
                marker={
                    "color": color,
                    "pattern": {"shape": pattern, "fillmode": "overlay", "fgcolor": "#FFFFFF", "size": 6},
                },
            )  # fmt: skip
    labels = data.bins["label"].tolist()
    # Level and short labels: tilted ones push the axis title into the legend where the page is narrow.
    figure.update_xaxes(
        type="category", categoryorder="array", categoryarray=labels, tickangle=0, tickmode="array", tickvals=labels,
        ticktext=["0" if label == "unchanged" else label for label in labels],
    )  # fmt: skip
    figure.update_yaxes(tickformat=",d")
    title = "Change against the current price (label: up to)"
    return frame(figure, data.finding, x=title, y="Number of prices", bargap=0.05)


def _label(low: float, high: float, digits: int) -> str:
    if low == high:
        return "unchanged"
    return percent(low if high <= 0 else high, signed=True, digits=digits)


def _bins(size: NDArray[np.float64], width: float, kind: str) -> pd.DataFrame:
    """Bins (0, width], (width, 2 width], … of sizes above zero."""
    place = np.ceil(size / width - 1e-9).astype(int) - 1
    count = np.bincount(place) if len(place) else np.zeros(0, dtype=int)
    low = width * np.arange(len(count))
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
