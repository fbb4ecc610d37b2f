"""Student trees of segments against their teacher, and pricing a limited stock while learning, on data of known truth.

``python benchmarks/policies.py [--seeds N] [--rows N]``.

*Segments.* D1–D6 of Biggs, Sun & Ettl (2021): Y = 1{g(X) + h(X) P + ε > 0}, ε ~ N(0, 1), nine candidate prices at the
10–90% quantiles of the logged prices P. A teacher learns the chance of a purchase from 5,000 logged offers; the tree is
grown on the teacher's revenue at the nine prices, and both are judged by the true chances of 20,000 other customers.
Teachers: LightGBM as the paper's, and the truth itself, which shows what a tree of that depth can keep at all. Shares
are of the revenue of the teacher, who sets the price that it thinks best for each customer; the oracle sets the truly
best. Trees are greedy as in the paper; one of depth 3 that looks ahead follows four questions at each node to the end.

*Stock.* One product of Ferreira, Simchi-Levi & Wang (2018): prices 29.9, 34.9, 39.9, 44.9 with unknown demand .8, .6,
.3, .1, stock a quarter of the customers. Shares are of the program that knows the demand, which nobody can exceed.

*Time.* A tree of depth 4 on 200,000 offers.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.tables import mean_and_error, print_table
from pricing_core.optimize.segment_tree import grow_tree
from pricing_core.optimize.settings import SegmentSettings
from pricing_core.optimize.stock_learning import StockLearner, fluid_optimum, informed_optimum
from pricing_core.optimize.tree_growth import TreeConfig

Floats = NDArray[np.float64]
Rng = np.random.Generator
Teacher = Callable[["Market", Floats, Floats], Callable[[Floats, Floats], Floats]]

DATA = ("D1", "D2", "D3", "D4", "D5", "D6")
DEPTHS = (1, 2, 3, 4)
LOGGED, JUDGED = 5_000, 20_000
LEAF = 50
BREADTH = 4
AHEAD = "depth 3 looking ahead"
PRICES, DEMAND = np.array([29.9, 34.9, 39.9, 44.9]), np.array([0.8, 0.6, 0.3, 0.1])
STOCK_SHARE = 0.25


class Market(NamedTuple):
    """Customers (n, d), logged prices (n,), and truth: level g and slope h (n,) of the latent utility."""

    x: Floats
    p: Floats
    g: Floats
    h: Floats

    def buys(self, rng: Rng) -> Floats:
        """Purchases (n,) at the logged prices."""
        return (self.g + self.h * self.p + rng.normal(size=len(self.p)) > 0).astype(float)

    def revenue(self, price: Floats) -> Floats:
        """True expected revenue (n, K) at each of some prices (K,)."""
        return price * ndtr(self.g[:, None] + self.h[:, None] * price)


def draw_market(name: str, n: int, rng: Rng, slope: Floats) -> Market:
    """Customers of a data set of the paper; ``slope`` are D2's five coefficients."""
    if name in ("D1", "D5"):
        x = rng.normal(5, 1, (n, 2))
        p = rng.normal(5, 1, n) if name == "D1" else rng.normal(x[:, 0], 2)
        return Market(x, p, x[:, 0], -np.ones(n))
    if name == "D2":
        x = rng.normal(0, 1, (n, 20))
        return Market(x, rng.normal(0, 2, n), np.full(n, 5.0), -1.5 * x[:, :5] @ slope)
    x = rng.normal(0, 1, (n, 2))
    p = rng.normal(x[:, 0] + 5, 2)
    if name == "D6":
        both = np.abs(x[:, 0] + x[:, 1])
        return Market(x, p, 4 * both, -both)
    first = [-1.2, -1.1, -0.9, -0.8] if name == "D3" else [-1.25, -1.1, -0.9, -0.75]
    h = np.array(first)[np.searchsorted([-1.0, 0.0, 1.0], x[:, 0], side="right")]
    return Market(x, p, np.full(n, 5.0), h if name == "D3" else h + np.where(x[:, 1] < 0, -0.1, 0.1))


def lightgbm_teacher(market: Market, bought: Floats, price: Floats) -> Callable[[Floats, Floats], Floats]:
    """Chance of a purchase by LightGBM on attributes and price, falling in price but on D2, whose truth is not."""
    import lightgbm

    rising = (market.h > 0).any()
    table = np.column_stack([market.p, market.x])
    settings = {
        "objective": "binary",
        "num_leaves": 15,
        "learning_rate": 0.05,
        "min_child_samples": 40,
        "monotone_constraints": [0 if rising else -1, *[0] * market.x.shape[1]],
        "num_threads": 1,
        "verbosity": -1,
        "deterministic": True,
        "seed": 0,
    }
    booster = lightgbm.train(settings, lightgbm.Dataset(table, bought), num_boost_round=150)

    def revenue(x: Floats, prices: Floats) -> Floats:
        each = [p * np.asarray(booster.predict(np.column_stack([np.full(len(x), p), x]))) for p in prices]
        return np.stack(each, axis=1)

    return revenue


