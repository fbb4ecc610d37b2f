"""Work on many rows in pieces that fit the processor's cache, on two threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

THREADS: Final = min(2, os.cpu_count() or 1)
_WORTH_THREADS: Final = 8  # blocks


def for_blocks(n: int, size: int, work: Callable[[slice], None]) -> None:
    """Call ``work`` once for each slice of at most ``size`` rows of ``n``; NumPy frees the interpreter meanwhile.

    ``work`` writes its result into an array that the caller owns; slices never overlap.
    """
    blocks = [slice(start, min(start + size, n)) for start in range(0, n, size)]
    if THREADS == 1 or len(blocks) < _WORTH_THREADS:
        for block in blocks:
            work(block)
        return

    def share(first: int) -> None:
        for block in blocks[first::THREADS]:
            work(block)

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(share, first) for first in range(THREADS)]:
            done.result()
