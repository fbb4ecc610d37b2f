"""How a search for settings goes: score by trial, which settings matter, and where the good values lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from pricing_core.charts.setting_words import setting_words
from pricing_core.charts.style import GRAY, INDIGO, ORANGE, TEAL, empty, frame, number, percent, safe
from pricing_core.errors import DataError

AXES: Final = {
    "log_loss": "Log loss per offer (lower is better)",
    "price_reaction": "Forecast error and price reaction (lower is better)",
    "policy_value": "Profit per 1,000 offers (higher is better)",
    "price_error": "Error of the going price (lower is better)",
}
_SETTING: Final = "setting."
_COLUMNS: Final = ("number", "state", "score")
_MOST_SETTINGS: Final = 6
_MOST_NAMES: Final = 6
_MANY_TRIALS: Final = 10  # from which on the worst may lie outside a chart
_WIDE: Final = 4  # times the smallest value, from which ratios count
_ROOM: Final = 0.15  # of an axis, for a label


@dataclass(frozen=True)
class TuningHistory:
    """Trials and what they say.

    Attributes
    ----------
    trials
        ``number, state, shown`` (the score as shown), ``best`` (the best so far); judged trials only.
    start, best_number, best
        Score of the trial with today's settings, number of the best one, and its score; NaN and None where there is
        none.
    higher_is_better
        Whether the score as shown is a profit.
    """

    trials: pd.DataFrame
    criterion: str
    start: float
    best_number: int | None
    best: float
    higher_is_better: bool
    finding: str


@dataclass(frozen=True)
class SettingsSeen:
    """Values tried of each setting: ``names`` and the judged ``trials`` (``shown`` and one column per setting).

    ``start`` is what the settings of today reached.
    """

    names: tuple[str, ...]
    trials: pd.DataFrame
    best_number: int | None
    criterion: str
    finding: str
    start: float = float("nan")


def history_data(trials: pd.DataFrame, criterion: str) -> TuningHistory:
    """Follow the best score from trial to trial.

    Parameters
    ----------
    trials
        ``number, state, score`` and ``today`` (default: the first one), one row per trial; lower scores are better.
    criterion
        A key of :data:`AXES`.

    Raises
    ------
    DataError
        If a column is missing, or the criterion is not known.
    """
    judged, higher = _judged(trials, criterion), criterion == "policy_value"
    if judged.empty:
        tried = len(trials)
        words = "No trial has been judged yet" if not tried else f"None of {tried} trials has been judged yet"
        return TuningHistory(judged.assign(best=[]), criterion, float("nan"), None, float("nan"), higher, words)
    so_far = judged["shown"].cummax() if higher else judged["shown"].cummin()
    judged = judged.assign(best=so_far)
    place = int(np.argmax(judged["shown"]) if higher else np.argmin(judged["shown"]))
    best, at = float(judged["shown"].iloc[place]), int(judged["number"].iloc[place])
    today = judged["today"].astype(bool) if "today" in judged else judged["number"] == 1
    first = judged.loc[today, "shown"]
    start = float(first.iloc[0]) if len(first) else float("nan")
    finding = _finding(at, best, start, criterion, today=bool(today.iloc[place]))
    return TuningHistory(judged, criterion, start, at, best, higher, finding)


def history_figure(data: TuningHistory) -> go.Figure:
    """Draw each judged trial, the best so far, and the first trial's score as the mark to beat."""
    if data.trials.empty:
        return empty(f"{data.finding}.")
    table = data.trials
    figure = go.Figure()
    figure.add_scatter(
        x=table["number"], y=table["shown"], mode="markers", name="trial",
        marker={"color": GRAY, "size": 8}, hovertemplate="trial %{x}: %{y:.4f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=table["number"], y=table["best"], mode="lines", name="best so far",
        line={"color": TEAL, "width": 2, "shape": "hv"}, hovertemplate="best so far: %{y:.4f}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[data.best_number], y=[data.best], mode="markers", name="best trial",
        marker={"color": TEAL, "size": 14, "symbol": "star"}, hovertemplate="trial %{x}: %{y:.4f}<extra></extra>",
    )  # fmt: skip
    if np.isfinite(data.start):
        figure.add_hline(
            y=data.start, line={"color": ORANGE, "dash": "dash", "width": 1},
            annotation_text="settings of today", annotation_position="top right",
        )  # fmt: skip
    if table["number"].max() <= 20:
        figure.update_xaxes(dtick=1)
    low, high = _range_of(table["shown"].to_numpy(dtype=float), higher=data.higher_is_better, start=data.start)
    figure.update_yaxes(range=[low, high])
    return frame(figure, data.finding, x="Trial", y=AXES[data.criterion])


