"""From priced rows to a price list with its native columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.optimize.settings import PERSONAL
from pricing_core.optimize.strategies import StrategyPrices
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.simulate.effects import RowEffects, group_effects, row_effects

Floats = NDArray[np.float64]

COLUMNS: Final = (
    "price_list_id", "version", "status", "product_id", "segment_id", "customer_id", "currency", "current_price",
    "new_price", "change_rate", "unit_cost", "margin_rate", "floor_price", "ceiling_price", "prior_price_30d",
    "effective_from", "effective_to", "expected_conversion_rate", "expected_profit", "profit_low", "profit_high",
    "evidence", "reason", "disclosure_required", "disclosure_text", "model_version", "approved_by", "approved_at",
)  # fmt: skip
DISCLOSURE: Final = (
    "This price was set for you by automated decision-making that uses data about your past purchases and visits."
)
"""Wording for the European duty to say so (Directive 2011/83/EU, Article 6(1)(ea)); other places ask for others."""


@dataclass(frozen=True)
class ListFacts:
    """What a price list says about itself.

    Parameters
    ----------
    strategy
        Name of the strategy; a personalized one gives a row per customer and product, any other a row per product.
    currency
        ISO 4217 code.
    model_version
        Id of the run.
    lowest_price_30d
        Lowest price of the last thirty days by product id, for announced reductions.
    """

    strategy: str
    currency: str
    model_version: str
    lowest_price_30d: dict[str, float]


def build_price_list(rows: PricingRows, prices: StrategyPrices, facts: ListFacts) -> pd.DataFrame:
    """Native price list of a strategy's prices.

    Several rows of one customer and product (or, where prices are not personal, of one product) become one: the latest
    for a personal price; otherwise the row in the middle when ordered by price, with the effect of its price averaged
    over the product's rows.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`; money is rounded to the currency's smallest unit, unknown cells are missing.
    """
    personal = facts.strategy in PERSONAL
    frame = _per_customer(rows, prices) if personal else _per_product(rows, prices)
    digits = minor_unit_digits(facts.currency)
    for name in ("current_price", "new_price", "unit_cost", "floor_price", "ceiling_price"):
        frame[name] = frame[name].round(digits)
    frame = frame.assign(
        price_list_id=None,
        version=1,
        status="Draft",
        segment_id=None,
        currency=facts.currency,
        change_rate=frame["new_price"] / frame["current_price"] - 1,
        margin_rate=1 - frame["unit_cost"] / frame["new_price"],
        prior_price_30d=frame["product_id"].map(facts.lowest_price_30d),
        effective_from=datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + pd.Timedelta(days=1),
        effective_to=_no_time(frame),
        disclosure_required=personal,
        disclosure_text=DISCLOSURE if personal else None,
        model_version=facts.model_version,
        approved_by=None,
        approved_at=_no_time(frame),
    )
    return frame.reindex(columns=list(COLUMNS)).reset_index(drop=True)


def _per_customer(rows: PricingRows, prices: StrategyPrices) -> pd.DataFrame:
    ids = pd.DataFrame({"product_id": rows.product_id, "customer_id": rows.customer_id})
    latest = ids.drop_duplicates(keep="last").sort_values(["product_id", "customer_id"], kind="stable").index.to_numpy()
    part = rows.take(latest)
    return _frame(rows, prices, latest, row_effects(part, prices.price[latest]))


def _per_product(rows: PricingRows, prices: StrategyPrices) -> pd.DataFrame:
    code, names = pd.factorize(pd.Series(rows.product_id), sort=True)
    order = np.lexsort((rows.current_price, prices.price, code))
    ends = np.searchsorted(code[order], np.arange(len(names)), side="right")
    starts = np.concatenate([[0], ends[:-1]])
    middle = order[(starts + ends - 1) // 2]
    effects = group_effects(rows, prices.price[middle][code], code, len(names))
    return _frame(rows, prices, middle, effects).assign(customer_id=None)


def _frame(rows: PricingRows, prices: StrategyPrices, index: NDArray[np.int64], effects: RowEffects) -> pd.DataFrame:
    """Rows by index, with the effects (of the same length) beside them."""
    return pd.DataFrame(
        {
            "product_id": rows.product_id[index],
            "customer_id": rows.customer_id[index],
            "current_price": rows.current_price[index],
            "new_price": prices.price[index],
            "unit_cost": rows.unit_cost[index],
            "floor_price": prices.low[index],
            "ceiling_price": prices.high[index],
            "expected_conversion_rate": effects.conversion_rate,
            "expected_profit": effects.profit,
            "profit_low": effects.profit_low,
            "profit_high": effects.profit_high,
            "evidence": rows.evidence[index],
            "reason": prices.reason[index],
        }
    )


def _no_time(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(pd.NaT, index=frame.index, dtype="datetime64[us, UTC]")
