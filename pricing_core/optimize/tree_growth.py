"""Growth of a prescription tree: which questions are tried, and which of them are kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.optimize.tree_features import Feature, Split

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_WINDOWS: Final = 8  # of a feature's questions, by the size of the left child, when more than one is followed
_TIE: Final = 1e-11  # of a node's profit: smaller differences are rounding, and the earlier choice stays


@dataclass(frozen=True)
class TreeConfig:
    """Size of a tree.

    Parameters
    ----------
    depth
        Questions asked at most before a price, 0 to 8.
    min_leaf_rows
        Offers that a segment needs.
    min_gain_rate
        Least gain of a split, as a share of the profit of all offers; smaller ones are not worth a rule.
    breadth
        Questions that are followed to the end at each node but the last; 1 takes the best one at once, as the paper
        does. More of them find better trees where questions only pay together; time grows with the power of depth.

    Raises
    ------
    ConfigError
        If a value is not allowed.
    """

    depth: int = 3
    min_leaf_rows: int = 200
    min_gain_rate: float = 0.0
    breadth: int = 1

    def __post_init__(self) -> None:
        if type(self.depth) is not int or not 0 <= self.depth <= 8:
            raise ConfigError(f"The depth of the tree is {self.depth!r}.", fix="It must be a whole number from 0 to 8.")
        if type(self.min_leaf_rows) is not int or self.min_leaf_rows < 1:
            raise ConfigError(f"min_leaf_rows is {self.min_leaf_rows!r}.", fix="It must be a whole number from 1 up.")
        if not 0 <= self.min_gain_rate < 1:
            raise ConfigError(f"min_gain_rate is {self.min_gain_rate!r}.", fix="It must be at least 0 and below 1.")
        if type(self.breadth) is not int or not 1 <= self.breadth <= 20:
            raise ConfigError(f"breadth is {self.breadth!r}.", fix="It must be a whole number from 1 to 20.")


@dataclass(frozen=True, eq=False)
class Branch:
    """A subtree while it grows: offers, best candidate and its profit, and profit of its leaves."""

    rows: int
    choice: int
    own: float
    total: float
    split: Split | None = None
    children: tuple[Branch, Branch] | None = None


class Grower:
    """Grows subtrees.

    Parameters
    ----------
    profit
        (n, K): profit of each offer at each candidate price.
    features
        Coded features of the same offers.
    config
        Size of the tree.
    """

    def __init__(self, profit: Floats, features: list[Feature], config: TreeConfig) -> None:
        self.profit, self.features, self.config = profit, features, config
        sizes = [feature.bins for feature in features]
        self.offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        codes = [feature.code + offset for feature, offset in zip(features, self.offsets, strict=False)]
        self.codes = np.stack(codes, axis=1) if codes else np.empty((len(profit), 0), dtype=np.int64)
        self.least_gain = config.min_gain_rate * abs(float(profit.sum(axis=0).max()))

    def grow(self, rows: Ints, depth: int) -> Branch:
        """Best subtree found for some offers: of the ``breadth`` most promising questions the one that ends best."""
        total = self.profit[rows].sum(axis=0)
        choice = _first_best(total)
        own = float(total[choice])
        best = Branch(len(rows), choice, own, own)
        if depth == 0:
            return best
        for f, chosen, split in self._questions(rows, own, self.config.breadth if depth > 1 else 1):
            left = chosen[self.codes[rows, f] - self.offsets[f]]
            children = self.grow(rows[left], depth - 1), self.grow(rows[~left], depth - 1)
            value = children[0].total + children[1].total
            if value > max(own + self.least_gain, best.total) + _TIE * abs(best.total):
                best = replace(best, total=value, split=split, children=children)
        return best

    def _questions(self, rows: Ints, own: float, most: int) -> list[tuple[int, Mask, Split]]:
        """Feature, bins that go left, and question: the best one of each feature by gain, then other good ones."""
        if len(rows) < 2 * self.config.min_leaf_rows or not self.features:
            return []
        sums, counts = self._histogram(rows)
        tie = _TIE * float(np.abs(sums[self.offsets[0] : self.offsets[1]]).sum())
        least = max(self.least_gain, tie) if most == 1 else -np.inf  # together, questions may pay later
        found: list[tuple[bool, float, int, Mask, Split]] = []
        for f, feature in enumerate(self.features):
            mine = slice(self.offsets[f], self.offsets[f + 1])
            sets = feature.left_sets(sums[mine], counts[mine])
            gain = self._gain(sums[mine], counts[mine], sets, own)
            for rank, k in enumerate(_spread_out(gain, sets @ counts[mine], tie, 1 if most == 1 else _WINDOWS)):
                if gain[k] > least:
                    split = feature.split(sets[k], counts[mine])
                    found.append((rank > 0, float(gain[k]), f, sets[k], split))
        unit = max(tie, 1e-300)
        found.sort(key=lambda each: (each[0], -round(each[1] / unit), each[2]))
        return [each[2:] for each in found[:most]]

    def _gain(self, sums: Floats, counts: Ints, left: Mask, own: float) -> Floats:
        """Gain of each set of bins (m, B) that goes left; −inf where a child would be too small."""
        if not len(left):
            return np.empty(0)
        below = left.astype(float) @ sums
        above = sums.sum(axis=0) - below
        gain = below.max(axis=1) + above.max(axis=1) - own
        size = left @ counts
        least = self.config.min_leaf_rows
        return np.where((size >= least) & (counts.sum() - size >= least), gain, -np.inf)

    def _histogram(self, rows: Ints) -> tuple[Floats, Ints]:
        """Profit (bins, K) and offers (bins,) of each bin of all features."""
        from scipy import sparse

        codes = self.codes[rows]
        width = codes.shape[1]
        start = np.arange(0, codes.size + 1, width)
        table = sparse.csc_matrix((np.ones(codes.size), codes.ravel(), start), shape=(self.offsets[-1], len(rows)))
        counts = np.bincount(codes.ravel(), minlength=int(self.offsets[-1]))
        return np.asarray(table @ self.profit[rows]), counts


def _spread_out(gain: Floats, size: Ints, tie: float, windows: int) -> list[int]:
    """Positions of the largest gains, the best first, one from each of some windows of the size of the left child."""
    if len(gain) <= windows:
        return sorted(range(len(gain)), key=lambda k: -gain[k])
    edges = np.quantile(size, np.linspace(0, 1, windows + 1))[1:-1]
    window = np.searchsorted(edges, size, side="right")
    best = []
    for w in np.unique(window):
        mine = np.flatnonzero(window == w)
        top = gain[mine].max()
        best.append(int(mine[np.flatnonzero(gain[mine] >= top - tie)[0]]))
    return sorted(best, key=lambda k: -gain[k])


def _first_best(total: Floats) -> int:
    """First candidate whose profit is the largest up to rounding."""
    return int(np.flatnonzero(total >= total.max() - _TIE * np.abs(total).max())[0])