def importance_data(importance: Mapping[str, float]) -> pd.DataFrame:
    """Sort settings by how much of the differences between trials each explains: ``setting, share``."""
    table = pd.DataFrame({"setting": list(importance), "share": list(importance.values())}, dtype=object)
    table["share"] = table["share"].astype(float)
    return table.sort_values("share", ascending=False, ignore_index=True)


def importance_figure(table: pd.DataFrame) -> go.Figure:
    """Draw the settings' shares as bars, the largest on top."""
    if table.empty:
        return empty("Importance needs at least eight judged trials.")
    names = [safe(words(name)) for name in table["setting"]]
    figure = go.Figure(
        go.Bar(
            x=table["share"],
            y=names,
            orientation="h",
            marker_color=TEAL,
            text=[percent(v, digits=0) for v in table["share"]],
            textposition="auto",
            hovertemplate="%{y}: %{x:.0%}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(tickformat=".0%", range=[0, max(1.0, float(table["share"].max()))])
    title = f"What matters most: {words(table['setting'].iloc[0])}" if len(table) > 1 else "One setting was searched"
    return frame(figure, title, x="Share of the differences between trials")


def settings_data(trials: pd.DataFrame, criterion: str) -> SettingsSeen:
    """Collect the values tried of the settings that took more than one value, at most six."""
    judged = _judged(trials, criterion)
    columns = [c for c in trials.columns if str(c).startswith(_SETTING) and judged[c].nunique(dropna=True) > 1]
    names = tuple(str(c).removeprefix(_SETTING) for c in columns[:_MOST_SETTINGS])
    history = history_data(trials, criterion)
    kept = judged[["number", "shown", *columns[:_MOST_SETTINGS]]].rename(
        columns=lambda c: str(c).removeprefix(_SETTING)
    )
    if history.best_number is None or not names:
        return SettingsSeen((), kept, None, criterion, "No two values have been compared yet")
    best = kept[kept["number"] == history.best_number].to_dict("records")[0]
    text = ", ".join(f"{words(name)} {value_words(best[name])}" for name in names)
    return SettingsSeen(names, kept, history.best_number, criterion, f"Best so far: {text}", history.start)


def settings_figure(data: SettingsSeen) -> go.Figure:
    """Draw the score over each setting; the best trial is a star in every panel."""
    if not data.names:
        return empty(f"{data.finding}.")
    figure = make_subplots(rows=1, cols=len(data.names), shared_yaxes=True, horizontal_spacing=0.03)
    best = data.trials["number"] == data.best_number
    for k, name in enumerate(data.names, start=1):
        at, axis = _scale(data.trials[name])
        for rows, color, symbol, size in ((~best, INDIGO, "circle", 8), (best, TEAL, "star", 14)):
            figure.add_scatter(
                x=at[rows], y=data.trials.loc[rows, "shown"], mode="markers", showlegend=False,
                marker={"color": color, "symbol": symbol, "size": size}, customdata=data.trials.loc[rows, "number"],
                hovertemplate=f"trial %{{customdata}}: {safe(words(name))} %{{x}}, %{{y:.4f}}<extra></extra>",
                row=1, col=k,
            )  # fmt: skip
        figure.update_xaxes(title_text=safe(words(name)), row=1, col=k, **axis)
    shown = data.trials["shown"].to_numpy(dtype=float)
    figure.update_yaxes(range=_range_of(shown, higher=data.criterion == "policy_value", start=data.start))
    figure.update_yaxes(title_text=AXES[data.criterion], row=1, col=1)
    return frame(figure, data.finding)


def words(name: str) -> str:
    """Name of a setting in words: ``n_leaves`` → ``leaves per tree``."""
    return setting_words(name)


def value_words(value: Any) -> str:
    """Value of a setting as one would write it: ``5.81e-06`` → ``0.0000058``, ``1024`` → ``1,024``."""
    if isinstance(value, str | bool) or not np.isfinite(value):
        return str(value)
    size = abs(float(value))
    if size == 0 or size >= 1_000 or float(value).is_integer():
        return f"{value:,.0f}"
    digits = max(1, 1 - int(np.floor(np.log10(size))))  # two that count
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".")


def _judged(trials: pd.DataFrame, criterion: str) -> pd.DataFrame:
    missing = [name for name in _COLUMNS if name not in trials.columns]
    if missing or criterion not in AXES:
        raise DataError(f"The trials lack {', '.join(missing)}." if missing else f"{criterion!r} is no criterion.")
    judged = trials[(trials["state"] == "done") & np.isfinite(trials["score"].astype(float))]
    factor = -1000.0 if criterion == "policy_value" else 1.0
    return judged.assign(shown=factor * judged["score"].astype(float)).reset_index(drop=True)


def _finding(at: int, best: float, start: float, criterion: str, *, today: bool) -> str:
    unit = {"policy_value": "profit per 1,000 offers", "price_error": "price error", "log_loss": "log loss"}
    name = unit.get(criterion, "score")
    shown = percent(best, digits=2) if criterion == "price_error" else number(best, 2 if "profit" in name else 4)
    words_ = f"Trial {at} is best so far: {name} {shown}"
    if today:
        return f"Nothing better than the settings of today so far: {name} {shown}"
    if not np.isfinite(start) or start == 0:
        return words_
    change = best / start - 1
    side = "above" if change > 0 else "below"
    return f"{words_}, {percent(abs(change), digits=2)} {side} the settings of today"


def _range_of(values: Any, *, higher: bool, start: float = float("nan")) -> list[float]:
    """Axis range that shows the good half and the start well; of ten trials and more some far off may lie outside."""
    far = 0.1 if len(values) >= _MANY_TRIALS else 0.0
    good, bad = (values.max(), np.quantile(values, far)) if higher else (values.min(), np.quantile(values, 1 - far))
    if np.isfinite(start):
        bad = min(bad, start) if higher else max(bad, start)
    room = 0.15 * (abs(good - bad) or abs(good) * 0.02 or 1.0)
    return [float(min(good, bad) - room), float(max(good, bad) + room)]


def _scale(values: pd.Series[Any]) -> tuple[pd.Series[Any], dict[str, Any]]:
    """Values as they are drawn, and their axis: names side by side, numbers where they lie, wide ranges by ratios."""
    numeric = pd.to_numeric(values, errors="coerce")
    if numeric.isna().any():
        return values.astype(str), {"type": "category"}
    wide = numeric.min() > 0 and numeric.max() / numeric.min() >= _WIDE
    if numeric.nunique() <= _MOST_NAMES:
        tried = sorted(numeric.unique().tolist())
        labels = _apart(np.log10(tried) if wide else np.asarray(tried, dtype=float))
        ticks = {"tickvals": [tried[k] for k in labels], "ticktext": [value_words(tried[k]) for k in labels]}
        return numeric, {"type": "log" if wide else "linear", **ticks}
    if not wide:
        return numeric, {"nticks": 4}
    low, high = np.log10(numeric.min()), np.log10(numeric.max())
    powers = np.arange(np.floor(low), np.ceil(high) + 1)
    shown = powers[:: max(1, int(np.ceil(len(powers) / 4)))]
    return numeric, {"type": "log", "tickvals": 10.0**shown, "ticktext": [value_words(10.0**p) for p in shown]}


def _apart(places: NDArray[np.float64]) -> list[int]:
    """Which of some ascending places can carry a label without touching the one before."""
    shown = [0]
    for k in range(1, len(places)):
        if places[k] - places[shown[-1]] >= _ROOM * (places[-1] - places[0]):
            shown.append(k)
    return shown
