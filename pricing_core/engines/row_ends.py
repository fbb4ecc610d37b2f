"""Cut text behind the end of a row, so that its pieces can be parsed side by side."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

import numpy as np

QUOTE = 34


class Body:
    """The rows of a text file as a stream of UTF-8, from behind the header on.

    Parameters
    ----------
    source
        The file, opened for reading bytes, at its start.
    encoding
        Of the file.
    head, start
        The first part of the rows as text, and how many bytes of the file were read to know it.
    """

    def __init__(self, source: io.BufferedReader, encoding: str, head: str, start: int) -> None:
        self._source = source
        self._plain = encoding.startswith("utf-8")
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._decoder.decode(source.read(start))
        self._ready = head.encode("utf-8")
        if self._plain:
            source.seek(source.tell() - len(self._decoder.getstate()[0]) - len(self._ready))
            self._ready = b""
        self.closed = False

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; none at the end."""
        if self._plain:
            return self._source.read(size)
        while len(self._ready) < size:
            chunk = self._source.read(size)
            self._ready += self._decoder.decode(chunk, final=not chunk).encode("utf-8")
            if not chunk:
                break
        given, self._ready = self._ready[:size], self._ready[size:]
        return given

    def back(self, rest: bytes | memoryview) -> None:
        """Put back the last bytes that were read."""
        if self._plain:
            self._source.seek(-len(rest), io.SEEK_CUR)
        else:
            self._ready = bytes(rest) + self._ready

    def is_utf8(self) -> bool:
        """Whether what is left is UTF-8; the place in the file stays."""
        if not self._plain:
            return True
        place, decoder = self._source.tell(), codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := self._source.read(1 << 24):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        finally:
            self._source.seek(place)
        return True

    def close(self) -> None:
        """Nothing: the file belongs to the caller."""
        self.closed = True


def pieces(body: Body, size: int, delimiter: str) -> Iterator[tuple[memoryview, bool]]:
    """Yield pieces of whole rows, about ``size`` bytes each, and whether cells are quoted in them.

    Ends early, with the rest still in ``body``, where quotation marks do not tell for sure which line ends are those
    of rows.
    """
    while text := body.read(size):
        last = len(text) < size
        quoted = QUOTE in text
        end = _quoted_end(text, delimiter, last) if quoted else len(text) if last else text.rfind(b"\n") + 1
        if end < len(text):
            body.back(memoryview(text)[end:])
        if end == 0:
            return
        yield memoryview(text)[:end], quoted


def _quoted_end(text: bytes, delimiter: str, last: bool) -> int:
    """End of the last row that is whole; 0 if a quotation mark stands where it does not quote a cell."""
    cells = np.frombuffer(text, dtype=np.uint8)
    marks = np.flatnonzero(cells == QUOTE)
    opening, closing = marks[0::2], marks[1::2]
    edge = np.zeros(256, dtype=bool)
    edge[[ord(each) for each in ("\n", "\r", '"')]] = True
    edge[ord(delimiter)] = True
    before = cells[opening[opening > 0] - 1]
    after = cells[closing[closing < len(cells) - 1] + 1]
    if not (edge[before].all() and edge[after].all()):
        return 0
    if last:
        return len(text) if len(opening) == len(closing) else 0
    end = text.rfind(b"\n") + 1
    while end > 0 and (inside := int(np.searchsorted(marks, end))) % 2:
        end = text.rfind(b"\n", 0, int(marks[inside - 1])) + 1
    return end

