"""Checks of large tables as a whole: those of small tables, product by product, and totals put together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pricing_core.data import checks, quality, spellings
from pricing_core.data.quality import Finding
from pricing_core.data.whole_tables import as_whole
from pricing_core.engines.evidence import offers_evidence
from pricing_core.engines.instruments import large_instrument
from pricing_core.engines.rules import Rows
from pricing_core.schema import TABLES

_DISTINCT = 1_000


def whole_findings(
    large: Mapping[str, Rows],
    small: Mapping[str, pd.DataFrame],
    *,
    currency: str,
    margin_assumption: float | None,
    outliers: bool,
) -> tuple[list[Finding], float | None]:
    """Findings about all tables, in the order in which small imports report them, and the margin to assume.

    Parameters
    ----------
    large, small
        Tables of the shop; ``offers`` is among the large ones.
    currency, margin_assumption
        As chosen.
    outliers
        Whether to look for prices far from the usual.
    """
    offers = large["offers"]
    count, bought, customers = offers.totals()
    if not count:
        return as_whole(quality.check_offers(pd.DataFrame())), margin_assumption
    evidence = offers_evidence(offers, small, outliers)
    findings = quality.offer_findings(bought, customers, evidence.prices)
    findings += _references(large, small)
    if "currency" in offers.columns:
        findings += quality.currency_findings(offers.texts("currency"), count, currency)
    for repair, (marked, first) in evidence.suspects.items():
        if marked:
            rows = tuple(int(number) for number in offers.numbers(first))
            findings.append(checks.suspect_finding(repair, marked, rows))
    findings += checks.day_findings(offers.days())
    findings += checks.weekday_findings(*evidence.days)
    findings += checks.variation_findings(evidence.products) if bought else []
    findings += _personal(large) + large_instrument(offers, count) + _spellings(large, small)
    costs, margin = quality.cost_findings(_without_cost(offers, small), count, margin_assumption)
    return as_whole(findings + costs), margin


def _references(large: Mapping[str, Rows], small: Mapping[str, pd.DataFrame]) -> list[Finding]:
    findings = []
    for table, key in (("customers", "customer_id"), ("products", "product_id")):
        if table in large:
            known = large[table].texts(key)
        elif table in small:
            known = small[table][key]
        else:
            continue
        for source in ("offers", "events"):
            if source not in large or key not in large[source].columns:
                continue
            rows = large[source]
            words = rows.columns[key].words
            unknown = np.flatnonzero(~words.isin(known).to_numpy())
            ids, count = rows.among(key, unknown)
            if count:
                findings.append(quality.unknown_ids(source, table, key, ids, count))
    return findings


def _personal(large: Mapping[str, Rows]) -> list[Finding]:
    findings = []
    for table in ("offers", "customers", "events"):
        if table not in large:
            continue
        rows = large[table]
        for name, column in rows.columns.items():
            if name in ("customer_id", "product_id") or column.type not in ("words", "text"):
                continue
            values = rows.first_texts(name, _DISTINCT)
            if checks.personal_findings(table, name, values, 1):
                filled = rows.kept_rows() - rows.gaps(name, 0)[0]
                findings += checks.personal_findings(table, name, values, filled)
    if "customers" in large:
        rows = large["customers"]
        findings += checks.protected_findings(rows.columns, rows.kept_rows())
    return findings


def _spellings(large: Mapping[str, Rows], small: Mapping[str, pd.DataFrame]) -> list[Finding]:
    """Categories that are spelled in several ways; see :func:`pricing_core.data.spellings.check_spellings`."""
    findings = []
    for table in TABLES:
        if table not in large:
            findings += spellings.check_spellings({table: small[table]} if table in small else {})
            continue
        rows = large[table]
        for name, column in rows.columns.items():
            if name not in spellings.NO_CATEGORIES and column.type in ("words", "text"):
                counts = rows.counts(name, spellings.MOST_TEXTS)
                findings += spellings.spelling_findings(table, name, {str(text): int(n) for text, n in counts.items()})
    return findings


def _without_cost(offers: Rows, small: Mapping[str, pd.DataFrame]) -> int:
    """Number of offers whose unit cost neither they nor the products tell."""
    products = small.get("products")
    codes = np.zeros(0, dtype=np.int64)
    if products is not None and "unit_cost" in products.columns:
        priced = products.loc[products["unit_cost"].notna(), "product_id"]
        codes = np.flatnonzero(offers.columns["product_id"].words.isin(priced).to_numpy())
    return offers.without_cost(codes)
