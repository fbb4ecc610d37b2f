r"""Segments by a student prescription tree: few rules that keep most of what personal prices earn.

The teacher is any price response. Its profit of offer *i* at each of *K* candidate prices, :math:`\pi_{ik}`, is all
that the student sees. Leaves :math:`\ell` are split greedily to maximize

.. math:: \sum_\ell \max_k \sum_{i \in \ell} \pi_{ik}

so that profit is distilled, never the teacher's prices, whose average need not be a good price for anyone.

Every split is the best one among bins of numbers (at most 64, unknown values first) and among sets of levels: all sets
where a feature has at most six levels, otherwise the sets that are contiguous when levels are ordered by their own
best candidate.

References
----------
Biggs, Sun & Ettl (2021), Model Distillation for Revenue Optimization: Interpretable Personalized Pricing, ICML.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError, DataError
from pricing_core.optimize.tree_features import Feature, Split, encode_features

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

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

    Raises
    ------
    ConfigError
        If a value is not allowed.
    """

    depth: int = 3
    min_leaf_rows: int = 200
    min_gain_rate: float = 0.0

    def __post_init__(self) -> None:
        if type(self.depth) is not int or not 0 <= self.depth <= 8:
            raise ConfigError(f"The depth of the tree is {self.depth!r}.", fix="It must be a whole number from 0 to 8.")
        if type(self.min_leaf_rows) is not int or self.min_leaf_rows < 1:
            raise ConfigError(f"min_leaf_rows is {self.min_leaf_rows!r}.", fix="It must be a whole number from 1 up.")
        if not 0 <= self.min_gain_rate < 1:
            raise ConfigError(f"min_gain_rate is {self.min_gain_rate!r}.", fix="It must be at least 0 and below 1.")


@dataclass(frozen=True)
class Node:
    """Group of offers: how many, its best candidate price, what it earns there, and how it is split (None: a leaf).

    ``left`` and ``right`` are positions in :attr:`PrescriptionTree.nodes`; ``parent`` is −1 at the root.
    """

    depth: int
    parent: int
    rows: int
    choice: int
    profit: float
    split: Split | None = None
    left: int = -1
    right: int = -1


@dataclass(frozen=True)
class PrescriptionTree:
    """A fitted tree.

    Attributes
    ----------
    nodes
        Level by level, the root first; cutting it at a depth gives the tree of that depth.
    features
        Names it could ask about.
    """

    nodes: tuple[Node, ...]
    features: tuple[str, ...]

    @property
    def depth(self) -> int:
        """Most questions asked before a price."""
        return max(node.depth for node in self.nodes)

    def leaves(self) -> list[int]:
        """Positions of the leaves, from left to right."""
        out: list[int] = []
        stack = [0]
        while stack:
            k = stack.pop()
            if self.nodes[k].split is None:
                out.append(k)
            else:
                stack += [self.nodes[k].right, self.nodes[k].left]
        return out

    def assign(self, features: pd.DataFrame) -> Ints:
        """Position of the leaf of each offer, (n,).

        Raises
        ------
        DataError
            If a feature that the tree asks about is missing.
        """
        at = np.zeros(len(features), dtype=np.int64)
        for k, node in enumerate(self.nodes):
            if node.split is None:
                continue
            if node.split.feature not in features.columns:
                raise DataError(f"The segments ask for “{node.split.feature}”, which these offers do not have.")
            mine = np.flatnonzero(at == k)
            left = node.split.holds(features[node.split.feature].iloc[mine])
            at[mine] = np.where(left, node.left, node.right)
        return at

    def cut(self, depth: int) -> PrescriptionTree:
        """Return the tree of at most ``depth`` questions; greedy splits make it the tree that would be grown so."""
        kept = [node for node in self.nodes if node.depth <= depth]  # nodes come level by level
        ends = tuple(replace(n, split=None, left=-1, right=-1) if n.depth == depth else n for n in kept)
        return replace(self, nodes=ends)

    def path(self, leaf: int) -> list[tuple[Split, bool]]:
        """Questions from the root to a node, each with whether its answer was yes (left)."""
        out: list[tuple[Split, bool]] = []
        while self.nodes[leaf].parent >= 0:
            parent = self.nodes[leaf].parent
            split = self.nodes[parent].split
            if split is not None:
                out.append((split, self.nodes[parent].left == leaf))
            leaf = parent
        return out[::-1]

    def asked(self) -> tuple[str, ...]:
        """Features that the tree asks about, in order of the first question."""
        return tuple(dict.fromkeys(node.split.feature for node in self.nodes if node.split is not None))


