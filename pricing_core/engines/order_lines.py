"""Order lines of large files: one price and one quantity each, cancellations netted out.

By the rules of :mod:`pricing_core.data.order_lines`; only lines that share customer and product with a cancellation
come into memory, some at a time.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pricing_core.data import order_lines as rule
from pricing_core.data.quality import SHOWN_ROWS
from pricing_core.engines.rules import Rows, note_kept_lines
from pricing_core.engines.typed import TypedColumn

Ints = NDArray[np.int64]

TIDIED: Final = "tidied"
"""Table made here: position ``p``, the ids, time and groups of the file, ``unit_price, quantity, cancelled``."""

_CARRIED: Final = ("customer_id", "product_id", "ordered_at", "store", "category")


def tidy_order_lines(rows: Rows) -> None:
    """Make the table :data:`TIDIED` of all rows of the orders, and set aside those that are no order line.

    See :func:`pricing_core.data.order_lines.tidy_order_lines`; findings and reasons are the same.
    """
    sheet = rows.sheet
    _compute(rows)
    sheet.set_aside("quantity", _positions(rows, "quantity = 0"), rule.ZERO_QUANTITY)
    usable = kept_lines(rows)
    (computed,) = rows.session.row(f"SELECT count(*) FROM {usable} WHERE computed")
    first = rows.session.positions(f"SELECT p FROM {usable} WHERE computed ORDER BY p LIMIT {SHOWN_ROWS}")
    sheet.note("info", "unit_price", computed, first, rule.COMPUTED, "None.")
    sheet.set_aside("unit_price", _positions(rows, "unit_price IS NULL AND NOT cancelled"), rule.NO_PRICE)
    sheet.set_aside("unit_price", _positions(rows, "unit_price = 0 AND NOT cancelled"), rule.ZERO_PRICE)
    _net(rows)
    note_kept_lines(rows)
    _note_quantity_prices(rows)


def kept_lines(rows: Rows) -> str:
    """SQL for the order lines that are not set aside, with their position as ``p``."""
    aside = pa.table({"p": rows.sheet.rejected})
    rows.session.run("CREATE OR REPLACE TEMP TABLE lines_aside AS SELECT p FROM found", found=aside)
    return f"(SELECT * FROM {TIDIED} WHERE p NOT IN (SELECT p FROM lines_aside))"


def _compute(rows: Rows) -> None:
    """Quantity, unit price and whether it takes an order back, of every row."""
    quantity, amount, price = (_number(rows, name) for name in ("quantity", "amount", "unit_price"))
    carried = ", ".join(rows.columns[name].sql for name in _CARRIED if name in rows.columns)
    units = f"coalesce({quantity}, 1.0)"
    rows.session.run(
        f"CREATE OR REPLACE TABLE {TIDIED} AS SELECT *, coalesce(given, CASE WHEN quantity > 0 THEN paid / quantity "
        f"END) AS unit_price, given IS NULL AND paid IS NOT NULL AS computed FROM (SELECT rowid AS p, {carried}, "
        f"abs({units}) AS quantity, abs({price}) AS given, abs({amount}) AS paid, {_cancelled(rows, units, amount)} "
        f"AS cancelled FROM {rows.table})",
        **_cancelled_orders(rows),
    )


def _number(rows: Rows, name: str) -> str:
    return f"{rows.columns[name].sql}::DOUBLE" if name in rows.columns else "NULL::DOUBLE"


def _cancelled(rows: Rows, units: str, amount: str) -> str:
    tests = [f"{units} < 0", f"coalesce({amount} < 0, false)"]
    if "cancelled" in rows.columns:
        tests.append(f"coalesce({rows.columns['cancelled'].sql}, 0) <> 0")
    order = rows.columns.get("order_id")
    if order is not None and order.type == "words":
        tests.append(f"coalesce({order.sql} IN (SELECT code FROM taken_back), false)")
    elif order is not None:
        tests.append(f"coalesce(regexp_matches({order.sql}, '{_pattern()}'), false)")
    return " OR ".join(f"({test})" for test in tests)


def _cancelled_orders(rows: Rows) -> dict[str, pa.Table]:
    """Numbers of the order numbers that say that an order is taken back."""
    order = rows.columns.get("order_id")
    if order is None or order.type != "words":
        return {}
    return {"taken_back": pa.table({"code": _matching(order)})}


def _matching(column: TypedColumn) -> pa.Array:
    codes = np.flatnonzero(column.words.astype("str").str.match(_pattern()).fillna(False).to_numpy(dtype=bool))
    return pa.array(codes.astype(np.int32))


def _pattern() -> str:
    return rf"^{rule.CANCELLED_PREFIX}\d"


def _positions(rows: Rows, test: str) -> Ints:
    return rows.session.positions(f"SELECT p FROM {TIDIED} WHERE {test} ORDER BY p")


def _net(rows: Rows) -> None:
    """Take each cancellation's units from the latest earlier lines of its customer and product."""
    usable = kept_lines(rows)
    keys = f"SELECT DISTINCT customer_id, product_id FROM {usable} WHERE cancelled"
    touched = f"SELECT * FROM {usable} SEMI JOIN ({keys}) USING (customer_id, product_id)"
    rows.session.run(f"CREATE OR REPLACE TABLE touched AS {touched}")
    (count,) = rows.session.row("SELECT count(*) FROM touched")
    if not count:
        return
    parts = [_net_part(rows, where) for where in rows.ranges("customer_id", "touched")]
    found = pd.concat(parts, ignore_index=True).sort_values("p", ignore_index=True)
    cancelled, before, left = found["cancelled"].to_numpy(dtype=bool), found["quantity"], found["left"]
    whole = ~cancelled & (left <= 1e-9).to_numpy() & (before > 0).to_numpy()
    part = ~cancelled & (left < before - 1e-9).to_numpy() & ~whole
    place = found["p"].to_numpy(dtype=np.int64)
    changed = pa.table({"place": place[part], "units": left.to_numpy(dtype=float)[part]})
    rows.session.run(f"UPDATE {TIDIED} SET quantity = units FROM changed WHERE p = place", changed=changed)
    rows.sheet.note("info", "quantity", int(part.sum()), place[part], rule.REDUCED, rule.REDUCED_EFFECT)
    matched = found["matched"].to_numpy(dtype=bool)
    _set_aside(rows, place[whole], rule.CANCELLED_LATER, rule.TAKEN_BACK)
    _set_aside(rows, place[cancelled & matched], rule.CANCELS, rule.TAKEN_BACK)
    rows.sheet.set_aside("quantity", place[cancelled & ~matched], rule.CANCELS_NOTHING)


