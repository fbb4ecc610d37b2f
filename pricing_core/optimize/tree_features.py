"""Features of a prescription tree: numbers in bins with readable thresholds, levels of text, questions about them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

MAX_BINS: Final = 64
ALL_SETS: Final = 6  # levels, up to which every set of levels is tried
_DIGITS: Final = 15


@dataclass(frozen=True)
class Split:
    """Question of a node: offers for which it holds go left.

    A number goes left if it is at most ``threshold``, and where unknown if ``unknown_left``. Without a threshold (NaN)
    a level goes left if it is among ``levels`` and right if among ``other_levels``; one that was not seen follows
    ``unknown_left``, as most offers do.
    """

    feature: str
    threshold: float = float("nan")
    levels: tuple[str, ...] = ()
    other_levels: tuple[str, ...] = ()
    unknown_left: bool = False

    @property
    def is_number(self) -> bool:
        """Whether the question compares a number."""
        return not math.isnan(self.threshold)

    def holds(self, values: pd.Series) -> Mask:
        """Whether each value goes left, (n,)."""
        if self.is_number:
            number = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
            return np.asarray(np.where(np.isfinite(number), number <= self.threshold, self.unknown_left), dtype=bool)
        text = as_text(values)
        left, right = np.isin(text, self.levels), np.isin(text, self.other_levels)
        return np.asarray(left | (~right & self.unknown_left), dtype=bool)


@dataclass(frozen=True, eq=False)
class Feature:
    """One feature in codes.

    Attributes
    ----------
    code
        (n,) bin of each offer. Numbers: 0 where unknown, then in ascending order.
    bins
        Number of bins.
    thresholds
        Upper end of each known bin but the last; empty for levels.
    levels
        Names of the bins; empty for numbers.
    """

    name: str
    code: Ints
    bins: int
    thresholds: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()

    def left_sets(self, sums: Floats, counts: Ints) -> Mask:
        """Sets of bins that may go left, (m, bins), given each bin's profit (bins, K) and offers in a node."""
        present = np.flatnonzero(counts > 0)
        if self.levels:
            return self._level_sets(sums, counts, present)
        known = present[present > 0]
        prefixes = np.arange(self.bins)[None, :] <= known[:, None]
        prefixes[:, 0] = False
        if counts[0] == 0:
            return np.asarray(prefixes)
        with_unknown = np.vstack([np.zeros((1, self.bins), dtype=bool), prefixes])
        with_unknown[:, 0] = True
        return np.vstack([with_unknown, prefixes])

    def _level_sets(self, sums: Floats, counts: Ints, present: Ints) -> Mask:
        if len(present) < 2:
            return np.zeros((0, self.bins), dtype=bool)
        if len(present) <= ALL_SETS:
            chosen = all_sets(len(present))
        else:
            own = sums[present]
            rise = (own[:, -1] - own[:, 0]) / counts[present]
            order = np.lexsort((np.arange(len(present)), rise, own.argmax(axis=1)))
            rank = np.empty(len(present), dtype=np.int64)
            rank[order] = np.arange(len(present))
            chosen = rank[None, :] <= np.arange(len(present) - 1)[:, None]
        out = np.zeros((len(chosen), self.bins), dtype=bool)
        out[:, present] = chosen
        return out

    def split(self, left: Mask, counts: Ints) -> Split:
        """Question that sends the bins ``left`` (bins,) of a node to the left."""
        if self.levels:
            present = counts > 0
            names = np.array(self.levels, dtype=object)
            yes, no = names[left & present], names[~left & present]
            most_left = bool(counts[left].sum() > counts[~left].sum())
            return Split(self.name, levels=tuple(yes), other_levels=tuple(no), unknown_left=most_left)
        known = np.flatnonzero(left[1:])
        ends = (*self.thresholds, math.inf)
        return Split(self.name, ends[known[-1]] if known.size else -math.inf, unknown_left=bool(left[0]))


def all_sets(levels: int) -> Mask:
    """Every way to send some but not all levels left, up to exchanging left and right, (m, levels)."""
    sets = [(0, *more) for size in range(levels - 1) for more in combinations(range(1, levels), size)]
    out = np.zeros((len(sets), levels), dtype=bool)
    for row, members in zip(out, sets, strict=True):
        row[list(members)] = True
    return out


def encode_features(features: pd.DataFrame, max_bins: int = MAX_BINS) -> list[Feature]:
    """Code every column: numbers (and flags as levels) by quantile bins, all else by level, in the order of columns."""
    out = []
    for name in features.columns:
        values = features[name]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            out.append(_number(str(name), values.to_numpy(dtype=float, na_value=np.nan), max_bins))
        else:
            levels, code = np.unique(as_text(values), return_inverse=True)
            out.append(Feature(str(name), code.astype(np.int64), len(levels), levels=tuple(map(str, levels))))
    return out


def as_text(values: pd.Series) -> NDArray[np.str_]:
    """Levels as text; empty where unknown."""
    return values.astype("string").fillna("").to_numpy(dtype=str)


def _number(name: str, values: Floats, max_bins: int) -> Feature:
    known = np.sort(values[np.isfinite(values)])
    distinct = np.unique(known)
    ends = distinct
    if len(distinct) > max_bins:
        at = np.linspace(0, len(known) - 1, max_bins + 1)[1:-1].astype(np.int64)
        ends = np.unique(known[at])
    thresholds = _rounded(ends)
    if len(distinct) <= max_bins or len(thresholds) < 0.75 * len(ends):
        ends = ends[ends < distinct[-1]] if len(distinct) else ends
        following = distinct[np.searchsorted(distinct, ends, side="right")]
        thresholds = np.array([readable_between(a, b) for a, b in zip(ends, following, strict=True)])
    code = np.where(np.isfinite(values), 1 + np.searchsorted(thresholds, values, side="left"), 0)
    return Feature(name, code.astype(np.int64), len(thresholds) + 2, thresholds=tuple(thresholds.tolist()))


def _rounded(values: Floats) -> Floats:
    """Values in three digits, without repeats."""
    size = 10.0 ** (np.floor(np.log10(np.maximum(np.abs(values), 1e-300))) - 2)
    return np.unique(np.round(np.round(values / size) * size, 12))


def readable_between(low: float, high: float) -> float:
    """Number with the fewest digits at or above ``low`` and below ``high``, so that it separates the two."""
    for digits in range(_DIGITS):
        size = 10.0 ** (math.floor(math.log10(max(abs(low), abs(high)))) - digits)
        tried = round(math.ceil(low / size - 1e-9) * size, 12)
        if low <= tried < high:
            return tried
    return low
