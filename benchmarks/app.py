"""First paint of the app, and warm page switches, in a headless Chromium, beside an empty Streamlit app.

``python benchmarks/app.py [--seeds N] [--quick] [--workspace W]``. Without a workspace that holds a trained model, the
demo shop is imported and trained quickly first; ``--quick`` measures an empty workspace. ``--seeds`` repeats the starts
and the tours through the pages. Needs ``requirements/dev.txt`` and Chromium (Debian: ``apt-get install chromium``).
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.tables import ROOT, mean_and_error, print_table, run_measured

PAGES = ("Data", "Models", "Demand", "Explain", "Optimize", "Scenarios", "Price list", "Today")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
EMPTY_APP = "import streamlit as st\nst.title('Today')\nst.write('Nothing here.')\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--workspace", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = options.workspace or Path(folder) / "shop"
        if options.workspace is None and not options.quick:
            demo = [sys.executable, "-m", "pricing_core", "demo", "--quick", "--workspace", str(workspace)]
            run_measured(demo)
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY_APP, encoding="utf-8")
        paints = {
            "first paint, this app": [first_paint(ROOT / "streamlit_app.py", workspace) for _ in range(options.seeds)],
            "first paint, an empty Streamlit app": [first_paint(empty, workspace) for _ in range(options.seeds)],
        }
        switches = tours(workspace, options.seeds)
    rows = [
        [name, mean_and_error(values, 2), f"{max(values):.2f}", "5" if "this" in name else ""]
        for name, values in paints.items()
    ]
    rows += [[f"to {page}, seen before", mean_and_error(v, 2), f"{max(v):.2f}", "1"] for page, v in switches.items()]
    print_table("The app in headless Chromium", ("what", "seconds", "slowest", "target"), rows)


def first_paint(script: Path, workspace: Path) -> float:
    """Seconds from the start of the server process to the visible title."""
    with chromium() as page:
        start = time.perf_counter()
        with server(script, workspace) as url:
            page.goto(url)
            page.get_by_role("heading", name="Today", level=1).wait_for()
            return time.perf_counter() - start


def tours(workspace: Path, repeats: int) -> dict[str, list[float]]:
    """Seconds from the click to the page's title and a page that has stopped computing, for pages seen before."""
    seconds: dict[str, list[float]] = {page: [] for page in PAGES}
    with chromium() as page, server(ROOT / "streamlit_app.py", workspace) as url:
        page.goto(url)
        page.get_by_role("heading", name="Today", level=1).wait_for()
        for tour in range(repeats + 1):
            for title in PAGES:
                start = time.perf_counter()
                page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
                page.get_by_role("heading", name=title, exact=True, level=1).wait_for()
                page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')", timeout=60_000)
                if tour:
                    seconds[title].append(time.perf_counter() - start)
    return seconds


@contextmanager
def chromium() -> Iterator[Any]:
    """Open a page of a headless Chromium."""
    from playwright.sync_api import sync_playwright

    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        raise SystemExit("No Chromium is installed; on Debian: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        yield browser.new_page(viewport={"width": 1440, "height": 1000})
        browser.close()


@contextmanager
def server(script: Path, workspace: Path) -> Iterator[str]:
    """Start a Streamlit app on a free port, and wait until it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            str(script),
            "--server.port",
            str(port),
            "--server.headless",
            "true",
        ],
        cwd=ROOT,
        env={**os.environ, "PRICING_WORKSPACE": str(workspace)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(20)


if __name__ == "__main__":
    main()
