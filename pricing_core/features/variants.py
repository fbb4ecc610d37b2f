"""Features of the same offers in another market: moved competitor prices, another week of the year.

Computing features reads the whole log; what a scenario moves are a few market columns, so that these alone are
written anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.seasons import YEAR_DAYS
from pricing_core.features.builder import YEAR_TERMS, FeatureTable
from pricing_core.features.encoder import FeatureEncoder

COMPETITOR_GAP: Final = "competitor gap"
SEASON_TERM: Final = "season (cosine)"
_ALIKE: Final = 0.9  # share of a week's market rows that must agree for the week to have that label


def knows_competitor(table: FeatureTable) -> bool:
    """Whether competitor prices are among the features."""
    return COMPETITOR_GAP in table.frame.columns


def knows_season(encoder: FeatureEncoder, table: FeatureTable) -> bool:
    """Whether models learned the time of year and the offers tell it; they do where the log is long enough."""
    learned = {spec["name"] for spec in encoder.columns_.get("market", [])}
    return any(name in learned and name in table.frame.columns for name in YEAR_TERMS)


def with_competitor(table: FeatureTable, change_rate: float) -> FeatureTable:
    """Offers whose competitor prices are multiplied by one plus ``change_rate``; an unknown price stays unknown."""
    if not change_rate:
        return table
    frame = table.frame
    if knows_competitor(table):
        frame = frame.assign(**{COMPETITOR_GAP: frame[COMPETITOR_GAP] + np.log1p(change_rate)})
    return replace(table, frame=frame, competitor_price=table.competitor_price * (1.0 + change_rate))


def with_season(table: FeatureTable, week: int, labels: dict[str, Any] | None = None) -> FeatureTable:
    """Offers as if made in the middle of an ISO week of the year: calendar terms, and market columns named by week.

    Recent levels (such as the last weeks' conversion) stay as they are.

    Parameters
    ----------
    labels
        Market column → its value in that week, from :func:`week_labels`.
    """
    angle = 2 * np.pi * (7 * (week - 1) + 3.5) / YEAR_DAYS
    present = {name: part for name, part in YEAR_TERMS.items() if name in table.frame.columns}
    moved: dict[str, Any] = {name: float(turn(times * angle)) for name, (times, turn) in present.items()}
    for column, value in (labels or {}).items():
        name = column.replace("_", " ")
        if table.block_of.get(name) == "market":
            moved[name] = value
    columns: dict[str, NDArray[Any]] = {}
    for name, value in moved.items():
        kind = object if isinstance(value, str) else float
        columns[name] = np.full(table.n, value, dtype=kind)
    return replace(table, frame=table.frame.assign(**columns))


def week_labels(market: pd.DataFrame | None, week: int) -> dict[str, str]:
    """Text columns of the market table that say the same in nearly all rows of an ISO week: ``season: winter``.

    Columns whose rows differ within the week are left out.
    """
    if market is None or "date" not in market.columns:
        return {}
    mine = market[pd.to_datetime(market["date"], utc=True).dt.isocalendar().week == week]
    found = {}
    for column in market.columns:
        if column in ("date", "product_id", "category") or pd.api.types.is_numeric_dtype(market[column]):
            continue
        if pd.api.types.is_datetime64_any_dtype(market[column]):
            continue
        share = mine[column].value_counts(normalize=True)
        if len(share) and float(share.iloc[0]) >= _ALIKE:
            found[str(column)] = str(share.index[0])
    return found
