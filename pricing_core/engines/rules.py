"""The rules of :mod:`pricing_core.data.rules` for large tables: only the rows in question come into memory."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pricing_core import schema
from pricing_core.data import rules
from pricing_core.data.options import CleaningOptions
from pricing_core.data.quality import SHOWN_ROWS
from pricing_core.engines.rows import Ints, Rows, as_categories
from pricing_core.engines.sheet import LargeSheet
from pricing_core.engines.typed import quoted

__all__ = ["Ints", "Rows", "apply_rules", "as_categories"]

def apply_rules(rows: Rows, options: CleaningOptions) -> None:
    """Apply duplicates, noise, outliers and gaps, in this order, as the rules for small tables do."""
    _duplicates(rows, options)
    if rows.sheet.table == "events" and options.noise == "set_aside":
        _noise(rows, options.noise_seconds)
    if rows.sheet.table == "offers" and options.outliers == "set_aside":
        _outliers(rows)
    if rows.sheet.table != "orders":  # an order line may give its price, its amount or both
        _gaps(rows, options)


def _duplicates(rows: Rows, options: CleaningOptions) -> None:
    table, sheet = rows.sheet.table, rows.sheet
    keys = [name for name in rules.KEYS[table] if name in rows.columns]
    repeats, conflicting = [pd.Series(dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for part in rows.suspects(keys):
        found = part[part.duplicated(keys, keep=False)]
        if len(found):
            one, other = rules.judge_duplicates(table, found, keys, options.duplicates == "set_aside")
            repeats.append(one)
            conflicting.append(other.to_numpy(dtype=np.int64))
    _set_aside_repeats(sheet, keys, pd.concat(repeats).sort_index())
    kept = np.sort(np.concatenate(conflicting))
    if table != "orders":  # of order lines, cancellations are still to be taken out
        sheet.note("warning", "", len(kept), kept, rules.kept_repeats(keys), rules.KEPT_EFFECT)


def note_kept_lines(rows: Rows) -> None:
    """Count the order lines that are kept and share their keys with another kept one."""
    keys = [name for name in rules.KEYS[rows.sheet.table] if name in rows.columns]
    found = [part.index[part.duplicated(keys, keep=False).to_numpy()].to_numpy() for part in rows.suspects(keys)]
    shared = np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *found]))
    rows.sheet.note("warning", "", len(shared), shared, rules.kept_repeats(keys), rules.KEPT_LINES_EFFECT)


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
    sheet = rows.sheet
    for field in schema.fields(sheet.table):
        if field.required or field.name not in rows.columns:
            continue
        numeric = field.kind in ("money", "number", "rating")
        aside = numeric and options.missing_numeric == "set_aside" and sheet.table != "events"
        count, first = rows.gaps(field.name, None if aside else SHOWN_ROWS)
        if not count:
            continue
        if not numeric or options.missing_numeric == "keep" or sheet.table == "events":
            if field.kind != "identifier" and sheet.table != "events":
                sheet.note("info", field.name, count, first, rules.gap_message(field.name), rules.GAP_EFFECT)
        elif aside:
            sheet.set_aside(field.name, first, f"{field.name} is missing")
        else:
            _fill_median(rows, field.name, rows.usable())
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
