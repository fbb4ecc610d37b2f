"""Order lines as numbers in the database: what the queries of the occasion rule work on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.data.occasions import VISITS
from pricing_core.engines.order_lines import kept_lines
from pricing_core.engines.rules import Rows
from pricing_core.engines.typed import TypedColumn

Names = NDArray[np.object_]

_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, eq=False)
class CodedLines:
    """What the numbers of the table ``lines`` stand for.

    The table has a row per order line: ``p, customer, product, item`` (product in a store), ``market`` (category in a
    store), ``period, time`` (microseconds since 1970), ``price, quantity``. Numbers are places in the names, sorted.

    Attributes
    ----------
    customer_names, product_names, store_names
        The different ids, sorted; one empty store where the orders name none.
    n_categories
        Number of categories.
    categories
        ``product_id, category, count`` of the lines whose category is known; None without categories.
    stores
        Whether the orders name stores.
    visits
        Whether there is a table ``visits`` of views and carts: ``customer, period, market, time``.
    """

    customer_names: Names
    product_names: Names
    store_names: Names
    n_categories: int
    categories: pd.DataFrame | None
    stores: bool
    visits: bool


def code_lines(rows: Rows, products: pd.DataFrame | None, events: Rows | None, rule: OccasionRule) -> CodedLines:
    """Make the tables ``lines`` and ``visits`` of the orders that are not set aside.

    Parameters
    ----------
    rows
        The orders, tidied.
    products
        The shop's table of products; its category comes before that of the lines.
    events
        The shop's events; they are used where the orders name no stores.
    """
    session, kept = rows.session, kept_lines(rows)
    session.run(
        f"CREATE OR REPLACE TABLE kept_lines AS SELECT * EXCLUDE (cancelled, given, paid, computed) FROM {kept}"
    )
    customers, products_of = _ranked(rows, "customer_id", "customers_by_name"), _ranked(rows, "product_id", "by_name")
    stores = "store" in rows.columns
    store_names = _ranked(rows, "store", "stores_by_name", gap="") if stores else np.array([""], dtype=object)
    pairs, known = _categories(rows, products, products_of)
    category_of = _commonest(pairs, len(products_of))
    n = len(store_names)
    store, joined = "0::BIGINT", ""
    if stores:
        store = "s.place"
        joined = "JOIN stores_by_name s ON s.code IS NOT DISTINCT FROM l.store"
    (first,) = session.row("SELECT min(ordered_at) FROM kept_lines")
    start, length = int(first) // _DAY_US * _DAY_US, rule.period_days * _DAY_US
    groups = pa.table({"product": np.arange(len(products_of)), "category": category_of})
    session.run(
        f"CREATE OR REPLACE TABLE lines AS SELECT l.p, c.place AS customer, b.place AS product, b.place * {n} + "
        f"{store} AS item, g.category * {n} + {store} AS market, (l.ordered_at - {start}) // {length} AS period, "
        f"l.ordered_at AS time, l.unit_price AS price, l.quantity FROM kept_lines l "
        f"JOIN customers_by_name c ON c.code = l.customer_id JOIN by_name b ON b.code = l.product_id "
        f"JOIN groups g ON g.product = b.place {joined} ORDER BY l.p",
        groups=groups,
    )
    visits = events if events is not None and not stores and "product_id" in events.columns else None
    if visits is not None:
        _make_visits(visits, customers, products_of, groups, (start, length))
    n_categories = int(category_of.max()) + 1
    return CodedLines(customers, products_of, store_names, n_categories, known, stores, visits is not None)


def texts_of(rows: Rows, column: str, gap: str | None = None) -> tuple[NDArray[np.int64], Names]:
    """Codes and texts of a column of the kept lines that occur, a missing one (-1) as ``gap``."""
    codes = rows.session.arrow(f"SELECT DISTINCT {column} AS code FROM kept_lines").column("code")
    found = np.sort(codes.drop_null().to_numpy()).astype(np.int64)
    texts = rows.columns[column].words.to_numpy(dtype=object)[found]
    if gap is not None and codes.null_count:
        return np.append(found, -1), np.append(texts, gap)
    return found, texts


def _ranked(rows: Rows, column: str, table: str, gap: str | None = None) -> Names:
    """Make a table ``code, place`` of a text column's codes by the order of the texts; returns the texts."""
    codes, texts = texts_of(rows, column, gap)
    places, names = pd.factorize(texts, sort=True)
    listed = pa.table({"code": pa.array(codes, mask=codes < 0), "place": places.astype(np.int64)})
    rows.session.run(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM listed", listed=listed)
    return np.asarray(names, dtype=object)


def _categories(rows: Rows, products: pd.DataFrame | None, names: Names) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Lines by ``product`` (place) and ``category``, missing ones as unknown; and those known, by product id."""
    counted = rows.session.frame(
        "SELECT b.place AS product, count(*) AS count, "
        + ("l.category AS code" if "category" in rows.columns else "NULL::INTEGER AS code")
        + " FROM kept_lines l JOIN by_name b ON b.code = l.product_id GROUP BY ALL"
    )
    if products is not None and "category" in products.columns:
        listed = products.set_index("product_id")["category"]
        counted = pd.DataFrame(counted.groupby("product", as_index=False)["count"].sum())
        texts = pd.Series(names[counted["product"]]).map(listed)
    elif "category" in rows.columns:
        words = np.append(rows.columns["category"].words.to_numpy(dtype=object), [None])
        texts = pd.Series(words[counted["code"].fillna(-1).astype(np.int64).to_numpy()], dtype="str")
    else:
        return counted.assign(category="unknown"), None
    counted = counted.assign(category=texts.fillna("unknown").astype(str), product_id=names[counted["product"]])
    known = counted[texts.notna().to_numpy()]
    return counted, known[["product_id", "category", "count"]]


def _commonest(pairs: pd.DataFrame, n_products: int) -> NDArray[np.int64]:
    """(products,) number of each product's commonest category, among all sorted."""
    code, _ = pd.factorize(pairs["category"], sort=True)
    summed = pd.DataFrame(pairs.assign(category=code).groupby(["product", "category"], as_index=False)["count"].sum())
    summed = summed.sort_values(["product", "count", "category"], ascending=[True, False, True], kind="stable")
    found = summed.drop_duplicates("product")["category"].to_numpy(dtype=np.int64)
    assert len(found) == n_products
    return found


def _make_visits(events: Rows, customers: Names, products: Names, groups: pa.Table, time: tuple[int, int]) -> None:
    """Views and carts of known customers and products, within the time of the orders."""
    kinds = events.columns["event_type"]
    who, what = _places(events.columns["customer_id"], customers), _places(events.columns["product_id"], products)
    seen = pa.table({"code": np.flatnonzero(kinds.words.isin(VISITS).to_numpy()).astype(np.int32)})
    start, length = time
    events.session.run(
        f"CREATE OR REPLACE TABLE visits AS SELECT * FROM (SELECT c.place AS customer, (e.occurred_at - {start}) // "
        f"{length} AS period, g.category AS market, e.occurred_at AS time FROM {events.usable()} e "
        "JOIN seen ON seen.code = e.event_type JOIN who c ON c.code = e.customer_id "
        "JOIN what b ON b.code = e.product_id JOIN groups g ON g.product = b.place "
        f"WHERE e.occurred_at >= {start}) WHERE period <= (SELECT max(period) FROM lines)",
        seen=seen, who=who, what=what, groups=groups,
    )  # fmt: skip


def _places(column: TypedColumn, names: Names) -> pa.Table:
    """``code, place``: the column's codes whose text is among the sorted names."""
    place = pd.Index(names).get_indexer(pd.Index(column.words.astype("str")))
    known = np.flatnonzero(place >= 0)
    return pa.table({"code": known.astype(np.int32), "place": place[known].astype(np.int64)})
