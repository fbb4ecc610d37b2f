"""A price list in one sentence that a manager can repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

_HALF_MINOR_UNIT = 0.0005


def change_counts(frame: pd.DataFrame) -> dict[str, int]:
    """How many prices of a native price list are raised, cut, and held as they are."""
    change = frame["new_price"].to_numpy(dtype=float) - frame["current_price"].to_numpy(dtype=float)
    raised, cut = int((change > _HALF_MINOR_UNIT).sum()), int((change < -_HALF_MINOR_UNIT).sum())
    return {"raise": raised, "cut": cut, "hold": len(frame) - raised - cut}


def summary_sentence(frame: pd.DataFrame, effect: Mapping[str, Any] | pd.Series) -> str:
    """``Raise 14, cut 9, hold 77: +2.1% profit against today's prices, 90% range −0.3% to +4.4%``.

    Parameters
    ----------
    frame
        Native price list.
    effect
        ``profit_uplift_rate`` against the status quo with ``_low`` and ``_high``, as a simulation gives them.
    """
    counts = change_counts(frame)
    what = f"Raise {counts['raise']:,}, cut {counts['cut']:,}, hold {counts['hold']:,}"
    uplift, low, high = (float(effect[f"profit_uplift_rate{end}"]) for end in ("", "_low", "_high"))
    if not np.isfinite(uplift):
        return f"{what}: the status quo makes no profit, so that there is no percentage to compare with."
    if not np.isfinite(low):
        return f"{what}: {_signed(uplift)} profit against today's prices; the range is unknown."
    return f"{what}: {_signed(uplift)} profit against today's prices, 90% range {_signed(low)} to {_signed(high)}"


def _signed(rate: float) -> str:
    text = f"{100 * rate:+.1f}%"
    return "0.0%" if text in ("+0.0%", "-0.0%") else text.replace("-", "\u2212")
