"""Boosted trees asked about pairs: what each side of a pair allows is found once, and a pair takes what both allow.

A split looks at one feature, and a feature belongs to the customer or to the product and its market. For each tree the
leaves that a customer's features leave possible are one bit mask, and those that a product's features leave possible
are another; their intersection has exactly one bit, the leaf of the pair (after QuickScorer, Lucchese et al. 2015).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Ints = NDArray[np.int64]

MOST_LEAVES: Final = 32


class PairedTrees:
    """Trees of one or more boosters, ready for pairs of a row of one table with a row of another.

    Parameters
    ----------
    boosters
        Regression boosters without categorical splits; their answers are averaged.
    left, right
        Features of the two tables, (A, a) and (B, b); the trees were fitted on them side by side, ``left`` first. No
        value is missing.
    """

    def __init__(self, boosters: Sequence[lgb.Booster], left: Floats32, right: Floats32) -> None:
        trees = [tree["tree_structure"] for each in boosters for tree in each.dump_model()["tree_info"]]
        self._values = np.zeros((len(trees), MOST_LEAVES))
        self._left = np.full((len(left), len(trees)), 0xFFFFFFFF, dtype=np.uint32)
        self._right = np.full((len(right), len(trees)), 0xFFFFFFFF, dtype=np.uint32)
        self._share = 1.0 / len(boosters)
        self._start = np.arange(len(trees), dtype=np.int64) * MOST_LEAVES
        for t, tree in enumerate(trees):
            for leaf, value in _leaves(tree):
                self._values[t, leaf] = value
            for feature, threshold, below, above in _splits(tree):
                mine, column = (self._left, left) if feature < left.shape[1] else (self._right, right)
                number = column[:, feature if column is left else feature - left.shape[1]]
                goes_left = number <= np.float64(threshold)
                mine[:, t] &= np.where(goes_left, np.uint32(0xFFFFFFFF ^ above), np.uint32(0xFFFFFFFF ^ below))
        self._flat = self._values.ravel()

    def predict(self, left_row: Ints, right_row: Ints) -> Floats:
        """Mean answer of the boosters for pairs of rows (n,)."""
        possible = np.take(self._left, left_row, axis=0)
        possible &= np.take(self._right, right_row, axis=0)
        leaf = np.bitwise_count((possible & (~possible + np.uint32(1))) - np.uint32(1))
        return np.asarray(self._flat[leaf + self._start].sum(axis=1) * self._share)


def fits(boosters: Sequence[lgb.Booster]) -> bool:
    """Whether the trees are small enough, and split by numbers only."""
    found = [tree for each in boosters for tree in each.dump_model()["tree_info"]]
    small = all(int(tree["num_leaves"]) <= MOST_LEAVES for tree in found)
    return small and all(int(tree.get("num_cat", 0)) == 0 for tree in found)


def _leaves(node: dict[str, Any]) -> Iterator[tuple[int, float]]:
    """Number and value of each leaf below a node."""
    if "split_feature" not in node:
        yield int(node.get("leaf_index", 0)), float(node["leaf_value"])
        return
    for side in ("left_child", "right_child"):
        yield from _leaves(node[side])


def _splits(node: dict[str, Any]) -> Iterator[tuple[int, float, int, int]]:
    """Feature, threshold, and the bits of the leaves on either side, for each split below a node."""
    if "split_feature" not in node:
        return
    below, above = (sum(1 << leaf for leaf, _ in _leaves(node[side])) for side in ("left_child", "right_child"))
    yield int(node["split_feature"]), float(node["threshold"]), below, above
    for side in ("left_child", "right_child"):
        yield from _splits(node[side])
