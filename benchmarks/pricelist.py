"""A price list of 100,000 rows: how long it takes to open, to find rows in, to edit, and to compare.

    python benchmarks/pricelist.py [--rows 100000]

Opening is what the page does before it can draw: read the list, apply the decisions, look for violations, count
changes, and cut out one screenful. An edit is the whole way at the server: decide prices, keep them with their audit
entry, and have the list ready again as the page shows it. Targets: open within 2 s, an edit within 300 ms.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from pricing_core.charts.price_list import price_change_data
from pricing_core.pricelist import decisions, difference, filtering, table_edits
from pricing_core.pricelist.build import COLUMNS
from pricing_core.pricelist.effects import MEASURES, EffectGrid, grid_prices
from pricing_core.pricelist.filtering import ListFilter
from pricing_core.store import audit, list_states, pricelists
from pricing_core.store.pricelists import StoredPriceList
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor
from pricing_core.workflows import release

LEA, ANN = Actor("lea", "analyst", verified=True), Actor("ann", "approver", verified=True)


def main() -> None:
    """Print a table of what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ws = Workspace(Path(folder) / "shop")
        frame = _frame(options.rows)
        key = _save(ws, frame)
        print(f"{options.rows:,} prices: median (worst) of {options.repeats}, and processor time")
        _print("open, first time in a process", lambda: _open(ws, key), 1, target="2 s")
        _print("open again", lambda: _open(ws, key), options.repeats, target="2 s")
        _print("search a text, sort, one screen", lambda: _search(pricelists.load_price_list(ws, key)), options.repeats)
        rows = iter(range(10_000))
        _edit(ws, key, np.array([9_999]), "overridden")  # reads the effects of other prices, once per process
        _print("edit one price", lambda: _edit(ws, key, np.array([next(rows)]), "overridden"), options.repeats,
               target="300 ms")  # fmt: skip
        _print("hold 1,000 prices", lambda: _edit(ws, key, np.arange(1_000), "held"), options.repeats, target="300 ms")
        every = np.arange(options.rows)
        _print("hold every price", lambda: _edit(ws, key, every, "held"), 2)
        _print("edit one after that", lambda: _edit(ws, key, np.array([next(rows)]), "overridden"), options.repeats,
               target="300 ms")  # fmt: skip
        _print("submit", lambda: release.submit(ws, key, actor=LEA), 1)
        _print("approve", lambda: release.approve(ws, key, actor=ANN), 1)
        _print("put live", lambda: release.activate(ws, key, actor=ANN), 1)
        other = pricelists.load_price_list(ws, _save(ws, frame))
        live = pricelists.load_price_list(ws, key)
        _print("difference to the live list", lambda: difference.difference(other.current, live.current), 2)
        _print("check the audit log", lambda: audit.verify(ws), 2)


def _open(ws: Workspace, key: str) -> None:
    list_states.settle(ws)
    pricelists.list_price_lists(ws)
    _ready(pricelists.load_price_list(ws, key))


def _ready(stored: StoredPriceList) -> None:
    """What the page computes of a list before it draws."""
    assert len(stored.violations) >= 0
    decisions.counts(stored.review)
    price_change_data(stored.review["change_rate"])
    rows = filtering.matching(stored.review, ListFilter())
    filtering.screen(rows, 1, 100)


def _search(stored: StoredPriceList) -> None:
    rows = filtering.matching(stored.review, ListFilter(text="p0042", sort="largest change"))
    assert len(filtering.screen(rows, 1, 100).rows)


_AT_HAND: dict[str, StoredPriceList] = {}


def _edit(ws: Workspace, key: str, rows: np.ndarray, decision: str) -> None:
    stored = _AT_HAND.get(key) or pricelists.load_price_list(ws, key)
    change = table_edits.in_bulk(stored.review, rows, decision, change=0.01, reason="rival moved")
    release.decide(ws, key, change, actor=LEA, expected_revision=stored.revision)
    _AT_HAND[key] = pricelists.load_price_list(ws, key)
    _ready(_AT_HAND[key])


def _print(label: str, act: Callable[[], Any], repeats: int, *, target: str = "") -> None:
    seconds, processor = [], []
    for _ in range(repeats):
        began, used = time.perf_counter(), time.process_time()
        act()
        seconds.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
    measured = f"{statistics.median(seconds):7.3f} s  ({max(seconds):.3f} s) {statistics.median(processor):9.3f} s"
    print(f"{label:34} {measured:36} {'target ' + target if target else ''}".rstrip(), flush=True)


def _frame(rows: int) -> pd.DataFrame:
    draw = np.random.default_rng(0)
    current = np.round(draw.uniform(5, 80, rows), 2)
    new = np.round(current * draw.uniform(0.85, 1.1, rows), 2)
    frame = pd.DataFrame(
        {
            "product_id": [f"p{i % 5_000:05d}" for i in range(rows)], "customer_id": [f"c{i:06d}" for i in range(rows)],
            "currency": "USD", "current_price": current, "new_price": new, "change_rate": new / current - 1,
            "unit_cost": np.round(current * 0.6, 2), "margin_rate": 1 - current * 0.6 / new,
            "floor_price": np.round(current * 0.8, 2), "ceiling_price": np.round(current * 1.2, 2),
            "prior_price_30d": np.round(current * 0.9, 2), "effective_from": pd.Timestamp("2035-01-01", tz="UTC"),
            "expected_conversion_rate": 0.3, "expected_profit": 1.0, "profit_low": 0.5, "profit_high": 1.5,
            "evidence": np.where(draw.random(rows) < 0.5, "measured", "borrowed"),
            "reason": [f"cut from {a:.2f} to {b:.2f}: reacts strongly" for a, b in zip(current, new, strict=True)],
        }
    )  # fmt: skip
    return frame.reindex(columns=list(COLUMNS))


def _save(ws: Workspace, frame: pd.DataFrame) -> str:
    price = grid_prices(frame)
    chance = 0.6 - 0.3 * price / frame["current_price"].to_numpy(dtype=float)[:, None]
    return pricelists.save_price_list(
        ws, frame, strategy="personalized_discount", run_id="r0001", dataset_id="d0001", summary={"sentence": ""},
        actor=LEA, effects=EffectGrid(price, dict.fromkeys(MEASURES, chance)),
    )  # fmt: skip


if __name__ == "__main__":
    main()
