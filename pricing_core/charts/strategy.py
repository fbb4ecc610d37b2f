"""One strategy beside today's prices, figure by figure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pricing_core.charts.scenarios import TODAY
from pricing_core.errors import DataError

FIGURES = ("profit", "revenue", "units", "conversion_rate", "average_price", "margin_rate")


def against_today_data(table: pd.DataFrame, strategy: str) -> pd.DataFrame:
    """Compare a strategy's simulated figures with those of today's prices.

    Parameters
    ----------
    table
        One row per strategy, as a simulation returns it; the status quo must be among them.

    Returns
    -------
    DataFrame
        A row per figure of :data:`FIGURES` (its index): ``value, low, high`` (NaN where the simulation gives no range)
        and ``change``: the difference for figures that end in ``_rate``, else the change as a share of today's.

    Raises
    ------
    DataError
        If the strategy or the status quo was not simulated.
    """
    rows = table.set_index("strategy")
    missing = [name for name in (strategy, TODAY) if name not in rows.index]
    if missing:
        raise DataError(f"The strategy {missing[0]!r} was not simulated.", fix="Add it to the strategies.")
    found = []
    for name in FIGURES:
        value, today = _figure(rows, strategy, name), _figure(rows, TODAY, name)
        change = value - today
        if not name.endswith("_rate"):
            change = change / abs(today) if today else np.nan
        ends = [_figure(rows, strategy, f"{name}_{end}") for end in ("low", "high")]
        found.append((name, value, *ends, change))
    return pd.DataFrame(found, columns=["figure", "value", "low", "high", "change"]).set_index("figure")


def _figure(rows: pd.DataFrame, strategy: str, name: str) -> float:
    """Value of one figure; NaN where the simulation does not give it."""
    if name not in rows.columns:
        return float("nan")
    return float(rows[name].astype(float)[strategy])
