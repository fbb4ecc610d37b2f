"""Explanations: how long they take, how exactly they add up, whether they name the true drivers, beside other tools.

``python benchmarks/explain.py [--workspace FOLDER] [--seeds N]``. Without a workspace the demo shop is simulated,
imported and trained quickly (about a minute). Times are wall seconds and processor seconds; on a busy machine only the
latter compare. *True drivers* are the features that stand in the demo shop's demand equations, *idle* ones (region,
pack size, organic, weekday, sign-up date, stock) have no part in it; counted are the pairs in which a true driver has
the larger mean effect.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from benchmarks.tables import print_table as print_text_table
from pricing_core import workflows
from pricing_core.explain.expected_gradients import additivity_share, expected_gradients
from pricing_core.explain.lime import lime_outcomes
from pricing_core.explain.shapley import ShapResult, shap_outcomes, tree_shap_values
from pricing_core.models.monotone_trees import MonotoneTrees, MonotoneTreesConfig
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.explained_offers import ReadyOffers, background_of, recent_offers, surface
from pricing_core.workflows.runs import TrainedRun

TRUE = {
    "taste": (
        "put this product into cart today", "viewed this product today", "loyalty tier", "promotion",
        "competitor price",
    ),
    "sensitivity": ("category", "device", "loyalty tier", "household size"),
}  # fmt: skip
IDLE = ("region", "pack grams", "organic", "day of the week", "days since signed up at", "stock")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, help="a workspace with a trained demo shop")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ws = Workspace.open(options.workspace or Path(folder) / "shop")
        if options.workspace is None:
            workflows.demo(ws, "demo_shop", quick=True, seed=0)
        run = workflows.load_run(ws)
        ready = recent_offers(run)
        _network(ready, options.seeds)
        _trees(run, ready)
        _lime(ready, options.seeds)
        _drivers(ready, options.seeds)


def print_table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """Print numbers with three digits that count."""
    print_text_table(title, columns, [[f"{v:.3g}" if isinstance(v, float) else str(v) for v in row] for row in rows])


def _timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - wall, time.process_time() - processor


def _pick(ready: ReadyOffers, n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed + 1).permutation(ready.rows.n)[:n]


def _network(ready: ReadyOffers, seeds: int) -> None:
    rows = []
    for seed in range(seeds):
        batch = ready.batch.take(_pick(ready, 1_000, seed))
        background = ready.batch.take(background_of(ready, seed=seed))
        for outcomes in (("probability",), ("probability", "sensitivity", "taste", "price")):
            asked = surface(ready.run, outcomes=outcomes)
            found, wall, processor = _timed(
                lambda a=asked, b=batch, g=background: expected_gradients(a, b, g, n_points=8)
            )
            worst = max(additivity_share(each) for each in found.values())
            rows.append([f"expected gradients, {len(outcomes)} outcome(s), seed {seed}", 1_000, wall, processor, worst])
    few = ready.batch.take(_pick(ready, 40, 0))
    background = ready.batch.take(background_of(ready))
    asked = surface(ready.run, outcomes=("probability",))
    shapley, wall, processor = _timed(
        lambda: shap_outcomes(asked.answers, few, background, outcomes=asked.outcomes, n_permutations=4)["probability"]
    )
    rows.append(["Shapley values by permutations, 1 outcome", 40, wall, processor, additivity_share(shapley)])
    print_table("Network: time and additivity error", ["method", "rows", "seconds", "cpu s", "error / range"], rows)
    gradients = expected_gradients(asked, few, background, n_points=8)["probability"]
    match = float(np.corrcoef(gradients.values.ravel(), shapley.values.ravel())[0, 1])
    print(f"correlation of expected gradients with Shapley values over 40 rows × features: {match:.4f}\n")


def _trees(run: TrainedRun, ready: ReadyOffers) -> None:
    import shap

    at = _pick(ready, 10_000, 0)
    batch = ready.batch.batch.take(at)
    boosters = {
        name: (models[0], matrix, groups) for name, (models, matrix, groups) in run.model.pricing.views(batch).items()
    }
    x = ready.rows.current_price[at] / ready.rows.response.reference_price[at]
    trees = MonotoneTrees(MonotoneTreesConfig(n_trees=100)).fit(batch, x, (np.arange(len(x)) % 4 == 0).astype(float))
    groups = {"relative price": [0], **batch.columns_of(("customer", "product", "market"), start=1)}
    boosters["monotone challenger"] = (trees.booster_, np.hstack([x[:, None], batch.matrix()]), groups)
    rows = []
    for name, (booster, matrix, groups) in boosters.items():
        found, wall, processor = _timed(lambda b=booster, m=matrix, g=groups: tree_shap_values(b, m, g))
        rows.append([f"{name}: ours (exact)", len(matrix), wall, processor, found.additivity_error, 0.0])
        part = matrix[:1_000]
        theirs, wall, processor = _timed(lambda b=booster, p=part: shap.TreeExplainer(b).shap_values(p))
        raw = np.asarray(theirs)
        summed = np.column_stack([raw[:, list(columns)].sum(axis=1) for columns in groups.values()])
        gap = float(np.abs(summed - found.values[:1_000]).max())
        rows.append([f"{name}: shap.TreeExplainer", len(part), wall, processor, float("nan"), gap])
    header = ["LightGBM", "rows", "seconds", "cpu s", "additivity error", "largest difference"]
    print_table("LightGBM: exact Shapley values", header, rows)


def _lime(ready: ReadyOffers, seeds: int) -> None:
    rows, asked = [], surface(ready.run)
    found: list[dict[str, Any]] = []
    seconds: list[tuple[float, float]] = []
    for seed in range(max(20, 10 * seeds)):
        row = ready.batch.take(_pick(ready, 1, 100 + seed))
        background = ready.batch.take(background_of(ready, seed=seed, size=40))
        lines, wall, processor = _timed(
            lambda r=row, g=background: lime_outcomes(asked.answers, r, g, outcomes=asked.outcomes)
        )
        found.append(lines)
        seconds.append((wall, processor))
    wall, processor = np.median(seconds, axis=0)
    for outcome in asked.outcomes:
        fit = np.array([each[outcome].r2 for each in found])
        stable = float(np.mean([each[outcome].stability for each in found]))
        rows.append([outcome, fit.mean(), np.quantile(fit, 0.1), (fit >= 0.8).mean(), stable])
    print_table(
        f"LIME of one row, {len(found)} rows ({wall:.2f} s, {processor:.2f} cpu s for all four outcomes)",
        ["outcome", "mean R²", "10% worst", "share ≥ 0.8", "stability"], rows,
    )  # fmt: skip


def _drivers(ready: ReadyOffers, seeds: int) -> None:
    rows = []
    for seed in range(seeds):
        batch = ready.batch.take(_pick(ready, 500, seed))
        background = ready.batch.take(background_of(ready, seed=seed))
        found = expected_gradients(surface(ready.run), batch, background, n_points=6)
        for outcome, drivers in TRUE.items():
            rows.append([outcome, seed, *_ordered(found[outcome], drivers)])
    header = ["outcome", "seed", "pairs in order", "best true rank", "worst true rank", "best idle rank", "features"]
    print_table("True drivers before idle features", header, rows)


def _ordered(result: ShapResult, drivers: tuple[str, ...]) -> tuple[float, int, int, int, int]:
    order = list(result.importance()["feature"])
    true, idle = [order.index(name) for name in drivers], [order.index(name) for name in IDLE]
    right = np.mean([t < i for t in true for i in idle])
    return float(right), min(true) + 1, max(true) + 1, min(idle) + 1, len(order)


if __name__ == "__main__":
    main()
