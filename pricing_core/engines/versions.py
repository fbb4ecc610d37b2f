"""Key figures of a version of the data, and the offers in which two versions differ, computed over the files."""

from __future__ import annotations

from pathlib import Path

from pricing_core.engines.stored import columns_of, name, open_tables, present_tables, text

_KEYS = ("customer_id", "product_id", "offered_at", "price", "purchased")


def version_figures(folder: Path, *, spill: Path | None = None) -> dict[str, object]:
    """Rows, period, customers, products, prices and purchases of a data set, by name."""
    with open_tables(folder, spill=spill) as connection:
        row = connection.execute(
            """
            SELECT count(*), strftime(min(offered_at), '%Y-%m-%d'), strftime(max(offered_at), '%Y-%m-%d'),
                count(DISTINCT customer_id), count(DISTINCT product_id), sum(purchased)::BIGINT,
                100 * avg(purchased), median(price) FROM offers
            """
        ).fetchone()
        assert row is not None
        figures: dict[str, object] = {
            "offers": int(row[0]),
            "first offer": row[1],
            "last offer": row[2],
            "customers with offers": int(row[3]),
            "products with offers": int(row[4]),
            "purchases": int(row[5] or 0),
            "purchases per 100 offers": round(float(row[6]), 2),
            "median price": round(float(row[7]), 2),
            "columns of offers": ", ".join(columns_of(connection, "offers")),
        }
        present = present_tables(folder)
        for table in ("customers", "products", "market", "events"):
            counted = connection.execute(f"SELECT count(*) FROM {table}").fetchone() if table in present else None
            figures[f"rows of {table}"] = 0 if counted is None else int(counted[0])
    return figures


def offers_only_in(first: Path, second: Path, *, spill: Path | None = None) -> tuple[int, int]:
    """How many offers only the first version holds, and how many only the second.

    Offers are the same if customer, product, time, price and purchase are; repeated ones count as often as they occur.
    """
    columns = ", ".join(name(column) for column in _KEYS)
    # Two hashes of 64 bits stand for a row: with a billion rows, the chance that any two differ unseen is below 1e-19.
    row_hash = f"hash({columns}) AS a, hash({columns}, 1) AS b"
    with open_tables(first, spill=spill) as connection:
        other = f"read_parquet({text(second / 'offers.parquet')})"
        found = connection.execute(
            f"""
            SELECT coalesce(sum(greatest(d, 0)), 0)::BIGINT, coalesce(sum(greatest(-d, 0)), 0)::BIGINT FROM (
                SELECT sum(side) AS d FROM (
                    SELECT {row_hash}, 1 AS side FROM offers UNION ALL SELECT {row_hash}, -1 AS side FROM {other}
                ) GROUP BY a, b
            )
            """
        ).fetchone()
    assert found is not None
    return int(found[0]), int(found[1])
