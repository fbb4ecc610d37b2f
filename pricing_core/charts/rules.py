"""Which rules stop a strategy's prices, and which rows are held and why."""

from __future__ import annotations

import pandas as pd

from pricing_core.optimize.strategies import StrategyPrices
from pricing_core.response.pricing_rows import PricingRows

NO_RULE = "no rule"
STATUSES = ("raise", "cut", "keep", "hold")


def binding_rules_data(prices: StrategyPrices) -> pd.DataFrame:
    """Count the rows by the rule that stopped their price, the commonest first; held rows are not among them.

    Returns
    -------
    DataFrame
        ``rule`` (``no rule`` where the price is where the strategy wants it), ``n`` rows and their ``share``.
    """
    free = pd.Series(prices.binding[~prices.held], dtype=object)
    counts = free.where(free.astype(bool), NO_RULE).value_counts()
    return pd.DataFrame({"rule": list(counts.index), "n": counts.to_numpy(), "share": counts.to_numpy() / len(free)})


def status_data(prices: StrategyPrices) -> dict[str, int]:
    """Count the rows that the strategy raises, cuts, keeps and holds."""
    status = pd.Series(prices.status, dtype=object)
    return {name: int((status == name).sum()) for name in STATUSES}


def held_rows_data(rows: PricingRows, prices: StrategyPrices) -> pd.DataFrame:
    """List the rows that are held at the current price because no price is allowed.

    Returns
    -------
    DataFrame
        ``product_id, customer_id, current_price, reason``, in the order of the rows.
    """
    held = prices.held
    return pd.DataFrame(
        {
            "product_id": rows.product_id[held],
            "customer_id": rows.customer_id[held],
            "current_price": rows.current_price[held],
            "reason": prices.reason[held],
        }
    )
