"""How long a log must be before the time of year can be told from a trend."""

from __future__ import annotations

from typing import Final

import pandas as pd

YEAR_DAYS: Final = 365.25
LEAST_SEASON_DAYS: Final = 430
"""A year, and the latest 15% of the log, which judge the models and so cannot teach them. In a shorter log each time
of year occurs once: its cycle then stands for whatever else went up or down meanwhile, and carries that on wrongly."""

NEARLY_A_YEAR: Final = 270
"""Days of a log from which on a user may expect that the models know the time of year."""


def log_days(first: pd.Timestamp, last: pd.Timestamp) -> int:
    """Days from the date of the first offer to that of the last; 0 where a log has none."""
    return 0 if pd.isna(first) or pd.isna(last) else int((last.floor("D") - first.floor("D")).days)
