"""The rules of :mod:`pricing_core.data.rules` for large tables: only the rows in question come into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pricing_core import schema
from pricing_core.data import rules
from pricing_core.data.options import CleaningOptions
from pricing_core.data.quality import SHOWN_ROWS
from pricing_core.engines.limits import Limits
from pricing_core.engines.session import Session
from pricing_core.engines.sheet import LargeSheet
from pricing_core.engines.typed import TypedColumn, quoted

Ints = NDArray[np.int64]


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


def apply_rules(rows: Rows, options: CleaningOptions) -> None:
    """Apply duplicates, noise, outliers and gaps, in this order, as the rules for small tables do."""
    _duplicates(rows, options)
    if rows.sheet.table == "events" and options.noise == "set_aside":
        _noise(rows, options.noise_seconds)
    if rows.sheet.table == "offers" and options.outliers == "set_aside":
        _outliers(rows)
    _gaps(rows, options)


def _duplicates(rows: Rows, options: CleaningOptions) -> None:
    table, sheet, session = rows.sheet.table, rows.sheet, rows.session
    keys = [name for name in rules.KEYS[table] if name in rows.columns]
    usable = rows.usable()
    mark = f"hash({', '.join(map(quoted, keys))})"
    session.run(
        f"CREATE OR REPLACE TEMP TABLE twice AS SELECT {mark} AS h FROM {usable} GROUP BY 1 HAVING count(*) > 1"
    )
    (suspects,) = session.row(f"SELECT count(*) FROM {usable} WHERE {mark} IN (SELECT h FROM twice)")
    parts = max(1, -(-suspects // rows.limits.chunk_rows))
    repeats, conflicting = [pd.Series(dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for part in range(parts if suspects else 0):
        query = f"SELECT * FROM {usable} WHERE {mark} IN (SELECT h FROM twice WHERE h % {parts} = {part}) ORDER BY p"
        found = session.frame(query).set_index("p")
        found = found[found.duplicated(keys, keep=False)]
        if len(found):
            one, other = rules.judge_duplicates(table, found, keys, options.duplicates == "set_aside")
            repeats.append(one)
            conflicting.append(other.to_numpy(dtype=np.int64))
    _set_aside_repeats(sheet, keys, pd.concat(repeats).sort_index())
    kept = np.sort(np.concatenate(conflicting))
    sheet.note("warning", "", len(kept), kept, rules.kept_repeats(keys), rules.KEPT_EFFECT)


def _set_aside_repeats(sheet: LargeSheet, keys: list[str], repeats: pd.Series) -> None:
    if repeats.empty:
        return
    words = rules.repeat_words(sheet.table, keys)
    positions = repeats.index.to_numpy(dtype=np.int64)
    which, firsts = pd.factorize(sheet.raw.numbers.of(repeats.to_numpy(dtype=np.int64)))
    sheet.reject(positions, [f"{words} {number}" for number in firsts], which.astype(np.int64))
    example = f"row {sheet.raw.numbers.of(positions[:1])[0]} {words} {firsts[0]}"
    sheet.note("warning", "", len(positions), positions, rules.REPEATED.format(example), rules.REPEATED_EFFECT)


def _noise(rows: Rows, seconds: float) -> None:
    usable = rows.usable()
    names = [name for name in ("customer_id", "occurred_at", "event_type", "product_id") if name in rows.columns]
    found = []
    for where in rows.ranges("customer_id", usable):
        frame = rows.frame(names, usable, where)
        frame = frame[frame["event_type"] != "purchase"]
        found.append(rules.repeated_events(frame, seconds).to_numpy(dtype=np.int64))
    positions = np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
    rows.sheet.set_aside("occurred_at", positions, rules.noise_reason(seconds))


def _outliers(rows: Rows) -> None:
    usable = rows.usable()
    found = []
    for where in rows.ranges("product_id", usable):
        frame = rows.frame(["product_id", "price"], usable, where)
        found.append(frame["price"][rules.far_from_usual(frame)])
    if found:
        prices = pd.concat(found).sort_index()
        rows.sheet.set_aside("price", prices.index.to_numpy(dtype=np.int64), rules.FAR_REASON, prices)


def _gaps(rows: Rows, options: CleaningOptions) -> None:
    sheet, session = rows.sheet, rows.session
    for field in schema.fields(sheet.table):
        if field.required or field.name not in rows.columns:
            continue
        usable = rows.usable()
        name = quoted(field.name)
        (count,) = session.row(f"SELECT count(*) - count({name}) FROM {usable}")
        if not count:
            continue
        numeric = field.kind in ("money", "number", "rating")
        aside = numeric and options.missing_numeric == "set_aside" and sheet.table != "events"
        limit = "" if aside else f" LIMIT {SHOWN_ROWS}"
        first = session.positions(f"SELECT p FROM {usable} WHERE {name} IS NULL ORDER BY p{limit}")
        if not numeric or options.missing_numeric == "keep" or sheet.table == "events":
            if field.kind != "identifier" and sheet.table != "events":
                sheet.note("info", field.name, count, first, rules.gap_message(field.name), rules.GAP_EFFECT)
        elif aside:
            sheet.set_aside(field.name, first, f"{field.name} is missing")
        else:
            _fill_median(rows, field.name, usable)
            sheet.note("warning", field.name, count, first, rules.fill_message(field.name), rules.FILL_EFFECT)


def _fill_median(rows: Rows, name: str, usable: str) -> None:
    column = quoted(name)
    fill = f"(SELECT median({column}) FROM {usable})"
    if "product_id" in rows.columns and rows.sheet.table != "products":
        rows.session.run(
            f"CREATE OR REPLACE TEMP TABLE medians AS "
            f"SELECT product_id AS product, median({column}) AS fill FROM {usable} GROUP BY 1"
        )
        own = f"(SELECT any_value(fill) FROM medians WHERE product IS NOT DISTINCT FROM {rows.table}.product_id)"
        fill = f"coalesce({own}, {fill})"
    rows.session.run(f"UPDATE {rows.table} SET {column} = {fill} WHERE {column} IS NULL")
