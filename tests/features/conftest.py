"""A hand-made shop: small enough to check by hand, with everything that a join can get wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pricing_core.data.dataset import Dataset, DatasetManifest

START = pd.Timestamp("2025-03-03T08:00:00Z")


def at(hours: float) -> pd.Timestamp:
    """Return the moment so many hours after the start."""
    return START + pd.Timedelta(hours=hours)


@pytest.fixture
def shop() -> Callable[..., Dataset]:
    """Build a random shop of 300 offers to 20 customers over ten weeks; keyword arguments replace its tables."""

    def build(seed: int = 0, **replaced: pd.DataFrame | None) -> Dataset:
        rng = np.random.default_rng(seed)
        n, n_events = 300, 500
        customers = np.array([f"{i:04d}" for i in range(20)])
        products = np.array([f"p{i}" for i in range(6)])
        offers = pd.DataFrame(
            {
                "customer_id": rng.choice(customers, n),
                "product_id": rng.choice(products, n),
                "offered_at": [at(h) for h in np.sort(rng.uniform(0, 1_680, n)).round(2)],
                "price": rng.uniform(4, 9, n).round(2),
                "purchased": (rng.random(n) < 0.4).astype(np.int8),
            }
        )
        events = pd.DataFrame(
            {
                "customer_id": rng.choice(customers, n_events),
                "product_id": rng.choice(products, n_events),
                "occurred_at": [at(h) for h in rng.uniform(-100, 1_700, n_events).round(2)],
                "event_type": rng.choice(["view", "cart", "purchase", "review"], n_events),
            }
        )
        events["rating"] = np.where(events["event_type"] == "review", rng.integers(1, 6, n_events), np.nan)
        market = pd.DataFrame(
            {
                "date": np.repeat([at(24 * 7 * w) for w in range(11)], 6),
                "product_id": np.tile(products, 11),
                "competitor_price": rng.uniform(4, 9, 66).round(2),
            }
        )
        tables: dict[str, pd.DataFrame | None] = {
            "offers": offers,
            "customers": pd.DataFrame({"customer_id": customers, "tier": rng.choice(["a", "b"], 20)}),
            "products": pd.DataFrame(
                {
                    "product_id": products,
                    "category": ["x", "x", "y", "y", "z", "z"],
                    "unit_cost": rng.uniform(2, 4, 6).round(2),
                    "list_price": rng.uniform(6, 9, 6).round(2),
                    "stock": [10, 20, 0, 40, 50, 60],
                }
            ),
            "market": market,
            "events": events,
        }
        tables |= replaced
        return Dataset(**tables, manifest=DatasetManifest("hand-made", "test"))  # type: ignore[arg-type]

    return build
