"""Training on one million offers: time, memory, and profit under known truth, beside tuned LightGBM with grid search.

``python benchmarks/million.py [--offers N] [--quick]``. The demo shop is simulated with 20,000 customers and 200
products, imported, trained by the public workflow, and the offers of the two weeks after the log are priced. Each
training is a process of its own, from the stored data set to the run in the workspace. LightGBM gets the same encoded
features for nothing; counted are its grid search on the latest offers, its last fit, and 40 prices for each target.
``--quick`` takes 200,000 offers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from benchmarks.tables import print_table, run_measured

PARTS = {"train": "this product, full training and prices", "trees": "monotone LightGBM, tuned, and grid-search prices"}
OFFERS_PER_VISIT = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offers", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--family", default="", help="one family of models instead of the automatic choice")
    parser.add_argument("--only", choices=PARTS, help="leave the other part out")
    parser.add_argument("--part", choices=("import", *PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--workspace", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    offers = 200_000 if options.quick else options.offers
    if options.part:
        work(options.part, options.workspace, offers, options.seed, options.family)
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        script = [sys.executable, str(Path(__file__).resolve()), "--workspace", folder, "--offers", str(offers)]
        script += ["--seed", str(options.seed), *(["--family", options.family] if options.family else []), "--part"]
        run_measured([*script, "import"])
        for part in [options.only] if options.only else PARTS:
            run = run_measured([*script, part])
            said = json.loads(run.output.strip().splitlines()[-1])
            rows.append(
                [
                    PARTS[part],
                    f"{said['seconds']:,.0f}",
                    f"{run.cpu:,.0f}",
                    f"{run.peak_mb / 1024:.2f}",
                    f"{said['log_loss']:.5f}",
                    f"{said['share']:.2f}",
                ]
            )
            print(json.dumps(said["parts"]), flush=True)
    columns = ("way", "seconds", "processor seconds", "peak memory, GB", "held-out log loss", "% of oracle")
    print_table(f"{offers:,} offers, {os.cpu_count()} cores (targets: 600 s, 6 GB)", columns, rows)


def work(part: str, folder: Path, offers: int, seed: int, family: str) -> None:
    """Do one part in this process; the last line printed is its outcome."""
    from pricing_core import workflows
    from pricing_core.data.demo_shop import DemoShopConfig, simulate_demo_shop
    from pricing_core.store.workspace import Workspace

    ws = Workspace.open(folder)
    if part == "import":
        visits = offers // OFFERS_PER_VISIT
        shop = simulate_demo_shop(
            DemoShopConfig(20_000, 200, n_visits=visits, n_target_visits=5_000, random_state=seed)
        )
        workflows.import_files(ws, shop.tables, name="demo shop", source="simulated", pseudonymize=False)
        shop.targets.to_parquet(folder / "asked.parquet")
        truth = {name: getattr(shop.target_truth, name) for name in TRUTH}
        np.savez(folder / "truth.npz", logged_sd=shop.target_truth.logged_sd, **truth)
        return
    said = by_product(ws, folder, seed, family) if part == "train" else by_trees(ws, folder, seed)
    print(json.dumps(said))


TRUTH = ("list_price", "unit_cost", "intercept", "sensitivity", "logged_mean")


def by_product(ws, folder: Path, seed: int, family: str) -> dict[str, object]:  # type: ignore[no-untyped-def]
    """Train and price by the public workflows."""
    import pandas as pd

    from pricing_core import workflows
    from pricing_core.guardrails import NO_GUARDRAILS

    start = time.perf_counter()
    config = workflows.TrainingConfig(seed=seed, **({"family": family} if family else {}))
    workflows.train(ws, config=config)
    targets = pd.read_parquet(folder / "asked.parquet")
    priced = workflows.price(ws, "personalized", targets=targets, guardrails=NO_GUARDRAILS)
    seconds = time.perf_counter() - start
    run = workflows.load_run(ws)
    share = share_of_oracle(folder, priced.prices.price, priced.rows)
    parts = run.manifest["seconds"]
    return {"seconds": seconds, "log_loss": run.metrics["log_loss"], "share": share, "parts": parts}


def by_trees(ws, folder: Path, seed: int) -> dict[str, object]:  # type: ignore[no-untyped-def]
    """Tune LightGBM on the latest 15%, fit it on all, and try 40 prices for each target."""
    import pandas as pd

    from benchmarks.truth import _tuned_trees
    from pricing_core.data.columns import classify_columns
    from pricing_core.features import FeatureEncoder, build_features
    from pricing_core.models.monotone_trees import MonotoneTrees
    from pricing_core.models.sampling import held_out_rows
    from pricing_core.store import datasets
    from pricing_core.workflows import load_run, prepare_targets, rows_for

    dataset = datasets.load_dataset(ws)
    log = dataset.offers.sort_values("offered_at", kind="stable").reset_index(drop=True)
    uses = classify_columns(dataset)
    table = build_features(dataset, log, uses=uses)
    encoder = FeatureEncoder().fit(table)
    batch, x = encoder.transform(table), log["price"].to_numpy() / table.list_price
    y = log["purchased"].to_numpy(dtype=float)
    run = load_run(ws)  # for the supported prices only
    targets = prepare_targets(ws, dataset, pd.read_parquet(folder / "asked.parquet"))
    rows, _ = rows_for(run, targets)
    asked = encoder.transform(build_features(dataset, targets, uses=uses))
    late = held_out_rows(log["offered_at"], 0.15)
    start = time.perf_counter()
    trees = _tuned_trees(batch, x, y, quick=False)
    tuned = time.perf_counter() - start
    price = trees.best_price(
        asked, reference=rows.list_price, unit_cost=rows.unit_cost, low=rows.support_low, high=rows.support_high,
        points=40,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    judge = MonotoneTrees(trees.config).fit(batch.take(~late), x[~late], y[~late])
    p = judge.probability(batch.take(late), x[late])
    loss = float(-np.mean(y[late] * np.log(p) + (1 - y[late]) * np.log(1 - p)))
    share = share_of_oracle(folder, price, rows)
    return {"seconds": seconds, "log_loss": loss, "share": share, "parts": {"tuning": tuned}}


def share_of_oracle(folder: Path, price, rows) -> float:  # type: ignore[no-untyped-def]
    """Profit under the true demand as a percentage of an oracle's within the same supported prices."""
    from pricing_core.data.demo_shop import DemandTruth

    with np.load(folder / "truth.npz") as stored:
        truth = DemandTruth(*(stored[name] for name in TRUTH), float(stored["logged_sd"]))
    best = truth.profit(truth.oracle_price(rows.support_low, rows.support_high))
    return 100 * truth.profit(price) / best


if __name__ == "__main__":
    main()
