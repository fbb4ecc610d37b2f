"""Which process is meant by a number, and is it still alive?

A process number is reused after its process ends, so a record of a process keeps its number together with a mark
of when it started.
"""

from __future__ import annotations

import functools
from pathlib import Path

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def start_mark(pid: int) -> str | None:
    """Return a text that tells this process from any other that had or will have its number.

    Returns
    -------
    str or None
        Letters and digits only; None if no such process runs. A process that has ended but was not yet collected
        by its parent counts as ended.

    Notes
    -----
    On Linux the mark is the boot's identity and the start in clock ticks since the boot: unlike a time of day it
    does not move when the system clock is corrected.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        ticks = _ticks_since_boot(pid)
        return f"{_boot()}t{ticks}" if ticks else f"c{process.create_time() * 100:.0f}"
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return "unknown"


def is_alive(pid: int | None, mark: str | None) -> bool:
    """Return whether the process with this number and this :func:`start_mark` still runs."""
    if pid is None or mark is None:
        return False
    return start_mark(pid) == mark


def _ticks_since_boot(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the program's name in brackets and may itself hold spaces and brackets.
    after_name = text.rpartition(")")[2].split()
    return after_name[19] if len(after_name) > 19 else None


@functools.cache
def _boot() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").replace("-", "").strip()[:12]
    except OSError:
        return "b"
