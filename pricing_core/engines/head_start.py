"""The first rows of a large file, read in a thread while the rest of the program is still being loaded."""

from __future__ import annotations

import contextlib
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from pricing_core.data.read import Source, suffix_of
from pricing_core.engines.files import PlainFile
from pricing_core.engines.limits import Limits
from pricing_core.engines.reading import NotStreamable, Reader
from pricing_core.engines.text_blocks import OtherEncoding
from pricing_core.errors import PricingError

_TEXTS = ("csv", "tsv", "txt")


class HeadStart:
    """Begins to read a file of text that is large and not packed; nothing is begun for any other.

    Parameters
    ----------
    path
        The file.
    limits
        From which size it is large.
    """

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path, self._limits = path, limits
        self._begun: Future[Reader | None] | None = None
        with contextlib.suppress(OSError):  # what is wrong with the file is said when it is read
            size = path.stat().st_size
            if limits.threads > 1 and suffix_of(path.name) in _TEXTS and size >= max(1, limits.large_bytes):
                pool = ThreadPoolExecutor(1, thread_name_prefix="import-begin")
                self._begun = pool.submit(self._begin)
                pool.shutdown(wait=False)

    def reader(self, source: Source) -> Reader | None:
        """The reader that was begun, once; None where the source is to be opened anew, which says what is wrong."""
        if self._begun is None or source != self._path:
            return None
        begun, self._begun = self._begun, None
        with contextlib.suppress(OSError):
            found = begun.result()
            return found if found is not None and found.is_at(self._path) else None
        return None

    def _begin(self) -> Reader | None:
        try:
            reader = Reader([PlainFile(self._path, self._path.name)], self._limits.block_bytes, whole=False)
            reader.begin()
        except (PricingError, NotStreamable, OtherEncoding, OSError):
            return None
        return reader
