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
        value, today = float(rows.loc[strategy, name]), float(rows.loc[TODAY, name])
        change = value - today
        if not name.endswith("_rate"):
            change = change / abs(today) if today else np.nan
        ends = [float(rows.loc[strategy, column]) if (column := f"{name}_{end}") in rows.columns else np.nan
                for end in ("low", "high")]  # fmt: skip
        found.append((name, value, *ends, change))
    return pd.DataFrame(found, columns=["figure", "value", "low", "high", "change"]).set_index("figure")
