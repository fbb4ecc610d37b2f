"""A large table in the database: what the rules and checks ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pricing_core.engines.by_product import Ints, Offers
from pricing_core.engines.limits import Limits
from pricing_core.engines.session import Session
from pricing_core.engines.sheet import LargeSheet
from pricing_core.engines.typed import TypedColumn, quoted

__all__ = ["Ints", "Rows", "as_categories"]

_PROBED: Final = 10_000
"""Rows that tell at once that a column has many different texts."""


class Rows:
    """A large table in the database, with its sheet and columns.

    Parameters
    ----------
    session
        The database, which holds a table of the sheet's name.
    sheet, columns
        The sheet and its typed columns.
    limits
        How many rows may come into memory at once.
    """

    def __init__(self, session: Session, sheet: LargeSheet, columns: Sequence[TypedColumn], limits: Limits) -> None:
        self.session = session
        self.sheet = sheet
        self.columns = {column.name: column for column in columns}
        self.limits = limits
        self.table = quoted(sheet.table)
        self.prefix = ""

    @property
    def checkers(self) -> int:
        """Threads for the checks."""
        return self.limits.threads

    def beside(self, session: Session) -> Rows:
        """The same rows, asked over another connection."""
        other = Rows(session, self.sheet, list(self.columns.values()), self.limits)
        other.prefix = "beside "
        return other

    def kept_rows(self) -> int:
        """Number of rows that are not set aside."""
        return self.sheet.spool.rows - len(self.sheet.rejected)

    def numbers(self, positions: Ints) -> Ints:
        """Numbers of rows in their file, as a spreadsheet shows them."""
        return self.sheet.raw.numbers.of(positions)

    def usable(self) -> str:
        """SQL for the rows that are not set aside, with their position as ``p``, in order."""
        aside = self.sheet.rejected
        name = quoted(f"{self.prefix}{self.sheet.table} set aside")
        self.session.run(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT p FROM found", found=pa.table({"p": aside}))
        where = f" WHERE rowid NOT IN (SELECT p FROM {name})" if len(aside) else ""
        return f"(SELECT rowid AS p, * FROM {self.table}{where})"

    def ranges(self, key: str, rows: str) -> Iterator[str]:
        """SQL conditions that split the rows by the numbers of a text column, at most ``chunk_rows`` each if it can."""
        name = quoted(key)
        counts = self.session.frame(f"SELECT {name} AS k, count(*) AS n FROM {rows} GROUP BY 1 ORDER BY 1 NULLS FIRST")
        group = (counts["n"].cumsum() - 1) // self.limits.chunk_rows
        for _, part in counts.groupby(group):
            known = part["k"].dropna()
            test = f"{name} BETWEEN {int(known.min())} AND {int(known.max())}" if len(known) else "false"
            yield f"({test} OR {name} IS NULL)" if part["k"].isna().any() else test

    def frame(self, names: Sequence[str], rows: str, where: str) -> pd.DataFrame:
        """Columns of some rows, in order, indexed by position; text columns as categories in the order of the text."""
        picked = ", ".join(["p", *(quoted(name) for name in names)])
        found = self.session.frame(f"SELECT {picked} FROM {rows} WHERE {where}").set_index("p")
        if not found.index.is_monotonic_increasing:
            found = found.sort_index()
        for name in names:
            column = self.columns[name]
            if column.type == "words":
                found[name] = as_categories(found[name], column.words)
            elif column.type == "time":
                found[name] = pd.to_datetime(found[name], unit="us", utc=True).astype("datetime64[us, UTC]")
        return found

    def totals(self) -> tuple[int, int, int]:
        """Number of offers, of purchases, and of customers."""
        count, bought, customers = self.session.row(
            f"SELECT count(*), coalesce(sum(purchased), 0), count(DISTINCT customer_id) FROM {self.usable()}"
        )
        return int(count), int(bought), int(customers)

    def by_product(self, names: Sequence[str]) -> list[Callable[[], Offers]]:
        """What gives the offers piece by piece, in any thread; of the columns asked for, those that there are."""
        present = [name for name in names if name in self.columns]

        def piece(where: str) -> Offers:
            with self.session.another() as session:
                rows = self.beside(session)
                return Offers.of_frame(rows.frame(present, rows.usable(), where))

        return [partial(piece, where) for where in self.ranges("product_id", self.usable())]

    def suspects(self, keys: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Rows whose keys may occur more than once, in pieces that hold all rows of the same keys, by position."""
        usable, session = self.usable(), self.session
        mark = f"hash({', '.join(map(quoted, keys))})"
        session.run(
            f"CREATE OR REPLACE TEMP TABLE twice AS SELECT {mark} AS h FROM {usable} GROUP BY 1 HAVING count(*) > 1"
        )
        (found,) = session.row(f"SELECT count(*) FROM {usable} WHERE {mark} IN (SELECT h FROM twice)")
        parts = max(1, -(-found // self.limits.chunk_rows))
        for part in range(parts if found else 0):
            marked = f"SELECT h FROM twice WHERE h % {parts} = {part}"
            yield session.frame(f"SELECT * FROM {usable} WHERE {mark} IN ({marked}) ORDER BY p").set_index("p")

    def gaps(self, name: str, limit: int | None) -> tuple[int, Ints]:
        """How many cells of a column are missing, and the positions of the first ones."""
        usable, column = self.usable(), quoted(name)
        (count,) = self.session.row(f"SELECT count(*) - count({column}) FROM {usable}")
        if not count:
            return 0, np.zeros(0, dtype=np.int64)
        end = "" if limit is None else f" LIMIT {limit}"
        return count, self.session.positions(f"SELECT p FROM {usable} WHERE {column} IS NULL ORDER BY p{end}")

    def used(self, name: str, limit: int | None = None) -> Ints:
        """Numbers of the different texts of a column, in order; with a limit, some of them."""
        column = self.columns[name]
        end = "" if limit is None else f" LIMIT {limit}"
        query = f"SELECT DISTINCT {column.sql} FROM {self.usable()} WHERE {column.sql} IS NOT NULL{end}"
        return np.sort(self.session.positions(query))

    def texts(self, name: str) -> pd.Series:
        """The different texts of a column."""
        column = self.columns[name]
        if column.type == "words":
            return pd.Series(column.words).iloc[self.used(name)].astype("str")
        query = f"SELECT DISTINCT {column.sql} AS w FROM {self.usable()} WHERE {column.sql} IS NOT NULL"
        return self.session.frame(query)["w"].astype("str")

    def first_texts(self, name: str, many: int) -> pd.Series:
        """The texts of a column that occur first."""
        column = self.columns[name]
        sample = self.session.frame(
            f"SELECT {column.sql} AS w FROM {self.usable()} WHERE {column.sql} IS NOT NULL "
            f"GROUP BY 1 ORDER BY min(p) LIMIT {many}"
        )["w"]
        values = column.words.iloc[sample.to_numpy(dtype=np.int64)] if column.type == "words" else sample
        return values.astype("str")

    def counts(self, name: str, most: int) -> pd.Series:
        """Rows of each of the different texts of a column; empty where there are more than ``most``."""
        column, usable = self.columns[name], self.usable()
        (some,) = self.session.row(
            f"SELECT count(DISTINCT w) FROM (SELECT {column.sql} AS w FROM {usable} LIMIT {_PROBED})"
        )
        if some > most:
            return pd.Series(dtype=np.int64)
        found = self.session.frame(
            f"SELECT {column.sql} AS w, count(*) AS n FROM {usable} WHERE {column.sql} IS NOT NULL GROUP BY 1 "
            f"LIMIT {most + 1}"
        )
        if len(found) > most:
            return pd.Series(dtype=np.int64)
        words = column.words.iloc[found["w"].to_numpy(dtype=np.int64)] if column.type == "words" else found["w"]
        return pd.Series(found["n"].to_numpy(dtype=np.int64), index=words.to_numpy()).groupby(level=0).sum()

    def days(self) -> NDArray[np.datetime64]:
        """Days with at least one offer, in order."""
        query = f"SELECT DISTINCT floor(offered_at / 86400000000.0)::BIGINT AS d FROM {self.usable()} ORDER BY 1"
        return self.session.positions(query).astype("datetime64[D]")

    def among(self, name: str, codes: Ints) -> tuple[int, int]:
        """How many of some texts of a column there are, and how many rows hold one of them."""
        listed, column = pd.DataFrame({"code": codes.astype(np.int32)}), quoted(name)
        ids, count = self.session.row(
            f"SELECT count(DISTINCT {column}), count(*) FROM {self.usable()} WHERE {column} IN "
            "(SELECT code FROM listed)",
            listed=listed,
        )
        return int(ids), int(count)

    def without_cost(self, priced: Ints) -> int:
        """Number of offers without unit cost whose product is none of those."""
        unknown = "unit_cost IS NULL" if "unit_cost" in self.columns else "true"
        listed = pd.DataFrame({"code": priced.astype(np.int32)})
        (count,) = self.session.row(
            f"SELECT count(*) FROM {self.usable()} WHERE {unknown} AND product_id NOT IN (SELECT code FROM listed)",
            listed=listed,
        )
        return int(count)

    def extremes(self, names: Sequence[str]) -> list[tuple[object, object, int]]:
        """Least and greatest value of each column, and how many cells are filled."""
        asked = ", ".join(f"min({c}), max({c}), count({c})" for c in map(quoted, names))
        found = self.session.row(f"SELECT {asked} FROM {self.usable()}")
        return [found[3 * place : 3 * place + 3] for place in range(len(names))]  # type: ignore[misc]

    def chunks(self, names: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
        """Columns of the rows that are not set aside, piece by piece in order, each after the position it begins at."""
        picked = ", ".join(quoted(name) for name in names)
        aside = self.sheet.rejected
        size = self.limits.chunk_rows
        for start in range(0, self.sheet.spool.rows, size):
            self.session.look()
            found = self.session.arrow(
                f"SELECT rowid AS p, {picked} FROM {self.table} WHERE rowid >= {start} AND rowid < {start + size}"
            )
            places = found.column("p").to_numpy()
            if (np.diff(places) <= 0).any():
                order = np.argsort(places)
                found, places = found.take(pa.array(order)), places[order]
            out = aside[np.searchsorted(aside, start) : np.searchsorted(aside, start + size)]
            if len(out):
                keep = np.ones(len(places), dtype=bool)
                keep[out - start] = False
                found = found.filter(pa.array(keep))
            yield start, found.drop_columns("p")


def as_categories(codes: pd.Series, words: pd.Series) -> pd.Series:
    """Text of codes, as a categorical column whose categories are sorted."""
    present = codes.dropna().unique().astype(np.int64)
    texts = words.iloc[present].to_numpy(dtype=object)
    order = np.argsort(texts, kind="stable")
    place = np.full(len(words) + 1, -1, dtype=np.int64)
    place[present[order]] = np.arange(len(order))
    whole = codes.fillna(len(words)).astype(np.int64).to_numpy()
    categories = pd.Index(texts[order], dtype="str")
    return pd.Series(pd.Categorical.from_codes(place[whole], categories), index=codes.index)
