"""The behavior model beside the simple models that it has to beat, on the same held-out offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go

from pricing_core.charts.style import GRAY, TEAL, frame, money, safe, shorten
from pricing_core.errors import DataError
from pricing_core.evaluate.family_values import FORECAST

BEHAVIOR_MODEL = "behavior model"
SHOP_AVERAGE = "average of the shop"
CANDIDATE: Final = "candidate"
YARDSTICK: Final = "yardstick"
_NAMES: Final = {
    "average of the product": "Average of the product", "average of the shop": "Average of the shop",
    "monotone boosted trees": "Monotone boosted trees",
}  # fmt: skip
_COLUMNS: Final = (
    "family", "label", "kind", "chosen", "policy_basis", "policy_value", "policy_low", "policy_high", "price_slope",
    "price_slope_low", "price_slope_high", "log_loss", "auc", "accuracy", "seconds", "size_bytes",
)  # fmt: skip
_FIGURES = ("log_loss", "auc", "accuracy", "brier", "calibration_slope")


def leaderboard_data(metrics: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per model, best first.

    Parameters
    ----------
    metrics
        Figures of the behavior model, and under ``baselines`` name → the same figures of each simple model.

    Returns
    -------
    DataFrame
        ``model, log_loss, gain_rate, auc, accuracy, brier, calibration_slope``. ``gain_rate`` is the share of the log
        loss of the shop's average rate that the model takes away: 1 − log_loss / log_loss of the average; 0 knows
        nothing about an offer, 1 would know everything.

    Raises
    ------
    DataError
        If the shop's average is not among the baselines.
    """
    baselines = dict(metrics.get("baselines", {}))
    if SHOP_AVERAGE not in baselines:
        raise DataError(f"The run was not compared with the {SHOP_AVERAGE}.", fix="Train the models again.")
    models = {BEHAVIOR_MODEL: metrics, **baselines}
    table = pd.DataFrame([{"model": name, **{key: row[key] for key in _FIGURES}} for name, row in models.items()])
    table.insert(2, "gain_rate", 1 - table["log_loss"] / float(baselines[SHOP_AVERAGE]["log_loss"]))
    return table.sort_values("log_loss", kind="stable").reset_index(drop=True)


def candidates_data(
    metrics: Mapping[str, Any], *, seconds: float | None = None, size_bytes: float | None = None
) -> pd.DataFrame:
    """Return the families of models that competed, the chosen one first, and below them the simple yardsticks.

    Parameters
    ----------
    metrics
        ``leaderboard`` holds one record per candidate; a run of an earlier version has none, and then its behavior
        model is the only candidate, with the figures that the run has.
    seconds, size_bytes
        Training time and stored size of that behavior model, where known.

    Returns
    -------
    DataFrame
        ``family, label, kind`` (candidate or yardstick), ``chosen, policy_basis`` (what the value of its prices rests
        on), ``policy_value, policy_low, policy_high`` (profit per offer), ``price_slope`` with its range,
        ``log_loss, auc, accuracy, seconds, size_bytes``; missing where unknown.
    """
    listed = [dict(row) for row in metrics.get("leaderboard") or []]
    if not listed:
        listed = [_only_candidate(metrics, seconds, size_bytes)]
    candidates = [{"kind": CANDIDATE, **row} for row in listed]
    known = {str(row.get("label", "")).lower() for row in listed} | {str(row.get("family", "")) for row in listed}
    yardsticks = [
        {"family": name, "label": _NAMES.get(name, name), "kind": YARDSTICK, "chosen": False,
         **{key: row.get(key) for key in ("log_loss", "auc", "accuracy")}}
        for name, row in metrics.get("baselines", {}).items()
        if name.lower() not in known and not ("monotone" in name and "monotone_trees" in known)
    ]  # fmt: skip
    table = pd.DataFrame([*candidates, *yardsticks]).reindex(columns=list(_COLUMNS))
    numbers = list(_COLUMNS[5:])
    table[numbers] = table[numbers].apply(pd.to_numeric, errors="coerce").astype(float)
    table["chosen"] = [value is True for value in table["chosen"]]
    order = table.assign(rank=(table["kind"] == YARDSTICK) * 2 - table["chosen"].astype(int))
    return table.loc[order.sort_values(["rank", "log_loss"], kind="stable").index].reset_index(drop=True)


