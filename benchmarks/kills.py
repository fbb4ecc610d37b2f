"""Processes killed while they edit, approve, schedule or export: is the price list as before or as after, each time?

    python benchmarks/kills.py --rounds 100

Each round forks a process that makes one change, kills it (SIGKILL) at a random moment, and looks at what is left: the
state, its files, the exported file and the audit log must all be the old ones or all be the new ones. The moments are
drawn over a little more than the time that the change takes when nobody kills it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from pricing_core.pricelist import decisions
from pricing_core.pricelist.build import COLUMNS
from pricing_core.store import audit, database, exports, list_edits, pricelists
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor
from pricing_core.workflows import release

ANN = Actor("ann", "approver", verified=True)
BEN = Actor("ben", "approver", verified=True)
EXPORT = "for_import.csv"


def main(arguments: list[str] | None = None) -> int:
    """Run the rounds of each change and print how often the old and the new state was found; 1 if any was neither."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--rows", type=int, default=2_000, help="at least 1,000")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workspace", type=Path, help="default: a temporary folder")
    options = parser.parse_args(arguments)
    if options.rows < 1_000:
        parser.error(f"--rows is {options.rows}; it is at least 1,000.")
    draw = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        ws = Workspace(options.workspace or Path(folder) / "shop")
        print(f"{'killed while it':18} {'rounds':>6} {'old state':>9} {'new state':>9} {'neither':>7}")
        wrong = 0
        for name, (prepare, act) in CHANGES.items():
            found = [_round(ws, prepare, act, draw, options.rows) for _ in range(options.rounds)]
            counts = [found.count(kind) for kind in ("old", "new", "torn")]
            print(f"{name:18} {len(found):6} {counts[0]:9} {counts[1]:9} {counts[2]:7}", flush=True)
            wrong += found.count("torn")
    return 1 if wrong else 0


Prepare = Callable[[Workspace, str], None]
Act = Callable[[Workspace, str, int], None]


def _submitted(ws: Workspace, key: str) -> None:
    status = pricelists.load_price_list(ws, key).status
    if status not in ("Draft", "Ready for review"):
        release.reject(ws, key, "once more", actor=BEN)
        status = "Draft"
    if status == "Draft":
        release.submit(ws, key, actor=ANN)


def _approved(ws: Workspace, key: str) -> None:
    _submitted(ws, key)
    release.approve(ws, key, actor=BEN)


def _edit(ws: Workspace, key: str, number: int) -> None:
    rows = np.arange(1_000)
    change = decisions.changes(rows, "overridden", 5.0 + number % 100, "round")
    list_edits.apply_changes(ws, key, change, actor=ANN, expected_revision=None)


def _approve(ws: Workspace, key: str, _number: int) -> None:
    release.approve(ws, key, actor=BEN)


def _schedule(ws: Workspace, key: str, _number: int) -> None:
    release.schedule(ws, key, actor=BEN, effective_from=datetime.now(UTC) + timedelta(days=9))


def _export(ws: Workspace, key: str, number: int) -> None:
    data = _content(number)
    exports.keep_export(ws, EXPORT, data, actor=ANN, price_list_id=key, kind="native")


def _content(number: int) -> bytes:
    return (f"round {number}\n" * 200_000).encode()


CHANGES: dict[str, tuple[Prepare, Act]] = {
    "edits 1,000 prices": (_submitted, _edit),
    "approves": (_submitted, _approve),
    "schedules": (_approved, _schedule),
    "exports": (_submitted, _export),
}


def _round(ws: Workspace, prepare: Prepare, act: Act, draw: random.Random, rows: int) -> str:
    key = pricelists.latest_price_list_id(ws) or _make(ws, rows)
    prepare(ws, key)
    number = draw.randrange(1_000_000)
    seconds = _typical(ws, key, act, prepare)
    before = _look(ws, key)
    child = _fork(ws, key, act, number)
    time.sleep(draw.random() * 1.3 * seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return _verdict(before, _look(ws, key), ws, key, hashlib.sha256(_content(number)).hexdigest())


_SECONDS: dict[Act, float] = {}


def _typical(ws: Workspace, key: str, act: Act, prepare: Prepare) -> float:
    """How long the change takes in a process of its own, measured once."""
    if act not in _SECONDS:
        began = time.perf_counter()
        os.waitpid(_fork(ws, key, act, 7), 0)
        _SECONDS[act] = time.perf_counter() - began
        prepare(ws, key)
    return _SECONDS[act]


def _fork(ws: Workspace, key: str, act: Act, number: int) -> int:
    for engine in database._engines.values():
        engine.dispose()  # a database connection must not be shared with the child
    child = os.fork()
    if child == 0:
        try:
            act(ws, key, number)
        except BaseException as error:
            print(f"the change failed: {error!r}", file=sys.stderr)
        os._exit(0)
    return child


def _look(ws: Workspace, key: str) -> tuple[object, ...]:
    """What there is: revision, status, prices, entries of the log, and the exported file."""
    stored = pricelists.load_price_list(ws, key)
    exports.finish_pending(ws)
    path = ws.exports_dir / EXPORT
    file = audit.file_hash(path) if path.exists() else None
    check = audit.verify(ws)
    if not check.intact:
        return ("damaged", check.problems)
    return stored.revision, stored.status, float(stored.review["new_price"].sum()), check.entries, file


def _verdict(
    before: tuple[object, ...], after: tuple[object, ...], ws: Workspace, key: str, exported: str
) -> str:  # fmt: skip
    if after[0] == "damaged":
        print(after, file=sys.stderr)
        return "torn"
    newest = audit.entries(ws, key, limit=1).iloc[0]
    if after[3] == before[3]:
        return "old" if after == before else "torn"
    if newest["action"] == "export":
        whole = after[4] == newest["after"]["sha256"] == exported and after[:3] == before[:3]
        return "new" if whole else "torn"
    whole = after[0] == int(str(before[0])) + 1 and newest["after"]["status"] == after[1] and after[4] == before[4]
    return "new" if whole else "torn"


def _make(ws: Workspace, rows: int) -> str:
    current = 10.0 + np.arange(rows) % 50
    frame = pd.DataFrame(
        {
            "product_id": [f"p{i:05d}" for i in range(rows)], "currency": "USD", "current_price": current,
            "new_price": np.round(current * 1.05, 2), "change_rate": 0.05, "unit_cost": current / 2, "margin_rate": 0.5,
            "floor_price": current / 2, "ceiling_price": current * 2, "prior_price_30d": current,
            "effective_from": pd.Timestamp("2035-01-01", tz="UTC"), "expected_conversion_rate": 0.3,
            "expected_profit": 1.0, "profit_low": 0.5, "profit_high": 1.5, "reason": "best single price",
        }
    ).reindex(columns=list(COLUMNS))  # fmt: skip
    return pricelists.save_price_list(
        ws, frame, strategy="product", run_id="r0001", dataset_id="d0001", summary={"sentence": ""}, actor=ANN
    )


if __name__ == "__main__":
    sys.exit(main())
