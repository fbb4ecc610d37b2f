"""Response curves: how an answer changes when one thing is varied and all else stays, and where data support it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, DataError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ResponseCurves:
    """Answers of *n* offers over a grid of *m* values.

    Attributes
    ----------
    grid
        (m,) values, ascending, in the unit in which they are shown.
    curves
        (n, m) answer of each offer (individual conditional expectation).
    own
        (m,) answer of the offer in question.
    own_value
        Where that offer stands now; NaN if unknown.
    support
        ``low, high, share``: share of past offers in bins of the value.
    """

    grid: Floats
    curves: Floats
    own: Floats
    own_value: float
    support: pd.DataFrame

    @property
    def mean(self) -> Floats:
        """Partial dependence: the mean of the curves, (m,)."""
        return np.asarray(self.curves.mean(axis=0))


def support_grid(values: Floats, *, points: int = 25, tail: float = 0.01) -> Floats:
    """Values at which an answer can be asked: between the outermost percents of past values, denser where they are.

    Half of the points are spread evenly over the range and half over the ranks.

    Raises
    ------
    DataError
        If there are no past values or they are all equal.
    """
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if not len(known) or np.ptp(known) == 0:
        raise DataError("This never varied in the past, so nothing can be said about other values.")
    low, high = np.quantile(known, [tail, 1 - tail])
    if low == high:
        low, high = known.min(), known.max()
    even = np.linspace(low, high, points - points // 2)
    ranks = np.quantile(known, np.linspace(tail, 1 - tail, points // 2)) if points > 1 else np.empty(0)
    return np.unique(np.concatenate([even, np.clip(ranks, low, high)]))


def response_curves(
    answer: Callable[[float], Any], grid: Floats, *, own: int, own_value: float, past: Floats, bins: int = 24
) -> ResponseCurves:
    """Ask for every value of the grid.

    Parameters
    ----------
    answer
        From a value to the answers of all offers (n,) with that value in place of their own.
    grid
        (m,) values, ascending.
    own
        Which of the offers is the one in question; it is not part of the mean if there are others.
    own_value
        Where it stands now.
    past
        Past values, for the support.
    bins
        Bins of the support.

    Raises
    ------
    ConfigError
        If the grid is empty or not ascending.
    DataError
        If answers are not finite.
    """
    if not len(grid) or (np.diff(grid) <= 0).any():
        raise ConfigError("The grid must hold ascending values.")
    table = np.column_stack([np.asarray(answer(float(value)), dtype=float) for value in grid])
    if not np.isfinite(table).all():
        raise DataError("The model gave answers that are not finite.")
    known = np.asarray(past, dtype=float)
    known = known[np.isfinite(known)]
    edges = np.linspace(grid[0], grid[-1], bins + 1) if len(grid) > 1 else np.array([grid[0] - 0.5, grid[0] + 0.5])
    inside = known[(known >= edges[0]) & (known <= edges[-1])]
    share = np.histogram(inside, edges)[0] / max(len(known), 1)
    support = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "share": share})
    rest = np.delete(table, own, axis=0) if len(table) > 1 else table
    return ResponseCurves(np.asarray(grid, dtype=float), rest, table[own], own_value, support)
