"""Handlers that end in every way a real one can; run in real worker processes."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pricing_core.errors import DataError
from pricing_core.progress import Progress
from pricing_core.store import runs
from pricing_core.store.workspace import Workspace


def add(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    progress.stage("Adding", 0.5, "two numbers")
    print("a line for the log")
    return {"sum": params["a"] + params["b"], "niceness": os.nice(0), "log_level": os.environ["TF_CPP_MIN_LOG_LEVEL"]}


def report(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Report until told to stop, as a training loop does."""
    end = time.monotonic() + params.get("seconds", 60)
    while time.monotonic() < end:
        progress.stage("Looping", 0.5)
        time.sleep(0.02)
    return {}


def native_sleep(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Sleep in C with the interpreter lock held: no Python thread of the worker runs meanwhile."""
    progress.stage("Deep in native code", 0.3)
    ctypes.PyDLL(None).sleep(60)
    return {}


def stubborn(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Catch whatever comes, and have a child that would survive."""
    import signal

    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(params["child"]).write_text(str(child.pid))
    while True:
        try:
            progress.stage("Refusing", 0.1)
        except Exception:
            time.sleep(0.01)


def write_and_wait(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    draft = runs.new_run_dir(ws)
    (draft / "model.txt").write_text("half of the weights")
    progress.stage("Writing", 0.4, "half-way")
    time.sleep(params.get("seconds", 60))
    (draft / "model.txt").write_text("weights")
    return {"run_id": runs.commit_run(ws, draft, dataset_id="d0001", summary={})}


def crash(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    progress.stage("About to crash", 0.2)
    time.sleep(0.3)
    ctypes.string_at(0)
    return {}


def leave(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    os._exit(params["code"])


def bad_data(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    raise DataError("No row of offers.csv can be used.", fix="Check the delimiter.")


def broken(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    raise KeyError("no such\ncolumn")


def quits(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    sys.exit(0)


def no_memory(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    raise MemoryError


def not_json(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    return {"model": object()}


def chatter(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    line = "x" * 1000
    for _ in range(5000):
        print(line)
    time.sleep(0.5)
    print("the end")
    return {}


def note(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    start = time.time()
    time.sleep(params.get("seconds", 0.1))
    with Path(params["file"]).open("a") as file:
        file.write(f"{params['name']} {start} {time.time()}\n")
    return {}


HANDLERS = {
    handler.__name__: handler
    for handler in (
        add, report, native_sleep, stubborn, write_and_wait, crash, leave, bad_data, broken, quits, no_memory,
        not_json, chatter, note,
    )
}  # fmt: skip
