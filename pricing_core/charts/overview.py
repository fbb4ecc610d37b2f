"""The shop's recent weeks in a few numbers, for the Today page."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pricing_core.data.dataset import Dataset
from pricing_core.errors import ConfigError
from pricing_core.evaluate.sales import sales_log

WEEKLY_COLUMNS = ("week", "offers", "conversion_rate", "average_price", "revenue", "profit", "margin_rate")
_SUMMED = ("offers", "purchased", "price", "revenue", "profit")


def weekly_overview_data(dataset: Dataset, *, weeks: int = 12) -> pd.DataFrame:
    """Offers, conversion, price, revenue and profit of the last complete weeks.

    A week runs from Monday to Sunday (UTC) and counts as complete when the log reaches its end. Revenue is the sum of
    price × units over the offers that were bought (one unit where the quantity is unknown), and profit the same sum of
    price − unit cost, where a missing unit cost is price × (1 − margin assumption).

    Parameters
    ----------
    weeks
        How many of the newest weeks to return.

    Returns
    -------
    DataFrame
        One row per week, oldest first: week (its Monday), offers, conversion_rate in [0, 1], average_price (mean of the
        offered prices), revenue, profit, margin_rate (profit / revenue). NaN, not zero, where a figure has no basis.
    """
    if weeks < 1:
        raise ConfigError(f"The number of weeks is {weeks}.", fix="Give at least 1.")
    log = sales_log(dataset)
    return overview_of(weekly_sums(log), log["offered_at"].max(), weeks=weeks)


def weekly_sums(log: pd.DataFrame) -> pd.DataFrame:
    """Sums by week of an output of :func:`sales_log`; those of its parts add up to those of the whole."""
    return log.groupby("week")[list(_SUMMED)].sum()


def overview_of(sums: pd.DataFrame, log_to: pd.Timestamp, *, weeks: int = 12) -> pd.DataFrame:
    """Return the table of :func:`weekly_overview_data` from the sums by week of a log that ends at ``log_to``."""
    sums = sums.reindex(pd.date_range(sums.index.min(), sums.index.max(), freq="7D", name="week"), fill_value=0.0)
    complete = sums.index <= log_to.floor("D") - pd.Timedelta(days=6)
    sums = sums[complete] if complete.any() else sums
    offers = sums["offers"].replace(0, np.nan)
    table = sums.assign(
        conversion_rate=sums["purchased"] / offers,
        average_price=sums["price"] / offers,
        margin_rate=sums["profit"] / sums["revenue"].replace(0, np.nan),
    ).reset_index()
    return table[list(WEEKLY_COLUMNS)].tail(weeks).reset_index(drop=True)


def latest_change_data(weekly: pd.DataFrame) -> pd.DataFrame:
    """Return the newest week's figures and how they moved against the week before.

    Parameters
    ----------
    weekly
        Table of :func:`weekly_overview_data`.

    Returns
    -------
    DataFrame
        A row per figure (its index): ``value``, and ``change``: the difference for figures that end in ``_rate``, else
        the change as a share of the week before; NaN where there is no such week.
    """
    figures = [name for name in weekly.columns if name != "week"]
    newest = weekly[figures].iloc[-1].astype(float)
    before = weekly[figures].iloc[-2].astype(float) if len(weekly) > 1 else newest * np.nan
    difference = newest - before
    is_rate = pd.Series(figures, index=figures).str.endswith("_rate")
    return pd.DataFrame({"value": newest, "change": difference.where(is_rate, difference / before.abs())})
