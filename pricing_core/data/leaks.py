"""Find columns that give the outcome away: by their name, or because they are filled once it is known.

Such a column predicts purchases in past data better than anything else and is unknown when a price is to be
set.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.data.names import name_tokens

MIN_OUTCOMES = 20
"""Fewer purchases (or refusals) than this are too few to accuse a column."""

EXPECTED_OUTCOMES = 50
"""A level where this many outcomes of one kind would be expected, and none is, gives the outcome away."""

LEAK_AUC = 0.985
MAX_LEVELS = 200

_LEAK_WORDS = (
    "quantity qty units_sold quantity_sold price_paid amount_paid paid price_src "
    "price_source revenue sales sales_value turnover profit gross_profit order_id "
    "order_number order_value order_total transaction_id invoice invoice_id basket "
    "refund refunded returned delivered_at shipped_at paid_at purchased_at conversion "
    "converted bought 销售额 实付 实付金额 订单号 订单编号 利润 退货"
)
_LEAK_NAMES = frozenset(_LEAK_WORDS.split())
_LEAK_PREFIXES = ("basket_", "order_total", "invoice_", "payment_", "refund_", "return_")

Floats = NDArray[np.float64]


def leak_by_name(column: str) -> bool:
    """Whether the name of a column of offers is one that shops use for what happened after the decision."""
    name = "_".join(name_tokens(column))
    return name in _LEAK_NAMES or name.startswith(_LEAK_PREFIXES)


def leak_by_content(values: pd.Series, purchased: Floats) -> str | None:
    """Say how the values of a column give the outcome away, or None if they do not.

    Parameters
    ----------
    values
        The column, one value an offer.
    purchased
        0 or 1 an offer.

    Notes
    -----
    Two signs. (a) Separation: the area under the ROC curve of the column alone (numbers in their order,
    levels by their conversion rate, missing values as a level) is at least 0.985 in either direction. (b) A
    level, or missing values, under which at least 50 purchases would be expected at the average conversion
    rate and none happened, or the reverse.
    """
    bought = float(purchased.sum())
    if min(bought, len(purchased) - bought) < MIN_OUTCOMES:
        return None
    missing = values.isna().to_numpy()
    if 0 < missing.sum() < len(missing):
        reason = _one_sided(missing, purchased, "missing", "present")
        if reason:
            return reason
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _separating_number(values, purchased)
    return _separating_levels(values, purchased)


def auc(score: Floats, outcome: Floats) -> float:
    """Area under the ROC curve of a score for a 0/1 outcome; ties count half (Mann-Whitney)."""
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    last = np.cumsum(counts).astype(np.float64)
    ranks = (last - (counts - 1) / 2.0)[inverse]
    positive = float(outcome.sum())
    negative = len(outcome) - positive
    return float((ranks[outcome > 0].sum() - positive * (positive + 1) / 2.0) / (positive * negative))


def _one_sided(mask: NDArray[np.bool_], purchased: Floats, inside: str, outside: str) -> str | None:
    rate = float(purchased.mean())
    for rows, words in ((mask, inside), (~mask, outside)):
        count, bought = float(rows.sum()), float(purchased[rows].sum())
        if bought == 0 and count * rate >= EXPECTED_OUTCOMES:
            return f"never bought where it is {words} ({count * rate:,.0f} purchases expected)"
        if bought == count and count * (1 - rate) >= EXPECTED_OUTCOMES:
            return f"always bought where it is {words} ({count * (1 - rate):,.0f} refusals expected)"
    return None


def _separating_number(values: pd.Series, purchased: Floats) -> str | None:
    number = values.to_numpy(dtype=np.float64, na_value=np.nan)
    known = ~np.isnan(number)
    step = max(1, int(known.sum()) // 100_000)
    score, outcome = number[known][::step], purchased[known][::step]
    if min(outcome.sum(), len(outcome) - outcome.sum()) < MIN_OUTCOMES:
        return None
    area = auc(score, outcome)
    if max(area, 1 - area) >= LEAK_AUC:
        return f"separates purchases from refusals almost perfectly (AUC {max(area, 1 - area):.3f})"
    return None


def _separating_levels(values: pd.Series, purchased: Floats) -> str | None:
    codes, levels = pd.factorize(values.astype("str"), use_na_sentinel=False)
    if len(levels) > min(MAX_LEVELS, len(codes) // 20):
        return None
    count = np.bincount(codes, minlength=len(levels)).astype(np.float64)
    bought = np.bincount(codes, weights=purchased, minlength=len(levels))
    area = auc((bought / count)[codes], purchased)
    if area >= LEAK_AUC:
        return f"separates purchases from refusals almost perfectly (AUC {area:.3f})"
    for level in range(len(levels)):
        reason = _one_sided(codes == level, purchased, f"{str(levels[level])[:40]!r}", "anything else")
        if reason:
            return reason
    return None
