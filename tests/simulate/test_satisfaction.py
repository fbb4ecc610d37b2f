"""Satisfaction: averages over units sold, and the words where nothing is measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pricing_core.simulate.satisfaction import satisfaction

SOLD = pd.DataFrame({"product_id": ["a", "b", "c"], "units": [10.0, 30.0, 60.0]})


def test_stars_and_returns_are_weighted_by_units_over_measured_products() -> None:
    measured = pd.DataFrame(
        {"product_id": ["a", "b", "c"], "rating": [5.0, 3.0, np.nan], "return_rate": [np.nan, np.nan, 0.1]}
    )
    found = satisfaction(SOLD, measured)
    assert found.rating == pytest.approx((10 * 5 + 30 * 3) / 40)
    assert found.rating_share == pytest.approx(0.4)
    assert found.return_rate == pytest.approx(0.1) and found.return_share == pytest.approx(0.6)


def test_nothing_measured_is_none_not_zero() -> None:
    blank = pd.DataFrame({"product_id": ["a", "b", "c"], "rating": np.nan})
    found = satisfaction(SOLD, blank)
    assert found.rating is None and found.return_rate is None
    assert found.rating_share == 0.0
