"""One large table from its files to coded blocks on the disk."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

from pricing_core import schema
from pricing_core.data.options import CleaningOptions
from pricing_core.engines.ahead import ahead
from pricing_core.engines.coding import ColumnCodes
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
    """
    spool = Spool(folder)
    columns = [ColumnCodes(name, options.timezone) for name in reader.raw.columns]
    for column in columns:
        column.nullable = column.name in reader.nullable
    fields = {column: schema.find_field(table, field) for field, column in mapping.items()}
    with ThreadPoolExecutor(limits.threads, thread_name_prefix="import-code") as pool:
        for block in ahead(reader.blocks(progress, *stage)):
            if block.num_rows == 0:
                continue
            if not spool.starts:
                for index, column in enumerate(columns):
                    _choose(column, fields.get(column.name), block.column(index), options, limits)
            spool.add(columns, block, pool)
    filled = {column.name: column.missing < spool.rows for column in columns}
    shown = reader.settle_columns(filled)
    sheet = LargeSheet(table, reader.raw, spool, columns)
    sheet.hidden = {column.name for column in columns} - set(shown)
    return sheet


def _choose(
    column: ColumnCodes, field: schema.Field | None, cells: pa.Array, options: CleaningOptions, limits: Limits
) -> None:
    """Keep a column plain when the first block says that nearly every cell differs."""
    distinct = len(cells.unique())
    if distinct <= limits.plain_levels or distinct < 0.3 * len(cells):
        return
    levels = column.first_levels(cells)
    series = levels.to_pandas()
    kind = plain_kind(field, column.name, series.astype("str") if pa.types.is_string(levels.type) else series, options)
    column.keep_plain(kind, cells)
