"""The switchable rules: duplicates, noise, outliers, gaps. Each reports what it did."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core import schema
from pricing_core.data.options import CleaningOptions
from pricing_core.data.worksheet import Mask, Worksheet

KEYS: Final = {
    "offers": ("customer_id", "product_id", "offered_at"),
    "customers": ("customer_id",),
    "products": ("product_id",),
    "market": ("date", "product_id", "category"),
    "events": ("customer_id", "occurred_at", "event_type", "product_id"),
    "orders": ("customer_id", "product_id", "ordered_at", "order_id"),
}
"""Columns that say what a row is about."""

UNIQUE_TABLES: Final = ("customers", "products", "market")
OUTLIER_DEVIATIONS: Final = 6.0
OUTLIER_FACTOR: Final = 3.0
_ALMOST_FACTOR: Final = 0.999 * OUTLIER_FACTOR  # what rounding may do to a logarithm is far less
FAR_REASON: Final = "price is far from the usual price of the product"
GAP_EFFECT: Final = "The models treat them as unknown."
FILL_EFFECT: Final = "Filled values hide that the true ones are unknown."


def apply_rules(sheet: Worksheet, options: CleaningOptions) -> None:
    """Apply all rules to a typed table, in this order: duplicates, noise, outliers, gaps."""
    _duplicates(sheet, options)
    if sheet.table == "events":
        _noise(sheet, options)
    if sheet.table == "offers" and options.outliers == "set_aside":  # "flag" is a finding of the finished table
        _outliers(sheet)
    if sheet.table != "orders":  # an order line may give its price, its amount or both
        _gaps(sheet, options)


def _duplicates(sheet: Worksheet, options: CleaningOptions) -> None:
    keys = [column for column in KEYS[sheet.table] if column in sheet.frame.columns]
    usable = sheet.frame.loc[~sheet.rejected]
    suspects = usable[usable.duplicated(keys, keep=False)]
    if suspects.empty:
        return
    repeats, conflicting = judge_duplicates(sheet.table, suspects, keys, options.duplicates == "set_aside")
    numbers = sheet.raw.row_numbers
    if len(repeats):
        mask = _mask(sheet, repeats.index)
        words = repeat_words(sheet.table, keys)
        for row, first in repeats.items():
            sheet.reasons.setdefault(int(row), []).append(f"{words} {numbers[first]}")  # type: ignore[call-overload]
        sheet.rejected |= mask
        example = f"row {numbers[repeats.index[0]]} {words} {numbers[repeats.iloc[0]]}"
        sheet.note("warning", "", mask, REPEATED.format(example), REPEATED_EFFECT)
    if sheet.table != "orders":  # of order lines, cancellations are still to be taken out
        sheet.note("warning", "", _mask(sheet, conflicting), kept_repeats(keys), KEPT_EFFECT)


def note_kept_lines(sheet: Worksheet) -> None:
    """Count the order lines that are kept and share their keys with another kept one."""
    keys = [column for column in KEYS[sheet.table] if column in sheet.frame.columns]
    usable = sheet.frame.loc[~sheet.rejected, keys]
    shared = usable.index[usable.duplicated(keys, keep=False).to_numpy()]
    sheet.note("warning", "", _mask(sheet, shared), kept_repeats(keys), KEPT_LINES_EFFECT)


def judge_duplicates(
    table: str, suspects: pd.DataFrame, keys: list[str], set_aside: bool
) -> tuple[pd.Series, pd.Index]:
    """Rows that repeat another one, and rows that share its keys and are kept.

    Parameters
    ----------
    suspects
        All rows whose keys occur more than once, in order; the index is the position.
    set_aside
        Whether equal rows are set aside; in tables whose keys must be unique, later rows always are.

    Returns
    -------
    Series, Index
        Position of each row to set aside → position of the first row like it; positions of the others to report.
    """
    unique = table in UNIQUE_TABLES
    exact = suspects.duplicated(keys if unique else None, keep="first")
    if not unique and not set_aside:
        return pd.Series(dtype=np.int64), exact.index[exact.to_numpy()]
    group = suspects[keys] if unique else suspects
    place = pd.Series(suspects.index.to_numpy(), index=suspects.index)
    like = group.groupby(list(group.columns), dropna=False, sort=False).ngroup()
    repeats = place.groupby(like).transform("first")[exact.to_numpy()]
    others = suspects[~exact]
    return repeats, others.index[others.duplicated(keys, keep=False).to_numpy()]


REPEATED: Final = "{{count}} row{{s}} {{were}} set aside as duplicate{{s}}: {}."
REPEATED_EFFECT: Final = "Counted twice, they would make the estimates look surer than they are."
KEPT_EFFECT: Final = "Each row counts as an occasion of its own."
KEPT_LINES_EFFECT: Final = "Their units add up to one purchase."


def repeat_words(table: str, keys: list[str]) -> str:
    """Start of the reason of a row that is set aside as a duplicate; a row number follows."""
    return f"repeats the {' and '.join(keys)} of row" if table in UNIQUE_TABLES else "repeats row"


def kept_repeats(keys: list[str]) -> str:
    """Message about rows that share their keys with another one and are kept."""
    return f"{{count}} row{{s}} with the {', '.join(keys)} of another row {{were}} kept."


def _noise(sheet: Worksheet, options: CleaningOptions) -> None:
    if options.noise == "keep":
        return
    usable = sheet.frame[~sheet.rejected]
    rows = repeated_events(usable[usable["event_type"] != "purchase"], options.noise_seconds)
    if len(rows):
        sheet.set_aside("occurred_at", _mask(sheet, rows), noise_reason(options.noise_seconds))


def noise_reason(seconds: float) -> str:
    """Reason of an event that is set aside as a double click."""
    return f"repeats the same event within {seconds:g} s"


def repeated_events(usable: pd.DataFrame, seconds: float) -> pd.Index:
    """Index of the events that follow an equal one of the same customer and product within so many seconds."""
    keys = [column for column in ("customer_id", "event_type", "product_id") if column in usable.columns]
    code = np.zeros(len(usable), dtype=np.int64)
    for column in keys:
        codes, levels = pd.factorize(usable[column])
        code = code * (len(levels) + 1) + codes + 1
    time = usable["occurred_at"].astype("int64").to_numpy()
    order = np.lexsort((time, code))
    close = np.diff(time[order]) <= seconds * 1e6
    repeated = order[1:][close & (np.diff(code[order]) == 0)]
    return usable.index[repeated]


def far_from_usual(offers: pd.DataFrame) -> Mask:
    """Offers whose log price lies more than six robust deviations, and more than log 3, from their product's median."""
    price = offers["price"].to_numpy(dtype=float)
    product = pd.factorize(offers["product_id"])[0]
    mask = np.zeros(len(price), dtype=bool)
    by_product = pd.Series(price).groupby(product)
    # Nothing is farther from a median than the ends are from each other, so most products need no median.
    wide = (by_product.max() > _ALMOST_FACTOR * by_product.min()).reindex(range(int(product.max(initial=-1)) + 1))
    rows = np.flatnonzero(np.append(wide.fillna(False).to_numpy(dtype=bool), False)[product])
    if len(rows):
        logs, product = pd.Series(np.log(price[rows])), product[rows]
        distance = (logs - logs.groupby(product).transform("median")).abs()
        spread = 1.4826 * distance.groupby(product).transform("median")
        mask[rows] = (distance > OUTLIER_DEVIATIONS * spread) & (distance > np.log(OUTLIER_FACTOR))
    return mask


