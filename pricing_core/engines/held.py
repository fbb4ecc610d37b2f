"""A large table whose rows are in memory as numbers; the database gets them only where a query needs them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pricing_core.engines.alike import alike, neighbors
from pricing_core.engines.by_product import Ints, Offers, count_each, split_evenly, stable_order
from pricing_core.engines.coding import look_up
from pricing_core.engines.limits import Limits
from pricing_core.engines.rows import Rows
from pricing_core.engines.session import Session
from pricing_core.engines.sheet import LargeSheet
from pricing_core.engines.typed import TypedColumn, create_table

Values = NDArray[np.generic]
_DAY = 86_400_000_000


class HeldRows(Rows):
    """Rows of a sheet whose spool is in memory; see :class:`Rows`."""

    def __init__(self, session: Session, sheet: LargeSheet, columns: Sequence[TypedColumn], limits: Limits) -> None:
        super().__init__(session, sheet, columns, limits)
        self._in_database = False
        self._lock = threading.Lock()
        self._read: dict[str, Values] = {}
        """Values of columns that are plain in the main, all rows."""
        self._used: dict[str, tuple[int, NDArray[np.bool_]]] = {}

    @property
    def checkers(self) -> int:
        """Threads for the checks: another one writes the rows meanwhile."""
        return max(1, self.limits.threads - 1)

    def usable(self) -> str:
        """As :meth:`Rows.usable`; the first call puts the rows into the database."""
        if not self._in_database:
            here = self.session.fraction
            create_table(self.session, self.sheet, list(self.columns.values()), (here, here))
            self._in_database = True
        return super().usable()

    def codes(self, name: str) -> NDArray[np.signedinteger]:
        """Codes of a column, of all rows."""
        found = self.sheet.spool.whole(f"c{self.columns[name].index}")
        return np.zeros(0, dtype=np.int8) if found is None else found.to_numpy()

    def values(self, name: str, rows: slice | Ints | None = None) -> Values:
        """Values of a column, of some rows or all; texts as numbers, times in microseconds."""
        column = self.columns[name]
        plain = self.sheet.spool.whole(f"p{column.index}")
        if plain is None or column.type == "text":
            codes = self.codes(name) if rows is None else self.codes(name)[rows]
            if plain is not None and rows is not None:
                plain = plain[rows] if isinstance(rows, slice) else plain.take(pa.array(rows))
            return column.values(codes, plain)
        with self._lock:
            if name not in self._read:
                self._read[name] = column.values(self.codes(name), plain)
        return self._read[name] if rows is None else self._read[name][rows]

    def kept(self, start: int = 0, end: int | None = None) -> NDArray[np.bool_] | None:
        """Marks the rows of a range that are not set aside; None where all are kept."""
        aside = self.sheet.rejected
        end = self.sheet.spool.rows if end is None else end
        out = aside[np.searchsorted(aside, start) : np.searchsorted(aside, end)] - start
        if not len(out):
            return None
        keep = np.ones(end - start, dtype=bool)
        keep[out] = False
        return keep

    def totals(self) -> tuple[int, int, int]:
        """As :meth:`Rows.totals`."""
        keep = self.kept()
        self.session.look()
        bought = self.values("purchased")
        total = int(np.sum(bought if keep is None else bought[keep], dtype=np.int64))
        return self.kept_rows(), total, len(self.used("customer_id"))

    def by_product(self, names: Sequence[str]) -> list[Callable[[], Offers]]:
        """As :meth:`Rows.by_product`."""
        words = self.columns["product_id"].words.to_numpy(dtype=object)
        sorted_words = np.argsort(words, kind="stable")
        rank = np.empty(len(words), dtype=np.uint16 if len(words) < 1 << 16 else np.int32)
        rank[sorted_words] = np.arange(len(words))
        place = np.array(look_up(rank, self.values("product_id")))
        place[self.sheet.rejected] = len(words)  # behind all others
        counts = count_each(place, len(words), self.limits.chunk_rows)
        bounds, piece_of = split_evenly(counts, self.limits.chunk_rows)
        order = stable_order(look_up(piece_of, place))
        self.session.look()
        index = pd.Index(words[sorted_words], dtype="str")

        def piece(first: int, last: int, start: int) -> Offers:
            own = counts[first:last]
            rows = order[start : start + own.sum()]  # by position: cells of one product lie far apart in memory
            inside = stable_order(place[rows])

            def values(name: str) -> Values:
                column = self.columns[name]
                if self.sheet.spool.whole(f"p{column.index}") is not None:
                    return look_up(self.values(name, rows), inside)
                return column.values(look_up(look_up(self.codes(name), rows), inside))  # type: ignore[arg-type]

            asked = {"unit_cost", "stock"} & {*names} & {*self.columns}
            floats = {name: values(name).astype(np.float64) for name in asked}
            return Offers(
                index[first:last][own > 0], own[own > 0], rows[inside],
                values("offered_at").astype(np.int64) // 1_000_000,
                values("price").astype(np.float64), values("purchased").astype(np.int8), **floats,
            )  # fmt: skip

        starts = np.concatenate([[0], np.cumsum(counts)])
        return [
            partial(piece, first, last, int(starts[first]))
            for first, last in pairwise(bounds)
            if starts[last] > starts[first]
        ]

    def suspects(self, keys: Sequence[str]) -> Iterator[pd.DataFrame]:
        """As :meth:`Rows.suspects`."""
        times = next((self.values(name).view(np.int64) for name in keys if self.columns[name].type == "time"), None)
        rows = None if times is None else neighbors(times, self.kept, self.limits.chunk_rows)
        rows = self._kept_rows() if rows is None else rows
        rows, mark = alike(rows, [self.values(name, rows) for name in keys])
        self.session.look()
        parts = max(1, -(-len(rows) // self.limits.chunk_rows))
        which = mark.view(np.uint64) % np.uint64(parts)
        for part in range(parts if len(rows) else 0):
            mine = rows[which == part]
            yield pd.DataFrame({name: self.values(name, mine) for name in self.columns}, index=pd.Index(mine, name="p"))

    def gaps(self, name: str, limit: int | None) -> tuple[int, Ints]:
        """As :meth:`Rows.gaps`."""
        missing = self._missing(name)
        if not missing.any():
            return 0, np.zeros(0, dtype=np.int64)
        rows = self._kept_of(self.sheet.spool.positions(self.columns[name].index, missing))
        return len(rows), rows[:limit]

    def used(self, name: str, limit: int | None = None) -> Ints:
        """As :meth:`Rows.used`."""
        column = self.columns[name]
        found = column.by_code[:-2][self._used_codes(name)].astype(np.int64)
        seen = np.zeros(len(column.words), dtype=bool)  # quicker than sorting out what occurs twice
        seen[found[found >= 0]] = True
        return np.flatnonzero(seen)[:limit]

    def texts(self, name: str) -> pd.Series:
        """As :meth:`Rows.texts`."""
        column = self.columns[name]
        if column.type == "words":
            return pd.Series(column.words).iloc[self.used(name)].astype("str")
        every = [pd.Series(pd.unique(found)) for found in self._chunks(name)]
        whole = pd.concat(every) if every else pd.Series(dtype=object)
        return whole.dropna().drop_duplicates().astype("str")

    def first_texts(self, name: str, many: int) -> pd.Series:
        """As :meth:`Rows.first_texts`."""
        column = self.columns[name]
        wanted = min(many, len(self.used(name))) if column.type == "words" else many
        found = pd.Series(dtype=object if column.type == "text" else np.int64)
        for chunk in self._chunks(name):
            new = pd.Series(pd.unique(chunk))
            found = pd.concat([found, new[new >= 0] if column.type == "words" else new.dropna()]).drop_duplicates()
            if len(found) >= wanted:
                break
        first = found.iloc[:many]
        return (column.words.iloc[first.to_numpy(dtype=np.int64)] if column.type == "words" else first).astype("str")

    def counts(self, name: str, most: int) -> pd.Series:
        """As :meth:`Rows.counts`."""
        column = self.columns[name]
        if column.type == "words":
            every = np.zeros(len(column.words) + 1, dtype=np.int64)  # the first one of missing cells
            for chunk in self._chunks(name):
                every += np.bincount(chunk.astype(np.int64) + 1, minlength=len(every))
            filled = np.flatnonzero(every[1:])
            few = filled if len(filled) <= most else filled[:0]
            return pd.Series(every[1:][few], index=column.words.iloc[few].to_numpy(dtype=object))
        total = pd.Series(dtype=np.int64)
        for chunk in self._chunks(name):
            found: pd.Series = pd.Series(chunk).value_counts()  # type: ignore[arg-type]
            total = pd.concat([total, found]).groupby(level=0).sum()
            if len(total) > most:
                return total.iloc[:0]
        return total

    def days(self) -> NDArray[np.datetime64]:
        """As :meth:`Rows.days`."""
        found = []
        for chunk in self._chunks("offered_at"):
            day = chunk.astype(np.int64) // _DAY
            found.append(np.unique(day[np.append(True, np.diff(day) != 0)[: len(day)]]))
        return np.unique(np.concatenate(found)).astype("datetime64[D]")

    def among(self, name: str, codes: Ints) -> tuple[int, int]:
        """As :meth:`Rows.among`."""
        column = self.columns[name]
        marked = np.isin(column.by_code, codes)
        rows = self._kept_of(self.sheet.spool.positions(column.index, marked))
        return len(np.intersect1d(self.used(name), codes)), len(rows)

    def without_cost(self, priced: Ints) -> int:
        """As :meth:`Rows.without_cost`."""
        if "unit_cost" in self.columns:
            _, rows = self.gaps("unit_cost", None)
        else:
            rows = self._kept_rows()
        return len(rows) - int(np.isin(self.values("product_id", rows), priced).sum()) if len(priced) else len(rows)

    def extremes(self, names: Sequence[str]) -> list[tuple[object, object, int]]:
        """As :meth:`Rows.extremes`; of texts, nothing is least or greatest."""
        found: list[tuple[object, object, int]] = []
        for name in names:
            self.session.look()
            column, ends = self.columns[name], []
            if column.type not in ("words", "text"):
                used = self._used_codes(name) & ~self._missing(name)[:-2]
                every = [column.by_code[:-2][used], *self._plain_chunks(name)]
                ends = [end for values in every if len(values) for end in (values.min().item(), values.max().item())]
            filled = self.kept_rows() - self.gaps(name, 0)[0]
            found.append((min(ends, default=None), max(ends, default=None), filled))
        return found

    def chunks(self, names: Sequence[str]) -> Iterator[tuple[int, pa.Table]]:
        """As :meth:`Rows.chunks`."""
        gaps = {name: bool(self._missing(name).any()) for name in names}
        for start in range(0, self.sheet.spool.rows, self.limits.chunk_rows):
            self.session.look()
            end = min(start + self.limits.chunk_rows, self.sheet.spool.rows)
            keep = self.kept(start, end)
            marks, arrays = None if keep is None else pa.array(keep), {}
            for name in names:
                values = self.columns[name].array(self.values(name, slice(start, end)), gaps[name])
                arrays[name] = values if marks is None else values.filter(marks)
            yield start, pa.table(arrays)

    def _chunks(self, name: str) -> Iterator[Values]:
        """Values of the rows that are not set aside."""
        for start in range(0, self.sheet.spool.rows, self.limits.chunk_rows):
            end = min(start + self.limits.chunk_rows, self.sheet.spool.rows)
            keep, values = self.kept(start, end), self.values(name, slice(start, end))
            yield values if keep is None else values[keep]

    def _plain_chunks(self, name: str) -> Iterator[Values]:
        if self.sheet.spool.whole(f"p{self.columns[name].index}") is None:
            return
        gaps = bool(self._missing(name).any())
        for values in self._chunks(name):
            yield values[~self.columns[name].missing(values)] if gaps else values

    def _kept_of(self, rows: Ints) -> Ints:
        keep = self.kept() if len(rows) else None
        return rows if keep is None else rows[keep[rows]]

    def _kept_rows(self) -> Ints:
        keep = self.kept()
        return np.arange(self.sheet.spool.rows) if keep is None else np.flatnonzero(keep)

    def _missing(self, name: str) -> NDArray[np.bool_]:
        """Codes that stand for a missing value; the last two are those of plain and of missing cells."""
        column = self.columns[name]
        missing = column.missing(column.by_code).copy()
        missing[-2] = False
        missing[-1] &= self.sheet.columns[column.index].missing > 0
        return missing

    def _used_codes(self, name: str) -> NDArray[np.bool_]:
        """Marks the codes, but for plain and missing cells, of the rows that are not set aside."""
        mark = self.sheet.mark()
        known = self._used.get(name)
        if known is not None and known[0] == mark:
            return known[1]
        every, seen = self.codes(name), np.ones(len(self.columns[name].by_code), dtype=bool)
        # Every code is that of some row; those of rows set aside are looked for in the others, until all are found.
        doubtful = np.zeros(len(seen), dtype=bool)
        doubtful[every[self.sheet.rejected]] = True
        doubtful[-2:] = False
        seen[doubtful] = False
        for start in range(0, len(every) if doubtful.any() else 0, self.limits.chunk_rows):
            codes = every[start : start + self.limits.chunk_rows]
            keep = self.kept(start, start + len(codes))
            found = codes if keep is None else codes[keep]
            found = found[doubtful[found]]
            seen[found], doubtful[found] = True, False
            if not doubtful.any():
                break
        self._used[name] = mark, seen[:-2]
        return seen[:-2]
