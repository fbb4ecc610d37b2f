"""The behavior model beside the simple models that it has to beat, on the same held-out offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pricing_core.errors import DataError

BEHAVIOR_MODEL = "behavior model"
SHOP_AVERAGE = "average of the shop"
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
