"""From ids to prices: pairs of customers and products a second, and what the first pair costs.

``python benchmarks/serving.py [--rows N] [--quick] [--workspace W]``. Without a workspace that holds a trained network,
a quick one is trained on the demo shop first. Every customer is paired with every product as often as it takes; each
round starts from ids and ends with a price within the supported range that earns most. ``--quick`` takes 200,000 pairs.
The plain path computes every feature and layer for every row; its answers are compared with the fast ones.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from benchmarks.shops import with_demo_model
from benchmarks.tables import print_table
from pricing_core import workflows
from pricing_core.guardrails import NO_GUARDRAILS
from pricing_core.models.price_server import PriceServer
from pricing_core.optimize.strategies import price_strategy
from pricing_core.store.workspace import Workspace

CHUNK = 100_000
TARGET = 200_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=4_000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--workspace", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ws = with_demo_model(Workspace.open(options.workspace or folder))
        measure(ws, 200_000 if options.quick else options.rows, options.customers)


def measure(ws: Workspace, n: int, n_customers: int) -> None:
    """Measure both paths and print them."""
    run = workflows.load_run(ws)
    model, dataset = run.model, run.dataset
    people = dataset.offers["customer_id"].astype(str).unique()[:n_customers]
    goods = dataset.offers["product_id"].astype(str).unique()
    at = dataset.offers["offered_at"].max() + pd.Timedelta(seconds=1)
    place = np.arange(n) % (len(people) * len(goods))
    asked = pd.DataFrame({"customer_id": people[place // len(goods)], "product_id": goods[place % len(goods)]})
    asked["offered_at"] = at
    if not PriceServer.suits(model, asked.head(10)):
        raise SystemExit("The workspace's model is no network of small trees: train with --family network.")
    start, spent = time.perf_counter(), time.process_time()
    server = PriceServer(model, dataset, people, goods, at)
    server.rows(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))
    ready = time.perf_counter() - start, time.process_time() - spent
    price = np.empty(n)
    start, spent = time.perf_counter(), time.process_time()
    for first in range(0, n, CHUNK):
        part = asked.iloc[first : first + CHUNK]
        rows = server.rows(*server.places(part["customer_id"], part["product_id"]))
        price[first : first + CHUNK] = price_strategy("personalized", rows, NO_GUARDRAILS, with_reasons=False).price
    fast = time.perf_counter() - start, time.process_time() - spent
    few = asked.iloc[np.sort(np.random.default_rng(0).permutation(n)[: min(n, 20_000)])]
    start, spent = time.perf_counter(), time.process_time()
    rows = model.rows(dataset, model.encode(dataset, few.reset_index(drop=True)))
    plain_price = price_strategy("personalized", rows, NO_GUARDRAILS, with_reasons=False).price
    plain = time.perf_counter() - start, time.process_time() - spent
    moved = np.abs(price[few.index] / plain_price - 1).max()
    lines = [
        ["made ready once for these customers and products", f"{ready[0]:.1f}", f"{ready[1]:.1f}", "", ""],
        [f"{n:,} pairs, ids to prices", *_line(*fast, n), f"{TARGET:,}"],
        [f"the plain path, {len(few):,} rows", *_line(*plain, len(few)), ""],
    ]
    columns = ("way", "seconds", "processor seconds", "rows a second", "target")
    print_table(
        f"Serving {len(people):,} customers and {len(goods):,} products, {os.cpu_count()} cores", columns, lines
    )
    print(f"\nLargest difference between the two paths' prices: {moved:.1e} of the price")


def _line(seconds: float, processor: float, n: int) -> list[str]:
    return [f"{seconds:.2f}", f"{processor:.2f}", f"{n / seconds:,.0f}"]


if __name__ == "__main__":
    main()
