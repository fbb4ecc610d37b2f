"""What an import found out: findings with counts, row numbers, severity and effect on the prices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Severity = Literal["blocking", "warning", "info"]
Scope = Literal["rows", "tables"]

SEVERITIES: Final = ("blocking", "warning", "info")
SHOWN_ROWS: Final = 20
FEW_PURCHASES: Final = 100
COST_UNKNOWN: Final = "The unit cost is unknown for"


@dataclass(frozen=True)
class Finding:
    """One thing that the import noticed.

    Attributes
    ----------
    severity
        ``blocking`` (no prices can come from this data), ``warning`` (look at it), ``info`` (good to know).
    table, column
        Where; the column is empty for findings about a whole table.
    count
        Number of rows concerned.
    rows
        The first 20 of them, numbered as in a spreadsheet: the header is row 1.
    message
        What was found and what was done.
    effect
        What that means for the prices.
    repair
        Name of the repair that the finding offers; empty if there is none.
    scope
        ``rows`` (about cells and rows of the files, one by one) or ``tables`` (about the tables as a whole).
    """

    severity: Severity
    table: str
    column: str
    count: int
    rows: tuple[int, ...]
    message: str
    effect: str
    repair: str = ""
    scope: Scope = "rows"


@dataclass(frozen=True)
class QualityReport:
    """All findings of an import, and where the rows of each table went: in = kept + set aside."""

    findings: tuple[Finding, ...]
    rows_in: dict[str, int]
    rows_kept: dict[str, int]
    rows_set_aside: dict[str, int]

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """Findings that stop the import."""
        return tuple(finding for finding in self.findings if finding.severity == "blocking")

    def to_frame(self) -> pd.DataFrame:
        """Return a row per finding, the most severe first; ``rows`` is text such as ``"2, 5, 9 …"``."""
        ordered = sorted(self.findings, key=lambda finding: SEVERITIES.index(finding.severity))
        return pd.DataFrame(
            [
                {
                    "severity": finding.severity,
                    "table": finding.table,
                    "column": finding.column,
                    "count": finding.count,
                    "rows": ", ".join(map(str, finding.rows)) + (" …" if finding.count > len(finding.rows) > 0 else ""),
                    "message": finding.message,
                    "effect": finding.effect,
                    "repair": finding.repair,
                    "scope": finding.scope,
                }
                for finding in ordered
            ],
            columns=["severity", "table", "column", "count", "rows", "message", "effect", "repair", "scope"],
        )

    def counts_frame(self) -> pd.DataFrame:
        """Return a row per table: rows in, kept, set aside."""
        tables = list(self.rows_in)
        return pd.DataFrame(
            {
                "table": tables,
                "rows_in": [self.rows_in[table] for table in tables],
                "rows_kept": [self.rows_kept[table] for table in tables],
                "rows_set_aside": [self.rows_set_aside[table] for table in tables],
            }
        )


def first_rows(row_numbers: NDArray[np.int64], mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the first 20 row numbers where the mask is true."""
    return tuple(int(number) for number in row_numbers[np.flatnonzero(mask)[:SHOWN_ROWS]])


def check_offers(offers: pd.DataFrame) -> list[Finding]:
    """Look for what makes pricing impossible or doubtful in cleaned offers.

    Blocking: no usable rows, no purchases, nothing but purchases, one customer only, a single price per
    product.
    """
    if offers.empty:
        return [_blocking("", 0, "No usable rows are left in offers.", "There is nothing to learn from.")]
    by_product = pd.DataFrame(offers.groupby("product_id", observed=True)["price"].agg(n="size", prices="nunique"))
    return offer_findings(int(offers["purchased"].sum()), offers["customer_id"].nunique(), by_product)


def offer_findings(bought: int, customers: int, by_product: pd.DataFrame) -> list[Finding]:
    """Findings of :func:`check_offers` from totals.

    Parameters
    ----------
    bought, customers
        Number of purchases, and of customers.
    by_product
        A row per product: ``n`` offers, and ``prices``, the number of different ones.
    """
    rows = int(by_product["n"].sum())
    findings = _check_purchases(rows, bought)
    if customers == 1:
        message = f"All {rows:,} offers went to one customer."
        effect = "Differences between customers cannot be learned."
        findings.append(_blocking("customer_id", rows, message, effect))
    return findings + _check_prices(by_product, rows)


def _check_purchases(rows: int, bought: int) -> list[Finding]:
    if bought == 0:
        message = f"None of the {rows:,} offers was purchased."
        return [_blocking("purchased", rows, message, "What makes people buy cannot be learned.")]
    if bought == rows:
        message = f"Every one of the {rows:,} offers was purchased: offers that were declined are missing."
        return [_blocking("purchased", rows, message, "What keeps people from buying cannot be learned.")]
    if bought < FEW_PURCHASES:
        effect = "Prices will be very uncertain."
        return [Finding("warning", "offers", "purchased", bought, (), f"Only {bought} purchases.", effect)]
    return []


