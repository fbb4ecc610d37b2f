"""From cleaned order lines to the tables of a data set, and how much the result depends on the assumptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.data.occasions import BASKET_COLUMNS, EVIDENCE, build_occasions
from pricing_core.data.order_categories import commonest, merged_categories
from pricing_core.data.order_findings import (
    far_off,
    made_findings,
    personal_prices,
    price_spreads,
    unread_cancellations,
    unused_columns,
)
from pricing_core.data.quality import Finding, first_rows
from pricing_core.data.rules import far_from_usual
from pricing_core.errors import DataError

Mask = NDArray[np.bool_]

SAMPLE_CUSTOMERS: Final = 1_000
EXCLUDED: Final = "says how the price was found, which differs between bought and not bought"


@dataclass(frozen=True, eq=False)
class OrdersOutcome:
    """Tables with ``offers`` instead of ``orders``, what was found, and what the manifest keeps about the evidence."""

    tables: dict[str, pd.DataFrame]
    findings: list[Finding]
    evidence: dict[str, Any]
    excluded: dict[str, str]


def offers_from_orders(
    tables: Mapping[str, pd.DataFrame], rule: OccasionRule, row_numbers: NDArray[np.int64] | None = None
) -> OrdersOutcome:
    """Replace the orders among cleaned tables by choice occasions.

    Products without a table of their own get one from the orders (with their category); the orders become purchase
    events, which the models read as the customers' history, unless the events already hold purchases.

    Parameters
    ----------
    row_numbers
        Number of each order line in its file, for findings.

    Raises
    ------
    DataError
        If no occasion can be built.
    """
    lines = tables["orders"]
    rest = {name: frame for name, frame in tables.items() if name != "orders"}
    merged: list[Finding] = []
    if "products" in rest and "category" in rest["products"].columns:
        known = rest["products"].set_index("product_id")["category"]
        lines = lines.assign(category=lines["product_id"].map(known))
    elif "category" in lines.columns:
        pairs = lines[["product_id", "category"]].dropna().value_counts(sort=False).reset_index()
        rest["products"] = with_commonest(rest.get("products"), pairs, lines["product_id"].unique())
        merged = merged_categories(pairs)
    visits = rest.get("events")
    made = build_occasions(lines, rule, visits=visits)
    rest["events"] = _with_purchases(visits, lines)
    evidence = evidence_of(made.counts, rule, sensitivity(lines, rule, visits=visits))
    excluded = excluded_columns()
    far = far_from_usual(lines.rename(columns={"unit_price": "price"}))
    findings = made_findings(made.counts, rule) + merged + unused_columns(list(lines.columns), lines.__getitem__)
    findings += unread_cancellations(list(lines.columns), lambda name: _texts(lines[name]))
    findings += _far_off(lines, far, row_numbers) + personal_prices([price_spreads(lines[~far])])
    return OrdersOutcome({"offers": made.offers, **rest}, findings, evidence, excluded)


def evidence_of(counts: dict[str, float], rule: OccasionRule, other: pd.DataFrame) -> dict[str, Any]:
    """What the manifest keeps: the rule, its counts, and its :func:`sensitivity`."""
    return {"kind": EVIDENCE, "rule": rule.to_dict(), "counts": counts, "sensitivity": other.to_dict("records")}


def excluded_columns() -> dict[str, str]:
    """Columns of occasions that must not become features, with the reason."""
    return {f"offers.{column}": EXCLUDED for column in BASKET_COLUMNS}


def sensitivity(lines: pd.DataFrame, rule: OccasionRule, *, visits: pd.DataFrame | None = None) -> pd.DataFrame:
    """Build the occasions of up to 1,000 customers under other assumptions, and compare.

    Returns
    -------
    DataFrame
        One row per variant: ``variant, occasions, purchase_rate, carried_share, price_spread`` (standard deviation of
        log price within products), ``elasticity`` and ``elasticity_error``: slope of purchases on log price within
        products over the purchase rate, with its standard error clustered by product and day. No variant's price
        response is corrected for who buys when; it only shows how far the assumptions move the answer.
    """
    ids = lines["customer_id"].astype(str)
    names = np.sort(ids.unique())
    if len(names) > SAMPLE_CUSTOMERS:
        lines = lines[ids.isin(sample_customers(names))]
    records = []
    for name, variant in _variants(rule, "category" in lines.columns).items():
        try:
            offers = build_occasions(lines, variant, visits=visits).offers
        except DataError:
            continue
        records.append({"variant": name} | _summary(offers))
    return pd.DataFrame(records)


def sample_customers(names: NDArray[np.object_]) -> NDArray[np.object_]:
    """Those of the sorted, different customers on whom other assumptions are tried."""
    order = np.argsort(pd.util.hash_array(names.astype(object)))
    return np.asarray(names[order[:SAMPLE_CUSTOMERS]], dtype=object)


def _variants(rule: OccasionRule, categories: bool) -> dict[str, OccasionRule]:
    other_scope = "shop" if rule.scope == "category" else "category"
    found = {
        "as chosen": rule,
        f"period of {max(1, rule.period_days // 2)} days": replace(rule, period_days=max(1, rule.period_days // 2)),
        f"period of {2 * rule.period_days} days": replace(rule, period_days=2 * rule.period_days),
    }
    if categories:
        words = "in the market of the whole shop" if other_scope == "shop" else "in the market of one category"
        found[words] = replace(rule, scope=other_scope)
    for source in ("modal", "median", "latest"):
        if source != rule.price_source:
            found[f"{source} price"] = replace(rule, price_source=source)
    return found


def _summary(offers: pd.DataFrame) -> dict[str, float]:
    y = offers["purchased"].to_numpy(dtype=float)
    logs = np.log(offers["price"])
    product = offers["product_id"]
    x = (logs - logs.groupby(product).transform("mean")).to_numpy()
    inner = y - offers["purchased"].astype(float).groupby(product).transform("mean").to_numpy()
    spread = float((x**2).sum())
    elasticity = error = float("nan")
    if spread > 1e-9 and y.mean() > 0:
        slope = float(x @ inner) / spread
        cluster = offers.groupby(["product_id", offers["offered_at"].dt.floor("D")]).ngroup().to_numpy()
        score = np.bincount(cluster, x * (inner - slope * x))
        elasticity, error = slope / y.mean(), float(np.sqrt((score**2).sum())) / spread / y.mean()
    return {
        "occasions": float(len(offers)),
        "purchase_rate": float(y.mean()),
        "carried_share": float((offers["price_age_days"] > 0).mean()),
        "price_spread": float(np.sqrt((x**2).mean())),
        "elasticity": elasticity,
        "elasticity_error": error,
    }


def with_commonest(products: pd.DataFrame | None, pairs: pd.DataFrame, sold: Iterable[str]) -> pd.DataFrame:
    """Products with their commonest category.

    Parameters
    ----------
    products
        The shop's own table; without one, it is made of the products sold.
    pairs
        ``product_id, category, count`` over the order lines whose category is known.
    sold
        Products of the order lines.
    """
    category = commonest(pairs)
    if products is None:
        products = pd.DataFrame({"product_id": pd.Series(sorted(sold), dtype="str")})
    return products.assign(category=products["product_id"].map(category).astype("str"))


def _with_purchases(events: pd.DataFrame | None, lines: pd.DataFrame) -> pd.DataFrame:
    if events is not None and bool((events["event_type"] == "purchase").any()):
        return events
    bought = pd.DataFrame(
        {
            "customer_id": lines["customer_id"],
            "occurred_at": lines["ordered_at"],
            "event_type": pd.Series("purchase", index=lines.index, dtype="str"),
            "product_id": lines["product_id"],
            "price": lines["unit_price"],
        }
    )
    return bought.reset_index(drop=True) if events is None else pd.concat([events, bought], ignore_index=True)


def _texts(values: pd.Series) -> pd.Series:
    """Different texts of a column; empty where it holds something else."""
    return values.drop_duplicates() if pd.api.types.is_string_dtype(values) else pd.Series(dtype="str")


def _far_off(lines: pd.DataFrame, far: Mask, row_numbers: NDArray[np.int64] | None) -> list[Finding]:
    if not far.any():
        return []
    example = lines[far].iloc[0]
    rows = () if row_numbers is None else first_rows(row_numbers, far)
    return far_off(int(far.sum()), float(example["unit_price"]), str(example["product_id"]), rows)