def _outliers(sheet: Worksheet) -> None:
    usable = sheet.frame[~sheet.rejected]
    mask = _mask(sheet, usable.index[far_from_usual(usable)])
    sheet.set_aside("price", mask, FAR_REASON, cells=sheet.frame["price"])


def _gaps(sheet: Worksheet, options: CleaningOptions) -> None:
    for field in schema.fields(sheet.table):
        if field.required or field.name not in sheet.frame.columns:
            continue
        gaps = sheet.frame[field.name].isna().to_numpy() & ~sheet.rejected
        if not gaps.any():
            continue
        numeric = field.kind in ("money", "number", "rating")
        if not numeric or options.missing_numeric == "keep" or sheet.table == "events":
            if field.kind != "identifier" and sheet.table != "events":
                sheet.note("info", field.name, gaps, gap_message(field.name), GAP_EFFECT)
        elif options.missing_numeric == "set_aside":
            sheet.set_aside(field.name, gaps, f"{field.name} is missing")
        else:
            _fill_median(sheet, field.name, gaps)


def _fill_median(sheet: Worksheet, column: str, gaps: Mask) -> None:
    values = sheet.frame[column].mask(sheet.rejected)
    fill = pd.Series(values.median(), index=values.index)
    if "product_id" in sheet.frame.columns and sheet.table != "products":
        fill = values.groupby(sheet.frame["product_id"], dropna=False).transform("median").fillna(fill)
    sheet.frame[column] = sheet.frame[column].mask(gaps, fill)
    sheet.note("warning", column, gaps, fill_message(column), FILL_EFFECT)


def gap_message(column: str) -> str:
    """Message about missing values that stay."""
    return f"{{count}} value{{s}} of {column} {{are}} missing."


def fill_message(column: str) -> str:
    """Message about missing values that were filled."""
    filled = "filled with the median of the product, else of the column"
    return f"{{count}} missing value{{s}} of {column} {{were}} {filled}."


def _mask(sheet: Worksheet, rows: pd.Index) -> NDArray[np.bool_]:
    mask = np.zeros(len(sheet.frame), dtype=bool)
    mask[rows.to_numpy(dtype=np.int64)] = True
    return mask
