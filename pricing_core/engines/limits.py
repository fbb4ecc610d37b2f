"""From which size a file is streamed, and how much memory and how many processors that may take."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from pricing_core.errors import ConfigError

LARGE_VARIABLE: Final = "PRICING_LARGE_MB"
MEMORY_VARIABLE: Final = "PRICING_ENGINE_MEMORY_MB"
THREADS_VARIABLE: Final = "PRICING_ENGINE_THREADS"


@dataclass(frozen=True)
class Limits:
    """Limits of the engine.

    Parameters
    ----------
    large_bytes
        Unpacked size from which files are streamed.
    memory_mb
        Memory for the rows while they are imported; what needs more goes to disk.
    numbered_levels
        Different values in the first block from which ids are looked up by the numbers in them.
    held_mb
        Memory up to which the rows are held outside of the database; default: the same.
    threads
        Processors used.
    block_bytes
        Text read at once.
    chunk_rows
        Rows that are looked at at once where a check needs them in memory.
    plain_levels
        Different values in the first block from which a column of times, numbers or free text is kept as it is.
    """

    large_bytes: int = 150_000_000
    memory_mb: int = 700
    threads: int = 2
    block_bytes: int = 3 << 23
    chunk_rows: int = 1_000_000
    plain_levels: int = 20_000
    numbered_levels: int = 100
    held_mb: int | None = None

    @property
    def held_bytes(self) -> int:
        """Memory up to which rows are held outside of the database, bytes."""
        return (self.memory_mb if self.held_mb is None else self.held_mb) << 20


def limits_from_environment() -> Limits:
    """Limits as the environment sets them, in megabytes; the defaults where it says nothing.

    Raises
    ------
    ConfigError
        If a value is no whole number, or too small.
    """
    usual = Limits()
    return Limits(
        large_bytes=_number(LARGE_VARIABLE, usual.large_bytes // 1_000_000, 0) * 1_000_000,
        memory_mb=_number(MEMORY_VARIABLE, usual.memory_mb, 100),
        threads=_number(THREADS_VARIABLE, usual.threads, 1),
    )


def _number(name: str, default: int, least: int) -> int:
    given = os.environ.get(name, "").strip()
    if not given:
        return default
    if not given.isascii() or not given.isdigit() or int(given) < least:
        raise ConfigError(f"{name} is {given!r}.", fix=f"Give a whole number of at least {least}.")
    return int(given)