def grow_tree(profit: Floats, features: pd.DataFrame, config: TreeConfig | None = None) -> PrescriptionTree:
    """Fit a tree to a teacher's profit.

    Parameters
    ----------
    profit
        (n, K): profit of each offer at each candidate price, any unit, already weighted.
    features
        n rows; numeric columns are cut at thresholds, others by level.
    config
        Size of the tree.

    Raises
    ------
    DataError
        If shapes disagree, there are no offers, or a profit is not finite.
    """
    config = config or TreeConfig()
    profit = np.ascontiguousarray(profit, dtype=float)
    if profit.ndim != 2 or not profit.size or len(features) != len(profit):
        raise DataError(f"Profits have the shape {profit.shape} for {len(features)} offers with features.")
    if not np.isfinite(profit).all():
        raise DataError(f"{int((~np.isfinite(profit)).sum())} of {profit.size} profits are not finite.")
    encoded = encode_features(features)
    grower = _Grower(profit, encoded, config)
    nodes = [grower.node(np.arange(len(profit)), 0, -1)]
    open_nodes = [(0, np.arange(len(profit)))]
    for depth in range(config.depth):
        following: list[tuple[int, Ints]] = []
        for k, rows in open_nodes:
            found = grower.best_split(rows, nodes[k])
            if found is None:
                continue
            split, left = found
            children = [rows[left], rows[~left]]
            nodes[k] = replace(nodes[k], split=split, left=len(nodes), right=len(nodes) + 1)
            for part in children:
                following.append((len(nodes), part))
                nodes.append(grower.node(part, depth + 1, k))
        open_nodes = following
    return PrescriptionTree(tuple(nodes), tuple(features.columns))


class _Grower:
    def __init__(self, profit: Floats, features: list[Feature], config: TreeConfig) -> None:
        self.profit, self.features, self.config = profit, features, config
        sizes = [feature.bins for feature in features]
        self.offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        codes = [feature.code + offset for feature, offset in zip(features, self.offsets, strict=False)]
        self.codes = np.stack(codes, axis=1) if codes else np.empty((len(profit), 0), dtype=np.int64)
        self.least_gain = config.min_gain_rate * abs(float(profit.sum(axis=0).max()))

    def node(self, rows: Ints, depth: int, parent: int) -> Node:
        total = self.profit[rows].sum(axis=0)
        choice = _first_best(total)
        return Node(depth, parent, len(rows), choice, float(total[choice]))

    def best_split(self, rows: Ints, node: Node) -> tuple[Split, Mask] | None:
        if len(rows) < 2 * self.config.min_leaf_rows or not self.features:
            return None
        sums, counts = self._histogram(rows)
        tie = _TIE * float(np.abs(sums[self.offsets[0] : self.offsets[1]]).sum())
        best_gain, best = max(self.least_gain, tie), None
        for f, feature in enumerate(self.features):
            mine = slice(self.offsets[f], self.offsets[f + 1])
            sets = feature.left_sets(sums[mine], counts[mine])
            gain = self._gain(sums[mine], counts[mine], sets, node)
            if gain.size and gain.max() > best_gain + tie:
                first = int(np.flatnonzero(gain >= gain.max() - tie)[0])
                best_gain, best = float(gain[first]), (f, sets[first])
        if best is None:
            return None
        f, chosen = best
        mine = slice(self.offsets[f], self.offsets[f + 1])
        split = self.features[f].split(chosen, counts[mine])
        return split, chosen[self.codes[rows, f] - self.offsets[f]]

    def _gain(self, sums: Floats, counts: Ints, left: Mask, node: Node) -> Floats:
        """Gain of each set of bins (m, B) that goes left; −inf where a child would be too small."""
        if not len(left):
            return np.empty(0)
        below = left.astype(float) @ sums
        above = sums.sum(axis=0) - below
        gain = below.max(axis=1) + above.max(axis=1) - node.profit
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


def _first_best(total: Floats) -> int:
    """First candidate whose profit is the largest up to rounding."""
    return int(np.flatnonzero(total >= total.max() - _TIE * np.abs(total).max())[0])
