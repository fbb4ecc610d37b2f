"""Does the model find the buyers: purchase rates from the offers it rates highest down to those it rates lowest."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pricing_core.errors import ConfigError
from pricing_core.evaluate.calibration import wilson_interval
from pricing_core.evaluate.metrics import checked_outcomes


def lift_table(y: ArrayLike, p: ArrayLike, weight: ArrayLike | None = None, *, groups: int = 10) -> pd.DataFrame:
    """Observed purchase rate by tenth of the offers, the highest predictions first.

    Each group holds an equal part of the offers' weight; offers of equal prediction stay in the order they came.

    Parameters
    ----------
    y, p, weight
        Outcome 0 or 1, predicted probability, optional weight; shape (n,).
    groups
        Number of groups, at least 2; with fewer offers there is one group per offer.

    Returns
    -------
    DataFrame
        ``group`` (1: highest predictions), ``n``, ``predicted_rate``, ``observed_rate``, ``observed_low``,
        ``observed_high`` (90% Wilson interval), ``lift`` (observed rate / rate of all offers; NaN if nobody bought)
        and ``cumulative_share`` (share of all purchases in this group and those above it).

    Raises
    ------
    ConfigError
        If fewer than two groups are asked for.
    """
    if groups < 2:
        raise ConfigError(f"The number of groups is {groups}; it must be at least 2.")
    outcome, probability, weights = checked_outcomes(y, p, weight)
    order = np.argsort(-probability, kind="stable")
    outcome, probability, weights = outcome[order], probability[order], weights[order]
    middle = (np.cumsum(weights) - weights / 2) / weights.sum()
    group = np.unique(np.minimum((middle * groups).astype(int), groups - 1), return_inverse=True)[1]
    size, squares = np.bincount(group, weights=weights), np.bincount(group, weights=weights**2)
    bought = np.bincount(group, weights=weights * outcome)
    observed = bought / size
    low, high = wilson_interval(observed, size**2 / squares)
    overall = bought.sum() / size.sum()
    return pd.DataFrame(
        {
            "group": np.arange(1, len(size) + 1),
            "n": np.bincount(group),
            "predicted_rate": np.bincount(group, weights=weights * probability) / size,
            "observed_rate": observed,
            "observed_low": low,
            "observed_high": high,
            "lift": observed / overall if overall > 0 else np.full(len(size), np.nan),
            "cumulative_share": np.cumsum(bought) / bought.sum() if overall > 0 else np.full(len(size), np.nan),
        }
    )
