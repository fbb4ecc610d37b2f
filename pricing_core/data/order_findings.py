"""What order lines and the occasions built from them tell about the prices, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from pricing_core.data.occasion_rule import OccasionRule
from pricing_core.data.order_lines import CANCELLED_PREFIX
from pricing_core.data.personal import personal_data
from pricing_core.data.quality import Finding
from pricing_core.schema import field_names

_PERSONAL_SHARE: Final = 0.5
_NUMBERS_SHARE: Final = 0.8
"""Share of the different values of a column that must be digits for it to look like invoice numbers."""


def made_findings(counts: Mapping[str, float], rule: OccasionRule) -> list[Finding]:
    """Say what became of the order lines, from the counts of :class:`pricing_core.data.occasions.Occasions`."""
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
        "lines_thinned": f"fell to thinning. So that there are about {rule.max_occasions:,} occasions, "
        f"{counts['kept_share']:.1%} of the trips are used, drawn without a look at what was bought",
    }
    for key, words in reasons.items():
        count = int(counts[key])
        if count:
            text = f"{count:,} of {lines:,} order lines are history but no occasion: the customer {words}."
            if key == "lines_thinned":
                text = f"{count:,} of {lines:,} order lines are history but no occasion: their trip {words}."
            severity: Any = "warning" if count > 0.3 * lines else "info"
            effect = "They teach taste, not the reaction to price."
            if key == "lines_thinned":
                effect += " A higher limit of occasions uses more of them; imports and trainings take longer."
            findings.append(Finding(severity, "orders", "", count, (), text, effect))
    return findings


def unused_columns(columns: Sequence[str], values: Callable[[str], pd.Series]) -> list[Finding]:
    """Name the columns of the orders that no occasion can carry; ``values`` gives the cells of one."""
    known = {*field_names("orders"), "row_number"}
    unused = [str(column) for column in columns if column not in known]
    if not unused:
        return []
    words = f"{len(unused):,} further column{'s' if len(unused) > 1 else ''} of the orders"
    kinds = {column: personal_data(column, values(column)) for column in unused}
    named = ", ".join(f"{column} ({kind})" if kind else column for column, kind in list(kinds.items())[:8])
    message = f"{words} {'are' if len(unused) > 1 else 'is'} not used and not kept: {named}."
    if any(kinds.values()):
        message += " Personal data should not leave the shop's own systems; leave them out of the next export."
    effect = "What describes a customer or a product belongs into a table of customers or products."
    return [Finding("info", "orders", "", len(unused), (), message, effect)]


def unread_cancellations(columns: Sequence[str], values: Callable[[str], pd.Series]) -> list[Finding]:
    """Warn of columns that look like invoice numbers, some of them of cancellations, and that no field reads.

    Parameters
    ----------
    columns
        Columns of the orders under canonical names.
    values
        Gives the different texts of one; empty for a column that is not text.
    """
    if "order_id" in columns:
        return []
    findings = []
    for name in columns:
        if name in field_names("orders") or name == "row_number":
            continue
        texts = values(name).dropna().astype("str")
        back = texts[texts.str.match(rf"^{CANCELLED_PREFIX}\d+$")]
        digits = int(texts.str.match(r"^\d+(?:\.0)?$").sum())
        if back.empty or digits == 0 or digits + len(back) < _NUMBERS_SHARE * len(texts):
            continue
        one = len(back) == 1
        message = (
            f"{name} looks like invoice numbers with cancellations: {len(back):,} different number{'' if one else 's'} "
            f"start{'s' if one else ''} with {CANCELLED_PREFIX}, such as {back.min()}. Map it as order_id."
        )
        effect = "As long as it is not, what was taken back may count as bought."
        findings.append(Finding("warning", "orders", name, len(back), (), message, effect))
    return findings


def far_off(count: int, price: float, product: str, rows: tuple[int, ...]) -> list[Finding]:
    """Count the lines whose unit price cannot be meant, with price and product of the first of them."""
    if not count:
        return []
    message = (
        f"{count:,} order line{'s' if count > 1 else ''} cost more than three times above or below the usual price of "
        f"the product (for example {price:,.2f} for product {product})."
    )
    effect = "The commonest price of a period is hardly moved by slips; where it is, the occasions are reported below."
    return [Finding("warning", "orders", "unit_price", count, rows, message, effect)]


@dataclass(frozen=True)
class PriceSpreads:
    """How prices of products vary: sums of squares of log prices, and the number of lines behind each.

    Attributes
    ----------
    whole, lines
        Around the product's mean, over all lines.
    inner, several
        Around the mean of product, day and store, over the lines that share them with another one.
    """

    whole: float
    lines: int
    inner: float
    several: int


def price_spreads(lines: pd.DataFrame) -> PriceSpreads:
    """Spreads of the lines of some products; ``product_id, ordered_at, unit_price`` and, optional, ``store``."""
    logs = np.log(lines["unit_price"])
    product = lines["product_id"].astype(str)
    day = lines["ordered_at"].dt.floor("D")
    place = [product, day, *([lines["store"].fillna("")] if "store" in lines.columns else [])]
    whole = float(((logs - logs.groupby(product).transform("mean")) ** 2).sum())
    size = logs.groupby(place).transform("size")
    several = size > 1
    # A mean of n lines takes 1/n of the variance with it.
    inner = (logs - logs.groupby(place).transform("mean")) ** 2 * (size / (size - 1).where(several))
    return PriceSpreads(whole, len(lines), float(inner[several].sum()), int(several.sum()))


def personal_prices(parts: Sequence[PriceSpreads]) -> list[Finding]:
    """Warn where customers pay different prices on one day: then the going price is not what each of them saw."""
    lines, several = sum(part.lines for part in parts), sum(part.several for part in parts)
    total = sum(part.whole for part in parts) / max(lines, 1)
    if not several or total < 1e-12:
        return []
    share = min(1.0, sum(part.inner for part in parts) / several / total)
    if share < _PERSONAL_SHARE:
        return []
    message = (
        f"{share:.0%} of the price differences within products lie between customers of the same day: prices look "
        "personal, and orders do not say which price those saw who did not buy."
    )
    effect = "The reaction to price comes out too weak, and prices too high; import offers, with what was declined."
    return [Finding("warning", "orders", "unit_price", several, (), message, effect)]
