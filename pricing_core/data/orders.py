"""From cleaned order lines to the tables of a data set, and how much the result depends on the assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.data.occasions import BASKET_COLUMNS, EVIDENCE, Occasions, build_occasions
from pricing_core.data.personal import personal_data
from pricing_core.data.quality import Finding, first_rows
from pricing_core.data.rules import far_from_usual
from pricing_core.errors import DataError
from pricing_core.schema import field_names

Mask = NDArray[np.bool_]

_SAMPLE_CUSTOMERS: Final = 1_000
_PERSONAL_SHARE: Final = 0.5
_EXCLUDED: Final = "says how the price was found, which differs between bought and not bought"


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
    if "products" in rest and "category" in rest["products"].columns:
        known = rest["products"].set_index("product_id")["category"]
        lines = lines.assign(category=lines["product_id"].map(known))
    elif "category" in lines.columns:
        rest["products"] = _with_categories(rest.get("products"), lines)
    visits = rest.get("events")
    made = build_occasions(lines, rule, visits=visits)
    rest["events"] = _with_purchases(visits, lines)
    evidence = {
        "kind": EVIDENCE,
        "rule": rule.to_dict(),
        "counts": made.counts,
        "sensitivity": sensitivity(lines, rule, visits=visits).to_dict("records"),
    }
    excluded = {f"offers.{column}": _EXCLUDED for column in BASKET_COLUMNS}
    far = far_from_usual(lines.rename(columns={"unit_price": "price"}))
    findings = _findings(made, rule) + _unused_columns(lines)
    findings += _far_off(lines, far, row_numbers) + _personal_prices(lines[~far])
    return OrdersOutcome({"offers": made.offers, **rest}, findings, evidence, excluded)


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
    if len(names) > _SAMPLE_CUSTOMERS:
        order = np.argsort(pd.util.hash_array(names.astype(object)))
        lines = lines[ids.isin(names[order[:_SAMPLE_CUSTOMERS]])]
    records = []
    for name, variant in _variants(rule, "category" in lines.columns).items():
        try:
            offers = build_occasions(lines, variant, visits=visits).offers
        except DataError:
            continue
        records.append({"variant": name} | _summary(offers))
    return pd.DataFrame(records)


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


def _with_categories(products: pd.DataFrame | None, lines: pd.DataFrame) -> pd.DataFrame:
    """Products of the orders with their commonest category."""
    pairs = lines[["product_id", "category"]].dropna().value_counts(sort=False).reset_index()
    pairs = pairs.sort_values(["product_id", "count", "category"], ascending=[True, False, True], kind="stable")
    category = pairs.drop_duplicates("product_id").set_index("product_id")["category"]
    if products is None:
        products = pd.DataFrame({"product_id": pd.Series(sorted(lines["product_id"].unique()), dtype="str")})
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


def _findings(made: Occasions, rule: OccasionRule) -> list[Finding]:
    counts = made.counts
    lines, occasions = int(counts["lines"]), int(counts["occasions"])
    place = "its category" if rule.scope == "category" else "the shop"
    message = (
        f"{lines:,} order lines became {occasions:,} choice occasions with {int(counts['purchases']):,} purchases: a "
        f"customer who ordered in {place} within {rule.period_days} days chose among the products on offer there. "
        f"{counts['carried_share']:.0%} of the prices are carried from an earlier period."
    )
    effect = "Conversion is per shopping trip and product, by that rule, not per visitor; profits rest on it."
    findings = [Finding("info", "orders", "", occasions, (), message, effect)]
    reasons = {
        "lines_price_unknown": "bought a product whose price is known from nobody else",
        "lines_not_considered": "bought a product that was neither bought before nor among the bestsellers",
        "lines_thinned": f"fell to thinning (more than {rule.max_occasions:,} occasions)",
    }
    for key, words in reasons.items():
        count = int(counts[key])
        if count:
            text = f"{count:,} of {lines:,} order lines are history but no occasion: the customer {words}."
            if key == "lines_thinned":
                text = f"{count:,} of {lines:,} order lines are history but no occasion: their trip {words}."
            severity: Any = "warning" if count > 0.3 * lines else "info"
            effect = "They teach taste, not the reaction to price."
            findings.append(Finding(severity, "orders", "", count, (), text, effect))
    return findings


def _unused_columns(lines: pd.DataFrame) -> list[Finding]:
    """Name the columns of the orders that no occasion can carry."""
    known = {*field_names("orders"), "row_number"}
    unused = [str(column) for column in lines.columns if column not in known]
    if not unused:
        return []
    words = f"{len(unused):,} further column{'s' if len(unused) > 1 else ''} of the orders"
    kinds = {column: personal_data(column, lines[column]) for column in unused}
    named = ", ".join(f"{column} ({kind})" if kind else column for column, kind in list(kinds.items())[:8])
    message = f"{words} {'are' if len(unused) > 1 else 'is'} not used and not kept: {named}."
    if any(kinds.values()):
        message += " Personal data should not leave the shop's own systems; leave them out of the next export."
    effect = "What describes a customer or a product belongs into a table of customers or products."
    return [Finding("info", "orders", "", len(unused), (), message, effect)]


def _far_off(lines: pd.DataFrame, far: Mask, row_numbers: NDArray[np.int64] | None) -> list[Finding]:
    """Count the lines whose unit price cannot be meant."""
    count = int(far.sum())
    if not count:
        return []
    example = lines[far].iloc[0]
    message = (
        f"{count:,} order line{'s' if count > 1 else ''} cost more than three times above or below the usual price of "
        f"the product (for example {example['unit_price']:,.2f} for product {example['product_id']})."
    )
    effect = "The commonest price of a period is hardly moved by slips; where it is, the occasions are reported below."
    rows = () if row_numbers is None else first_rows(row_numbers, far)
    return [Finding("warning", "orders", "unit_price", count, rows, message, effect)]


def _personal_prices(lines: pd.DataFrame) -> list[Finding]:
    """Warn where customers pay different prices on one day: then the going price is not what each of them saw."""
    logs = np.log(lines["unit_price"])
    product = lines["product_id"].astype(str)
    day = lines["ordered_at"].dt.floor("D")
    place = [product, day, *([lines["store"].fillna("")] if "store" in lines.columns else [])]
    total = float(((logs - logs.groupby(product).transform("mean")) ** 2).mean())
    inner = logs.groupby(place).transform("mean")
    size = logs.groupby(place).transform("size")
    several = size > 1
    if not several.any() or total < 1e-12:
        return []
    # A mean of n lines takes 1/n of the variance with it.
    within = float((((logs - inner) ** 2)[several] * (size / (size - 1))[several]).mean())
    share = min(1.0, within / total)
    if share < _PERSONAL_SHARE:
        return []
    message = (
        f"{share:.0%} of the price differences within products lie between customers of the same day: prices look "
        "personal, and orders do not say which price those saw who did not buy."
    )
    effect = "The reaction to price comes out too weak, and prices too high; import offers, with what was declined."
    return [Finding("warning", "orders", "unit_price", int(several.sum()), (), message, effect)]
