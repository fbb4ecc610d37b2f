"""Add imported rows to those of an earlier version: what that version holds already is counted, not added again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pricing_core.data.quality import SHOWN_ROWS
from pricing_core.engines.limits import Limits
from pricing_core.engines.session import Session
from pricing_core.engines.stored import name, present_tables, text
from pricing_core.errors import DataError
from pricing_core.progress import Progress

Ints = NDArray[np.int64]

_KEYS: Final = {
    "customers": ("customer_id",),
    "products": ("product_id",),
    "market": ("date", "product_id", "category"),
}
_OFFER_KEYS: Final = ("customer_id", "product_id", "offered_at")
_OPTIONS: Final = "FORMAT parquet, COMPRESSION snappy"


@dataclass(frozen=True)
class Extension:
    """What an import added to one table.

    Attributes
    ----------
    table
        Name of the table.
    known, new
        Rows of the import that the earlier version holds, and that it does not hold.
    rows
        All rows that the table has now.
    replaced
        Rows of the earlier version in whose place a new one of the same key stands.
    whole
        Whether the import held all rows of the earlier version.
    doubled, doubled_at
        Offers among the new ones whose customer, product and time are those of an offer of the earlier version that
        has other values; and the first of them, by their place among the rows of the import.
    """

    table: str
    known: int
    new: int
    rows: int
    replaced: int = 0
    whole: bool = False
    doubled: int = 0
    doubled_at: tuple[int, ...] = ()


@dataclass(frozen=True)
class Extended:
    """What an import added.

    Attributes
    ----------
    tables
        A table each that came with the import.
    rows
        Table → rows, of all tables of the new version.
    whole
        Whether the import held all rows of the earlier version, so that the files were left as they were.
    """

    tables: tuple[Extension, ...]
    rows: dict[str, int]
    whole: bool


def extend_files(base: Path, draft: Path, work: Path, limits: Limits, progress: Progress) -> Extended:
    """Put the rows of version ``base`` into the tables of a draft, before the new ones.

    Offers and events that are equal in every column count as the same as often as both have them. Of customers,
    products and the market the newer row of a key stands.

    Raises
    ------
    DataError
        If the columns differ, so that the rows cannot stand in one table.
    WorkspaceError
        If the disk is full.
    """
    found: list[Extension] = []
    rows: dict[str, int] = {}
    whole = True
    with closing(Session(work, limits, progress)) as session:
        for table in dict.fromkeys([*present_tables(base), *present_tables(draft)]):
            old, new = base / f"{table}.parquet", draft / f"{table}.parquet"
            session.stage("Adding", 0.95, f"Comparing {table} with the earlier version")
            if not new.exists():
                os.link(old, new)
                whole = False
                (rows[table],) = session.row(f"SELECT count(*) FROM read_parquet({text(new)})")
                continue
            if not old.exists():
                (count,) = session.row(f"SELECT count(*) FROM read_parquet({text(new)})")
                added = Extension(table, 0, count, count, whole=True)
            elif table in _KEYS:
                added = _replace_rows(session, table, old, new)
            else:
                added = _add_rows(session, table, old, new)
            found.append(added)
            rows[table] = added.rows
            whole = whole and added.whole
    return Extended(tuple(found), rows, whole)


def _add_rows(session: Session, table: str, old: Path, new: Path) -> Extension:
    columns = _same_columns(session, table, old, new)
    listed = ", ".join(name(column) for column in columns)
    # Two hashes of 64 bits stand for a row; the n-th row of a kind is the same as the n-th of that kind elsewhere.
    for side, path in (("old_rows", old), ("new_rows", new)):
        session.run(
            f"CREATE OR REPLACE TEMP TABLE {side} AS SELECT p, a, b, "
            f"row_number() OVER (PARTITION BY a, b ORDER BY p) AS n FROM (SELECT file_row_number AS p, "
            f"hash({listed}) AS a, hash({listed}, 1) AS b FROM read_parquet({text(path)}, file_row_number = true))"
        )
    (before,) = session.row("SELECT count(*) FROM old_rows")
    (given,) = session.row("SELECT count(*) FROM new_rows")
    (known,) = session.row("SELECT count(*) FROM new_rows SEMI JOIN old_rows USING (a, b, n)")
    if known == before:
        return Extension(table, known, given - known, given, whole=True)
    if known == given:
        new.unlink()
        os.link(old, new)
        return Extension(table, known, 0, before)
    session.run("CREATE OR REPLACE TEMP TABLE added AS SELECT p FROM new_rows ANTI JOIN old_rows USING (a, b, n)")
    doubled = _doubled(session, old, new) if table == "offers" else np.zeros(0, dtype=np.int64)
    fresh = (
        f"SELECT {listed} FROM read_parquet({text(new)}, file_row_number = true) "
        "WHERE file_row_number IN (SELECT p FROM added)"
    )
    _write(session, new, f"SELECT {listed} FROM read_parquet({text(old)}) UNION ALL {fresh}")
    first = tuple(int(place) for place in doubled[:SHOWN_ROWS])
    return Extension(table, known, given - known, before + given - known, doubled=len(doubled), doubled_at=first)


def _doubled(session: Session, old: Path, new: Path) -> Ints:
    """Places of the added offers whose key a row of the earlier version has that is not equal to them."""
    keys = ", ".join(name(key) for key in _OFFER_KEYS)
    had, given = (
        f"(SELECT hash({keys}) AS k, file_row_number AS p FROM read_parquet({text(path)}, file_row_number = true))"
        for path in (old, new)
    )
    return session.positions(
        f"WITH fresh AS (SELECT p, k FROM {given} SEMI JOIN added USING (p)), "
        f"held AS (SELECT k FROM {had} JOIN old_rows USING (p) ANTI JOIN new_rows USING (a, b, n)) "
        "SELECT p FROM fresh SEMI JOIN held USING (k) ORDER BY p"
    )


def _replace_rows(session: Session, table: str, old: Path, new: Path) -> Extension:
    columns = _same_columns(session, table, old, new)
    listed = ", ".join(name(column) for column in columns)
    same = " AND ".join(f"n.{name(key)} IS NOT DISTINCT FROM o.{name(key)}" for key in _KEYS[table] if key in columns)
    before = f"SELECT {listed} FROM read_parquet({text(old)})"
    given = f"SELECT {listed} FROM read_parquet({text(new)})"
    (known,) = session.row(f"SELECT count(*) FROM ({given} INTERSECT {before})")
    (rows,) = session.row(f"SELECT count(*) FROM ({given})")
    gone = f"SELECT o.* FROM ({before}) o WHERE NOT EXISTS (SELECT 1 FROM ({given}) n WHERE {same})"
    (others,) = session.row(f"SELECT count(*) FROM ({gone})")
    (had,) = session.row(f"SELECT count(*) FROM ({before})")
    replaced = max(0, had - others - known)
    if not others:
        return Extension(table, known, rows - known, rows, replaced, whole=True)
    _write(session, new, f"({gone}) UNION ALL {given}")
    return Extension(table, known, rows - known, rows + others, replaced)


def _write(session: Session, path: Path, query: str) -> None:
    draft = path.with_suffix(".new")
    session.run(f"COPY ({query}) TO {text(draft)} ({_OPTIONS})")
    draft.replace(path)


def _same_columns(session: Session, table: str, old: Path, new: Path) -> Sequence[str]:
    had, has = (
        dict(session.frame(f"DESCRIBE SELECT * FROM read_parquet({text(path)})")[["column_name", "column_type"]].values)
        for path in (old, new)
    )
    differing = sorted(set(had) ^ set(has)) or [column for column in had if had[column] != has[column]]
    if differing:
        raise DataError(
            f"The {table} cannot be added to the earlier version: their column {differing[0]!r} differs.",
            fix="Import the file on its own, or one with the columns of the earlier import.",
        )
    return list(had)
