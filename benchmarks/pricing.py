"""Time to price 20,000 targets with a trained model: the whole command, and after start-up, beside a grid search.

``python benchmarks/pricing.py [--seeds N] [--quick] [--workspace W]``. Without a workspace that holds a trained model,
a quick one is trained first. ``--seeds`` repeats each measurement; ``--quick`` prices 2,000 targets.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from benchmarks.shops import with_demo_model
from benchmarks.tables import mean_and_error, print_table, run_measured
from pricing_core import workflows
from pricing_core.data.demo_shop import simulate_demo_shop
from pricing_core.guardrails import NO_GUARDRAILS
from pricing_core.models.monotone_trees import MonotoneTrees
from pricing_core.store.workspace import Workspace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--workspace", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ws = with_demo_model(Workspace.open(options.workspace or folder))
        measure(ws, Path(folder), 2_000 if options.quick else 20_000, options.seeds)


def measure(ws: Workspace, folder: Path, n: int, repeats: int) -> None:
    """Measure the ways to price ``n`` targets and print them."""
    targets = simulate_demo_shop().targets.head(n)
    targets.to_csv(folder / "targets.csv", index=False)
    price = ["price", "--workspace", str(ws.root), "--strategy", "personalized", "--no-guardrails"]
    price += ["--targets", str(folder / "targets.csv"), "--out", str(folder / "prices.csv")]
    python = [sys.executable, "-m", "pricing_core"]
    start_up = [
        run_measured([sys.executable, "-c", "import pricing_core.workflows, lightgbm"]).wall for _ in range(repeats)
    ]
    whole = [run_measured([*python, *price]) for _ in range(repeats)]

    def again() -> None:
        workflows.price(ws, "personalized", targets=targets, guardrails=NO_GUARDRAILS)

    again()
    warm = [clock(again) for _ in range(repeats)]
    grid = [clock(grid_search(ws, targets)) for _ in range(repeats)]
    rows = [
        [
            "price command, whole",
            mean_and_error([m.wall for m in whole], 2),
            "",
            f"{max(m.peak_mb for m in whole):,.0f}",
        ],
        ["  of which starting Python and its packages", mean_and_error(start_up, 2), "", ""],
        ["  the rest", f"{np.mean([m.wall for m in whole]) - np.mean(start_up):.2f}", "5", ""],
        ["pricing again in a running process", mean_and_error(warm, 2), "", ""],
        ["monotone LightGBM on given features, 50 prices", mean_and_error(grid, 2), "", ""],
    ]
    print_table(f"Pricing {n:,} targets", ("way", "seconds", "target", "peak memory, MB"), rows)


def grid_search(ws: Workspace, targets) -> Callable[[], object]:  # type: ignore[no-untyped-def]
    """Return the pricing of targets, whose features are already there, by a boosted classifier and 50 prices each."""
    run = workflows.load_run(ws)
    log = run.dataset.offers.tail(40_000)
    logged = run.model.encode(run.dataset, log)
    asked = run.model.encode(run.dataset, workflows.prepare_targets(ws, run.dataset, targets))
    rows = run.model.rows(run.dataset, asked)
    trees = MonotoneTrees().fit(
        logged.batch, log["price"].to_numpy() / logged.going.reference, log["purchased"].to_numpy(dtype=float)
    )
    return lambda: trees.best_price(
        asked.batch,
        reference=asked.going.reference,
        unit_cost=rows.unit_cost,
        low=rows.support_low,
        high=rows.support_high,
        points=50,
    )


def clock(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
