"""Medians by weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_HALF = 0.5 * (1 - 1e-12)


def weighted_median(values: Floats, weight: Floats) -> float:
    """Smallest value that at least half of the weight does not exceed."""
    return float(grouped_median(values, weight, np.zeros(len(values), dtype=np.int64), 1)[0])


def grouped_median(values: Floats, weight: Floats, code: Ints, groups: int) -> Floats:
    """Weighted median of each group.

    Parameters
    ----------
    values, weight
        (n,), weights above zero.
    code
        (n,) group of each value, 0 … groups − 1.

    Returns
    -------
    (groups,); NaN for a group without values.
    """
    order = np.lexsort((values, code))
    mass = np.cumsum(weight[order])
    ends = np.searchsorted(code[order], np.arange(groups), side="right")
    starts = np.concatenate([[0], ends[:-1]])
    before = np.concatenate([[0.0], mass])[starts]
    total = np.concatenate([[0.0], mass])[ends] - before
    at = np.searchsorted(mass, before + _HALF * total, side="left")
    at = np.clip(at, starts, np.maximum(ends - 1, starts))
    filled = ends > starts
    return np.where(filled, values[order][np.minimum(at, len(values) - 1)], np.nan)
