"""Blocks of coded rows: in memory as long as they fit, else on the disk, one file each."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pricing_core.engines.coding import PLAIN, Codes, ColumnCodes
from pricing_core.engines.plain import written

Ints = NDArray[np.int64]
Arrays = dict[str, pa.Array]
_WORK_BYTES = 24
"""Memory that the checks take for each row besides its cells."""


class Spool:
    """Coded rows of one table.

    Parameters
    ----------
    folder
        Folder for the blocks; must not exist.
    held_bytes
        Memory for the rows and the work on them; blocks that need more go to the disk.
    """

    def __init__(self, folder: Path, held_bytes: int = 0) -> None:
        self._folder = folder
        folder.mkdir()
        self.starts: list[int] = []
        self.rows = 0
        self._limit = held_bytes
        self._held: dict[int, Arrays] | None = {}
        self._joining: dict[str, Future[None]] = {}
        self._whole: Arrays = {}
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether all rows are in memory."""
        return self._held is not None

    @property
    def held_bytes(self) -> int:
        """Memory that the rows take, and the work on them."""
        return self._bytes if self._held is not None else 0

    def place(self, rows: int) -> int:
        """Make a place for a block behind the others; returns its number."""
        self.starts.append(self.rows)
        self.rows += rows
        return len(self.starts) - 1

    def put(self, block: int, arrays: Arrays) -> None:
        """Keep the arrays of a block: ``c3`` codes, ``p3`` plain values, ``r3`` raw cells of column 3."""
        with self._lock:
            if self._held is not None:
                self._held[block] = arrays
                rows = len(next(iter(arrays.values())))
                self._bytes += sum(array.nbytes for array in arrays.values()) + rows * _WORK_BYTES
                if self._bytes > self._limit:
                    self._let_go()
                return
        self._write(block, arrays)

    def join(self, threads: int) -> None:
        """Begin to put the blocks of each column together, once all are there and in memory; they can be read."""
        if self._held is None or len(self.starts) < 2:
            return
        pool = ThreadPoolExecutor(threads, thread_name_prefix="import-join")
        self._joining = {name: pool.submit(self._join, name) for name in self._held[0] if not name.startswith("r")}
        pool.shutdown(wait=False)

    def whole(self, name: str) -> pa.Array | None:
        """An array of all rows, which must be in memory; None if there is none of this name."""
        assert self._held is not None
        if name in self._joining:
            self._joining[name].result()
        return self._whole.get(name) if len(self.starts) > 1 else self._held[0].get(name)

    def codes(self, index: int) -> Iterator[tuple[int, Codes]]:
        """Yield position of the first row and codes of a column, block by block."""
        for block, start in enumerate(self.starts):
            yield start, self.read(block, [f"c{index}"])[f"c{index}"].to_numpy()

    def count(self, index: int, levels: int) -> Ints:
        """Number of rows of each value of a column."""
        counts = np.zeros(levels + 2, dtype=np.int64)
        for _, codes in self.codes(index):
            counts += np.bincount(codes.astype(np.int64) + 2, minlength=levels + 2)
        return counts[2:]

    def read(self, block: int, names: Sequence[str] | None = None) -> Arrays:
        """Arrays of a block by name, those of ``names`` that there are."""
        if self._held is not None:
            arrays = self._held[block]
            return dict(arrays) if names is None else {name: arrays[name] for name in names if name in arrays}
        with pa.OSFile(str(self._path(block)), "rb") as source:
            with pa.ipc.open_file(source) as reader:
                known = reader.schema.names
            wanted = None if names is None else [known.index(name) for name in names if name in known]
            source.seek(0)
            with pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=wanted)) as reader:
                batch = reader.get_batch(0)
        return dict(zip(batch.schema.names, batch.columns, strict=True))

    def positions(self, index: int, lookup: NDArray[np.bool_], limit: int | None = None) -> Ints:
        """Positions of rows whose code is marked; the last two marks are those of plain and missing cells."""
        found: list[Ints] = []
        count = 0
        for start, codes in self.codes(index):
            rows = np.flatnonzero(lookup[codes])
            found.append(rows + start)
            count += len(rows)
            if limit is not None and count >= limit:
                break
        every = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
        return every[:limit]

    def recode(self, index: int, column: ColumnCodes) -> ColumnCodes:
        """Code a plain column whose cells turned out to depend on one another; returns its new codes."""
        wait(self._joining.values())
        fresh = ColumnCodes(column.name, "UTC")
        fresh.nullable = column.nullable
        self._whole.pop(f"p{index}", None)
        for block in range(len(self.starts)):
            arrays = self.read(block)
            codes, _ = fresh.take(_cells(column, index, arrays))
            del arrays[f"p{index}"]
            arrays.pop(f"r{index}", None)
            arrays[f"c{index}"] = pa.array(codes)
            if self._held is not None:
                self._held[block] = arrays
            else:
                self._write(block, arrays)
        if self._held is not None and len(self.starts) > 1:
            self._join(f"c{index}")
        return fresh

    def original(self, columns: Sequence[ColumnCodes], positions: Ints) -> pd.DataFrame:
        """Cells of some rows as text, as the file has them; the positions are in order."""
        found: list[list[Codes]] = [[] for _ in columns]
        plain: dict[int, list[pd.Series]] = {index: [] for index, column in enumerate(columns) if column.plain_rows}
        bounds = np.searchsorted(positions, [*self.starts, self.rows])
        for block in range(len(self.starts)):
            rows = positions[bounds[block] : bounds[block + 1]] - self.starts[block]
            if len(rows) == 0:
                continue
            arrays = self.read(block)
            for index, column in enumerate(columns):
                found[index].append(arrays[f"c{index}"].to_numpy()[rows])
                if index in plain:
                    taken = {name: arrays[name].take(pa.array(rows)) for name in _names(index) if name in arrays}
                    plain[index].append(_raw_text(column, index, taken))
        texts = {}
        for index, column in enumerate(columns):
            codes = np.concatenate([*found[index], np.zeros(0, dtype=np.int8)])
            text = column.texts(codes)
            if index in plain and len(codes):
                text = text.mask(codes == PLAIN, pd.concat(plain[index], ignore_index=True))
            texts[index] = text
        return pd.DataFrame(texts).set_axis([column.name for column in columns], axis=1)

    def _join(self, name: str) -> None:
        assert self._held is not None
        blocks = [self._held[block] for block in range(len(self.starts))]
        parts = [arrays[name] for arrays in blocks]
        widest = max((part.type for part in parts), key=lambda kind: kind.bit_width if name[0] == "c" else 0)
        whole = pa.concat_arrays([part.cast(widest) for part in parts])
        self._whole[name] = whole
        del parts
        for block, arrays in enumerate(blocks):
            end = self.starts[block + 1] if block + 1 < len(blocks) else self.rows
            arrays[name] = whole.slice(self.starts[block], end - self.starts[block])

    def _let_go(self) -> None:
        """Move all blocks from memory to the disk."""
        held, self._held = self._held or {}, None
        for block, arrays in held.items():
            self._write(block, arrays)

    def _path(self, block: int) -> Path:
        return self._folder / f"{block:05d}.arrow"

    def _write(self, block: int, arrays: Arrays) -> None:
        batch = pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))
        draft = self._path(block).with_suffix(".new")
        with pa.OSFile(str(draft), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        draft.replace(self._path(block))


def _names(index: int) -> tuple[str, str, str]:
    return f"c{index}", f"p{index}", f"r{index}"


def _cells(column: ColumnCodes, index: int, arrays: Arrays) -> pa.Array:
    """The cells of a block of a plain column as they were read."""
    places = arrays[f"c{index}"].to_numpy()
    cells = _plain_cells(column, index, arrays)
    if column.levels is None or not len(column.levels):
        return cells
    coded = column.levels.take(pa.array(places, mask=places < 0))
    return pc.if_else(pa.array(places == PLAIN), cells.cast(coded.type), coded)


def _plain_cells(column: ColumnCodes, index: int, arrays: Arrays) -> pa.Array:
    cells, raw = written(column.plain, arrays[f"p{index}"]), arrays.get(f"r{index}")
    if raw is None:
        return cells
    return pc.coalesce(raw, cells) if raw.type == cells.type else raw


def _raw_text(column: ColumnCodes, index: int, arrays: Arrays) -> pd.Series:
    """Text of plain cells of some rows."""
    cells = _plain_cells(column, index, arrays)
    if pa.types.is_integer(cells.type):
        if column.nullable or not column.missing:
            return cells.cast(pa.string()).to_pandas().astype("str")
        cells = cells.cast(pa.float64())  # as pandas reads whole numbers with gaps
    return cells.to_pandas().astype("str")
