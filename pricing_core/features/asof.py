"""Sums over the past: what had happened to a key strictly before a moment."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SPAN = np.int64(1) << 36  # seconds; about 2,000 years, so that (key number, second) fits into one sortable integer
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
        Integer key of each record (n,); any integers, for example ``customer · number of products + product``.
    second
        Time of each record in seconds (n,).
    values
        What to add up (n, k); a count is a column of ones.
    """

    def __init__(self, key: Ints, second: Ints, values: Floats) -> None:
        # Keys are numbered in order, since a product of two codes would not leave room for the time in 64 bits.
        self._keys, number = np.unique(key, return_inverse=True)
        composite = self._composite(number, second)
        self.order = np.argsort(composite, kind="stable")
        self._sorted = composite[self.order]
        self._sums = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values[self.order], axis=0)])

    @staticmethod
    def _composite(number: Ints, second: Ints) -> Ints:
        return np.asarray(number * _SPAN + second + _EPOCH, dtype=np.int64)

    def _number(self, key: Ints) -> Ints:
        """Give each key its number in the log, −1 where it never occurs."""
        if not len(self._keys):
            return np.full(len(key), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        return np.where(self._keys[place] == key, place, -1).astype(np.int64)

    def span(self, key: Ints, second: Ints, *, within: int | None = None) -> tuple[Ints, Ints]:
        """Ranks ``[start, end)``, in the order of :attr:`order`, of the records of ``key`` strictly before ``second``.

        Parameters
        ----------
        within
            Take only records at most this many seconds old.

        Returns
        -------
        tuple
            Start and end (n,); equal where a key has no such record.
        """
        number = self._number(key)
        end = np.searchsorted(self._sorted, self._composite(number, second), side="left")
        low = number * _SPAN if within is None else self._composite(number, second - within)
        start = np.searchsorted(self._sorted, low, side="left")
        return np.asarray(np.where(number < 0, 0, start)), np.asarray(np.where(number < 0, 0, end))

    def before(self, key: Ints, second: Ints, *, within: int | None = None) -> Floats:
        """Sum of the records of ``key`` strictly before ``second`` (and at most ``within`` seconds old), shape (n, k).

        A key that never occurred has no past: its sums are zero.
        """
        start, end = self.span(key, second, within=within)
        return np.asarray(self._sums[end] - self._sums[start])

    def last_second(self, key: Ints, second: Ints) -> Floats:
        """Time of the latest record of ``key`` strictly before ``second``, NaN if there is none, shape (n,)."""
        start, end = self.span(key, second)
        found = np.full(len(key), np.nan)
        seen = end > start
        found[seen] = self._sorted[end[seen] - 1] % _SPAN - _EPOCH
        return found
