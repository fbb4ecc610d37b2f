"""How many offers of a version another one holds already, told from fingerprints of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from pricing_core.engines.stored import columns_of, name, open_tables, text

if TYPE_CHECKING:
    import duckdb

_KEYS: Final = ("customer_id", "product_id", "offered_at", "price", "purchased")
_PURCHASE_KEYS: Final = ("customer_id", "product_id", "occurred_at", "price")
_EXACT_ROWS: Final = 2_000_000
_STEP: Final = 16


@dataclass(frozen=True)
class KnownRows:
    """Rows of a kind that two versions share.

    Attributes
    ----------
    known
        Rows of the new version that the earlier one holds too.
    given, earlier
        Rows of the new, and of the earlier version.
    exact
        Whether all fingerprints were compared, or one in 16.
    """

    known: int
    given: int
    earlier: int
    exact: bool


def known_offers(earlier: Path, new: Path, *, spill: Path | None = None, exact_rows: int = _EXACT_ROWS) -> KnownRows:
    """Compare the offers of two folders: the same customer, product, time, price and purchase, as often as both have.

    Parameters
    ----------
    exact_rows
        Up to so many offers every fingerprint is compared, beyond one in 16, which is chosen by the row itself.
    """
    return _known(earlier, new, "offers", _KEYS, "true", spill, exact_rows)


def known_purchases(earlier: Path, new: Path, *, spill: Path | None = None, exact_rows: int = _EXACT_ROWS) -> KnownRows:
    """Compare the purchases among the events of two folders, as :func:`known_offers` does the offers."""
    return _known(earlier, new, "events", _PURCHASE_KEYS, "event_type = 'purchase'", spill, exact_rows)


def _known(
    earlier: Path, new: Path, table: str, keys: tuple[str, ...], where: str, spill: Path | None, exact_rows: int
) -> KnownRows:
    with open_tables(new, spill=spill) as connection:
        connection.execute(f"CREATE VIEW before AS SELECT * FROM read_parquet({text(earlier / f'{table}.parquet')})")
        both = {*columns_of(connection, table)} & {*columns_of(connection, "before")}
        listed = ", ".join(name(column) for column in keys if column in both)
        old, own = (f"(SELECT * FROM {source} WHERE {where})" for source in ("before", table))
        before, given = (_count(connection, source) for source in (old, own))
        exact = max(before, given) <= exact_rows
        step = 1 if exact else _STEP
        row = connection.execute(
            f"""
            SELECT coalesce(sum(least(mine, theirs)), 0) FROM (
                SELECT count(*) FILTER (side = 1) AS mine, count(*) FILTER (side = 0) AS theirs FROM (
                    SELECT hash({listed}) AS a, 1 AS side FROM {own}
                    UNION ALL SELECT hash({listed}), 0 FROM {old}
                ) WHERE a % {step} = 0 GROUP BY a
            )
            """
        ).fetchone()
    assert row is not None
    return KnownRows(min(given, int(row[0]) * step), given, before, exact)


def known_among(folder: Path, offers: pd.DataFrame, *, spill: Path | None = None) -> int:
    """How many of some offers, cleaned and with the customers' names of the version, its folder holds already."""
    return _among(folder, offers, "offers", _KEYS, "true", spill)


def known_lines_among(folder: Path, lines: pd.DataFrame, *, spill: Path | None = None) -> int:
    """How many of some order lines are purchases of a folder's events: the same customer, product and time."""
    asked = lines.rename(columns={"ordered_at": "occurred_at"})
    return _among(folder, asked, "events", _PURCHASE_KEYS[:3], "event_type = 'purchase'", spill)


def _among(
    folder: Path, asked: pd.DataFrame, table: str, wanted: tuple[str, ...], where: str, spill: Path | None
) -> int:
    with open_tables(folder, spill=spill) as connection:
        keys = [key for key in wanted if key in asked.columns and key in columns_of(connection, table)]
        connection.register("asked_rows", asked[keys].astype({key: "object" for key in keys[:2]}))
        listed = ", ".join(f"{name(key)}::VARCHAR" if key in _KEYS[:2] else name(key) for key in keys)
        row = connection.execute(
            f"SELECT count(*) FROM asked_rows WHERE ({listed}) IN (SELECT ({listed}) FROM {table} WHERE {where} AND "
            f"customer_id::VARCHAR IN (SELECT customer_id FROM asked_rows))"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _count(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {source}").fetchone()
    assert row is not None
    return int(row[0])
