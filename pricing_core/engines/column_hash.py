"""The hash of a column whose rows come in chunks: that of :func:`pricing_core.data.fingerprints.column_hash`."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pricing_core.engines.coding import ColumnCodes, look_up
from pricing_core.engines.typed import Type

_NO_TIME = np.iinfo(np.int64).min


class ColumnHash:
    """Takes the chunks of a column in order.

    Parameters
    ----------
    kind
        Type of the typed column; of ``words``, the chunks are numbers into ``words``.
    """

    def __init__(self, kind: Type, words: pd.Series) -> None:
        self._kind, self._words = kind, words
        self._texts = ColumnCodes("", "UTC")
        self._place = np.full(len(words) + 1, -1, dtype=np.int64)
        self._first: list[NDArray[np.int64]] = []
        self._seen = 0
        tag = "time" if kind == "time" else "text" if kind in ("words", "text") else "number"
        self._digest = hashlib.sha256(f"{tag}\n".encode())

    def add(self, values: pa.Array) -> None:
        """Take the next rows."""
        if self._kind == "words":
            codes = values.fill_null(len(self._words)) if values.null_count else values
            self._update(self._order(codes.to_numpy()), "<i8")
        elif self._kind == "text":
            self._update(self._texts.take(values)[0], "<i8")
        elif self._kind == "time":
            self._update((values.fill_null(_NO_TIME) if values.null_count else values).to_numpy(), "<i8")
        else:
            numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
            if not numbers.min(initial=1.0) > 0:  # zero may have a sign, and what is missing several forms
                numbers = numbers + 0.0
                numbers[np.isnan(numbers)] = np.nan
            self._update(numbers, "<f8")

    def hexdigest(self) -> str:
        """The hash of all rows taken."""
        digest = self._digest.copy()
        texts: list[str] | None = None
        if self._kind == "words":
            first = np.concatenate([*self._first, np.zeros(0, dtype=np.int64)])
            texts = [str(text) for text in self._words.to_numpy(dtype=object)[first]]
        elif self._kind == "text":
            texts = [] if self._texts.levels is None else self._texts.levels.to_pylist()
        if texts is not None:
            digest.update(json.dumps(texts, ensure_ascii=True).encode())
        return digest.hexdigest()

    def _order(self, codes: NDArray[np.int32]) -> NDArray[Any]:
        """Numbers of the words in the order in which they first occur; -1 where there is none."""
        placed: NDArray[Any] = look_up(self._place, codes)
        if self._seen == len(self._words):
            return placed
        fresh = codes[(placed < 0) & (codes < len(self._words))]
        if len(fresh):
            new = pd.unique(fresh).astype(np.int64)
            self._place[new] = self._seen + np.arange(len(new))
            self._seen += len(new)
            self._first.append(new)
            placed = look_up(self._place, codes)
        return placed

    def _update(self, values: NDArray[np.generic], dtype: str) -> None:
        self._digest.update(np.ascontiguousarray(values, dtype=dtype).view(np.uint8).data)