def _net_part(rows: Rows, where: str) -> pd.DataFrame:
    """Lines of some customers that a cancellation may touch: ``p, cancelled, quantity, left, matched``."""
    rows.session.look()
    frame = rows.session.frame(
        f"SELECT p, customer_id, product_id, cancelled, quantity FROM touched WHERE {where} "
        "ORDER BY customer_id, product_id, ordered_at, cancelled, p"
    )
    key = frame["customer_id"].to_numpy(dtype=np.int64) << np.int64(32) | frame["product_id"].to_numpy(dtype=np.int64)
    left, matched = rule.net_units(
        key, frame["cancelled"].to_numpy(dtype=bool), frame["quantity"].to_numpy(dtype=float)
    )
    frame = frame.drop(columns=["customer_id", "product_id"]).assign(left=left, matched=matched)
    return frame[frame["cancelled"] | (frame["left"] < frame["quantity"] - 1e-9) | (frame["left"] <= 1e-9)]


def _set_aside(rows: Rows, positions: Ints, reason: str, effect: str) -> None:
    """Set rows aside that teach something nevertheless."""
    rows.sheet.reject(positions, [reason], np.zeros(len(positions), dtype=np.int64))
    message = f"{{count}} row{{s}} {{were}} set aside: {reason}."
    rows.sheet.note("warning", "quantity", len(positions), positions, message, effect)


def _note_quantity_prices(rows: Rows) -> None:
    """Say when the price per unit goes with the quantity, from sums of squares within products."""
    count, price, quantity, both = rows.session.row(
        "SELECT coalesce(sum(n), 0), sum(n * vp) / sum(n), sum(n * vq) / sum(n), sum(n * c) / sum(n) FROM (SELECT "
        "count(*) AS n, var_pop(lp) AS vp, var_pop(lq) AS vq, covar_pop(lp, lq) AS c FROM (SELECT product_id, "
        f"ln(unit_price) AS lp, ln(quantity) AS lq FROM {kept_lines(rows)} WHERE quantity > 0 AND unit_price > 0) "
        "GROUP BY product_id)"
    )
    if count < rule.FEWEST_LINES:
        return
    words = rule.quantity_words(float(np.sqrt(price)), float(np.sqrt(quantity)), float(both))
    if words:
        rows.sheet.note_count("warning", "unit_price", int(count), words, rule.QUANTITY_EFFECT)
