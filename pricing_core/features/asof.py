"""Sums over the past: what had happened to a key strictly before a moment."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SPAN = np.int64(1) << 36  # seconds; about 2,000 years, so that (key, second) fits into one sortable integer
_EPOCH = np.int64(1) << 35  # shifts seconds before 1970 into the positive range


def to_seconds(times: pd.Series) -> Ints:
    """Whole seconds since 1970 in UTC, shape (n,)."""
    return np.asarray(times.to_numpy(dtype="datetime64[s]").astype(np.int64))


def codes_of(values: pd.Series, levels: pd.Index) -> Ints:
    """Position of each value in ``levels``, −1 where it is not there, shape (n,)."""
    return np.asarray(levels.get_indexer(pd.Index(values)), dtype=np.int64)


class PastSums:
    """Cumulative sums per key, queried as of a time.

    Parameters
    ----------
    key
        Integer key of each record (n,), ≥ 0.
    second
        Time of each record in seconds (n,).
    values
        What to add up (n, k); a count is a column of ones.
    """

    def __init__(self, key: Ints, second: Ints, values: Floats) -> None:
        composite = self._composite(key, second)
        self.order = np.argsort(composite, kind="stable")
        self._sorted = composite[self.order]
        self._sums = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values[self.order], axis=0)])

    @staticmethod
    def _composite(key: Ints, second: Ints) -> Ints:
        return np.asarray(key * _SPAN + second + _EPOCH, dtype=np.int64)

    def position(self, key: Ints, second: Ints) -> Ints:
        """Rank in time order (over all keys) of the first record of ``key`` at or after ``second``."""
        return np.asarray(np.searchsorted(self._sorted, self._composite(key, second), side="left"))

    def first(self, key: Ints) -> Ints:
        """Rank of the first record of ``key``."""
        return np.asarray(np.searchsorted(self._sorted, key * _SPAN, side="left"))

    def before(self, key: Ints, second: Ints, *, within: int | None = None) -> Floats:
        """Sum of the records of ``key`` strictly before ``second`` (and at most ``within`` seconds old), shape (n, k).

        A key of −1 (never seen) has no past: its sums are zero.
        """
        end = self.position(key, second)
        start = self.first(key) if within is None else self.position(key, second - within)
        known = (key >= 0)[:, None]
        return np.where(known, self._sums[end] - self._sums[start], 0.0)

    def last_second(self, key: Ints, second: Ints) -> Floats:
        """Time of the latest record of ``key`` strictly before ``second``, NaN if there is none, shape (n,)."""
        end = self.position(key, second)
        seen = (key >= 0) & (end > self.first(key))
        time = self._sorted[np.maximum(end - 1, 0)] % _SPAN - _EPOCH
        return np.where(seen, time, np.nan)
