"""A stored data set of any size, made by DuckDB in the layout of the store: for benchmarks of large data."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from pricing_core.data.dataset import DatasetManifest
from pricing_core.store import datasets, shelf
from pricing_core.store.parquet import write_parquet
from pricing_core.store.workspace import Workspace

_DRAWN = """
    CREATE TABLE drawn AS SELECT *, round(level * (0.75 + 0.4 * u), 2) AS price,
        (v < 0.35 * exp(-2.2 * (u - 0.5)))::TINYINT AS bought FROM (
        SELECT 'c_' || left(md5((hash(i, 1) % {customers})::VARCHAR), 20) AS customer, hash(i) AS h,
            (pow((hash(i, 2) % 1000000) / 1e6, 1.6) * {products})::BIGINT % {products} AS product,
            TIMESTAMPTZ '2024-07-01' + to_microseconds((i * {year} // {n} * 1000000)::BIGINT) AS moment,
            (hash(i, 3) % 1000000) / 1e6 AS u, (hash(i, 4) % 1000000) / 1e6 AS v, 4 + (product * 37 % 100) / 10 AS level
        FROM range({n}) AS t(i))
    """
_EVENTS = """
    SELECT * FROM (
        SELECT customer AS customer_id, moment - INTERVAL 90 SECOND AS occurred_at, 'view' AS event_type,
            {sku} AS product_id, NULL::DOUBLE AS rating FROM drawn WHERE h % 4 = 0
        UNION ALL SELECT customer, moment + INTERVAL 10 SECOND, 'purchase', {sku}, NULL FROM drawn WHERE bought = 1
        UNION ALL SELECT customer, moment + INTERVAL 3 DAY, 'review', {sku}, 1 + h % 5 FROM drawn
            WHERE bought = 1 AND h % 10 = 0
    ) ORDER BY occurred_at
    """
_SKU = "'P-' || lpad(product::VARCHAR, 5, '0')"


def make_large_shop(workspace: Path, n: int) -> str:
    """Store ``n`` offers over a year with their customers, products, market and events; returns the id."""
    ws = Workspace(workspace)
    n_customers, n_products = max(n // 24, 50), max(min(2_000, n // 500), 5)
    with shelf.drafting(ws, "dataset") as draft, duckdb.connect() as connection:
        connection.execute("SET memory_limit = '2GB'")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET temp_directory = '{draft / 'spill'}'")
        connection.execute(_DRAWN.format(customers=n_customers, products=n_products, year=365 * 86_400, n=n))
        queries = {
            "offers": f"SELECT customer AS customer_id, {_SKU} AS product_id, moment AS offered_at, price, "
            "bought AS purchased, (u < 0.2)::TINYINT AS promotion FROM drawn ORDER BY moment",
            "customers": "SELECT 'c_' || left(md5(i::VARCHAR), 20) AS customer_id, "
            f"['north', 'south', 'west'][1 + i % 3] AS region FROM range({n_customers}) AS t(i)",
            "products": f"SELECT {_SKU} AS product_id, 4 + (product * 37 % 100) / 10 AS list_price, list_price * 0.6 "
            f"AS unit_cost, ['tea', 'cocoa'][1 + product % 2] AS category FROM range({n_products}) t(product)",
            "market": f"SELECT TIMESTAMPTZ '2024-07-01' + to_days((7 * w)::INT) AS date, {_SKU} AS product_id, "
            f"4 + (product * 37 % 100) / 10 AS competitor_price FROM range(52) AS a(w), range({n_products}) t(product)",
            "events": _EVENTS.format(sku=_SKU),
        }
        rows = {}
        for table, query in queries.items():
            target = draft / f"{table}.parquet"
            found = connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)").fetchone()
            rows[table] = int(found[0]) if found else 0
        connection.close()
        manifest = DatasetManifest(f"{n:,} offers", "made for a benchmark", data_hash=f"{n:064d}", pseudonymized=True)
        shelf.write_json(draft / "manifest.json", manifest.to_dict())
        columns = ["severity", "table", "column", "count", "rows", "message", "effect", "repair"]
        write_parquet(pd.DataFrame(columns=columns), draft / "quality.parquet", "quality report")
        (draft / "set_aside.csv").write_text("table,row_number,reason\n")
        record = {
            "name": manifest.name, "source": manifest.source, "currency": manifest.currency, "pseudonymized": True,
            "margin_assumption": None, "data_hash": manifest.data_hash, "rows": rows, "set_aside": 0,
        }  # fmt: skip
        return shelf.commit(ws, datasets.SHELF, draft, record)
