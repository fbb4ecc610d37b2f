"""How strongly a column called ``instrument`` moves the prices of a large table."""

from __future__ import annotations

from pricing_core.data.instruments import can_tell, instrument_findings
from pricing_core.data.quality import Finding
from pricing_core.engines.rules import Rows


def large_instrument(offers: Rows, count: int) -> list[Finding]:
    """The finding of :func:`pricing_core.data.instruments.check_instrument`, from totals.

    Parameters
    ----------
    offers, count
        The offers, and how many of them are not set aside.
    """
    column = offers.columns.get("instrument")
    if column is None or column.type not in ("float64", "int64", "int8"):
        return []
    session, usable = offers.session, offers.usable()
    known = (
        f"(SELECT product_id AS k, {column.sql}::DOUBLE AS z, ln(price) AS y FROM {usable} "
        f"WHERE {column.sql} IS NOT NULL AND price > 0)"
    )
    (missing,) = session.row(f"SELECT count(*) - count({column.sql}) FROM {usable}")
    session.run(f"CREATE OR REPLACE TEMP TABLE means AS SELECT k, avg(z) AS mz, avg(y) AS my FROM {known} GROUP BY 1")
    moved = f"(SELECT z - mz AS z, y - my AS y FROM {known} JOIN means USING (k))"
    rows, mass, cross, total = session.row(
        f"SELECT count(*), coalesce(sum(z * z), 0), coalesce(sum(z * y), 0), coalesce(sum(y * y), 0) FROM {moved}"
    )
    if not can_tell(rows, mass, total):
        return instrument_findings(count, int(missing), 0.0, 0.0)
    slope = cross / mass
    left, robust = session.row(
        f"SELECT sum(e * e), sum(z * z * e * e) FROM (SELECT z, y - {slope!r} * z AS e FROM {moved})"
    )
    variance = robust / mass**2
    strength = slope**2 / max(variance, 1e-12)
    return instrument_findings(count, int(missing), strength, max(1 - left / total, 0.0))
