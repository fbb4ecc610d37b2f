"""Trees against every tree there is, questions against the offers they lead to, and what trees may never ask."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.optimize.segment_tree import grow_tree
from pricing_core.optimize.tree_features import Split, encode_features, readable_between
from pricing_core.optimize.tree_growth import TreeConfig


def value_of(profit: np.ndarray, rows: tuple[int, ...]) -> float:
    return max(sum(profit[i][k] for i in rows) for k in range(profit.shape[1]))


def best_by_brute_force(profit: np.ndarray, columns: list[list], rows: tuple[int, ...], depth: int) -> float:
    """Largest profit of any tree of a depth: every question of every feature, in plain Python."""
    best = value_of(profit, rows)
    if depth == 0:
        return best
    for column in columns:
        levels = sorted({column[i] for i in rows})
        if isinstance(levels[0], str):
            sets = [set(c) for size in range(1, len(levels)) for c in combinations(levels, size)]
        else:
            sets = [{v for v in levels if v <= threshold} for threshold in levels[:-1]]
        for left in sets:
            yes = tuple(i for i in rows if column[i] in left)
            no = tuple(i for i in rows if column[i] not in left)
            total = best_by_brute_force(profit, columns, yes, depth - 1)
            total += best_by_brute_force(profit, columns, no, depth - 1)
            best = max(best, total)
    return best


def tiny(seed: int, n: int = 14) -> tuple[np.ndarray, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    features = pd.DataFrame({"age": rng.integers(0, 5, n).astype(float), "tier": rng.choice(["a", "b", "c"], n)})
    return rng.random((n, 3)), features


@pytest.mark.parametrize("seed", range(8))
def test_one_question_is_the_best_of_all_questions(seed: int) -> None:
    profit, features = tiny(seed)
    tree = grow_tree(profit, features, TreeConfig(1, 1))
    wanted = best_by_brute_force(profit, [features[c].tolist() for c in features], tuple(range(len(profit))), 1)
    assert sum(tree.nodes[k].profit for k in tree.leaves()) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_a_tree_that_follows_every_question_finds_the_best_tree(seed: int) -> None:
    profit, features = tiny(seed, 9)
    every = tuple(range(len(profit)))
    wanted = best_by_brute_force(profit, [features[c].tolist() for c in features], every, 2)
    ahead = grow_tree(profit, features, TreeConfig(2, 1, breadth=20))
    greedy = grow_tree(profit, features, TreeConfig(2, 1))
    total = sum(ahead.nodes[k].profit for k in ahead.leaves())
    assert total == pytest.approx(wanted, rel=1e-12)
    assert total >= sum(greedy.nodes[k].profit for k in greedy.leaves()) - 1e-12


def test_looking_ahead_finds_questions_that_only_pay_together() -> None:
    """Neither question alone moves the best price; both together do."""
    x, y = np.meshgrid([0.0, 1.0], [0.0, 1.0])
    features = pd.DataFrame({"x": np.tile(x.ravel(), 5), "y": np.tile(y.ravel(), 5)})
    same = features["x"] == features["y"]
    profit = np.column_stack([np.where(same, 1.0, 0.0), np.where(same, 0.0, 1.1)])
    greedy, ahead = (grow_tree(profit, features, TreeConfig(2, 1, breadth=breadth)) for breadth in (1, 2))
    assert len(greedy.nodes) == 1
    assert sum(ahead.nodes[k].profit for k in ahead.leaves()) == pytest.approx(10 * 1.0 + 10 * 1.1)


def test_leaves_hold_the_offers_that_their_rules_describe_and_earn_what_they_say() -> None:
    rng = np.random.default_rng(3)
    n = 3_000
    features = pd.DataFrame({"x": rng.normal(size=n), "z": rng.choice(list("abcdefghij"), n)})
    features.loc[::7, "x"] = np.nan
    best = np.where(features["x"].fillna(-9) > 0.3, 2, 0) + features["z"].isin(["b", "d", "h"])
    profit = -((np.arange(4)[None, :] - best.to_numpy()[:, None]) ** 2.0)
    tree = grow_tree(profit, features, TreeConfig(3, 20))
    leaf = tree.assign(features)
    for k in tree.leaves():
        node, mine = tree.nodes[k], leaf == k
        assert mine.sum() == node.rows >= 20
        assert profit[mine].sum(axis=0).max() == pytest.approx(node.profit, abs=1e-9)
        for split, yes in tree.path(k):
            assert (split.holds(features.loc[mine, split.feature]) == yes).all()
    assert sum(tree.nodes[k].profit for k in tree.leaves()) > -0.02 * n  # almost every offer at its best candidate


def test_the_same_tree_whatever_the_order_of_rows() -> None:
    profit, features = tiny(1, 400)
    order = np.random.default_rng(0).permutation(len(profit))
    straight = grow_tree(profit, features, TreeConfig(3, 10, breadth=3))
    mixed = grow_tree(profit[order], features.iloc[order].reset_index(drop=True), TreeConfig(3, 10, breadth=3))
    assert [(n.split, n.choice, n.rows) for n in mixed.nodes] == [(n.split, n.choice, n.rows) for n in straight.nodes]


def test_profit_is_distilled_not_prices() -> None:
    """Two kinds of customers in one leaf: the candidate between their best ones would earn next to nothing."""
    profit = np.array([[5.0, 0.0, 0.0]] * 3 + [[0.0, 1.0, 9.0]] * 4)
    tree = grow_tree(profit, pd.DataFrame({"x": np.zeros(7)}), TreeConfig(3, 1))
    assert len(tree.nodes) == 1 and tree.nodes[0].choice == 2


def test_cutting_a_greedy_tree_gives_the_tree_of_that_depth() -> None:
    profit, features = tiny(5, 200)
    grown = grow_tree(profit, features, TreeConfig(4, 5))
    for depth in range(5):
        assert grown.cut(depth).nodes == grow_tree(profit, features, TreeConfig(depth, 5)).nodes


def test_levels_that_were_not_seen_follow_the_larger_side() -> None:
    tier = ["a"] * 3 + ["b"] * 9
    profit = np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 9)
    tree = grow_tree(profit, pd.DataFrame({"tier": tier}), TreeConfig(1, 1))
    known, new = tree.assign(pd.DataFrame({"tier": ["a", "b"]})), tree.assign(pd.DataFrame({"tier": ["new", None]}))
    assert known[0] != known[1]
    assert (new == known[1]).all()


def test_thresholds_are_round_numbers_between_two_values() -> None:
    assert readable_between(34.9, 36.2) == 35
    assert readable_between(0.1234, 0.1251) == 0.124
    assert readable_between(-2.6, -1.2) == -2
    assert readable_between(3.0, 4.0) == 3
    assert readable_between(1.0, np.nextafter(1.0, 2)) == 1.0


def test_many_values_are_cut_into_at_most_64_bins_and_few_at_every_value() -> None:
    values = np.random.default_rng(0).normal(size=5_000)
    many, few = encode_features(pd.DataFrame({"many": values, "few": np.arange(5_000) % 7}))
    assert 60 <= len(many.thresholds) + 1 <= 64
    assert few.thresholds == (0, 1, 2, 3, 4, 5)
    counts = np.bincount(many.code)[1:]
    assert counts.min() > 40


def test_what_cannot_be_a_tree_is_refused() -> None:
    profit, features = tiny(0)
    with pytest.raises(DataError, match=r"Profits have the shape \(14, 3\) for 13 offers"):
        grow_tree(profit, features.iloc[:13])
    with pytest.raises(DataError, match="1 of 42 profits are not finite"):
        grow_tree(np.where(np.arange(42).reshape(14, 3) == 5, np.nan, profit), features)
    with pytest.raises(ConfigError, match="The depth of the tree is 9"):
        TreeConfig(9)
    with pytest.raises(DataError, match="ask for “age”, which these offers do not have"):
        grow_tree(np.eye(14)[:, :3] + profit, features[["age"]], TreeConfig(1, 1)).assign(features[["tier"]])
    assert Split("age", 3.0).is_number and not Split("tier", levels=("a",)).is_number
