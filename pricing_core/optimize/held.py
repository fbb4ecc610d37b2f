"""Held rows: which data would let them be priced, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails import Guardrails, allowed_range
from pricing_core.optimize.no_price import at_a_loss, to_rise
from pricing_core.optimize.strategies import StrategyPrices
from pricing_core.response import PricingRows

Floats = NDArray[np.float64]

LEAST_OFFERS: Final = 50
"""Offers from which a product's own reaction counts as measured."""
_SHARE: Final = 0.02  # of a product's offers: twice the tail beyond the central 98%
_ANY_LOW, _ANY_HIGH = 1e-9, 1e15
RULES_ONLY: Final = "No data would help: the rules contradict each other. Loosen one of them."
NO_COMPETITOR: Final = "A competitor price for this offer would allow it."


def held_help(rows: PricingRows, prices: StrategyPrices, guardrails: Guardrails) -> pd.DataFrame:
    """List the held rows with what would help.

    A price that all rules allow but past data do not support becomes usable once enough offers were made near it:
    supported prices are the central 98% of those that were offered, so that more than 1% of a product's offers must lie
    at or beyond it; fewer than 50 leave the reaction borrowed from other products.

    Parameters
    ----------
    rows, prices
        What was priced, and the result.
    guardrails
        The rules that it was priced under.

    Returns
    -------
    DataFrame
        ``product_id, customer_id, current_price, reason, offers`` (how many more, NaN where data cannot help),
        ``from_price, to_price`` (where), ``help`` in words; one row per held row, in their order.
    """
    held = np.flatnonzero(prices.held)
    mine = rows.take(held)
    anywhere = replace(mine, support_low=np.full(mine.n, _ANY_LOW), support_high=np.full(mine.n, _ANY_HIGH))
    rules = allowed_range(anywhere, guardrails, prices.strategy)
    above = rules.feasible & (rules.low > mine.support_high)
    below = rules.feasible & (rules.high < mine.support_low) & ~above
    start = np.where(above, mine.support_high, np.where(below, rules.high, np.nan))
    end = np.where(above, rules.low, np.where(below, mine.support_low, np.nan))
    total = pd.Series(rows.weight).groupby(rows.product_id).sum()
    offered = total.reindex(mine.product_id).to_numpy(dtype=float)
    offers = np.where(above | below, np.maximum(LEAST_OFFERS, np.ceil(_SHARE * offered)), np.nan)
    digits = guardrails.decimals
    words = [
        _sentence(n, a, b, bool(ok), reason, digits)
        for n, a, b, ok, reason in zip(offers, start, end, rules.feasible, prices.reason[held], strict=True)
    ]
    for i in np.flatnonzero(at_a_loss(mine, guardrails, rules)):  # whatever prices data would support
        amounts = f"The unit cost of {mine.unit_cost[i]:,.{digits}f} is above the price that discounts start from"
        words[i] = f"{amounts} ({rules.high[i]:,.{digits}f}): correct what is wrong, or {to_rise(guardrails)}."
    for i in np.flatnonzero(above & (mine.unit_cost > mine.support_high)):
        words[i] = f"Correct the unit cost of {mine.unit_cost[i]:,.{digits}f} if it is wrong. {words[i]}"
    return pd.DataFrame(
        {
            "product_id": mine.product_id, "customer_id": mine.customer_id, "current_price": mine.current_price,
            "reason": prices.reason[held], "offers": offers, "from_price": start, "to_price": end, "help": words,
        }
    )  # fmt: skip


def _sentence(offers: float, start: float, end: float, feasible: bool, reason: str, digits: int) -> str:
    if np.isfinite(offers):
        return f"About {offers:,.0f} more offers between {start:.{digits}f} and {end:.{digits}f} would allow it."
    if not feasible:
        return RULES_ONLY
    if "competitor" in reason:
        return NO_COMPETITOR
    return "A price ending or ladder step within the range would allow it."
