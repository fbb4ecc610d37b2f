"""History of every customer as of the end of the log, computed in the engine: one row per customer.

The definitions are those of :mod:`pricing_core.features.history`, in plain units instead of logarithms.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import duckdb

from pricing_core.engines.stored import columns_of, name, open_tables, present_tables, text
from pricing_core.features.history import (
    MONTH_DAYS,
    NEVER_DAYS,
    PRIOR_OFFERS,
    PRIOR_PURCHASES,
    PRIOR_RATINGS,
    USUAL_RATING,
)
from pricing_core.features.joins import DAY
from pricing_core.progress import Progress, SilentProgress

MEMORY_LIMIT_MB: Final = 2_400

MEANINGS: Final = {
    "customer_id": "who",
    "offers_seen": "offers in the log",
    "purchases": "offers that were bought",
    "purchase_rate_index": "own purchase rate over the shop's; shrunk to 1 with the weight of ten offers",
    "days_since_last_purchase": "days before the end of the log; 730 where nothing was bought",
    "mean_spend": "mean price paid, in the currency of the data; 0 where nothing was bought",
    "price_level_offered": "mean of price over the product's price level; shrunk to 1 with the weight of ten offers",
    "price_sensitivity_trace": "prices paid less prices offered, as shares of the price level; negative: buys cheap",
    "views_30d": "views in the last 30 days of which events are known",
    "carts_30d": "products put into the cart in the last 30 days of which events are known",
    "purchases_30d": "purchases in the last 30 days of which events are known",
    "mean_rating_given": "stars; shrunk to 3.7 with the weight of three ratings; empty where none was given",
}
"""Column → what it says."""

_DIGITS: Final = {
    "purchase_rate_index": 3,
    "days_since_last_purchase": 1,
    "mean_spend": 2,
    "price_level_offered": 4,
    "price_sensitivity_trace": 4,
    "mean_rating_given": 2,
}
"""Decimals in a CSV file; a Parquet file keeps all."""

_ROUNDED: Final = ", ".join(f"round({column}, {digits}) AS {column}" for column, digits in _DIGITS.items())

_SECOND: Final = "floor(epoch_us({0}) / 1e6)::BIGINT"


def customer_features(
    folder: Path,
    out: Path,
    *,
    facts: Mapping[str, str] | None = None,
    spill: Path | None = None,
    memory_limit_mb: int = MEMORY_LIMIT_MB,
    progress: Progress | None = None,
) -> int:
    """Write one row for each customer of a data set to a file, and return the number of rows.

    Customers are those of the customers table and of the offers, in the order of their ids.

    Parameters
    ----------
    folder
        Folder of the data set's Parquet tables.
    out
        File to write: CSV where its name ends so, else Parquet.
    facts
        What the file tells of its origin, such as the data version (Parquet only).
    memory_limit_mb
        Memory that DuckDB may use, MB; what does not fit is written to ``spill`` meanwhile.
    """
    progress = progress or SilentProgress()
    with open_tables(folder, spill=spill, memory_limit_mb=memory_limit_mb) as connection:
        connection.execute("SET preserve_insertion_order=false")  # order is by id at the end
        progress.stage("Customer features", 0.05, "Looking up the price level of each offer")
        _price_levels(connection, folder)
        progress.stage("Customer features", 0.35, "Summing up the offers of each customer")
        connection.execute(f"CREATE TEMP TABLE history AS {_OFFER_SUMS}")
        progress.stage("Customer features", 0.65, "Summing up the events of each customer")
        _event_sums(connection, folder)
        progress.stage("Customer features", 0.9, "Writing the file")
        query = _features(connection, folder)
        if out.suffix.lower() == ".csv":
            query = f"SELECT * REPLACE ({_ROUNDED}) FROM ({query}) ORDER BY customer_id"
        row = connection.execute(f"COPY ({query}) TO {text(out)} {_format(out, facts)}")
        return int(row.fetchall()[0][0])


def _format(out: Path, facts: Mapping[str, str] | None) -> str:
    if out.suffix.lower() == ".csv":
        return "(FORMAT csv, HEADER)"
    told = ", ".join(f"{name(key)}: {text(value)}" for key, value in (facts or {}).items())
    return f"(FORMAT parquet, COMPRESSION zstd{', KV_METADATA {' + told + '}' if told else ''})"


def _price_levels(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make the view ``levels``: customer, second, purchased, price and price relative to the level ``x``.

    The level is the list price (of the offer, else of the market at its time, else of the product); where it is
    unknown, the mean of the product's prices at earlier seconds, and for its very first offers their own price.
    """
    second = _SECOND.format("o.offered_at")
    known = _list_price(connection, folder)
    missing = connection.execute(f"SELECT count(*) FROM {known.source} WHERE {known.price} IS NULL").fetchone()
    level = known.price
    if missing and missing[0]:
        past = f"OVER (PARTITION BY o.product_id ORDER BY {second} RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
        level = f"coalesce({known.price}, avg(o.price) {past}, o.price)"
    connection.execute(
        f"""
        CREATE VIEW levels AS SELECT o.customer_id::VARCHAR AS customer_id, {second} AS second,
            o.purchased::DOUBLE AS y, o.price::DOUBLE AS price, o.price / ({level}) AS x FROM {known.source}
        """
    )


