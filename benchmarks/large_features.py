"""History of every customer of ten million offers: the engine beside the same figures with pandas.

``python benchmarks/large_features.py``; ``--rows N`` for another size, ``--workspace FOLDER`` for data that are there.
Each way runs in a process of its own; the last row says how far the two are apart at most, relative to the figure.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.large_shop import make_large_shop
from benchmarks.tables import print_table, run_measured
from pricing_core.engines.features import customer_features

DAY = 86_400
KINDS = ("view", "cart", "purchase")


def with_pandas(folder: Path, out: Path) -> None:
    """The same features as a user would write them with pandas, for a shop that knows its list prices."""
    offers = pd.read_parquet(folder / "offers.parquet")
    products = pd.read_parquet(folder / "products.parquet").set_index("product_id")
    bought = offers["purchased"].astype(float)
    level = offers["price"] / offers["product_id"].map(products["list_price"])
    second = offers["offered_at"].astype("int64") // 1_000_000
    end = int(second.max()) + 1
    parts = offers[["customer_id"]].assign(
        n=1.0,
        bought=bought,
        x=level,
        paid=level * bought,
        spent=bought * offers["price"],
        last=second.where(bought > 0),
    )
    grouped = parts.groupby("customer_id")
    sums, last = grouped[["n", "bought", "x", "paid", "spent"]].sum(), grouped["last"].max()
    everyone = pd.Index(pd.read_parquet(folder / "customers.parquet")["customer_id"]).union(sums.index)
    sums, last = sums.reindex(everyone, fill_value=0.0), last.reindex(everyone)
    events = pd.read_parquet(folder / "events.parquet")
    moment = events["occurred_at"].astype("int64") // 1_000_000
    counts = {}
    for kind in KINDS:
        mine = events["event_type"] == kind
        until = min(end, int(moment[mine].max()) + 1) if mine.any() else end
        inside = mine & (moment < until) & (moment >= until - 30 * DAY)
        counts[kind] = events.loc[inside, "customer_id"].value_counts().reindex(everyone, fill_value=0)
    stars = (
        events.loc[moment < end].groupby("customer_id")["rating"].agg(["sum", "count"]).reindex(everyone, fill_value=0)
    )
    rate = (sums["bought"].sum() + 1) / (len(offers) + 10)
    offered = (sums["x"] + 10) / (sums["n"] + 10)
    pd.DataFrame(
        {
            "offers_seen": sums["n"],
            "purchases": sums["bought"],
            "purchase_rate_index": (sums["bought"] + 10 * rate) / (sums["n"] + 10) / rate,
            "days_since_last_purchase": ((end - last) / DAY).fillna(730).clip(upper=730),
            "mean_spend": sums["spent"] / sums["bought"].clip(lower=1),
            "price_level_offered": offered,
            "price_sensitivity_trace": (sums["paid"] + 3 * offered) / (sums["bought"] + 3) - offered,
            **{f"{kind}s_30d": counts[kind] for kind in KINDS},
            "mean_rating_given": (stars["sum"] + 3 * 3.7) / (stars["count"] + 3),
        }
    ).rename_axis("customer_id").sort_index().reset_index().to_parquet(out)


def main() -> None:
    """Make the shop, compute both ways, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--step", nargs=3, metavar=("WAY", "FOLDER", "OUT"))
    options = parser.parse_args()
    if options.step:
        way, folder, out = options.step
        start = time.perf_counter()
        (customer_features if way == "engine" else with_pandas)(Path(folder), Path(out))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": time.perf_counter() - start, "peak_mb": peak}))
        return
    with tempfile.TemporaryDirectory() as place:
        workspace = options.workspace or Path(place) / "shop"
        if options.workspace is None:
            make_large_shop(workspace, options.rows)
        folder = sorted((workspace / "datasets").glob("d*"))[-1]
        rows, tables = [], []
        for way in ("engine", "pandas"):
            out = Path(place) / f"{way}.parquet"
            command = [sys.executable, __file__, "--step", way, str(folder), str(out)]
            found = json.loads(run_measured(command).output.strip().splitlines()[-1])
            tables.append(pd.read_parquet(out).set_index("customer_id").astype(float))
            rows.append([way, f"{len(tables[-1]):,}", f"{found['seconds']:.1f}", f"{found['peak_mb']:,.0f}"])
    apart = float(((tables[0] - tables[1]).abs() / tables[1].abs().clip(lower=1)).max().max())
    print_table(
        f"Features of all customers ({options.rows:,} offers); at most {apart:.0e} apart",
        ["", "customers", "seconds", "most memory, MB"],
        rows,
    )


if __name__ == "__main__":
    main()
