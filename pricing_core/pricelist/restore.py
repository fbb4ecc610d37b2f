"""A new version of a price list out of an earlier one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pricing_core.pricelist.difference import KEY


def restored(earlier: pd.DataFrame, live: pd.DataFrame | None, *, reason: str | None = None) -> pd.DataFrame:
    """Proposals that bring back the prices of an earlier list.

    Parameters
    ----------
    earlier
        The list to bring back, with its native columns.
    live
        The list in force: its prices are today's prices of the new list. None: what was today's price then stays.
    reason
        Shown for each price; by default each keeps its own.

    Returns
    -------
    DataFrame
        Native columns. Expected effects stay as they were predicted for these prices then.
    """
    frame = earlier.copy()
    if live is not None and len(live):
        today = live.drop_duplicates(list(KEY)).assign(_today=live["new_price"].astype(float))
        matched = _keys(frame).merge(_keys(today).assign(_today=today["_today"].to_numpy()), on=list(KEY), how="left")
        found = matched["_today"].to_numpy(dtype=float)
        frame["current_price"] = np.where(np.isfinite(found), found, frame["current_price"].to_numpy(dtype=float))
    new, current = frame["new_price"].to_numpy(dtype=float), frame["current_price"].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        frame = frame.assign(change_rate=new / current - 1, status="Draft", approved_by=None)
    return frame if reason is None else frame.assign(reason=reason)


def _keys(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({name: frame[name].astype("str").fillna("") for name in KEY}).reset_index(drop=True)
