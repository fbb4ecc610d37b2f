"""A small correct shop, to be spoiled by the tests one way at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def offers() -> pd.DataFrame:
    """Return 120 offers of 6 products to 10 customers at 3 prices each, as text cells; half are bought."""
    rows = np.arange(120)
    return pd.DataFrame(
        {
            "customer_id": [f"{row % 10:03d}" for row in rows],
            "product_id": [f"p{row % 6}" for row in rows],
            "offered_at": [f"2025-03-{1 + row // 24:02d}T{row % 24:02d}:00:00Z" for row in rows],
            "price": [f"{4 + row % 6 + 0.5 * (row // 6 % 3):.2f}" for row in rows],
            "purchased": [str(row % 2 ^ row // 60) for row in rows],
            "unit_cost": ["2.00"] * 120,
        }
    )


@pytest.fixture
def as_csv() -> Callable[..., tuple[bytes, str]]:
    """Turn a frame into the bytes of an upload."""

    def convert(frame: pd.DataFrame, *, sep: str = ",", encoding: str = "utf-8") -> tuple[bytes, str]:
        return frame.to_csv(index=False, sep=sep).encode(encoding), "offers.csv"

    return convert
