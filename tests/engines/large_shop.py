"""A random shop of a few thousand offers, saved into a workspace, to be treated as if it were too large for memory."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pricing_core.data.dataset import Dataset, DatasetManifest
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace

START = pd.Timestamp("2025-03-03T08:00:00Z")


def random_shop(n: int = 3_000, n_customers: int = 200, *, seed: int = 0, list_price: bool = True) -> Dataset:
    """Offers over ten weeks in which some fall on the same second; ids with quotes; purchases and ratings as events."""
    rng = np.random.default_rng(seed)
    customers = np.array([f"{i:04d}'" for i in range(n_customers)])
    products = np.array([f"p{i}" for i in range(12)])
    second = np.sort(rng.integers(0, 70 * 86_400 // 30, n)) * 30
    offers = pd.DataFrame(
        {
            "customer_id": rng.choice(customers, n),
            "product_id": rng.choice(products, n),
            "offered_at": times(second),
            "price": rng.uniform(4, 9, n).round(2),
            "purchased": (rng.random(n) < 0.3).astype(np.int8),
            "weather": rng.choice(["sun", "rain"], n),
        }
    )
    n_events = 2 * n
    kinds = rng.choice(["view", "cart", "purchase", "review"], n_events)
    events = pd.DataFrame(
        {
            "customer_id": rng.choice(customers, n_events),
            "occurred_at": times(rng.integers(-86_400, 71 * 86_400, n_events)),
            "event_type": kinds,
            "product_id": rng.choice(products, n_events),
            "rating": np.where(kinds == "review", rng.integers(1, 6, n_events), np.nan),
        }
    )
    table = {
        "product_id": products,
        "unit_cost": rng.uniform(2, 4, 12).round(2),
        "stock": np.arange(12) * 10.0,
        "category": np.repeat(["x", "y", "z"], 4),
        **({"list_price": rng.uniform(6, 9, 12).round(2)} if list_price else {}),
    }
    return Dataset(
        offers=offers,
        customers=pd.DataFrame({"customer_id": customers, "tier": rng.choice(["a", "b"], n_customers)}),
        products=pd.DataFrame(table),
        market=pd.DataFrame(
            {
                "date": times(np.repeat(np.arange(11) * 7 * 86_400, 12)),
                "product_id": np.tile(products, 11),
                "competitor_price": rng.uniform(4, 9, 132).round(2),
            }
        ),
        events=events,
        manifest=DatasetManifest("random", "test", margin_assumption=0.3),
    )


def times(second: np.ndarray) -> pd.Series:
    """Moments so many seconds after the start, as the store keeps them."""
    return pd.Series(START + pd.to_timedelta(second, unit="s")).dt.as_unit("us")


def saved(ws: Workspace, dataset: Dataset) -> str:
    """Store a data set and return its id."""
    columns = ["severity", "table", "column", "count", "rows", "message", "effect", "repair"]
    return datasets.save_dataset(ws, dataset, pd.DataFrame(columns=columns), None)