def candidates_figure(table: pd.DataFrame, *, currency: str = "") -> go.Figure | None:
    """Draw what each candidate's prices would have earned per 1,000 offers, with 90% range; None below two of them."""
    known = table[table["policy_value"].notna()].iloc[::-1]
    if len(known) < 2:
        return None
    finding = _finding(known, currency)
    figure = go.Figure()
    for is_chosen, name, color, symbol in ((True, "chosen", TEAL, "circle"), (False, "other models", GRAY, "diamond")):
        part = known[known["chosen"] == is_chosen]
        if len(part):
            value = 1000 * part["policy_value"]
            figure.add_scatter(
                x=value, y=[shorten(label, 30) for label in part["label"]], mode="markers", name=name,
                marker={"color": color, "symbol": symbol, "size": 10},
                text=[
                    f"{safe(label)}: {_thousand(each, currency)} per 1,000 offers"
                    for label, each in zip(part["label"], part["policy_value"], strict=True)
                ],
                hovertemplate="%{text}<extra></extra>",
                error_x={
                    "type": "data", "symmetric": False, "array": 1000 * part["policy_high"] - value,
                    "arrayminus": value - 1000 * part["policy_low"], "color": color, "thickness": 1.5, "width": 4,
                },
            )  # fmt: skip
    figure.update_yaxes(categoryorder="array", categoryarray=[shorten(label, 30) for label in known["label"]])
    unit, rows = f" ({currency})" if currency else "", 34 * max(len(known), 4)
    frame(figure, finding, x=f"Profit per 1,000 offers{unit}, 90% range", height=rows + 170)
    return figure.update_layout(legend_y=-64 / rows)


def _finding(known: pd.DataFrame, currency: str) -> str:
    """Whose prices earned most, and whether that is more than chance beside what the chosen model's earned.

    The choice takes the luck that models share on the same offers into account, so that its errors are smaller than
    these ranges; where the ranges do not overlap, only the two amounts are told.
    """
    best = known.iloc[int(known["policy_value"].argmax())]
    forecast = best["policy_basis"] == FORECAST
    told = "By the forecast of the other models" if forecast else "On past offers"
    most = f"{told}, the prices of “{best['label']}” earned most: {_thousand(best['policy_value'], currency)}"
    chosen = known[known["chosen"]]
    if not len(chosen) or bool(best["chosen"]):
        return f"{most} per 1,000 offers"
    mine = chosen.iloc[0]
    most += f" per 1,000 offers, against {_thousand(mine['policy_value'], currency)} of the chosen model"
    if mine["policy_high"] < best["policy_low"]:
        return most
    return f"{most}; the ranges overlap, so that value alone does not decide between them"


def _thousand(value: Any, currency: str) -> str:
    return money(1000 * float(value), currency)


def _only_candidate(metrics: Mapping[str, Any], seconds: float | None, size_bytes: float | None) -> dict[str, Any]:
    """Record of the behavior model from the figures that runs have always held."""
    slope = list(metrics.get("price_band_slope") or (None, None, None))
    judged = (metrics.get("policy_value") or {}).get("personalized") or {}
    judged = judged if judged.get("reliable") else {}
    return {
        "family": "network", "label": "Deep behavior model", "chosen": True, "policy_value": judged.get("value"),
        "policy_low": judged.get("low"), "policy_high": judged.get("high"), "price_slope": slope[0],
        "price_slope_low": slope[1], "price_slope_high": slope[2], "seconds": seconds, "size_bytes": size_bytes,
        **{key: metrics.get(key) for key in ("log_loss", "auc", "accuracy")},
    }  # fmt: skip
