"""Loss while a model learns, live or afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import DASHES, GRAY, MARKERS, SERIES, empty, frame, safe
from pricing_core.errors import DataError

_JUDGE: Final = "validation loss"


@dataclass(frozen=True)
class TrainingCurves:
    """Curves to draw and what they say.

    Attributes
    ----------
    curves
        Name → frame with ``step`` and ``value``, steps ascending.
    best_step, best_value
        Lowest validation loss and where; None and NaN where it has not been measured.
    finding
        The title.
    """

    curves: dict[str, pd.DataFrame]
    best_step: int | None
    best_value: float
    finding: str


def training_data(metrics: pd.DataFrame) -> TrainingCurves:
    """Sort measured losses into curves.

    Parameters
    ----------
    metrics
        Either ``name, step, value`` (as a running job reports them; ``epoch`` is read as ``step``; of a step measured
        twice the later counts), or one row per ``epoch`` and ``phase`` with columns ending in ``_loss``.

    Raises
    ------
    DataError
        If the columns are neither.
    """
    table = _long(metrics)
    table = table[np.isfinite(table["value"])].drop_duplicates(["name", "step"], keep="last")
    curves = {
        str(name): part[["step", "value"]].sort_values("step", ignore_index=True)
        for name, part in table.groupby("name", sort=False)
    }
    judged = curves.get(_JUDGE)
    if judged is None:
        return TrainingCurves(curves, None, float("nan"), _unjudged(curves))
    place = int(judged["value"].idxmin())
    best, value = int(judged["step"][place]), float(judged["value"][place])
    return TrainingCurves(curves, best, value, _finding(judged, place))


def training_figure(data: TrainingCurves) -> go.Figure:
    """Draw the curves, each with its own dash and marker, and mark the best pass."""
    if not data.curves:
        return empty("No loss has been measured yet.")
    figure = go.Figure()
    for k, (name, curve) in enumerate(data.curves.items()):
        figure.add_scatter(
            x=curve["step"],
            y=curve["value"],
            name=safe(name),
            mode="lines+markers",
            line={"color": SERIES[k % len(SERIES)], "dash": DASHES[k % len(DASHES)], "width": 2},
            marker={"symbol": MARKERS[k % len(MARKERS)], "size": 7},
            hovertemplate="pass %{x}: %{y:.4f}<extra>" + safe(name) + "</extra>",
        )
    if data.best_step is not None:
        figure.add_vline(x=data.best_step, line={"color": GRAY, "dash": "dot", "width": 1})
    figure.update_xaxes(dtick=1 if max(int(c["step"].max()) for c in data.curves.values()) <= 20 else None)
    return frame(figure, data.finding, x="Pass over the data", y="Log loss per offer (lower is better)")


def _long(metrics: pd.DataFrame) -> pd.DataFrame:
    if {"name", "value"} <= set(metrics.columns):
        table = metrics.rename(columns={"epoch": "step"} if "step" not in metrics.columns else {})
        if "step" in table.columns:
            return table[["name", "step", "value"]].astype({"value": float})
    losses = [column for column in metrics.columns if str(column).endswith("_loss")]
    if "epoch" not in metrics.columns or not losses:
        raise DataError(
            f"A training history needs name, step and value; it has {', '.join(map(str, metrics.columns))}."
        )
    wide = metrics.assign(phase=metrics["phase"] if "phase" in metrics.columns else "")
    long = wide.melt(["phase", "epoch"], losses, "name", "value")
    name = long["name"].str.replace("_", " ")
    long["name"] = name.where(long["phase"] != "refit", "final " + name)
    return long.rename(columns={"epoch": "step"})[["name", "step", "value"]].astype({"value": float})


def _finding(judged: pd.DataFrame, place: int) -> str:
    value, last = float(judged["value"][place]), len(judged) - 1
    if last == 0:
        return f"Validation loss {value:.4f} after the first pass"
    gain = 1 - value / float(judged["value"][0])
    if place == last:
        passes = int(judged["step"][place])
        return f"Still improving: validation loss {value:.4f} after pass {passes}, {gain:.1%} below the first"
    later = int(judged["step"][last]) - int(judged["step"][place])
    return (
        f"Best validation loss {value:.4f} at pass {int(judged['step'][place])}; "
        f"{later} {'pass' if later == 1 else 'passes'} later it had not improved"
    )


def _unjudged(curves: dict[str, pd.DataFrame]) -> str:
    if not curves:
        return "No loss has been measured yet"
    name, curve = next(iter(curves.items()))
    return f"{name[:1].upper()}{name[1:]} {float(curve['value'].iloc[-1]):.4f} after pass {int(curve['step'].iloc[-1])}"
