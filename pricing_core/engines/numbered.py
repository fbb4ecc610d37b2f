"""Ids that are a number behind a text that is always the same, such as ``C-00112945``: found without comparing text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_MOST: Final = 1 << 24
_WORD: Final = 8
_ONES: Final = 0x0101010101010101


@dataclass(frozen=True)
class Pattern:
    """Cells of ``width`` bytes: ``prefix``, then digits, at most eight."""

    width: int
    prefix: bytes

    @classmethod
    def of(cls, cells: pa.Array) -> Pattern | None:
        """The pattern that most of some cells share, by the first of them; None where they share none."""
        texts = cells.drop_null()
        if not len(texts):
            return None
        first = texts[0].as_py().encode()
        digits = len(first) - len(first.rstrip(b"0123456789"))
        for many in range(min(digits, _WORD), 0, -1):
            found = cls(len(first), first[: len(first) - many])
            if found.width >= _WORD and found.numbers(texts)[1].mean() > 0.9:
                return found
        return None

    def numbers(self, cells: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Number of each cell that fits the pattern, in order, and which cells these are."""
        _, offsets, data = cells.buffers()
        fits = np.zeros(len(cells), dtype=bool)
        if data is None or not len(cells):
            return np.zeros(0, dtype=np.int64), fits
        ends = np.frombuffer(offsets, dtype=np.int32, count=len(cells) + 1, offset=4 * cells.offset)
        fits = np.diff(ends) == self.width
        if fits.all():
            start, rows, text = int(ends[0]), len(cells), data
        else:
            some = cells.filter(pa.array(fits))
            if not len(some):
                return np.zeros(0, dtype=np.int64), fits
            text = some.buffers()[2]
            start, rows = int(np.frombuffer(some.buffers()[1], dtype=np.int32, offset=4 * some.offset)[0]), len(some)
        numbers, good = self._read(text, start, rows)
        if not good.all():
            fits[np.flatnonzero(fits)[~good]] = False
            numbers = numbers[good]
        return numbers, fits

    def _read(self, text: pa.Buffer, start: int, rows: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        many = self.width - len(self.prefix)
        good = np.ones(rows, dtype=bool)
        for at in [*range(0, len(self.prefix) - _WORD, _WORD), max(0, len(self.prefix) - _WORD)]:
            wanted = self.prefix[at : at + _WORD].ljust(_WORD, b"\0")
            length = min(_WORD, len(self.prefix) - at)
            if length:
                found = self._words(text, start + at, rows) & np.uint64((1 << 8 * length) - 1)
                good &= found == np.frombuffer(wanted, dtype="<u8")[0]
        zeros = int.from_bytes(bytes(_WORD - many) + b"0" * many, "little")
        tail = self._words(text, start + self.width - _WORD, rows)
        tail &= np.uint64(int.from_bytes(bytes(_WORD - many) + b"\xff" * many, "little"))
        tail -= np.uint64(zeros)
        good &= ((tail + np.uint64(0x76 * _ONES)) | tail) & np.uint64(0x80 * _ONES) == 0
        # Eight digits become a number by three multiplications: pairs, then fours, then all.
        tail = (tail * np.uint64(2561)) >> np.uint64(8) & np.uint64(0x00FF00FF00FF00FF)
        tail = (tail * np.uint64(6553601)) >> np.uint64(16) & np.uint64(0x0000FFFF0000FFFF)
        tail = (tail * np.uint64(42949672960001)) >> np.uint64(32)
        numbers = tail.astype(np.int64)
        good &= numbers < _MOST
        return numbers, good

    def _words(self, text: pa.Buffer, start: int, rows: int) -> NDArray[np.uint64]:
        """Eight bytes of each cell as one number."""
        view = np.ndarray((rows,), dtype="<u8", buffer=text, offset=start, strides=(self.width,))
        return np.array(view, dtype=np.uint64)


class NumberedCodes:
    """Codes of the numbers of a pattern."""

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern
        self._codes = np.full(1 << 16, -1, dtype=np.int32)

    def take(self, numbers: Ints, next_code: int) -> tuple[NDArray[np.int32], Ints]:
        """Codes of numbers, new ones from ``next_code`` on, and the places where new ones first occur."""
        most = int(numbers.max(initial=0))
        if most >= len(self._codes):
            grown = np.full(max(most + 1, 2 * len(self._codes)), -1, dtype=np.int32)
            grown[: len(self._codes)] = self._codes
            self._codes = grown
        codes = self._codes[numbers]
        new = np.flatnonzero(codes < 0)
        if not len(new):
            return codes, new
        fresh = numbers[new]
        self._codes[fresh[::-1]] = new[::-1]  # of places that share a number, the first is written last
        first = new[self._codes[fresh] == new]
        self._codes[numbers[first]] = next_code + np.arange(len(first))
        return self._codes[numbers], first
