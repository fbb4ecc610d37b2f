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
    numbers = pd.Series(sheet.raw.row_numbers, index=sheet.frame.index)[suspects.index]
    exact = suspects.duplicated(keep="first")
    if sheet.table in UNIQUE_TABLES:
        later = suspects.duplicated(keys, keep="first")
        _set_aside_repeats(sheet, suspects[keys], numbers, later, f"repeats the {' and '.join(keys)} of row")
        return
    if options.duplicates == "set_aside":
        _set_aside_repeats(sheet, suspects, numbers, exact, "repeats row")
        conflicting = suspects[~exact].duplicated(keys, keep=False)
        conflicting = conflicting[conflicting]
    else:
        conflicting = exact
    message = f"{{count}} row{{s}} with the {', '.join(keys)} of another row {{were}} kept."
    mask = _mask(sheet, conflicting.index)
    sheet.note("warning", "", mask, message, "Each row counts as an occasion of its own.")


def _set_aside_repeats(
    sheet: Worksheet, group: pd.DataFrame, numbers: pd.Series, repeats: pd.Series, words: str
) -> None:
    if not repeats.any():
        return
    first = numbers.groupby(group.groupby(list(group.columns), dropna=False, sort=False).ngroup()).transform("first")
    rows = repeats.index[repeats.to_numpy()]
    mask = _mask(sheet, rows)
    for row, number in first[rows].items():
        sheet.reasons.setdefault(int(row), []).append(f"{words} {number}")  # type: ignore[call-overload]
    sheet.rejected |= mask
    example = f"row {numbers[rows[0]]} {words} {first[rows[0]]}"
    message = f"{{count}} row{{s}} {{were}} set aside as duplicate{{s}}: {example}."
    sheet.note("warning", "", mask, message, "Counted twice, they would make the estimates look surer than they are.")


def _noise(sheet: Worksheet, options: CleaningOptions) -> None:
    if options.noise == "keep":
        return
    usable = sheet.frame[~sheet.rejected]
    usable = usable[usable["event_type"] != "purchase"]
    keys = [column for column in ("customer_id", "event_type", "product_id") if column in usable.columns]
    code = np.zeros(len(usable), dtype=np.int64)
    for column in keys:
        codes, levels = pd.factorize(usable[column])
        code = code * (len(levels) + 1) + codes + 1
    time = usable["occurred_at"].astype("int64").to_numpy()
    order = np.lexsort((time, code))
    close = np.diff(time[order]) <= options.noise_seconds * 1e6
    repeated = order[1:][close & (np.diff(code[order]) == 0)]
    if len(repeated):
        mask = _mask(sheet, usable.index[repeated])
        reason = f"repeats the same event within {options.noise_seconds:g} s"
        sheet.set_aside("occurred_at", mask, reason)


def far_from_usual(offers: pd.DataFrame) -> Mask:
    """Offers whose log price lies more than six robust deviations, and more than log 3, from their product's median."""
    logs = np.log(offers["price"])
    product = pd.factorize(offers["product_id"])[0]
    distance = (logs - logs.groupby(product).transform("median")).abs()
    spread = 1.4826 * distance.groupby(product).transform("median")
    return ((distance > OUTLIER_DEVIATIONS * spread) & (distance > np.log(OUTLIER_FACTOR))).to_numpy()


def _outliers(sheet: Worksheet) -> None:
    usable = sheet.frame[~sheet.rejected]
    mask = _mask(sheet, usable.index[far_from_usual(usable)])
    sheet.set_aside("price", mask, "price is far from the usual price of the product", cells=sheet.frame["price"])


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
                message = f"{{count}} value{{s}} of {field.name} {{are}} missing."
                sheet.note("info", field.name, gaps, message, "The models treat them as unknown.")
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
    filled = "filled with the median of the product, else of the column"
    message = f"{{count}} missing value{{s}} of {column} {{were}} {filled}."
    sheet.note("warning", column, gaps, message, "Filled values hide that the true ones are unknown.")


def _mask(sheet: Worksheet, rows: pd.Index) -> NDArray[np.bool_]:
    mask = np.zeros(len(sheet.frame), dtype=bool)
    mask[rows.to_numpy(dtype=np.int64)] = True
    return mask
