"""What compression of the behavior network saves and changes: size, latency, log loss, prices, profit.

``python benchmarks/compression.py [--seeds N] [--quick] [--workspace W]``. A demo shop is simulated and trained for
each seed (``--quick``: quickly, and one seed), or the workspace's run in use is compressed. Prices are those of the
recent offers under personal prices; log loss is that of late offers which the compression did not learn from. Forms
whose programs are not installed (requirements/export.txt) are left out.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from benchmarks.tables import mean_and_error, print_table
from pricing_core import workflows
from pricing_core.data.demo_shop import DemoShopConfig, simulate_demo_shop
from pricing_core.store.workspace import Workspace

COLUMNS = {
    "size_share": ("size, % of original (target ≤ 25)", 100, 1),
    "price_change_mean": ("prices moved, mean % (target < 0.5)", 100, 3),
    "price_change_max": ("most %", 100, 2),
    "same_price_share": ("same price, %", 100, 0),
    "profit_change": ("profit, %", 100, 4),
    "log_loss_change": ("log loss, change × 1,000", 1000, 3),
    "seconds_1000": ("1,000 rows, ms", 1000, 1),
    "seconds_100000": ("100,000 rows, s", 1, 2),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--workspace", type=Path)
    options = parser.parse_args()
    if options.workspace:
        tables = [workflows.compress(Workspace.open(options.workspace))]
    else:
        tables = [trained(seed, quick=options.quick) for seed in range(1 if options.quick else options.seeds)]
    found = pd.concat(tables)
    rows = []
    for form in found["form"].unique():
        mine = found[found["form"] == form]
        figures = [
            mean_and_error(list(np.asarray(mine[name], dtype=float) * scale), digits)
            for name, (_, scale, digits) in COLUMNS.items()
        ]
        rows.append([str(form), f"{mine['size_bytes'].mean():,.0f}", *figures])
    print_table("Forms of the behavior network", ("form", "bytes", *(label for label, _, _ in COLUMNS.values())), rows)


def trained(seed: int, *, quick: bool) -> pd.DataFrame:
    """Table of the forms of a network that learned from one demo shop."""
    with tempfile.TemporaryDirectory() as folder:
        ws = Workspace.open(folder)
        shop = simulate_demo_shop(DemoShopConfig(random_state=seed))
        workflows.import_files(ws, shop.tables, name="demo shop", source="simulated", pseudonymize=False)
        workflows.train(ws, config=workflows.TrainingConfig(seed=seed, quick=quick, family="network"))
        return workflows.compress(ws)


if __name__ == "__main__":
    main()
