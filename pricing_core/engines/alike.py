"""Rows whose keys may be those of another row, found without sorting all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Values = NDArray[np.generic]
Ints = NDArray[np.int64]
Kept = Callable[[int, int], NDArray[np.bool_] | None]
"""Marks the rows of a range that are not set aside; None where all are kept."""

_MIX = np.int64(-7046029254386353131)  # 2^64 divided by the golden ratio, odd: spreads the keys over 64 bits


def neighbors(times: Ints, kept: Kept, piece: int) -> Ints | None:
    """Rows at the time of the kept row before or behind; None where the rows are not in the order of time.

    Parameters
    ----------
    times, kept
        Of all rows.
    piece
        Rows that are looked at at once.
    """
    found, last, row = [np.zeros(0, dtype=np.int64)], times[:0], np.zeros(0, dtype=np.int64)
    for start in range(0, len(times), piece):
        at = times[start : start + piece]
        keep = kept(start, start + len(at))
        rows = start + (np.arange(len(at)) if keep is None else np.flatnonzero(keep))
        at, rows = np.append(last, at if keep is None else at[keep]), np.append(row, rows)
        if (at[1:] < at[:-1]).any():
            return None
        same = at[1:] == at[:-1]
        found.append(rows[np.append(same, False) | np.append(False, same)])
        last, row = at[-1:], rows[-1:]
    every = np.concatenate(found)
    return every[np.append(True, every[1:] != every[:-1])[: len(every)]]  # the last of a piece may be found twice


def alike(rows: Ints, keys: Sequence[Values]) -> tuple[Ints, Ints]:
    """Rows whose keys may be those of another one of them, and a mark that equal keys share.

    Parameters
    ----------
    rows
        Positions.
    keys
        Values of these rows, one array for each key.
    """
    mark = np.zeros(len(rows), dtype=np.int64)
    for values in keys:
        mark = (mark ^ (mark >> 29)) * _MIX + _whole_numbers(values)
    mark *= _MIX
    ordered = np.sort(mark)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    found = pd.Series(mark).isin(twice).to_numpy() if len(twice) else np.zeros(len(mark), dtype=bool)
    return rows[found], mark[found]


def _whole_numbers(values: Values) -> Ints:
    if values.dtype == object:
        return pd.util.hash_array(values).view(np.int64)
    if values.dtype.kind == "f":
        return (values.astype(np.float64) + 0.0).view(np.int64)
    return values.astype(np.int64)
