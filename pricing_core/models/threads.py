"""Work on many rows in pieces, on two threads; NumPy frees the interpreter meanwhile.

Products of small matrices are not worth the threads of the linear algebra library: its waiting threads spin and take
the processor from everybody else. Each piece therefore runs on one thread, and the pieces run side by side.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any, Final

THREADS: Final = min(2, os.cpu_count() or 1)

_lock = threading.Lock()
_users: list[ExitStack] = []  # the limit in force, once for each who wants it


def in_blocks(n: int, size: int, work: Callable[[slice], None]) -> None:
    """Call ``work`` once for each slice of at most ``size`` rows of ``n``; the slices never overlap."""
    blocks = [slice(start, min(start + size, n)) for start in range(0, n, size)]
    with one_blas_thread():
        if THREADS == 1 or len(blocks) < THREADS:
            for block in blocks:
                work(block)
            return
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(work, blocks):
                pass


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Have the linear algebra library use one thread; the last of several users restores what was there."""
    with _lock:
        if not _users:
            _users.append(ExitStack())
            _users[0].enter_context(_controller().limit(limits=1, user_api="blas"))
        else:
            _users.append(_users[0])
    try:
        yield
    finally:
        with _lock:
            limit = _users.pop()
            if not _users:
                limit.close()


@lru_cache(maxsize=1)
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
