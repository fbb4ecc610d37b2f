"""The order lines of large files as purchase events, after the events that the shop has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from pricing_core.engines.made_rows import column, made_rows, stored_type
from pricing_core.engines.rules import Rows
from pricing_core.engines.typed import Type, TypedColumn

_PURCHASE = "purchase"
_KEYS = ("customer_id", "product_id")
_COLUMNS: dict[str, Type] = {"customer_id": "words", "occurred_at": "time", "event_type": "words",
                             "product_id": "words", "price": "float64"}  # fmt: skip


def with_purchases(orders: Rows, events: Rows | None) -> Rows:
    """Events and, unless they hold purchases, the kept order lines as such; in order.

    Parameters
    ----------
    orders
        The orders, whose kept lines are the table ``kept_lines``.
    events
        The shop's events, if there are any.
    """
    if events is not None and _has_purchases(events):
        return events
    columns = _columns(events)
    merged = [_merged(each, orders, events) for each in columns]
    taken = ", ".join(_purchase(each, orders) for each in merged)
    lines = f"SELECT 1 AS part, p AS place, {taken} FROM kept_lines t"
    parts = [lines]
    if events is not None:
        given = ", ".join(_given(each, events) for each in merged)
        parts.insert(0, f"SELECT 0 AS part, p AS place, {given} FROM {events.usable()} t")
    tables: dict[str, pa.Table] = {}
    for each in merged:
        if each.name in _KEYS:
            tables[f"{each.name}_orders"] = _translation(orders.columns[each.name], each)
            if events is not None and each.name in events.columns:
                tables[f"{each.name}_events"] = _translation(events.columns[each.name], each)
    listed = ", ".join(each.sql for each in merged)
    orders.session.run(
        f"CREATE OR REPLACE TABLE made_events AS SELECT row_number() OVER () - 1 AS p, {listed} FROM "
        f"(SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY part, place)",
        **tables,
    )
    return made_rows(orders.session, "made_events", merged, orders.limits)


def _has_purchases(events: Rows) -> bool:
    kinds = events.columns["event_type"]
    code = np.flatnonzero((kinds.words == _PURCHASE).to_numpy())
    if not len(code):
        return False
    (count,) = events.session.row(f"SELECT count(*) FROM {events.usable()} WHERE {kinds.sql} = {int(code[0])}")
    return bool(count)


def _columns(events: Rows | None) -> list[TypedColumn]:
    """Columns of the events, then those that purchases have besides; whole numbers with gaps are plain numbers."""
    if events is None:
        return [column(name, kind) for name, kind in _COLUMNS.items()]
    found = []
    for each in events.columns.values():
        kind: Type = each.type
        if each.name not in _COLUMNS and kind in ("int64", "int8"):
            kind = "float64"
        found.append(column(each.name, kind, each.words))
    missing = [name for name in _COLUMNS if name not in events.columns]
    return found + [column(name, _COLUMNS[name]) for name in missing]


def _merged(each: TypedColumn, orders: Rows, events: Rows | None) -> TypedColumn:
    """The column with the texts of both."""
    given = list(each.words.astype("str")) if events is not None else []
    if each.name == "event_type":
        texts = list(dict.fromkeys([*given, _PURCHASE]))
    elif each.name in _KEYS:
        texts = list(dict.fromkeys([*given, *orders.columns[each.name].words.astype("str")]))
    else:
        return each
    return column(each.name, "words", pd.Series(texts, dtype="str"))


def _translation(source: TypedColumn, merged: TypedColumn) -> pa.Table:
    """``code, place``: numbers of a column's texts among the merged ones."""
    place = pd.Index(merged.words).get_indexer(source.words.astype("str"))
    return pa.table({"code": np.arange(len(place), dtype=np.int32), "place": place.astype(np.int32)})


def _purchase(each: TypedColumn, orders: Rows) -> str:
    name = each.name
    if name in _KEYS:
        return f"(SELECT place FROM {name}_orders m WHERE m.code = t.{name}) AS {each.sql}"
    if name == "event_type":
        return f"{int(np.flatnonzero((each.words == _PURCHASE).to_numpy())[0])}::INTEGER AS {each.sql}"
    value = {"occurred_at": "t.ordered_at", "price": "t.unit_price"}.get(name, f"NULL::{stored_type(each.type)}")
    return f"{value} AS {each.sql}"


def _given(each: TypedColumn, events: Rows) -> str:
    if each.name not in events.columns:
        return f"NULL::{stored_type(each.type)} AS {each.sql}"
    if each.name in _KEYS:
        return f"(SELECT place FROM {each.name}_events m WHERE m.code = t.{each.sql}) AS {each.sql}"
    return f"t.{each.sql}::{stored_type(each.type)} AS {each.sql}"
