"""What tuning for some minutes gains on the demo shop: held-out log loss, and profit under the true demand.

``python benchmarks/tuning.py [--seeds N] [--minutes M | --trials T] [--family NAME]``. Each seed is another small demo
shop. A Bayesian and a random search get the same budget; then the family is trained with the settings of today and with
those found by each search. Log loss is that of the training's held-out weeks; profit is that of the personalized prices
for the two weeks after the log, under the true demand, as a share of that of an oracle who keeps to the same supported
prices.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from benchmarks.tables import mean_and_error, print_table
from pricing_core import workflows
from pricing_core.data.demo_shop import DemoShop, DemoShopConfig, simulate_demo_shop
from pricing_core.guardrails import NO_GUARDRAILS
from pricing_core.store import studies
from pricing_core.store.workspace import Workspace

TODAY = "settings of today"
SEARCHED = ("bayes", "random")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=10.0, help="of each search")
    parser.add_argument("--trials", type=int, help="of each search, in place of minutes: for a machine that is busy")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--family", default="network")
    parser.add_argument("--rows", type=int, default=20_000, help="offers that the trials use")
    parser.add_argument("--visits", type=int, default=12_000, help="size of the shop; the demo shop has 51,000")
    parser.add_argument("--full", action="store_true", help="full instead of quick training")
    options = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {}
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        start = time.perf_counter()
        for way, figures in one_shop(seed, options).items():
            found.setdefault(way, []).append(figures)
        shown = ", ".join(f"{way} {each[-1]['share']:.2f}% / {each[-1]['log_loss']:.4f}" for way, each in found.items())
        print(f"seed {seed}, {time.perf_counter() - start:.0f} s: {shown}", flush=True)
    rows = []
    for way, each in found.items():
        rows.append(
            [
                way,
                mean_and_error([f["log_loss"] for f in each], 4),
                mean_and_error(
                    [1000 * (f["log_loss"] - g["log_loss"]) for f, g in zip(each, found[TODAY], strict=True)]
                ),
                mean_and_error([f["share"] for f in each], 2),
                mean_and_error([f["share"] - g["share"] for f, g in zip(each, found[TODAY], strict=True)], 2),
                mean_and_error([f["trials"] for f in each]),
            ]
        )
    columns = (
        "settings",
        "held-out log loss",
        "change, thousandths",
        "% of oracle's profit",
        "change, points",
        "trials",
    )
    budget = f"{options.minutes:g} minutes" if options.trials is None else f"{options.trials} trials"
    title = f"{options.family}, {budget} of search, {options.seeds} shops, {os.cpu_count()} cores"
    print_table(title, columns, rows)


def one_shop(seed: int, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Figures of each way to choose settings on the shop of one seed."""
    size = {"n_visits": options.visits, "n_customers": max(500, options.visits // 5)}
    shop = simulate_demo_shop(DemoShopConfig(random_state=seed, **size))
    base = workflows.TrainingConfig(seed=seed, quick=not options.full, family=options.family)
    with tempfile.TemporaryDirectory() as folder:
        ws = Workspace.open(folder)
        workflows.import_files(ws, shop.tables, name="demo shop", source="simulated", pseudonymize=False)
        configs = {TODAY: base}
        for search in SEARCHED:
            request = workflows.TuningRequest(
                name=search, family=options.family, search=search, seed=seed, quick=not options.full,
                max_rows=options.rows,
            )  # fmt: skip
            workflows.new_tuning(ws, request)
            minutes = options.minutes if options.trials is None else None
            workflows.tune(ws, search, minutes=minutes, trials=options.trials)
            configs[search] = workflows.tuned_config(ws, search, base=base)
        counts = {s: studies.get(ws, s).n_trials for s in SEARCHED}
        return {way: {**judged(ws, shop, config), "trials": counts.get(way, 0)} for way, config in configs.items()}


def judged(ws: Workspace, shop: DemoShop, config: workflows.TrainingConfig) -> dict[str, float]:
    """Held-out log loss of a training with these settings, and the true profit of its prices."""
    run = workflows.load_run(ws, workflows.train(ws, config=config))
    result = workflows.simulate(ws, ["personalized"], targets=shop.targets, guardrails=NO_GUARDRAILS)
    truth, rows = shop.target_truth, result.rows
    oracle = truth.profit(truth.oracle_price(rows.support_low, rows.support_high))
    share = 100 * truth.profit(result.prices["personalized"].price) / oracle
    return {"log_loss": float(run.metrics["log_loss"]), "share": float(share)}


if __name__ == "__main__":
    main()
