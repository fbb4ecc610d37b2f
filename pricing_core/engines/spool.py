"""Blocks of coded rows on the disk, one file each, of which single columns can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pricing_core.engines.coding import MISSING, PLAIN, ColumnCodes

Ints = NDArray[np.int64]


class Spool:
    """Coded rows of one table.

    Parameters
    ----------
    folder
        Empty folder for the blocks.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self.starts: list[int] = []
        self.rows = 0

    def add(self, columns: Sequence[ColumnCodes], block: pa.RecordBatch, pool: Executor) -> None:
        """Code a block, its columns side by side, and write it; raw cells are kept where the codes do not tell them."""
        arrays: dict[str, pa.Array] = {}
        coded = pool.map(lambda column, cells: column.take(cells), columns, block.columns)
        for index, (codes, plain) in enumerate(coded):
            arrays[f"c{index}"] = pa.array(codes)
            if plain is not None:
                arrays[f"p{index}"] = plain
                arrays[f"r{index}"] = block.column(index)
        self._write(len(self.starts), arrays)
        self.starts.append(self.rows)
        self.rows += block.num_rows

    def codes(self, index: int) -> Iterator[tuple[int, NDArray[np.int32]]]:
        """Yield position of the first row and codes of a column, block by block."""
        for block, start in enumerate(self.starts):
            yield start, self.read(block, [f"c{index}"])[f"c{index}"].to_numpy()

    def read(self, block: int, names: Sequence[str] | None = None) -> dict[str, pa.Array]:
        """Arrays of a block by name: ``c3`` codes, ``p3`` plain values, ``r3`` raw cells of column 3."""
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
        fresh = ColumnCodes(column.name, "UTC")
        for block in range(len(self.starts)):
            arrays = self.read(block)
            codes, _ = fresh.take(arrays.pop(f"r{index}"))
            arrays.pop(f"p{index}")
            arrays[f"c{index}"] = pa.array(codes)
            self._write(block, arrays)
        return fresh

    def original(self, columns: Sequence[ColumnCodes], positions: Ints) -> pd.DataFrame:
        """Cells of some rows as text, as the file has them; the positions are in order."""
        pieces = []
        bounds = np.searchsorted(positions, [*self.starts, self.rows])
        texts = [_as_text(column.level_series()) for column in columns]
        for block in range(len(self.starts)):
            rows = positions[bounds[block] : bounds[block + 1]] - self.starts[block]
            if len(rows) == 0:
                continue
            arrays = self.read(block)
            cells: dict[int, pd.Series] = {}
            for index, text in enumerate(texts):
                codes = arrays[f"c{index}"].to_numpy()[rows]
                piece = pd.Series(np.append(text.to_numpy(dtype=object), ["", ""])[codes], dtype="str")
                plain = codes == PLAIN
                if plain.any():
                    piece = piece.mask(plain, _raw_text(arrays[f"r{index}"].take(pa.array(rows)), columns[index]))
                cells[index] = piece.mask(codes == MISSING, "")
            pieces.append(pd.DataFrame(cells))
        names = [column.name for column in columns]
        if not pieces:
            return pd.DataFrame({name: pd.Series(dtype="str") for name in names})
        return pd.concat(pieces, ignore_index=True).set_axis(names, axis=1)

    def _path(self, block: int) -> Path:
        return self._folder / f"{block:05d}.arrow"

    def _write(self, block: int, arrays: dict[str, pa.Array]) -> None:
        batch = pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))
        draft = self._path(block).with_suffix(".new")
        with pa.OSFile(str(draft), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        draft.replace(self._path(block))


def _raw_text(cells: pa.Array, column: ColumnCodes) -> pd.Series:
    if pa.types.is_integer(cells.type) and (column.nullable or not column.missing):
        return cells.cast(pa.string()).to_pandas().astype("str")
    return cells.to_pandas().astype("str")


def _as_text(levels: pd.Series) -> pd.Series:
    return levels.astype("str").mask(levels.isna(), "")