def judge_trees(name: str, seed: int) -> dict[str, dict[str, float]]:
    """Per teacher: its share of the oracle, and the tree's share of the teacher and of the oracle by depth, in %."""
    rng = np.random.default_rng([seed, DATA.index(name)])
    slope = rng.normal(0, 1, 5)
    logged, others = draw_market(name, LOGGED, rng, slope), draw_market(name, JUDGED, rng, slope)
    prices = np.quantile(logged.p, np.linspace(0.1, 0.9, 9))
    true = others.revenue(prices)
    oracle = true.max(axis=1).sum()
    row = np.arange(JUDGED)
    learned = lightgbm_teacher(logged, logged.buys(rng), prices)
    teachers = {
        "LightGBM": (learned(logged.x, prices), learned(others.x, prices)),
        "truth": (logged.revenue(prices), true),
    }
    out = {}
    for teacher, (seen, unseen) in teachers.items():
        earned = true[row, unseen.argmax(axis=1)].sum()
        found = {"oracle": 100 * earned / oracle, "uniform": 100 * true[:, seen.sum(axis=0).argmax()].sum() / oracle}
        features = [pd.DataFrame(x, columns=[f"x{k}" for k in range(x.shape[1])]) for x in (logged.x, others.x)]
        grown = grow_tree(seen, features[0], TreeConfig(max(DEPTHS), LEAF))
        trees = {f"depth {depth}": grown.cut(depth) for depth in DEPTHS}
        trees[AHEAD] = grow_tree(seen, features[0], TreeConfig(3, LEAF, breadth=BREADTH))
        for words, tree in trees.items():
            choice = np.array([node.choice for node in tree.nodes])[tree.assign(features[1])]
            kept = true[row, choice].sum()
            found[words], found[f"{words} of oracle"] = 100 * kept / earned, 100 * kept / oracle
        out[teacher] = found
    return out


def print_trees(seeds: int) -> None:
    rows = []
    for name in DATA:
        found = [judge_trees(name, seed) for seed in range(seeds)]
        for teacher in ("LightGBM", "truth"):

            def cell(key: str, teacher: str = teacher, found: list[dict[str, dict[str, float]]] = found) -> str:
                return mean_and_error([each[teacher][key] for each in found], 2)

            kept = [cell(f"depth {depth}") for depth in DEPTHS]
            ahead = [cell(AHEAD), cell(f"{AHEAD} of oracle")]
            rows.append([f"{name}, {teacher}", cell("uniform"), cell("oracle"), *kept, *ahead])
    columns = ("data, teacher", "best uniform, % of oracle", "teacher, % of oracle")
    columns = (*columns, *(f"depth {depth}, % of teacher" for depth in DEPTHS))
    columns = (*columns, f"{AHEAD}, % of teacher", f"{AHEAD}, % of oracle")
    print_table(f"Segments by a student tree, {LOGGED:,} logged offers, {seeds} seeds", columns, rows)


def play(periods: int, seed: int) -> float:
    """Revenue of one run of the learner."""
    learner = StockLearner(PRICES, STOCK_SHARE * periods, periods, random_state=seed)
    rng = np.random.default_rng([seed, 1])
    earned = 0.0
    for _ in range(periods):
        k = learner.choose()
        bought = k is not None and bool(rng.random() < DEMAND[k])
        earned += PRICES[k] if bought and k is not None else 0.0
        learner.observe(k, bought)
    return earned


def print_stock(seeds: int) -> None:
    rows = []
    for periods in (1_000, 10_000):
        stock = int(STOCK_SHARE * periods)
        most, informed = fluid_optimum(PRICES, DEMAND, stock, periods), informed_optimum(PRICES, DEMAND, stock, periods)
        earned = [play(periods, seed) for seed in range(seeds)]
        shares = [mean_and_error([100 * each / level for each in earned], 2) for level in (most, informed)]
        rows.append([f"{periods:,} customers", *shares, f"{100 * min(earned) / most:.2f}"])
    columns = (
        "Thompson sampling with a linear program",
        "% of the optimum",
        "% of the best that knows demand",
        "worst",
    )
    print_table(f"Limited stock with learning, {seeds} seeds", columns, rows)


def print_time(n: int) -> None:
    rng = np.random.default_rng(0)
    features = pd.DataFrame({f"number {k}": rng.normal(size=n) for k in range(10)})
    for k in range(10):
        features[f"text {k}"] = rng.integers(0, 3 + 10 * k, n).astype(str)
    level = rng.normal(2, 1, (n, 1)) + features[["number 0", "number 1"]].to_numpy().sum(axis=1, keepdims=True)
    price = np.linspace(0.7, 1.3, 31)
    profit = (price - 0.5) / (1 + np.exp(3 * price - level))
    rows = []
    for breadth, words in ((1, "greedy"), (SegmentSettings().breadth, "looking ahead as the app does")):
        start = time.perf_counter()
        tree = grow_tree(profit, features, TreeConfig(4, 500, breadth=breadth))
        seconds = time.perf_counter() - start
        task = f"{n:,} offers, 20 features, 31 prices, depth 4, {words}"
        rows.append([task, f"{len(tree.leaves())}", f"{seconds:.1f}"])
    print_table("Time of a tree", ("task", "segments", "seconds"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--rows", type=int, default=200_000, help="offers of the timed tree")
    options = parser.parse_args()
    print_time(options.rows)
    print_stock(options.seeds)
    print_trees(options.seeds)


if __name__ == "__main__":
    main()
