"""Similar customers: the nearest by response, averaged, never few."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pricing_core.errors import ConfigError, DataError
from pricing_core.explain.similar import similar_customers
from tests.pricing_cases import make_rows

ROWS = make_rows(240, products=2, seed=6, category=np.full(240, "tea", dtype=object))


def _log(customers: np.ndarray, rate: float = 0.25) -> pd.DataFrame:
    ids = np.repeat(customers, 4)
    bought = (np.arange(len(ids)) % 4 < 4 * rate).astype(int)
    return pd.DataFrame({"customer_id": ids, "price": np.where(bought == 1, 4.0, 6.0), "purchased": bought})


def test_averages_are_those_of_the_nearest_customers_by_hand() -> None:
    log = _log(np.unique(ROWS.customer_id.astype(str)))
    found = similar_customers(ROWS, 10, log, k=15, change_rate=np.arange(240.0))
    taste = (ROWS.response.intercept - ROWS.response.sensitivity).mean(axis=1)
    slope = np.log(ROWS.response.sensitivity.mean(axis=1))
    gap = ((taste - taste[10]) / taste.std()) ** 2 + ((slope - slope[10]) / slope.std()) ** 2
    ids = ROWS.customer_id.astype(str)
    chosen: list[int] = []
    for row in np.argsort(gap, kind="stable"):
        if ids[row] != ids[10] and ids[row] not in ids[chosen]:
            chosen.append(int(row))
    nearest = np.array(chosen[:15])
    assert found.customers == 15 and found.offers == 60 and found.purchases == 15
    assert found.conversion_rate == 0.25 and found.typical_price == 6.0 and found.typical_paid_price == 4.0
    assert found.recommended_change_rate == np.median(nearest)
    part = ROWS.take(nearest)
    assert found.elasticity == pytest.approx(np.median(part.response.elasticity(part.current_price)))


def test_the_customer_is_not_among_those_who_are_similar() -> None:
    mine = str(ROWS.customer_id[10])
    log = _log(np.unique(ROWS.customer_id.astype(str)))
    log.loc[log["customer_id"] == mine, "price"] = 1e9
    assert similar_customers(ROWS, 10, log, k=100).typical_price < 10


def test_groups_below_ten_are_never_shown() -> None:
    few = _log(np.unique(ROWS.customer_id.astype(str))[:8])
    with pytest.raises(DataError, match="groups below 10 are not shown, so that nobody can be recognized"):
        similar_customers(ROWS, 10, few, k=100)
    with pytest.raises(ConfigError, match="k is 9; similar customers are shown only as groups of at least 10"):
        similar_customers(ROWS, 10, few, k=9)
    with pytest.raises(DataError, match="Only 5 similar customers"):
        similar_customers(ROWS.take(np.arange(12)), 0, _log(np.unique(ROWS.customer_id.astype(str))))
    # What was paid is a figure of its own: fewer than ten purchases are not averaged.
    rare = _log(np.unique(ROWS.customer_id.astype(str)))
    rare["purchased"] = (np.arange(len(rare)) == 0).astype(int)
    assert np.isnan(similar_customers(ROWS, 10, rare, k=100).typical_paid_price)
