"""Draw whole customers from a data set of many millions of offers, and sum up what all the others did.

Which customers are drawn depends on a seed and on the order in which customers first appear in the log, never on their
ids: these may be keyed pseudonyms, which differ from workspace to workspace.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from pricing_core.engines.stored import columns_of, open_tables, present_tables, text

if TYPE_CHECKING:
    import duckdb

SHOP_ROWS: Final = 2_000_000
"""Rows of the shop log up to which the spans of time stay short."""

_SPANS: Final = (1, 3_600, 21_600, 86_400)  # seconds
_GIANT_SHARE: Final = 0.1  # of the sample: a customer with more offers than this cannot be taken whole
_SECOND: Final = "floor(epoch_us({0}) / 1e6)::BIGINT"
_PER_CUSTOMER: Final = ("customers", "events")


def draw_sample(
    folder: Path, out: Path, *, offers: int, seed: int, spill: Path | None = None, shop_rows: int = SHOP_ROWS
) -> dict[str, Any]:
    """Write a working sample of a data set into the folder ``out``, and return what it holds.

    Customers are put into an order by a hash of the seed and the place of their first offer, and taken whole while
    their offers sum up to at most ``offers``. A customer with more than a tenth of that is left out and counted.

    Parameters
    ----------
    folder
        Folder of the data set's Parquet tables.
    offers
        Most offers in the sample.
    shop_rows
        Most rows of the shop log, unless even days have more.

    Returns
    -------
    dict
        Counts, ends of the events and the opening price, JSON-ready. Written are ``offers, customers, events``
        (of the sampled customers, in the order of the log), ``shop_offers`` and ``shop_ratings`` (of all customers,
        see :class:`pricing_core.data.shop_log.ShopLog`).
    """
    with open_tables(folder, spill=spill) as connection:
        counts = _choose(connection, offers, seed)
        _write(connection, _of_chosen("offers"), out / "offers.parquet")
        for table in _PER_CUSTOMER:
            if table in present_tables(folder):
                _write(connection, _of_chosen(table), out / f"{table}.parquet")
        span = _span(connection, shop_rows)
        _write(connection, _shop_offers(span), out / "shop_offers.parquet")
        events = "events" in present_tables(folder)
        rated = events and "rating" in columns_of(connection, "events")
        _write(connection, _shop_ratings(span) if rated else _NO_RATINGS, out / "shop_ratings.parquet")
        return {**counts, "seed": seed, "span_seconds": span, **_ends(connection, events=events)}


def read_histories(folder: Path, customer_ids: pd.Series, *, spill: Path | None = None) -> dict[str, pd.DataFrame]:
    """Offers, events and customer rows of some customers, whoever is in a sample; in the order of the log.

    Returns
    -------
    dict
        By table; customers that the data set does not know have no rows.
    """
    asked = pd.DataFrame({"customer_id": customer_ids.astype(str).drop_duplicates().to_numpy(dtype=object)})
    with open_tables(folder, spill=spill) as connection:
        connection.register("chosen", asked)
        tables = [table for table in ("offers", *_PER_CUSTOMER) if table in present_tables(folder)]
        return {table: connection.execute(_of_chosen(table)).df() for table in tables}


def _choose(connection: duckdb.DuckDBPyConnection, offers: int, seed: int) -> dict[str, int]:
    """Make the table ``chosen`` of customer ids, and count."""
    connection.execute(
        f"""
        CREATE TEMP TABLE chosen AS
        WITH counted AS (
            SELECT customer_id, count(*) AS n, min(offered_at) AS opening FROM offers GROUP BY 1
        ), opened AS (  -- only the offers at a customer's first moment tell which is the first of them
            SELECT customer_id::VARCHAR AS customer_id, any_value(n) AS n,
                any_value(n) > {_GIANT_SHARE * offers} AS giant,
                min({{'a': offered_at, 'b': product_id::VARCHAR, 'c': file_row_number}}) AS first
            FROM offers JOIN counted USING (customer_id) WHERE offered_at = opening GROUP BY 1
        ), labeled AS (
            SELECT customer_id, n, giant, row_number() OVER (ORDER BY first) - 1 AS label FROM opened
        ), summed AS (
            SELECT *, sum(n) FILTER (WHERE NOT giant) OVER (ORDER BY md5({text(f"{seed}:")} || label)) AS so_far
            FROM labeled
        )
        SELECT customer_id, n, giant, NOT giant AND so_far <= {offers} AS taken FROM summed
        """
    )
    row = connection.execute(
        """
        SELECT coalesce(sum(n) FILTER (WHERE taken), 0), sum(n), count(*) FILTER (WHERE taken), count(*),
            count(*) FILTER (WHERE giant) FROM chosen
        """
    ).fetchone()
    assert row is not None
    connection.execute("DELETE FROM chosen WHERE NOT taken")
    names = ("offers", "offers_there", "customers", "customers_there", "left_out")
    return {key: int(value or 0) for key, value in zip(names, row, strict=True)}


def _of_chosen(table: str) -> str:
    return (
        f"SELECT * EXCLUDE (file_row_number) FROM {table} "
        f"WHERE customer_id::VARCHAR IN (SELECT customer_id FROM chosen) ORDER BY file_row_number"
    )


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    connection.execute(f"COPY ({query}) TO {text(path)} (FORMAT parquet, COMPRESSION zstd)")


def _span(connection: duckdb.DuckDBPyConnection, most: int) -> int:
    """Shortest span, in seconds, at which the shop log has at most ``most`` rows."""
    second = _SECOND.format("offered_at")
    distinct = ", ".join(f"approx_count_distinct(hash(product_id, {second} // {span}))" for span in _SPANS)
    row = connection.execute(f"SELECT count(*), {distinct} FROM offers").fetchone()
    assert row is not None
    if row[0] <= most:
        return _SPANS[0]
    return next((span for span, rows in zip(_SPANS, row[1:], strict=True) if rows <= most), _SPANS[-1])


def _shop_offers(span: int) -> str:
    second = _SECOND.format("offered_at")
    return f"""
        SELECT product_id::VARCHAR AS product_id, max({second}) AS second, count(*)::DOUBLE AS offers,
            sum(purchased)::DOUBLE AS purchased, sum(price)::DOUBLE AS price, sum(price * purchased)::DOUBLE AS sales
        FROM offers GROUP BY product_id::VARCHAR, {second} // {span} ORDER BY second, product_id
        """


def _shop_ratings(span: int) -> str:
    second = _SECOND.format("occurred_at")
    return f"""
        SELECT product_id::VARCHAR AS product_id, max({second}) AS second, count(*)::DOUBLE AS ratings,
            sum(stars) AS stars
        FROM (SELECT product_id, occurred_at, TRY_CAST(rating AS DOUBLE) AS stars FROM events)
        WHERE stars IS NOT NULL AND NOT isnan(stars)
        GROUP BY product_id::VARCHAR, {second} // {span} ORDER BY second, product_id
        """


_NO_RATINGS: Final = (
    "SELECT ''::VARCHAR AS product_id, 0::BIGINT AS second, 0::DOUBLE AS ratings, 0::DOUBLE AS stars WHERE false"
)


def _ends(connection: duckdb.DuckDBPyConnection, *, events: bool) -> dict[str, Any]:
    """Last time of the log and of each type of event, and the median of the first hundred prices."""
    second = _SECOND.format("occurred_at")
    ends = dict(connection.execute(f"SELECT event_type, max({second}) FROM events GROUP BY 1").fetchall()) if events \
        else {}  # fmt: skip
    purchase_events = "purchase" in ends
    second = _SECOND.format("offered_at")
    row = connection.execute(
        f"SELECT max(offered_at), max({second}) FILTER (WHERE purchased = 1) FROM offers"
    ).fetchone()
    first = connection.execute(
        f"""
        SELECT median(price) FROM (SELECT price FROM offers ORDER BY {second}, file_row_number LIMIT 100)
        """
    ).fetchone()
    assert row is not None and first is not None
    if not purchase_events and row[1] is not None:
        ends["purchase"] = row[1]
    return {
        "log_to": pd.Timestamp(row[0]).tz_convert("UTC").isoformat(),
        "purchase_events": purchase_events,
        "event_ends": {str(kind): int(last) for kind, last in ends.items()},
        "opening_price": float(first[0]),
    }


def lowest_prices(
    folder: Path, *, since: pd.Timestamp, before: pd.Timestamp, days: int, spill: Path | None = None
) -> pd.DataFrame:
    """Those offers of a log that decide each product's lowest price before a moment.

    Returns
    -------
    DataFrame
        ``product_id, at, price``: each product's cheapest offer in ``[since, before)`` and in the last ``days`` days
        of the log before ``before``, and the last offer before it.
    """
    start, end = text(since.isoformat()), text(before.isoformat())
    cheapest = "SELECT product_id::VARCHAR, arg_min(offered_at, price), min(price) FROM {0} WHERE {1} GROUP BY 1"
    with open_tables(folder, spill=spill) as connection:
        connection.execute(
            f"CREATE VIEW log AS SELECT product_id, offered_at, price FROM offers WHERE offered_at < TIMESTAMPTZ {end}"
        )
        last = f"offered_at > (SELECT max(offered_at) FROM log) - INTERVAL {int(days)} DAY"
        inside = cheapest.format("log", f"offered_at >= TIMESTAMPTZ {start}")
        newest = "(SELECT product_id::VARCHAR, offered_at, price FROM log ORDER BY offered_at DESC LIMIT 1)"
        found = connection.execute(f"{inside} UNION ALL {cheapest.format('log', last)} UNION ALL {newest}").fetchall()
    frame = pd.DataFrame(found, columns=["product_id", "at", "price"])
    return frame.assign(at=pd.to_datetime(frame["at"], utc=True))
