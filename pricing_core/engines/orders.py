"""From the order lines of large files to the tables of a data set; see :mod:`pricing_core.data.orders`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from pricing_core.data import order_findings, orders
from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.data.order_categories import merged_categories
from pricing_core.data.quality import SHOWN_ROWS, Finding
from pricing_core.data.rules import far_from_usual
from pricing_core.engines.coded_lines import CodedLines, code_lines
from pricing_core.engines.made_rows import column, made_rows
from pricing_core.engines.occasions import OCCASIONS, build_occasions
from pricing_core.engines.purchases import with_purchases
from pricing_core.engines.rules import Rows, as_categories
from pricing_core.engines.stored_rows import StoredRows
from pricing_core.engines.typed import TypedColumn, quoted

_SOURCES: Final = ("same period", "carried from an earlier period")
_DISTINCT: Final = 1_000
_KEYS: Final = ("customer_id", "product_id")


@dataclass(frozen=True, eq=False)
class OrdersMade:
    """Tables made of orders, what was found, and what the manifest keeps.

    Attributes
    ----------
    offers
        The occasions.
    events
        The shop's events with the purchases; the shop's own where they hold purchases.
    products
        The shop's table with the categories of the orders; None without either.
    findings, evidence, excluded
        As in :class:`pricing_core.data.orders.OrdersOutcome`.
    """

    offers: StoredRows
    events: Rows
    products: pd.DataFrame | None
    findings: list[Finding]
    evidence: dict[str, Any]
    excluded: dict[str, str]


def offers_from_orders(
    rows: Rows, products: pd.DataFrame | None, events: Rows | None, rule: OccasionRule
) -> OrdersMade:
    """Make choice occasions, products and events of tidied orders; the same as of small files.

    Raises
    ------
    DataError
        If no occasion can be built.
    """
    coded = code_lines(rows, products, events, rule)
    given = products
    merged: list[Finding] = []
    if coded.categories is not None and (products is None or "category" not in products.columns):
        products = orders.with_commonest(products, coded.categories, coded.product_names)
        merged = merged_categories(coded.categories)
    counts = build_occasions(rows.session, coded, rule)
    offers = _offers(rows, coded, rule)
    rows.session.stage("Building occasions", 0.88, "Trying other assumptions on some customers")
    other = _sensitivity(rows, coded, given, events, rule)
    findings = order_findings.made_findings(counts, rule) + merged + _unused(rows)
    findings += _price_findings(rows)
    return OrdersMade(
        offers,
        with_purchases(rows, events),
        products,
        findings,
        orders.evidence_of(counts, rule, other),
        orders.excluded_columns(),
    )


def _offers(rows: Rows, coded: CodedLines, rule: OccasionRule) -> StoredRows:
    """The occasions as a table of canonical columns."""
    n = len(coded.store_names)
    store = f", (item % {n})::INTEGER AS store" if coded.stores else ""
    rows.session.run(
        f"CREATE OR REPLACE TABLE made_offers AS SELECT p, customer::INTEGER AS customer_id, (item // {n})::INTEGER AS "
        f"product_id, time AS offered_at, paid AS price, purchased, quantity{store}, (age > 0)::INTEGER AS "
        f"price_source, age * {float(rule.period_days)}::DOUBLE AS price_age_days FROM {OCCASIONS}"
    )

    def words(name: str, texts: Any) -> TypedColumn:
        return column(name, "words", pd.Series(texts, dtype="str"))

    columns = [
        words("customer_id", coded.customer_names), words("product_id", coded.product_names),
        column("offered_at", "time"), column("price", "float64"), column("purchased", "int8"),
        column("quantity", "float64"), *([words("store", coded.store_names)] if coded.stores else []),
        words("price_source", _SOURCES), column("price_age_days", "float64"),
    ]  # fmt: skip
    return made_rows(rows.session, "made_offers", columns, rows.limits)


def _sensitivity(
    rows: Rows, coded: CodedLines, products: pd.DataFrame | None, events: Rows | None, rule: OccasionRule
) -> pd.DataFrame:
    """Occasions of some customers under other assumptions, by the rule in memory."""
    names = coded.customer_names
    chosen = names if len(names) <= orders.SAMPLE_CUSTOMERS else orders.sample_customers(names)
    asked = [name for name in (*_KEYS, "ordered_at", "store", "category") if name in rows.columns]
    lines = _of_customers(rows, "kept_lines", [*asked, "unit_price", "quantity"], chosen)
    if products is not None and "category" in products.columns:
        lines["category"] = lines["product_id"].map(products.set_index("product_id")["category"])
    visits = None
    if events is not None:
        seen = [name for name in (*_KEYS, "occurred_at", "event_type") if name in events.columns]
        visits = _of_customers(events, events.usable(), seen, chosen)
    return orders.sensitivity(lines, rule, visits=visits)


def _of_customers(rows: Rows, table: str, names: Sequence[str], chosen: np.ndarray) -> pd.DataFrame:
    """Columns of the rows of some customers, in order."""
    codes = np.flatnonzero(rows.columns["customer_id"].words.isin(chosen).to_numpy())
    rows.session.run("CREATE OR REPLACE TEMP TABLE picked AS SELECT code FROM found",
                     found=pa.table({"code": codes.astype(np.int32)}))  # fmt: skip
    return _frame(rows, names, f"{table} t SEMI JOIN picked ON picked.code = t.customer_id")


def _frame(rows: Rows, names: Sequence[str], source: str) -> pd.DataFrame:
    """Columns of a table in the order of their place, typed as small tables are; indexed by place."""
    listed = ", ".join(quoted(name) for name in names)
    found = rows.session.frame(f"SELECT p, {listed} FROM {source} ORDER BY p").set_index("p")
    for name in names:
        kept = rows.columns.get(name)
        if kept is not None and kept.type == "words":
            found[name] = as_categories(found[name], kept.words).astype("str")
        elif kept is not None and kept.type == "time":
            found[name] = pd.to_datetime(found[name], unit="us", utc=True).astype("datetime64[us, UTC]")
    return found


def _unused(rows: Rows) -> list[Finding]:
    """Columns that no occasion can carry, looked at by the first of their different values."""
    usable = rows.usable()

    def first_values(name: str) -> pd.Series:
        kept = rows.columns[name]
        found = rows.session.frame(
            f"SELECT {kept.sql} AS w FROM {usable} WHERE {kept.sql} IS NOT NULL GROUP BY 1 ORDER BY min(p) "
            f"LIMIT {_DISTINCT}"
        )["w"]
        return kept.words.iloc[found.to_numpy(dtype=np.int64)] if kept.type == "words" else found

    def texts(name: str) -> pd.Series:
        kept = rows.columns[name]
        if kept.type not in ("words", "text"):
            return pd.Series(dtype="str")
        found = rows.session.frame(f"SELECT DISTINCT {kept.sql} AS w FROM {usable} WHERE {kept.sql} IS NOT NULL")["w"]
        return kept.words.iloc[found.to_numpy(dtype=np.int64)] if kept.type == "words" else found

    names = list(rows.columns)
    return order_findings.unused_columns(names, first_values) + order_findings.unread_cancellations(names, texts)


def _price_findings(rows: Rows) -> list[Finding]:
    """Prices that cannot be meant or look personal, from the lines of some products at a time."""
    names = ["product_id", "ordered_at", "unit_price", *(["store"] if "store" in rows.columns else [])]
    spreads, far = [], [pd.DataFrame({"product_id": [], "unit_price": []})]
    for where in rows.ranges("product_id", "kept_lines"):
        rows.session.look()
        lines = _frame(rows, names, f"kept_lines WHERE {where}")
        off = far_from_usual(lines.rename(columns={"unit_price": "price"}))
        far.append(lines.loc[off, ["product_id", "unit_price"]])
        spreads.append(order_findings.price_spreads(lines[~off]))
    found = pd.concat(far[1:]).sort_index() if len(far) > 1 else far[0]
    shown: list[Finding] = []
    if len(found):
        numbers = tuple(int(each) for each in rows.numbers(found.index.to_numpy(dtype=np.int64)[:SHOWN_ROWS]))
        first = found.iloc[0]
        shown = order_findings.far_off(len(found), float(first["unit_price"]), str(first["product_id"]), numbers)
    return shown + order_findings.personal_prices(spreads)
