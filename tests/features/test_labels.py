"""What offers can be grouped by: brand, week, shop columns, and protected attributes only under their own name."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pricing_core.data.columns import classify_columns
from pricing_core.data.demo_shop import DemoShopConfig, simulate_demo_shop
from pricing_core.data.importing import import_tables
from pricing_core.features import build_features
from pricing_core.features.labels import offer_groups


def test_labels_and_stock_follow_the_tables_and_protected_attributes_stay_apart():
    sizes = {"n_customers": 60, "n_products": 8, "n_weeks": 20, "n_visits": 300, "n_target_visits": 20}
    shop = simulate_demo_shop(DemoShopConfig(**sizes, random_state=3))
    tables = {name: frame.copy() for name, frame in shop.tables.items()}
    tables["customers"]["age"] = np.arange(len(tables["customers"])) % 60 + 18
    dataset = import_tables(tables, name="shop", source="test", currency="USD").dataset
    uses = classify_columns(dataset)
    table = build_features(dataset, dataset.offers, uses=uses)
    groups = offer_groups(dataset, table, uses)
    offers = dataset.offers
    brand = dataset.products.set_index("product_id")["brand"]
    assert groups.labels["brand"].tolist() == offers["product_id"].map(brand).astype(str).tolist()
    tier = dataset.customers.set_index("customer_id")["loyalty_tier"]
    assert groups.labels["customers: loyalty_tier"].tolist() == offers["customer_id"].map(tier).astype(str).tolist()
    age = offers["customer_id"].map(dataset.customers.set_index("customer_id")["age"])
    spans = groups.labels["protected: age"]
    assert all(int(s[:2]) <= a <= int(s[-2:]) for s, a in zip(spans, age, strict=True))
    assert not [name for name in [*groups.labels, *groups.numbers] if "age" in name.split() and "protected" not in name]
    assert "customers: gender" not in groups.labels and "protected: gender" in groups.labels
    first = pd.Timestamp(offers["offered_at"].iloc[0])
    assert groups.labels["week"][0] == f"{first.isocalendar().year}-W{first.isocalendar().week:02d}"
    stock = dataset.products.set_index("product_id")["stock"]
    np.testing.assert_array_equal(groups.stock, offers["product_id"].map(stock).to_numpy(dtype=float))
    bought = groups.numbers["purchases so far"]
    assert np.allclose(bought, bought.round(), atol=1e-6) and bought.max() > 0
