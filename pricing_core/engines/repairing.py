"""Repairs of versions that are too large for memory: rows are judged product by product, and files copied without them.

By the rules of :mod:`pricing_core.data.repairs`; the result is the same.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pricing_core.data.checks import DROP, SUSPECTS
from pricing_core.data.repairs import check_repairs, dropped_column, dropped_words, mask_words
from pricing_core.engines.limits import Limits
from pricing_core.engines.rules import Rows
from pricing_core.engines.session import Session
from pricing_core.engines.stored import name, present_tables, text
from pricing_core.engines.stored_rows import load_rows
from pricing_core.progress import Progress

Ints = NDArray[np.int64]

_LOOKED_AT: Final = ("product_id", "offered_at", "price", "purchased", "unit_cost", "stock")
_OPTIONS: Final = "FORMAT parquet, COMPRESSION snappy"
_ASIDE_AT_ONCE: Final = 200_000
_PLACE: Final = '"place of the row"'  # names that no column of a shop has
_WHY: Final = '"number of the reason"'


@dataclass(frozen=True)
class RepairedFiles:
    """What repairs did to the files of a version.

    Attributes
    ----------
    rows
        Table → number of rows that are left.
    removed
        Number of offers set aside.
    columns
        Table → columns that are left.
    done
        What each repair did, in words.
    """

    rows: dict[str, int]
    removed: int
    columns: dict[str, list[str]]
    done: tuple[str, ...]


def repair_files(
    base: Path,
    draft: Path,
    aside: tuple[Path, Path],
    small: Mapping[str, pd.DataFrame],
    repairs: Sequence[str],
    work: Path,
    limits: Limits,
    progress: Progress,
) -> RepairedFiles:
    """Write the tables of version ``base`` into the folder ``draft``, repaired.

    Parameters
    ----------
    aside
        Files of the rows set aside: that of the base, and the one to be written, which has the new ones after those.
    small
        The tables of the base that do not grow with the customers.
    work
        Empty folder for what is needed meanwhile.
    limits, progress
        As for an import.

    Raises
    ------
    DataError
        If there is no such repair.
    WorkspaceError
        If the disk is full.
    """
    with closing(Session(work, limits, progress)) as session:
        columns = {table: _columns(session, base / f"{table}.parquet") for table in present_tables(base)}
        check_repairs(repairs, columns)
        asked = [repair for repair in repairs if not repair.startswith(DROP)]
        positions, reason, counts = _judged(session, base, small, asked, limits)
        done = []
        for repair in repairs:
            if repair.startswith(DROP):
                table, column = dropped_column(repair)
                columns[table] = [each for each in columns[table] if each != column]
                done.append(dropped_words(table, column))
            else:
                done.append(mask_words(repair, counts[repair]))
        session.run("CREATE TABLE aside AS SELECT p, reason FROM found",
                    found=pa.table({"p": positions, "reason": reason}))  # fmt: skip
        session.stage("Repairing", 0.5, "Setting rows aside")
        _write_aside(session, base / "offers.parquet", aside, [SUSPECTS[each][4] for each in asked])
        rows = {table: _write_table(session, table, base, draft, columns[table]) for table in columns}
    return RepairedFiles(rows, len(positions), columns, tuple(done))


def _judged(
    session: Session, base: Path, small: Mapping[str, pd.DataFrame], asked: Sequence[str], limits: Limits
) -> tuple[Ints, NDArray[np.int8], dict[str, int]]:
    """Places of the offers set aside, in order, the first repair that says so, and how many each finds."""
    counts = dict.fromkeys(asked, 0)
    found = [pd.DataFrame({"p": np.zeros(0, np.int64), "reason": np.zeros(0, np.int8)})]
    if asked:
        session.stage("Repairing", 0.1, "Looking at the offers of each product")
        rows: Rows = load_rows(session, "offers", base / "offers.parquet", limits, _LOOKED_AT)
        names = list(rows.columns)
        ranges = list(rows.ranges("product_id", rows.usable()))
        for place, where in enumerate(ranges):
            session.stage("Repairing", 0.2 + 0.3 * place / len(ranges), "Looking at the offers of each product")
            frame = rows.frame(names, rows.usable(), where)
            reason = np.full(len(frame), -1, dtype=np.int8)
            for number, repair in enumerate(asked):
                mask = np.asarray(SUSPECTS[repair][1]({**small, "offers": frame}), dtype=bool)
                counts[repair] += int(mask.sum())
                reason[mask & (reason < 0)] = number
            out = reason >= 0
            found.append(pd.DataFrame({"p": frame.index.to_numpy(dtype=np.int64)[out], "reason": reason[out]}))
    every = pd.concat(found, ignore_index=True).sort_values("p", ignore_index=True)
    return every["p"].to_numpy(dtype=np.int64), every["reason"].to_numpy(dtype=np.int8), counts


def _columns(session: Session, path: Path) -> list[str]:
    return [str(each) for each in session.frame(f"DESCRIBE SELECT * FROM read_parquet({text(path)})")["column_name"]]


def _write_table(session: Session, table: str, base: Path, draft: Path, columns: Sequence[str]) -> int:
    """Copy a table without the rows set aside and the columns taken out; one that stays as it is, is shared."""
    old, new = base / f"{table}.parquet", draft / f"{table}.parquet"
    fewer = len(columns) < len(_columns(session, old))
    (removed,) = session.row("SELECT count(*) FROM aside") if table == "offers" else (0,)
    if not fewer and not removed:
        os.link(old, new)
    else:
        session.stage("Repairing", 0.55, f"Writing the {table}")
        where = "WHERE file_row_number NOT IN (SELECT p FROM aside)" if removed else ""
        listed = ", ".join(name(column) for column in columns)
        session.run(
            f"COPY (SELECT {listed} FROM read_parquet({text(old)}, file_row_number = true) {where}) TO {text(new)} "
            f"({_OPTIONS})"
        )
    (rows,) = session.row(f"SELECT count(*) FROM read_parquet({text(new)})")
    return int(rows)


def _write_aside(session: Session, offers: Path, aside: tuple[Path, Path], reasons: Sequence[str]) -> None:
    """Write the rows set aside as text: those of the base, then the new ones, some at a time."""
    before, after = aside
    known = list(pd.read_csv(before, dtype=str, nrows=0).columns)
    own = ["table", "row_number", "reason", *_columns(session, offers)]
    header = [*known, *(column for column in own if column not in known)]
    pd.DataFrame(columns=header).to_csv(after, index=False, encoding="utf-8")
    for part in pd.read_csv(before, dtype=str, keep_default_na=False, chunksize=_ASIDE_AT_ONCE):
        _append(part, header, after)
    (count,) = session.row("SELECT count(*) FROM aside")
    session.run("CREATE TABLE placed AS SELECT p, reason, row_number() OVER (ORDER BY p) - 1 AS n FROM aside")
    for start in range(0, int(count), _ASIDE_AT_ONCE):
        session.look()
        cells = session.arrow(
            f"SELECT a.p AS {_PLACE}, a.reason AS {_WHY}, r.* EXCLUDE (file_row_number) FROM placed a JOIN "
            f"read_parquet({text(offers)}, file_row_number = true) r ON r.file_row_number = a.p WHERE a.n >= {start} "
            f"AND a.n < {start + _ASIDE_AT_ONCE} ORDER BY a.p"
        ).to_pandas()
        rows = cells.iloc[:, 2:]
        rows = rows.astype("str").mask(rows.isna(), "")
        rows.insert(0, "table", "offers")
        rows.insert(1, "row_number", cells.iloc[:, 0].to_numpy() + 2)
        rows.insert(2, "reason", np.array(reasons, dtype=object)[cells.iloc[:, 1].to_numpy()])
        _append(rows, header, after)


def _append(part: pd.DataFrame, header: list[str], path: Path) -> None:
    part.reindex(columns=header, fill_value="").to_csv(path, mode="a", header=False, index=False, encoding="utf-8")
