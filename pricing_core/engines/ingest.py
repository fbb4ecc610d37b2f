"""One large table from its files to coded blocks on the disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from pricing_core import schema
from pricing_core.data.options import CleaningOptions
from pricing_core.engines.coding import Cells, ColumnCodes, Settled
from pricing_core.engines.limits import Limits
from pricing_core.engines.reading import Reader
from pricing_core.engines.sheet import LargeSheet
from pricing_core.engines.spool import Spool
from pricing_core.engines.typed import plain_kind
from pricing_core.progress import Progress


def ingest(
    table: str,
    reader: Reader,
    mapping: Mapping[str, str],
    folder: Path,
    options: CleaningOptions,
    limits: Limits,
    progress: Progress,
    stage: tuple[float, float],
    held_bytes: int = 0,
) -> LargeSheet:
    """Read all rows of a table; returns its sheet, on which nothing is judged yet.

    Parameters
    ----------
    reader
        The opened files.
    mapping
        Field → column.
    folder
        Where the coded rows go; must not exist.
    stage
        Share of the whole import before and after.
    held_bytes
        Memory that the rows may take before they go to the disk.
    """
    spool = Spool(folder, held_bytes)
    columns = [ColumnCodes(name, options.timezone) for name in reader.raw.columns]
    for column in columns:
        column.nullable = column.name in reader.nullable
    fields = {column: schema.find_field(table, field) for field, column in mapping.items()}

    def prepare(block: pa.RecordBatch) -> list[Cells]:
        if block.num_rows and not spool.starts:  # the first block is worked on before any other
            for column, cells in zip(columns, block.columns, strict=True):
                _choose(column, fields.get(column.name), cells, options, limits)
            reader.as_text = {column.name for column in columns if column.as_text}
        return [column.prepare(cells) for column, cells in zip(columns, block.columns, strict=True)]

    with ThreadPoolExecutor(limits.threads, thread_name_prefix="import-read") as pool:
        kept: deque[Future[None]] = deque()
        blocks = reader.blocks(pool, lambda: limits.threads if spool.starts else 0, prepare, progress, stage)
        for rows, prepared in blocks:
            if rows == 0:
                continue
            settled = [column.settle(cells) for column, cells in zip(columns, prepared, strict=True)]
            kept.append(pool.submit(_keep, spool, spool.place(rows), columns, prepared, settled))
            if len(kept) > limits.threads:
                kept.popleft().result()
        for waiting in kept:
            waiting.result()
    spool.join(limits.threads)
    filled = {column.name: column.missing < spool.rows for column in columns}
    shown = reader.settle_columns(filled)
    sheet = LargeSheet(table, reader.raw, spool, columns)
    sheet.hidden = {column.name for column in columns} - set(shown)
    return sheet


def _keep(
    spool: Spool, block: int, columns: list[ColumnCodes], prepared: list[Cells], settled: list[Settled]
) -> None:
    arrays: dict[str, pa.Array] = {}
    for index, (column, cells, place) in enumerate(zip(columns, prepared, settled, strict=True)):
        arrays[f"c{index}"] = pa.array(column.codes(cells, place))
        if cells.values is not None:
            arrays[f"p{index}"] = cells.values
        if cells.raw is not None:
            arrays[f"r{index}"] = cells.raw
    spool.put(block, arrays)


def _choose(
    column: ColumnCodes, field: schema.Field | None, cells: pa.Array, options: CleaningOptions, limits: Limits
) -> None:
    """Keep a column plain when the first block says that nearly every cell differs."""
    distinct = len(cells.dictionary) if pa.types.is_dictionary(cells.type) else len(cells.unique())
    if distinct <= limits.plain_levels or distinct < 0.3 * len(cells):
        if distinct > limits.numbered_levels:
            column.find_numbers(cells)
        return
    levels = column.first_levels(cells)
    series = levels.to_pandas()
    kind = plain_kind(field, column.name, series.astype("str") if pa.types.is_string(levels.type) else series, options)
    column.keep_plain(kind, cells)
    if not column.plain:
        column.levels = None  # all are coded
        column.find_numbers(cells)
