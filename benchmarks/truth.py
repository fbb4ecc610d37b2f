"""Profit on a shop whose true demand is known, beside what one would do without this product.

``python benchmarks/truth.py [--seeds N] [--quick]``. Each seed is another demo shop of 204,000 logged offers, imported,
trained and priced by the public workflows; the 20,000 offers of the two weeks after the log are priced, and the prices
are judged by the true demand, which no model sees. Shares are of the profit of an oracle who knows the truth and keeps
to the same supported prices.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from benchmarks.tables import mean_and_error, print_table
from pricing_core import workflows
from pricing_core.data.demo_shop import DemandTruth, DemoShop, DemoShopConfig, simulate_demo_shop
from pricing_core.features import EncodedBatch
from pricing_core.guardrails import NO_GUARDRAILS
from pricing_core.models.monotone_trees import MonotoneTrees, MonotoneTreesConfig
from pricing_core.response import PricingRows
from pricing_core.store.workspace import Workspace

Floats = NDArray[np.float64]

OURS = ("status_quo", "uniform", "product", "personalized")
BEST_UNIFORM = "best uniform change, chosen by who knows the truth"
TREES = "monotone LightGBM, tuned, price by grid search"


@dataclass(frozen=True)
class Verdict:
    """One way to price on one shop: shares of two oracles, what it claimed, whether its 90% interval holds the truth.

    The first oracle keeps to the prices that the model calls supported, the second to the central 98% of the shop's
    true pricing habit.
    """

    way: str
    share: float
    share_of_habit: float
    optimism: float = np.nan
    covered: float = np.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="quick training, and a smaller grid for LightGBM")
    options = parser.parse_args()
    verdicts: list[Verdict] = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        start = time.perf_counter()
        found = judge_seed(seed, quick=options.quick)
        verdicts += found
        shown = ", ".join(f"{v.way.split(',')[0]} {v.share:.2f}%" for v in found)
        print(f"seed {seed}, {time.perf_counter() - start:.0f} s: {shown}", flush=True)
    ways = list(dict.fromkeys(v.way for v in verdicts))
    rows = []
    for way in ways:
        mine = [v for v in verdicts if v.way == way]
        optimism = [100 * v.optimism for v in mine]
        covered = [v.covered for v in mine]
        known = not np.isnan(optimism).any()
        rows.append(
            [
                way,
                mean_and_error([v.share for v in mine], 2),
                f"{min(v.share for v in mine):.2f}",
                mean_and_error([v.share_of_habit for v in mine], 2),
                mean_and_error(optimism) if known else "",
                f"{max(optimism, key=abs):+.1f}" if known else "",
                f"{int(sum(covered))} of {len(covered)}" if not np.isnan(covered).any() else "",
            ]
        )
    kind = "quick" if options.quick else "full"
    columns = (
        "way to price",
        "% of oracle",
        "worst",
        "% of oracle in the true range",
        "claimed/true − 1, %",
        "worst",
        "90% interval covers",
    )
    print_table(f"Demo shop with known truth, {kind} training, {options.seeds} seeds", columns, rows)


def judge_seed(seed: int, *, quick: bool) -> list[Verdict]:
    """All ways to price on the shop of one seed."""
    shop = simulate_demo_shop(DemoShopConfig(random_state=seed))
    with tempfile.TemporaryDirectory() as folder:
        ws = Workspace.open(folder)
        workflows.import_files(ws, shop.tables, name="demo shop", source="simulated", pseudonymize=False)
        workflows.train(ws, config=workflows.TrainingConfig(seed=seed, quick=quick))
        truth = shop.target_truth
        result = workflows.simulate(ws, OURS, targets=shop.targets, guardrails=NO_GUARDRAILS)
        rows = result.rows
        ranges = (rows.support_low, rows.support_high), truth.supported_range()
        oracles = [truth.profit(truth.oracle_price(low, high)) for low, high in ranges]

        def shares(earned: float) -> tuple[float, float]:
            return 100 * earned / oracles[0], 100 * earned / oracles[1]

        verdicts = []
        for way in OURS:  # what a strategy of this product claims is what its simulation says
            earned, row = truth.profit(result.prices[way].price), result.row(way)
            covered = float(row["profit_low"] <= earned <= row["profit_high"])
            verdicts.append(Verdict(f"this product: {way}", *shares(earned), row["profit"] / earned - 1, covered))
        verdicts.append(Verdict(BEST_UNIFORM, *shares(_best_uniform(rows, truth))))
        price, claimed = _by_trees(ws, shop, rows, quick=quick)
        earned = truth.profit(price)
        return [*verdicts, Verdict(TREES, *shares(earned), claimed / earned - 1)]


def _best_uniform(rows: PricingRows, truth: DemandTruth) -> float:
    """Profit of the one change of all current prices, or of all list prices, that is truly best."""
    profits = [
        truth.profit(np.clip(factor * level, rows.support_low, rows.support_high))
        for level in (rows.current_price, rows.list_price)
        for factor in np.linspace(0.7, 1.5, 161)
    ]
    return max(profits)


def _by_trees(ws: Workspace, shop: DemoShop, rows: PricingRows, *, quick: bool) -> tuple[Floats, float]:
    """Prices and claimed profit of a monotone LightGBM classifier on the same features, tuned on the latest offers."""
    run = workflows.load_run(ws)
    log = run.dataset.offers.sort_values("offered_at", kind="stable").reset_index(drop=True)
    logged, asked = run.model.encode(run.dataset, log), run.model.encode(run.dataset, shop.targets)
    x = log["price"].to_numpy() / logged.table.list_price
    y = log["purchased"].to_numpy(dtype=float)
    trees = _tuned_trees(logged.batch, x, y, quick=quick)
    price = trees.best_price(
        asked.batch,
        reference=rows.list_price,
        unit_cost=rows.unit_cost,
        low=rows.support_low,
        high=rows.support_high,
        points=20 if quick else 40,
    )
    claimed = np.sum((price - rows.unit_cost) * trees.probability(asked.batch, price / rows.list_price))
    return price, float(claimed)


def _tuned_trees(batch: EncodedBatch, x: Floats, y: Floats, *, quick: bool) -> MonotoneTrees:
    """Grid search over leaves and number of trees by log loss on the latest 15%, then a fit on all offers."""
    early = np.arange(batch.n) < int(0.85 * batch.n)
    best = (np.inf, MonotoneTreesConfig())
    most = 200 if quick else 400
    for leaves in (15, 31) if quick else (15, 31, 63):
        config = MonotoneTreesConfig(n_trees=most, n_leaves=leaves)
        trees = MonotoneTrees(config).fit(batch.take(early), x[early], y[early])
        matrix = np.hstack([x[~early, None].astype(np.float32), batch.take(~early).matrix()])
        for n_trees in range(most // 4, most + 1, most // 4):
            p = np.asarray(trees.booster_.predict(matrix, num_iteration=n_trees))
            loss = float(-np.mean(y[~early] * np.log(p) + (1 - y[~early]) * np.log(1 - p)))
            best = min(best, (loss, MonotoneTreesConfig(n_trees=n_trees, n_leaves=leaves)), key=lambda found: found[0])
    return MonotoneTrees(best[1]).fit(batch, x, y)


if __name__ == "__main__":
    main()
