"""A real server on a free port with an empty workspace, and a real headless Chromium looking at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pricing_core import workflows
from pricing_core.store.workspace import Workspace
from tests.tea_shop import shared_tea_shop

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


@dataclass(frozen=True)
class Server:
    """Address and workspace of the app under test."""

    url: str
    workspace: Path


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"The server did not come up:\n{log.read_text()[-2000:]}")


@contextmanager
def running_app(
    folder: Path, workspace: Path, *, port: int | None = None, secrets: Path | None = None, handlers: str | None = None
) -> Iterator[Server]:
    """The app, started as a user starts it; ``handlers`` names what does its jobs in place of the workflows."""
    port = port or free_port()
    url, log = f"http://localhost:{port}", folder / "server.log"
    environment = {**os.environ, "PRICING_WORKSPACE": str(workspace)}
    if handlers is not None:
        environment |= {"PRICING_JOB_HANDLERS": handlers, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port),
               "--server.headless", "true", *(["--secrets.files", str(secrets)] if secrets else [])]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_until_up(url, process, log)
        yield Server(url, workspace)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """The app with an empty workspace."""
    with running_app(tmp_path, tmp_path / "shop") as started:
        yield started


@pytest.fixture
def server_of_small_sample(tmp_path: Path) -> Iterator[Server]:
    """The app with an empty workspace, whose sample shop is a small one."""
    with running_app(tmp_path, tmp_path / "shop", handlers="tests.browser.job_handlers:HANDLERS") as started:
        yield started


@pytest.fixture
def prepared_shop(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small trained shop with a price list of one price per product, which a test may change."""
    shutil.copytree(shared_tea_shop(tmp_path_factory), tmp_path / "prepared")
    workflows.make_price_list(Workspace(tmp_path / "prepared"), "product")
    return tmp_path / "prepared"


@pytest.fixture
def browser_page(tmp_path: Path) -> Iterator[object]:
    """A page of a headless Chromium; the test is skipped only where no Chromium is installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip("no Chromium is installed; on Debian: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
        yield context.new_page()
        browser.close()
