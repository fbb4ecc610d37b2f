"""Choice occasions from order lines in the database, by the rule of :mod:`pricing_core.data.occasions`.

The lines are a table ``lines`` of numbers, see :mod:`pricing_core.engines.coded_lines`; all steps are queries, which
go to the disk where memory does not suffice. The result is the same, row by row, as that of the rule in memory.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.data.occasions import kept_trips
from pricing_core.engines.coded_lines import CodedLines
from pricing_core.engines.session import Session
from pricing_core.errors import DataError

OCCASIONS: Final = "occasions"
"""Table made here: ``p, customer, item, time, price, purchased, quantity, age`` (in periods), in order."""

_HASHED_AT_ONCE: Final = 2_000_000

_ENTRIES: Final = {
    "modal": "SELECT item, period, arg_min(price, {'a': -n, 'b': price}) AS price FROM tally GROUP BY ALL",
    "median": "SELECT item, period, min(price) AS price FROM (SELECT item, period, price, 2 * sum(n) OVER (PARTITION "
    "BY item, period ORDER BY price) >= sum(n) OVER (PARTITION BY item, period) AS reached FROM tally) WHERE reached "
    "GROUP BY ALL",
    "latest": "SELECT item, period, arg_max(price, {'a': time, 'b': price}) AS price FROM lines GROUP BY ALL",
}


def build_occasions(session: Session, coded: CodedLines, rule: OccasionRule) -> dict[str, float]:
    """Make the table :data:`OCCASIONS`; returns the counts of :class:`pricing_core.data.occasions.Occasions`.

    Raises
    ------
    DataError
        If no price of any product is known from somebody else.
    """
    work = _Work(session, coded, rule)
    work.prices()
    kept_share = work.trips()
    work.considered()
    carried = work.priced()
    return {**work.line_counts(), "kept_share": kept_share, "carried_share": carried}


class _Work:
    """The steps of the rule, in order."""

    def __init__(self, session: Session, coded: CodedLines, rule: OccasionRule) -> None:
        self.session, self.coded, self.rule = session, coded, rule
        self.span = rule.max_periods

    def prices(self) -> None:
        """Price, number of buyers and whether on offer, by item and period with a line."""
        self._stage(0.5, "Finding the prices of each period")
        self._table("tally", "SELECT item, period, price, count(*) AS n FROM lines GROUP BY ALL")
        self._table(
            "entries",
            f"SELECT *, buyers >= 2 OR coalesce(period - lag(period) OVER (PARTITION BY item ORDER BY period) <= "
            f"{self.span}, false) AS on_offer FROM ({_ENTRIES[self.rule.price_source]}) JOIN (SELECT item, period, "
            f"count(DISTINCT customer) AS buyers FROM lines GROUP BY ALL) USING (item, period)",
        )

    def trips(self) -> float:
        """Who was in which market when, thinned to the most occasions; returns the share kept."""
        self._stage(0.55, "Finding who was in the market")
        stores, shop = len(self.coded.store_names), self.rule.scope == "shop"
        place = f"market % {stores}" if shop else "market"
        seen = "SELECT customer, period, market, time FROM lines"
        if self.coded.visits:
            seen += " UNION ALL SELECT customer, period, market, time FROM visits"
        self._table(
            "first_seen", f"SELECT customer, period, {place} AS place, min(time) AS time FROM ({seen}) GROUP BY ALL"
        )
        categories = f"range({self.coded.n_categories}) AS c(category)"
        market = f"category * {stores} + place" if shop else "place"
        across = f", {categories}" if shop else ""
        (expected,) = self.session.row(
            f"SELECT coalesce(sum(trips * choices), 0)::DOUBLE FROM (SELECT {market} AS market, trips FROM (SELECT "
            f"place, count(*) AS trips FROM first_seen GROUP BY place){across}) JOIN (SELECT market, "
            f"least(count(DISTINCT item), {self.rule.bestsellers}) AS choices FROM lines GROUP BY market) "
            "USING (market)"
        )
        share = min(1.0, self.rule.max_occasions / max(float(expected), 1.0))
        if share < 1.0:
            self._thin(share)
        self._table("kept", f"SELECT customer, period, {market} AS market, time FROM first_seen{across}")
        return share

    def considered(self) -> None:
        """Products on offer that a customer in the market had bought before, or that sold best."""
        self._stage(0.65, "Finding what was on offer")
        familiar = (
            "SELECT k.customer, f.item, k.period, k.time FROM kept k JOIN (SELECT customer, item, any_value(market) AS "
            "market, min(period) AS first FROM lines WHERE customer IN (SELECT customer FROM kept) GROUP BY customer, "
            "item) f ON k.customer = f.customer AND k.market = f.market AND f.first < k.period"
        )
        # A sale counts for the ranking of the periods after it; in its own the product is on offer, without a rank.
        self._table(
            "ranked",
            f"SELECT r.item, r.period, m.market, r.n FROM (SELECT item, period + age AS period, sum(CASE WHEN age = 0 "
            f"THEN 0 ELSE n END)::BIGINT AS n FROM tally, range({self.span + 1}) AS a(age) GROUP BY ALL) r "
            f"JOIN (SELECT DISTINCT item, market FROM lines) m USING (item) "
            f"WHERE (m.market, r.period) IN (SELECT (market, period) FROM kept)",
        )
        best = (
            f"SELECT market, period, item FROM ({self._on_offer('ranked')}) QUALIFY row_number() OVER (PARTITION BY "
            f"market, period ORDER BY n DESC, item) <= {self.rule.bestsellers}"
        )
        self._table(
            "wanted",
            f"SELECT DISTINCT * FROM ({familiar} UNION ALL SELECT k.customer, b.item, k.period, k.time FROM kept k "
            f"JOIN ({best}) b USING (market, period))",
        )
        self._table("considered", self._on_offer("wanted"))
        self.session.run("DROP TABLE ranked; DROP TABLE wanted")

    def priced(self) -> float:
        """What was bought and at which price the rest was declined; returns the share of prices carried."""
        self._stage(0.75, "Finding what was declined, and at which price")
        # The units of a trip are summed in the order of the lines, so that every run gives the same.
        self._table(
            "bought",
            "SELECT customer, item, period, fsum(quantity ORDER BY p) AS units FROM lines SEMI JOIN considered USING "
            "(customer, item, period) GROUP BY ALL",
        )
        self._table("others", self._price_of_others())
        found = (
            "SELECT s.customer, s.item, s.period, s.time, b.units, s.period - e.period AS distance, e.price AS earlier,"
            " CASE WHEN b.units IS NULL THEN same.price ELSE o.price END AS price FROM considered s "
            "LEFT JOIN bought b USING (customer, item, period) LEFT JOIN others o USING (customer, item, period) "
            "LEFT JOIN entries same ON s.item = same.item AND s.period = same.period "
            "ASOF LEFT JOIN entries e ON s.item = e.item AND s.period > e.period"
        )
        carried = f"price IS NULL AND coalesce(distance <= {self.span}, false)"
        self._table(
            OCCASIONS,
            f"SELECT row_number() OVER () - 1 AS p, * FROM (SELECT customer, item, time, CASE WHEN {carried} THEN "
            f"earlier ELSE price END AS paid, (units IS NOT NULL)::TINYINT AS purchased, coalesce(units, 0.0) AS "
            f"quantity, CASE WHEN {carried} THEN distance ELSE 0 END AS age, period FROM ({found}) "
            f"WHERE paid IS NOT NULL ORDER BY time, customer, item)",
        )
        rows, carried_rows = self.session.row(f"SELECT count(*), count(*) FILTER (age > 0) FROM {OCCASIONS}")
        if not rows:
            raise DataError(
                "No choice occasion could be built: no product has a price that is known from another customer.",
                fix="Import a longer period, or choose a longer period or price age.",
            )
        return carried_rows / rows if rows else math.nan

    def line_counts(self) -> dict[str, float]:
        """Say of every order line whether it became part of a purchase, and if not, why."""
        self._stage(0.85, "Counting what became of each order line")
        row = self.session.row(
            "SELECT count(*), count(*) FILTER (c.time IS NOT NULL), count(*) FILTER (k.time IS NULL), "
            "count(*) FILTER (k.time IS NOT NULL AND NOT e.on_offer), "
            "count(*) FILTER (k.time IS NOT NULL AND e.on_offer AND c.time IS NULL) FROM lines l "
            "LEFT JOIN kept k USING (customer, period, market) LEFT JOIN considered c USING (customer, item, period) "
            "JOIN entries e USING (item, period)"
        )
        names = ("lines", "lines_used", "lines_thinned", "lines_price_unknown", "lines_not_considered")
        counts = {name: int(value) for name, value in zip(names, row, strict=True)}
        trips, occasions, purchases = self.session.row(
            f"SELECT (SELECT count(*) FROM kept), count(*), sum(purchased)::BIGINT FROM {OCCASIONS}"
        )
        return {**counts, "trips": int(trips), "occasions": int(occasions), "purchases": int(purchases)}

    def _thin(self, share: float) -> None:
        """Keep whole customer-periods by the hash of the rule in memory."""
        names = pd.util.hash_array(self.coded.customer_names)
        parts: list[pa.Table] = []
        (rows,) = self.session.row("SELECT count(*) FROM (SELECT DISTINCT customer, period FROM first_seen)")
        step = max(1, len(names) * _HASHED_AT_ONCE // max(int(rows), _HASHED_AT_ONCE))
        for start in range(0, len(names), step):
            some = f"customer >= {start} AND customer < {start + step}"
            found = self.session.arrow(f"SELECT DISTINCT customer, period FROM first_seen WHERE {some}")
            customer, period = found.column("customer").to_numpy(), found.column("period").to_numpy()
            parts.append(found.filter(pa.array(kept_trips(names[customer], period.astype(np.uint64), share))))
        self.session.run(
            "CREATE OR REPLACE TABLE first_seen AS SELECT * FROM first_seen SEMI JOIN chosen USING (customer, period)",
            chosen=pa.concat_tables(parts),
        )

    def _on_offer(self, table: str) -> str:
        """SQL for the rows of a table with ``item`` and ``period`` that were on offer."""
        return (
            f"SELECT t.* FROM {table} t LEFT JOIN entries now ON t.item = now.item AND t.period = now.period "
            f"ASOF LEFT JOIN entries e ON t.item = e.item AND t.period > e.period "
            f"WHERE coalesce(now.buyers >= 2, false) OR coalesce(t.period - e.period <= {self.span}, false)"
        )

    def _price_of_others(self) -> str:
        """SQL for the price that the others paid, of everything bought."""
        if self.rule.price_source == "latest":
            newest = "arg_max({'customer': customer, 'price': price}, {'a': time, 'b': price, 'c': p})"
            lines = "(SELECT * FROM lines SEMI JOIN bought USING (item, period))"
            last = f"(SELECT item, period, {newest} AS last FROM {lines} GROUP BY ALL)"
            second = (
                f"(SELECT item, period, arg_max(price, {{'a': time, 'b': price, 'c': p}}) AS price FROM {lines} JOIN "
                f"{last} USING (item, period) WHERE customer <> last.customer GROUP BY ALL)"
            )
            return (
                f"SELECT b.customer, b.item, b.period, CASE WHEN b.customer <> l.last.customer THEN l.last.price ELSE "
                f"s.price END AS price FROM bought b JOIN {last} l USING (item, period) LEFT JOIN {second} s "
                f"USING (item, period)"
            )
        own = (
            "SELECT customer, item, period, price, count(*) AS own FROM lines SEMI JOIN bought USING "
            "(customer, item, period) GROUP BY ALL"
        )
        counted = (
            f"SELECT b.customer, b.item, b.period, t.price, t.n - coalesce(o.own, 0) AS n FROM bought b JOIN tally t "
            f"USING (item, period) LEFT JOIN ({own}) o USING (customer, item, period, price) "
            f"WHERE t.n > coalesce(o.own, 0)"
        )
        keys = "customer, item, period"
        if self.rule.price_source == "modal":
            return f"SELECT {keys}, arg_min(price, {{'a': -n, 'b': price}}) AS price FROM ({counted}) GROUP BY ALL"
        return (
            f"SELECT {keys}, min(price) AS price FROM (SELECT {keys}, price, 2 * sum(n) OVER (PARTITION BY {keys} "
            f"ORDER BY price) >= sum(n) OVER (PARTITION BY {keys}) AS reached FROM ({counted})) WHERE reached "
            f"GROUP BY ALL"
        )

    def _table(self, name: str, query: str) -> None:
        self.session.run(f"CREATE OR REPLACE TABLE {name} AS {query}")

    def _stage(self, fraction: float, message: str) -> None:
        self.session.stage("Building occasions", fraction, message)
