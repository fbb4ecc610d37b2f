"""Time to answer a what-if slider and to compare four scenarios on the demo shop, beside the full simulation.

``python benchmarks/what_if.py [--seeds N] [--quick] [--workspace W]``. Without a workspace that holds a trained model,
a quick one is trained first. ``--seeds`` repeats each measurement; ``--quick`` leaves the full simulation out. The
answer is what the Scenarios page computes when a slider moves: four strategies with ranges, on the server, without
drawing.
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
from benchmarks.tables import mean_and_error, print_table
from pricing_core import workflows
from pricing_core.simulate.scenario import Scenario
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.what_if import competitor_moves, what_if

STRATEGIES = ("status_quo", "uniform", "product", "personalized_discount")
PACE = 3_924.0
FOUR = (
    Scenario(occasions_per_week=PACE),
    Scenario(occasions_per_week=PACE, cost_change_rate=0.1, horizon_weeks=8),
    Scenario(occasions_per_week=PACE, competitor_change_rate=-0.13, competitor_reaction_rate=0.5),
    Scenario(occasions_per_week=PACE, demand_shift_rate=0.2, stock_share=0.5, churn_rate=0.01),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--workspace", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ws = with_demo_model(Workspace.open(options.workspace or folder))
        measure(ws, options.seeds, full=not options.quick)


def measure(ws: Workspace, repeats: int, *, full: bool) -> None:
    """Measure and print."""
    start = time.perf_counter()
    moves = competitor_moves(workflows.load_run(ws))
    asked = time.perf_counter() - start
    start = time.perf_counter()
    surface = what_if(ws, STRATEGIES, base=FOUR[0], moves=moves)
    prepared = time.perf_counter() - start
    surface.answer(FOUR[1])
    sliders = [clock(lambda s=scenario: surface.answer(s)) for scenario in FOUR for _ in range(repeats)]  # type: ignore[misc]
    compared = [clock(lambda: [surface.answer(each) for each in FOUR]) for _ in range(repeats)]
    rows = [
        ["moving a slider", mean_and_error([1e3 * s for s in sliders], 0), f"{1e3 * max(sliders):.0f}", "200"],
        [
            "comparing four scenarios",
            mean_and_error([1e3 * s for s in compared], 0),
            f"{1e3 * max(compared):.0f}",
            "2,000",
        ],
        ["base case in full, once per model and rules", f"{1e3 * prepared:.0f}", "", ""],
        ["asking the models about competitors, once per model", f"{1e3 * asked:.0f}", "", ""],
    ]
    if full:
        slow, away = [], []
        for scenario in FOUR:
            start = time.perf_counter()
            exact = workflows.simulate(ws, STRATEGIES, scenario=scenario).table.set_index("strategy")["profit"]
            slow.append(time.perf_counter() - start)
            fast = surface.answer(scenario).table.set_index("strategy")["profit"]
            away.append(float(np.abs(fast / exact - 1).max()))
        rows.append(["the full simulation instead", mean_and_error([1e3 * s for s in slow], 0), "", ""])
        print(f"largest difference of a strategy's profit from the full simulation: {max(away):.2%}")
    columns = ("what if, 20,000 offers, 4 strategies", "milliseconds", "longest", "target")
    print_table(f"Demo shop, {os.cpu_count()} cores", columns, rows)


def clock(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
