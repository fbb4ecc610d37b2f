"""How long a page of the app takes in a real headless Chromium, from the click or the address to the last change."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.tables import ROOT

QUIET_MS = 500
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Notes when the state of the script changes, and when the page last did; all in milliseconds of its own clock.
_WATCH = """
    window.states = []; window.changed = 0;
    new MutationObserver(() => {
        window.changed = performance.now();
        const app = document.querySelector('[data-testid="stApp"]');
        const state = app && app.getAttribute('data-test-script-state');
        const last = window.states.at(-1);
        if (state && (!last || last[0] !== state)) window.states.push([state, performance.now()]);
    }).observe(document, {subtree: true, childList: true, attributes: true});
"""
_SETTLED = f"""
    () => window.states.length && window.states.at(-1)[0] === 'notRunning' && window.changed > window.asked
        && window.states.some(each => each[0] === 'running' && each[1] > window.asked)
        && performance.now() - window.changed > {QUIET_MS}
"""


def page_times(workspace: Path, path: str, draws: int = 5) -> dict[str, dict[str, float]]:
    """Seconds of a first visit, of reloads, and of visits from another page within the app; medians of the latter two.

    Each has ``loading`` (the app's own scripts and the connection; within the app, the click), ``script`` (the server
    works and its results arrive) and ``drawing`` (until the browser shows the last of them), and their sum ``whole``.
    """
    from playwright.sync_api import sync_playwright

    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _BROWSERS)), None)
    with _running_app(workspace) as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.add_init_script(_WATCH + "window.asked = 0;")
        page.goto(f"{url}/{path}")
        first = _times(page)
        reloads, visits = [], []
        for _ in range(draws):
            page.goto(f"{url}/{path}")
            reloads.append(_times(page))
        links = page.get_by_test_id("stSidebarNav")
        for _ in range(draws):
            _click(page, links.get_by_role("link").first)
            visits.append(_click(page, links.locator(f'a[href$="/{path}"]')))
        browser.close()
    return {"first visit": first, "reload": _medians(reloads), "from another page": _medians(visits)}


def _click(page: Any, link: Any) -> dict[str, float]:
    page.evaluate("window.asked = performance.now()")
    link.click()
    return _times(page)


def _times(page: Any) -> dict[str, float]:
    page.wait_for_function(_SETTLED, timeout=60_000, polling=50)
    asked, states, changed = page.evaluate("[window.asked, window.states, window.changed]")
    states = [each for each in states if each[1] > asked]
    started = next(at for state, at in states if state == "running")
    ended = next(at for state, at in reversed(states) if state == "notRunning")
    return {"loading": (started - asked) / 1e3, "script": (ended - started) / 1e3,
            "drawing": max(0.0, changed - ended) / 1e3, "whole": (max(changed, ended) - asked) / 1e3}  # fmt: skip


def _medians(found: list[dict[str, float]]) -> dict[str, float]:
    return {key: median(each[key] for each in found) for key in found[0]}


@contextmanager
def _running_app(workspace: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://localhost:{port}"
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--server.headless", "true"], cwd=ROOT, stdout=log, stderr=log,
            env={**os.environ, "PRICING_WORKSPACE": str(workspace)},
        )  # fmt: skip
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"{url}/_stcore/health", timeout=1)
                    break
                except OSError:
                    time.sleep(0.1)
            yield url
        finally:
            process.terminate()
            process.wait(10)
