"""Native price lists for the tests of exports."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pricing_core.pricelist.build import COLUMNS


def price_list(new: list[float], **columns: Any) -> pd.DataFrame:
    """Price list with these new prices: products ``A1, A2, …``, current prices of 10, costs of 5."""
    n = len(new)
    values: dict[str, Any] = {
        "price_list_id": "p0001",
        "version": 1,
        "status": "Approved",
        "product_id": [f"A{k + 1}" for k in range(n)],
        "segment_id": None,
        "customer_id": None,
        "currency": "USD",
        "current_price": 10.0,
        "new_price": np.array(new, dtype=float),
        "unit_cost": 5.0,
        "floor_price": 6.0,
        "ceiling_price": 20.0,
        "prior_price_30d": np.nan,
        "effective_from": pd.Timestamp("2026-11-25T00:00:00Z"),
        "effective_to": pd.Series(pd.NaT, index=range(n), dtype="datetime64[us, UTC]"),
        "expected_conversion_rate": 0.1,
        "expected_profit": 0.25,
        "profit_low": -0.1,
        "profit_high": 0.6,
        "evidence": "measured",
        "reason": "Buyers here react little to price.",
        "disclosure_required": False,
        "disclosure_text": None,
        "model_version": "r0001",
        "approved_by": "Kim",
        "approved_at": pd.Timestamp("2026-11-24T12:00:00Z"),
    }
    frame = pd.DataFrame({**values, **columns}, index=range(n))
    frame["change_rate"] = frame["new_price"] / frame["current_price"] - 1
    frame["margin_rate"] = 1 - frame["unit_cost"] / frame["new_price"]
    return frame[list(COLUMNS)]


def catalog(**columns: list[str]) -> pd.DataFrame:
    """What a shop calls the products ``A1, A2, …``."""
    n = len(next(iter(columns.values())))
    return pd.DataFrame({"product_id": [f"A{k + 1}" for k in range(n)], **columns})