def _check_prices(by_product: pd.DataFrame, rows: int) -> list[Finding]:
    prices = by_product["prices"]
    varied = int((prices > 1).sum())
    if varied == 0:
        message = f"The price never varies: each of the {len(prices):,} products was offered at one price only."
        return [_blocking("price", rows, message, "The effect of price on demand cannot be learned.")]
    if varied < len(prices):
        message = f"{len(prices) - varied:,} of {len(prices):,} products were offered at one price only."
        effect = "Their price response is borrowed from other products."
        count = int(by_product.loc[prices <= 1, "n"].sum())
        return [Finding("warning", "offers", "price", count, (), message, effect)]
    return []


def _blocking(column: str, count: int, message: str, effect: str) -> Finding:
    return Finding("blocking", "offers", column, count, (), message, effect)


def check_references(tables: dict[str, pd.DataFrame]) -> list[Finding]:
    """Report ids of offers and events that the customers and products tables do not know."""
    findings = []
    for table, key in (("customers", "customer_id"), ("products", "product_id")):
        if table not in tables:
            continue
        known = tables[table][key]
        for source in ("offers", "events"):
            if source in tables and key in tables[source].columns:
                ids = tables[source][key]
                unknown = ids.notna() & ~ids.isin(known)
                if unknown.any():
                    findings.append(unknown_ids(source, table, key, int(ids[unknown].nunique()), int(unknown.sum())))
    return findings


def unknown_ids(source: str, table: str, key: str, ids: int, rows: int) -> Finding:
    """The finding that ``rows`` rows of ``source`` name ``ids`` ids that ``table`` does not know."""
    words = f"{table[:-1]} of {source} is" if ids == 1 else f"{table} of {source} are"
    message = f"{ids:,} {words} not in the {table} table."
    effect = "Their attributes are unknown to the models; they are treated as an average."
    return Finding("warning", source, key, rows, (), message, effect)


def check_currency(offers: pd.DataFrame, currency: str) -> list[Finding]:
    """Block more than one currency in offers; warn when it is not the one that was chosen."""
    if "currency" not in offers.columns:
        return []
    return currency_findings(offers["currency"].dropna(), len(offers), currency)


def currency_findings(named: pd.Series, rows: int, currency: str) -> list[Finding]:
    """Findings of :func:`check_currency` from the currencies that ``rows`` offers name."""
    found = sorted(named.str.upper().unique())
    if len(found) > 1:
        message = f"Offers are in more than one currency: {', '.join(found)}. Import one currency at a time."
        return [_blocking("currency", rows, message, "Money of different currencies cannot be added up.")]
    if found and found[0] != currency:
        message = f"Offers are in {found[0]}, the data set was said to be in {currency}."
        return [
            Finding(
                "warning",
                "offers",
                "currency",
                rows,
                (),
                message,
                "Amounts are shown as " + currency + ".",
            )
        ]
    return []


def check_costs(tables: dict[str, pd.DataFrame], margin_assumption: float | None) -> tuple[list[Finding], float | None]:
    """Say for how many offers the unit cost is unknown; return the margin to assume, None if none is."""
    offers = tables["offers"]
    known = offers["unit_cost"].notna() if "unit_cost" in offers.columns else pd.Series(False, index=offers.index)
    products = tables.get("products")
    if products is not None and "unit_cost" in products.columns:
        priced = products.loc[products["unit_cost"].notna(), "product_id"]
        known = known | offers["product_id"].isin(priced)
    return cost_findings(int((~known).sum()), len(offers), margin_assumption)


def cost_findings(missing: int, rows: int, margin_assumption: float | None) -> tuple[list[Finding], float | None]:
    """Findings of :func:`check_costs` where the unit cost is unknown for ``missing`` of ``rows`` offers."""
    if missing == 0:
        return [], None
    margin = 0.30 if margin_assumption is None else margin_assumption
    message = (
        f"{COST_UNKNOWN} {missing:,} of {rows:,} offers; "
        f"a margin of {margin:.0%} of the usual price is assumed for them."
    )
    effect = "Every profit of these products rests on that assumption; change it if you know better."
    return [Finding("warning", "offers", "unit_cost", missing, (), message, effect)], margin


def blocking_message(findings: Iterable[Finding], set_aside: pd.DataFrame) -> str:
    """Join the messages of blocking findings into the text of one error, with why most offers were set aside."""
    found = " ".join(f"{finding.message} {finding.effect}" for finding in findings)
    rows = set_aside[set_aside["table"] == "offers"]
    if rows.empty:
        return f"{found} Import a longer period, or the file that also holds what is missing."
    kind = rows["reason"].astype(str).str.replace(r": ?'.*$", "", regex=True)
    commonest = str(kind.mode().iloc[0])
    first = rows[kind == commonest].iloc[0]
    why = f"{len(rows):,} rows were set aside, {int((kind == commonest).sum()):,} of them because: {commonest}"
    return f"{found} {why} (first: row {first['row_number']}). Correct the column or its mapping, and import again."
