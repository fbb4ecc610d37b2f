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

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import DataError
from pricing_core.optimize.tree_features import Split, encode_features
from pricing_core.optimize.tree_growth import Branch, Grower, TreeConfig

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
    grower = Grower(profit, encode_features(features), config)
    return PrescriptionTree(_level_by_level(grower.grow(np.arange(len(profit)), config.depth)), tuple(features.columns))


def _level_by_level(root: Branch) -> tuple[Node, ...]:
    """Nodes in the order of their depth, the root first."""
    nodes: list[Node] = []
    waiting = [(root, 0, -1)]
    while waiting:
        following: list[tuple[Branch, int, int]] = []
        first_child = len(nodes) + len(waiting)
        for branch, depth, parent in waiting:
            at = len(nodes)
            nodes.append(Node(depth, parent, branch.rows, branch.choice, branch.own))
            if branch.children is not None:
                left = first_child + len(following)
                nodes[at] = replace(nodes[at], split=branch.split, left=left, right=left + 1)
                following += [(child, depth + 1, at) for child in branch.children]
        waiting = following
    return tuple(nodes)
