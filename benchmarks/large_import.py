"""Import of ten million offers beside ``pandas.read_csv`` on the same file, and orders that become occasions.

    python benchmarks/large_import.py --rows 10000000

The offers are drawn from a seed: 200,000 customers, 4,000 products, two years in the order of time, prices that change
from week to week by product, one purchase in ten; about 85 bytes a row. Some rows in a thousand are faulty: no price, a
time that is none, a row too short, a repeated row. Each step runs in a process of its own, which is measured as a
whole, start of Python included. The import reads, maps, checks, pseudonymizes, judges and stores the file through the
same command that a user types; ``read_csv`` only reads, ``read_csv + groupby`` also counts offers, purchases and prices
by product. ``read_csv`` and the import are measured three times in turn, each import into a workspace of its own; the
table has the medians and, in brackets, the range. What was written before is on the disk before anything is measured:
a file that is still on its way there is read more slowly. The figures that pages show of a large data set are prepared
after the import, and measured apart. The orders are 500,000 lines of 4,000 customers, and 5,000,000 of 100,000, of
4,000 products.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.tables import Measured, print_table, run_measured

CUSTOMERS, PRODUCTS, DAYS = 200_000, 4_000, 730
_CHUNK = 500_000
_TURNS = 3
_START = int(np.datetime64("2024-01-01T00:00:00", "s").astype(np.int64))

READ = "import sys, pandas as pd; print(len(pd.read_csv(sys.argv[1], on_bad_lines='skip')))"
GROUPED = (
    "import sys, pandas as pd; frame = pd.read_csv(sys.argv[1], on_bad_lines='skip'); "
    "frame['price'] = pd.to_numeric(frame['price'], errors='coerce'); print(len(frame.groupby('product_id')"
    ".agg(offers=('price', 'size'), bought=('purchased', 'sum'), price=('price', 'median'))))"
)
PREPARE = (
    "import sys; from pathlib import Path; from pricing_core.store import datasets; "
    "from pricing_core.store.workspace import Workspace; from pricing_core.workflows import aggregates; "
    "ws = Workspace.open(Path(sys.argv[1])); aggregates.prepare_pages(ws, datasets.latest_dataset_id(ws))"
)


def write_offers(path: Path, rows: int, seed: int = 0) -> None:
    """Write a CSV file of offers, about 95 bytes a row."""
    rng = np.random.default_rng(seed)
    base = np.round(np.exp(rng.normal(3, 1, PRODUCTS)), 2) + 1
    names = {
        "customer": pa.array([f"C-{k:08d}" for k in range(CUSTOMERS)]),
        "product": pa.array([f"SKU-{k:06d}" for k in range(PRODUCTS)]),
        "channel": pa.array(["web", "app", "store", "marketplace"]),
        "store": pa.array([f"store {k:03d}" for k in range(150)]),
    }
    with path.open("wb") as file:
        file.write(
            b"customer_id,product_id,offered_at,price,purchased,unit_cost,list_price,stock,channel,store,visit\n"
        )
        for start in range(0, rows, _CHUNK):
            n = min(_CHUNK, rows - start)
            file.write(_block(rng, base, names, start, n, rows))


def _block(
    rng: np.random.Generator, base: np.ndarray, names: dict[str, pa.Array], start: int, n: int, rows: int
) -> bytes:
    span = DAYS * 86_400
    seconds = _START + np.sort(rng.integers(span * start // rows, span * (start + n) // rows + 1, n))
    product, customer = rng.integers(0, PRODUCTS, n), rng.integers(0, CUSTOMERS, n)
    week = seconds // (7 * 86_400)
    price = np.round(base[product] * (1 + 0.05 * ((product * 31 + week * 17) % 9 - 4)), 2)
    bought = (rng.random(n) < 0.1).astype(np.int8)
    cells = [
        names["customer"].take(pa.array(customer)), names["product"].take(pa.array(product)),
        pc.strftime(pa.array(seconds, pa.timestamp("s")), "%Y-%m-%dT%H:%M:%SZ"),
        pa.array(price).cast(pa.string()), pa.array(bought).cast(pa.string()),
        pa.array(np.round(base[product] * 0.55, 2)).cast(pa.string()),
        pa.array(np.round(base[product] * 1.2, 2)).cast(pa.string()),
        pa.array(bought * 5 + rng.integers(0, 200, n)).cast(pa.string()),
        names["channel"].take(pa.array(rng.integers(0, 4, n))), names["store"].take(pa.array(rng.integers(0, 150, n))),
        pa.array(rng.integers(1, 40, n)).cast(pa.string()),
    ]  # fmt: skip
    faults = {column: rng.choice(n, max(1, n // 5_000), replace=False) for column in (2, 3)}
    for column, word in ((2, "yesterday"), (3, "")):
        marked = np.zeros(n, dtype=bool)
        marked[faults[column]] = True
        cells[column] = pc.if_else(pa.array(marked), word, cells[column])
    lines = pc.binary_join_element_wise(*cells, ",").to_pylist()
    for row in rng.choice(n - 1, max(1, n // 5_000), replace=False).tolist():
        lines[row + 1] = lines[row]
    for row in rng.choice(n, max(1, n // 10_000), replace=False).tolist():
        lines[row] = lines[row].rpartition(",")[0]
    return ("\n".join(lines) + "\n").encode()


def write_orders(path: Path, lines: int = 500_000, seed: int = 0, customers: int = 4_000) -> None:
    """Write order lines of so many customers and 4,000 products in 40 categories over a year."""
    rng = np.random.default_rng(seed)
    base = np.round(np.exp(rng.normal(3, 1, 4_000)), 2) + 1
    product = np.minimum((4_000 * rng.random(lines) ** 2).astype(int), 3_999)
    seconds = _START + np.sort(rng.integers(0, 364 * 86_400, lines))
    price = np.round(base[product] * (1 + 0.05 * ((product * 31 + seconds // 604_800 * 17) % 9 - 4)), 2)
    customer = rng.integers(0, customers, lines)
    times = np.datetime_as_string(seconds.astype("datetime64[s]"))
    with path.open("w", encoding="utf-8") as file:
        file.write("customer_id,product_id,ordered_at,quantity,unit_price,category\n")
        for row in zip(customer, product, times, rng.integers(1, 4, lines), price, product % 40, strict=True):
            file.write("C{:05d},P{:05d},{}Z,{},{},category {}\n".format(*row))


def main() -> None:
    """Write the files, measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="for the files; default: a temporary folder")
    parser.add_argument("--only", choices=("offers", "orders"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        if options.only != "orders":
            _offers(Path(place), options.rows, options.seed)
        if options.only != "offers":
            _orders(Path(place), options.seed)


def _offers(folder: Path, rows: int, seed: int) -> None:
    file = folder / "offers.csv"
    write_offers(file, rows, seed)
    read, imported = [], []
    for turn in range(_TURNS):
        shutil.rmtree(folder / "shop", ignore_errors=True)
        read.append(_after_writing([sys.executable, "-c", READ, str(file)]))
        command = [sys.executable, "-m", "pricing_core", "import", "--workspace", str(folder / "shop")]
        imported.append(_after_writing([*command, "--only-import", "--offers", str(file)]))
        print(f"turn {turn + 1}: pandas.read_csv {read[-1].wall:.1f} s, import {imported[-1].wall:.1f} s", flush=True)
    grouped = _after_writing([sys.executable, "-c", GROUPED, str(file)])
    prepared = _after_writing([sys.executable, "-c", PREPARE, str(folder / "shop")])
    steps = {"pandas.read_csv": read, "pandas.read_csv + groupby": [grouped], "import": imported}
    steps["figures of the pages"] = [prepared]
    size = file.stat().st_size / 1e6
    title = (
        f"{rows:,} offers, {size:,.0f} MB of CSV; load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs"
    )
    print_table(title, ("", "seconds", "CPU seconds", "peak MB", "times read_csv"), _rows(steps, read))
    print(*(line for line in imported[-1].output.splitlines() if "rows in" in line), sep="\n")


def _after_writing(command: list[str]) -> Measured:
    """Measure a command once all that was written before is on the disk."""
    os.sync()
    return run_measured(command)


def _orders(folder: Path, seed: int) -> None:
    for lines, customers in ((500_000, 4_000), (5_000_000, 100_000)):
        file = folder / f"orders_{lines}.csv"
        write_orders(file, lines, seed, customers)
        read = _after_writing([sys.executable, "-c", READ, str(file)])
        command = [sys.executable, "-m", "pricing_core", "import", "--workspace", str(folder / f"shop_{lines}")]
        made = _after_writing([*command, "--orders", str(file)])
        steps = {"pandas.read_csv": [read], "import as choice occasions": [made]}
        title = f"{lines:,} order lines of {customers:,} customers and 4,000 products"
        print_table(title, ("", "seconds", "CPU seconds", "peak MB", "times read_csv"), _rows(steps, [read]))
        print(*(line for line in made.output.splitlines() if "became" in line), sep="\n")


def _rows(steps: dict[str, list[Measured]], read: list[Measured]) -> list[tuple[str, ...]]:
    usual = statistics.median(each.wall for each in read)
    rows: list[tuple[str, ...]] = []
    for name, turns in steps.items():
        wall = [each.wall for each in turns]
        times = statistics.median(wall) / usual
        peak = max(each.peak_mb for each in turns)
        rows.append((name, _spread(wall), _spread([each.cpu for each in turns]), f"{peak:,.0f}", f"{times:.1f}"))
    return rows


def _spread(values: list[float]) -> str:
    """Median, and the range where there are several."""
    median = f"{statistics.median(values):.1f}"
    return median if len(values) == 1 else f"{median} ({min(values):.1f} to {max(values):.1f})"


if __name__ == "__main__":
    main()
