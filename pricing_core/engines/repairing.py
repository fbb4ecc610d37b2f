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
from pricing_core.data.repairs import check_repairs, dropped_words, mask_words, repaired_column
from pricing_core.data.spellings import UNIFY, one_spelling, respelled_words
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
        asked = [repair for repair in repairs if not repair.startswith((DROP, UNIFY))]
        positions, reason, counts = _judged(session, base, small, asked, limits)
        done, changes = [], _Changes(session, base)
        for repair in sorted(repairs, key=lambda repair: repair.startswith(DROP)):
            table, column = repaired_column(repair)
            if repair.startswith(DROP):
                columns[table] = [each for each in columns[table] if each != column]
                done.append(dropped_words(table, column))
            elif repair.startswith(UNIFY):
                done.append(respelled_words(table, column, changes.find(table, column)))
            else:
                done.append(mask_words(repair, counts[repair]))
        session.run("CREATE TABLE aside AS SELECT p, reason FROM found",
                    found=pa.table({"p": positions, "reason": reason}))  # fmt: skip
        session.stage("Repairing", 0.5, "Setting rows aside")
        _write_aside(session, base / "offers.parquet", aside, [SUSPECTS[each][4] for each in asked])
        rows = {table: _write_table(session, table, base, draft, columns[table], changes) for table in columns}
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


class _Changes:
    """Texts that are to be written in another way."""

    def __init__(self, session: Session, base: Path) -> None:
        self._session, self._base = session, base
        self.of: dict[tuple[str, str], dict[str, str]] = {}

    def find(self, table: str, column: str) -> int:
        """Find those of a column; returns the number of their rows."""
        counts = {each: self._counts(each, column) for each in present_tables(self._base)}
        total: dict[str, int] = {}
        for found in counts.values():
            for word, rows in found.items():
                total[word] = total.get(word, 0) + rows
        changes = {word: other for word, other in one_spelling(total).items() if word in counts[table]}
        self.of[table, column] = changes
        return sum(counts[table][word] for word in changes)

    def _counts(self, table: str, column: str) -> dict[str, int]:
        path = text(self._base / f"{table}.parquet")
        kinds = self._session.frame(f"DESCRIBE SELECT * FROM read_parquet({path})")
        if not ((kinds["column_name"] == column) & (kinds["column_type"] == "VARCHAR")).any():
            return {}
        listed = f"SELECT {name(column)} AS w, count(*) AS n FROM read_parquet({path}) WHERE w IS NOT NULL GROUP BY 1"
        return {str(word): int(rows) for word, rows in self._session.frame(listed).itertuples(index=False)}

    def written(self, table: str, column: str) -> str:
        """SQL of a column as it is to be written."""
        changes = self.of.get((table, column))
        if not changes:
            return name(column)
        cases = " ".join(f"WHEN {text(word)} THEN {text(other)}" for word, other in changes.items())
        return f"CASE {name(column)} {cases} ELSE {name(column)} END AS {name(column)}"


def _write_table(
    session: Session, table: str, base: Path, draft: Path, columns: Sequence[str], changes: _Changes
) -> int:
    """Copy a table without the rows set aside and the columns taken out; one that stays as it is, is shared."""
    old, new = base / f"{table}.parquet", draft / f"{table}.parquet"
    changed = len(columns) < len(_columns(session, old)) or any(changes.of.get((table, each)) for each in columns)
    (removed,) = session.row("SELECT count(*) FROM aside") if table == "offers" else (0,)
    if not changed and not removed:
        os.link(old, new)
    else:
        session.stage("Repairing", 0.55, f"Writing the {table}")
        where = "WHERE file_row_number NOT IN (SELECT p FROM aside)" if removed else ""
        listed = ", ".join(changes.written(table, column) for column in columns)
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