class _Known:
    """SQL of where a list price comes from: tables joined to the offers ``o``, and the price or NULL."""

    def __init__(self, source: str, prices: list[str]) -> None:
        self.source = source
        found = f"coalesce({', '.join([*prices, 'NULL'])})" if prices else "NULL::DOUBLE"
        self.price = f"(CASE WHEN {found} > 0 THEN {found} END)" if prices else found


def _list_price(connection: duckdb.DuckDBPyConnection, folder: Path) -> _Known:
    has = {table: columns_of(connection, table) for table in present_tables(folder)}
    source, prices = "offers o", []
    if "list_price" in has["offers"]:
        prices.append(_number("o.list_price"))
    products = "products" in has
    if products:
        first = "row_number() OVER (PARTITION BY product_id ORDER BY file_row_number) = 1"
        source += f" LEFT JOIN (SELECT * FROM products QUALIFY {first}) p"
        source += " ON p.product_id::VARCHAR = o.product_id::VARCHAR"
    if "market" in has and "list_price" in has["market"]:
        key = next((column for column in ("product_id", "category") if column in has["market"]), None)
        of_offer = "o.product_id" if key != "category" else _category(has)
        match = f"m.{key}::VARCHAR = {of_offer}::VARCHAR AND " if key else ""
        newest = (
            "(SELECT * FROM market QUALIFY row_number() OVER (PARTITION BY {0}date ORDER BY file_row_number DESC) = 1)"
        )
        unique = newest.format(f"{key}, " if key else "")
        source += f" ASOF LEFT JOIN {unique} m ON {match}o.offered_at >= m.date"
        prices.append(_number("m.list_price"))
    if products and "list_price" in has["products"]:
        prices.append(_number("p.list_price"))
    return _Known(source, prices)


def _category(has: Mapping[str, list[str]]) -> str:
    """Category of an offer: its own, else its product's, as the feature builder finds it."""
    if "category" in has["offers"]:
        return "coalesce(o.category::VARCHAR, 'unknown')"
    if "category" in has.get("products", []):
        return "coalesce(p.category::VARCHAR, 'unknown')"
    return "'all'"


def _number(column: str) -> str:
    """A column as a number, NULL where it is none."""
    return f"nullif(TRY_CAST({column} AS DOUBLE), 'nan'::DOUBLE)"


_OFFER_SUMS: Final = """
    SELECT customer_id, count(*) AS n, sum(y) AS bought, sum(x) AS x, sum(x * y) AS paid_x, sum(y * price) AS spent,
        max(second) FILTER (WHERE y = 1) AS last FROM levels GROUP BY customer_id
    """


