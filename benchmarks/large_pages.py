"""How long the Data page takes to draw on a data set of ten million offers, cold and warm, in a process of its own.

``python benchmarks/large_pages.py``; ``--rows N`` for another size, ``--workspace FOLDER`` for data that are there. The
first draw after an import reads what the import prepared; every later one is warm. Beside it: what the page would need
if it read the offers with pandas and counted them itself. Then the same page in a real headless Chromium, where one is
installed: what the server's script takes of it, and what the app's own scripts and the drawing take.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.browser_times import page_times
from benchmarks.large_shop import make_large_shop
from benchmarks.tables import ROOT, print_table, run_measured

WARM_DRAWS = 5


def draw(workspace: Path) -> dict[str, float]:
    """Draw the Data page and say how long each time took, in seconds."""
    os.environ["PRICING_WORKSPACE"] = str(workspace)
    from streamlit.testing.v1 import AppTest

    seconds = []
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=600).switch_page("pages/data.py")
    for _ in range(1 + WARM_DRAWS):
        start = time.perf_counter()
        app = app.run()
        seconds.append(time.perf_counter() - start)
        if app.exception or app.error:
            raise RuntimeError([*app.exception, *app.error])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cold": seconds[0], "warm": sorted(seconds[1:])[WARM_DRAWS // 2], "peak_mb": peak}


def count_with_pandas(workspace: Path) -> dict[str, float]:
    """Read the offers with pandas, and count customers, products and purchases by week."""
    import pandas as pd

    start = time.perf_counter()
    offers = pd.read_parquet(next((workspace / "datasets").glob("d*")) / "offers.parquet")
    offers.agg({"customer_id": "nunique", "product_id": "nunique", "purchased": "sum"})
    offers.groupby(offers["offered_at"].dt.floor("7D"))["purchased"].agg(["size", "sum"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cold": time.perf_counter() - start, "peak_mb": peak}


def main() -> None:
    """Make the shop, prepare it as an import does, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--page", default="data", help="page looked at in the browser")
    parser.add_argument("--step", choices=("draw", "pandas", "prepare"))
    options = parser.parse_args()
    if options.step:
        print(json.dumps(_step(options.step, options.workspace)))
        return
    with tempfile.TemporaryDirectory() as folder:
        workspace = options.workspace or Path(folder) / "shop"
        if options.workspace is None:
            make_large_shop(workspace, options.rows)
        rows = []
        for name, step in (("preparing after the import", "prepare"), ("Data page", "draw"), ("pandas", "pandas")):
            command = [sys.executable, __file__, "--step", step, "--workspace", str(workspace)]
            found = json.loads(run_measured(command).output.strip().splitlines()[-1])
            cells = [f"{found[key]:.2f}" if key in found else "" for key in ("cold", "warm")]
            rows.append([name, *cells, f"{found['peak_mb']:,.0f}"])
        load = f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs"
        title = f"{_offers(workspace):,} offers; {load}"
        print_table(title, ["", "first time, s", "warm, s", "most memory, MB"], rows)
        _in_browser(workspace, options.page)


def _in_browser(workspace: Path, page: str) -> None:
    found = page_times(workspace, page)
    parts = ("whole", "loading", "script", "drawing")
    rows = [[name, *(f"{times[part]:.2f}" for part in parts)] for name, times in found.items()]
    load = f"load of the machine {os.getloadavg()[0]:.1f}"
    print_table(f"page {page} in Chromium; {load}", ["", *(f"{part}, s" for part in parts)], rows)


def _offers(workspace: Path) -> int:
    from pricing_core.store import datasets
    from pricing_core.store.workspace import Workspace

    return datasets.row_counts(Workspace(workspace))["offers"]


def _step(name: str, workspace: Path) -> dict[str, float]:
    if name == "draw":
        return draw(workspace)
    if name == "pandas":
        return count_with_pandas(workspace)
    from pricing_core.store import datasets
    from pricing_core.store.workspace import Workspace
    from pricing_core.workflows.aggregates import prepare_pages

    start = time.perf_counter()
    ws = Workspace(workspace)
    prepare_pages(ws, str(datasets.latest_dataset_id(ws)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cold": time.perf_counter() - start, "peak_mb": peak}


if __name__ == "__main__":
    main()
