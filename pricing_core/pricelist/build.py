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
from pricing_core.simulate.effects import RowEffects, row_effects

Floats = NDArray[np.float64]

COLUMNS: Final = (
    "price_list_id", "version", "status", "product_id", "segment_id", "customer_id", "currency", "current_price", "new_price",
    "change_rate", "unit_cost", "margin_rate", "floor_price", "ceiling_price", "prior_price_30d", "effective_from", "effective_to",
    "expected_conversion_rate", "expected_profit", "profit_low", "profit_high", "evidence", "reason", "disclosure_required",
    "disclosure_text", "model_version", "approved_by", "approved_at",
)  # fmt: skip
DISCLOSURE: Final = "This price was set for you by automated decision-making that uses data about your past purchases and visits."
"""Wording for the European duty to say so (Directive 2011/83/EU, Article 6(1)(ea)); other places ask for other words."""


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

    Several rows of one customer and product (or, where prices are not personal, of one product) become one: the latest for a
    personal price, the average effect otherwise.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`; money is rounded to the currency's smallest unit, unknown cells are missing.
    """
    effects = row_effects(rows, prices.price)
    frame = _frame(rows, prices, effects)
    personal = facts.strategy in PERSONAL
    frame = _latest_per_customer(frame) if personal else _per_product(frame)
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
        effective_to=pd.NaT,
        disclosure_required=personal,
        disclosure_text=DISCLOSURE if personal else None,
        model_version=facts.model_version,
        approved_by=None,
        approved_at=pd.NaT,
    )
    return frame.reindex(columns=list(COLUMNS)).reset_index(drop=True)


def _frame(rows: PricingRows, prices: StrategyPrices, effects: RowEffects) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "product_id": rows.product_id,
            "customer_id": rows.customer_id,
            "current_price": rows.current_price,
            "new_price": prices.price,
            "unit_cost": rows.unit_cost,
            "floor_price": prices.low,
            "ceiling_price": prices.high,
            "expected_conversion_rate": effects.conversion_rate,
            "expected_profit": effects.profit,
            "profit_low": effects.profit_low,
            "profit_high": effects.profit_high,
            "evidence": rows.evidence,
            "reason": prices.reason,
        }
    )


def _latest_per_customer(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop_duplicates(["customer_id", "product_id"], keep="last").sort_values(
        ["product_id", "customer_id"], kind="stable"
    )


def _per_product(frame: pd.DataFrame) -> pd.DataFrame:
    mean = [
        "current_price", "unit_cost", "floor_price", "ceiling_price", "expected_conversion_rate", "expected_profit", "profit_low",
        "profit_high",
    ]  # fmt: skip
    groups = frame.groupby("product_id", sort=True)
    out = groups[mean].mean()
    out["new_price"] = groups["new_price"].median()
    for name in ("evidence", "reason"):
        out[name] = groups[name].agg(lambda values: values.value_counts().index[0])
    return out.reset_index().assign(customer_id=None)