def _event_sums(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make the table ``browsing``: events of each type in the last 30 known days, and ratings, by customer."""
    events = "events" in present_tables(folder)
    rated = events and "rating" in columns_of(connection, "events")
    parts = []
    if events:
        rating = _number("rating") if rated else "NULL::DOUBLE"
        second = _SECOND.format("occurred_at")
        parts.append(
            f"SELECT customer_id::VARCHAR AS customer_id, event_type, {second} AS second, {rating} AS rating "
            "FROM events"
        )
    none = "SELECT count(*) FROM events WHERE event_type = 'purchase'"
    if not events or not _one(connection, none):
        second = _SECOND.format("offered_at")
        parts.append(
            f"SELECT customer_id::VARCHAR AS customer_id, 'purchase' AS event_type, {second} AS second, "
            "NULL::DOUBLE AS rating FROM offers WHERE purchased = 1"
        )
    connection.execute(f"CREATE VIEW log AS {' UNION ALL '.join(parts)}")
    end = _one(connection, f"SELECT max({_SECOND.format('offered_at')}) + 1 FROM offers")
    ends = {
        kind: _one(connection, f"SELECT max(second) + 1 FROM log WHERE event_type = {text(kind)}") for kind in _KINDS
    }
    counts = []
    for kind in _KINDS:
        until = min(end, ends[kind] if ends[kind] is not None else end)
        inside = f"second < {until} AND second >= {until - MONTH_DAYS * DAY}"
        counts.append(f"count(*) FILTER (WHERE event_type = {text(kind)} AND {inside}) AS {kind}s")
    connection.execute(
        f"""
        CREATE TEMP TABLE browsing AS SELECT customer_id, {", ".join(counts)},
            coalesce(sum(rating) FILTER (WHERE second < {end}), 0) AS stars,
            count(rating) FILTER (WHERE second < {end}) AS ratings FROM log GROUP BY customer_id
        """
    )


_KINDS: Final = ("view", "cart", "purchase")


def _features(connection: duckdb.DuckDBPyConnection, folder: Path) -> str:
    """Query of the features by customer, from the tables ``history`` and ``browsing``."""
    everyone = "SELECT customer_id FROM history"
    if "customers" in present_tables(folder):
        everyone += " UNION SELECT customer_id::VARCHAR FROM customers WHERE customer_id IS NOT NULL"
    totals = connection.execute("SELECT coalesce(sum(bought), 0), coalesce(sum(n), 0) FROM history").fetchone()
    end = _one(connection, f"SELECT max({_SECOND.format('offered_at')}) + 1 FROM offers")
    assert totals is not None
    rate = (totals[0] + 1) / (totals[1] + 10)
    return f"""
        WITH summed AS (
            SELECT customer_id, coalesce(n, 0) AS n, coalesce(bought, 0) AS bought, coalesce(spent, 0) AS spent, last,
                coalesce(paid_x, 0) AS paid_x, (coalesce(x, 0) + {PRIOR_OFFERS}) / (coalesce(n, 0) + {PRIOR_OFFERS})
                AS offered_x, coalesce(views, 0) AS views, coalesce(carts, 0) AS carts,
                coalesce(purchases, 0) AS purchases, coalesce(stars, 0) AS stars, coalesce(ratings, 0) AS ratings
            FROM ({everyone}) LEFT JOIN history USING (customer_id) LEFT JOIN browsing USING (customer_id)
        )
        SELECT customer_id, n::BIGINT AS offers_seen, bought::BIGINT AS purchases,
            (bought + {PRIOR_OFFERS * rate!r}) / (n + {PRIOR_OFFERS}) / {rate!r} AS purchase_rate_index,
            least(coalesce(({end} - last) / {DAY}, {NEVER_DAYS}), {NEVER_DAYS}) AS days_since_last_purchase,
            spent / greatest(bought, 1) AS mean_spend, offered_x AS price_level_offered,
            (paid_x + {PRIOR_PURCHASES} * offered_x) / (bought + {PRIOR_PURCHASES}) - offered_x
                AS price_sensitivity_trace,
            views::BIGINT AS views_30d, carts::BIGINT AS carts_30d, purchases::BIGINT AS purchases_30d,
            CASE WHEN ratings > 0 THEN (stars + {PRIOR_RATINGS * USUAL_RATING!r}) / (ratings + {PRIOR_RATINGS}) END
                AS mean_rating_given
        FROM summed ORDER BY customer_id
        """


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]
