"""How the models' inputs move between two data sets, in words."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pricing_core.data.dataset import Dataset, DatasetManifest
from pricing_core.evaluate.drift import drift_between, input_drift, move_in_words


def dataset(n: int, seed: int, *, level: float = 1.0, web: float = 0.5, channel: bool = True) -> Dataset:
    rng = np.random.default_rng(seed)
    product = np.where(rng.random(n) < 0.5, "tea", "cup")
    offers = pd.DataFrame(
        {
            "customer_id": [f"c{k}" for k in rng.integers(0, 50, n)],
            "product_id": product,
            "offered_at": pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(np.arange(n), "h"),
            "price": np.where(product == "tea", 4.0, 9.0) * level * np.exp(rng.normal(0, 0.1, n)),
            "purchased": (rng.random(n) < 0.3).astype(int),
        }
    )
    if channel:
        offers["channel"] = np.where(rng.random(n) < web, "web", "app")
    customers = pd.DataFrame({"customer_id": [f"c{k}" for k in range(50)], "tier": ["gold", "none"] * 25})
    return Dataset(offers, customers, None, None, None, DatasetManifest("shop", "test"))


def test_the_same_shop_later_is_stable() -> None:
    found = drift_between(dataset(4_000, 1), dataset(4_000, 2))
    assert set(found["verdict"]) == {"stable"}
    looked_at = {"price against the usual price", "product mix", "offers: channel", "customers: tier"}
    assert looked_at == set(found["column"])
    assert (found["chance"] > 0).all() and (found["index"] < found["chance"] * 1.5).all()
    fewer = drift_between(dataset(4_000, 1), dataset(400, 2)).set_index("column")["chance"]
    assert (fewer.loc[found["column"]].to_numpy() > 3 * found["chance"].to_numpy()).all()


def test_what_moved_comes_first_with_how_it_was_and_is() -> None:
    found = drift_between(dataset(4_000, 1), dataset(4_000, 2, level=1.3, web=0.9)).set_index("column")
    assert found.index[0] == "price against the usual price" and found["verdict"].iloc[0] == "moved"
    price = found.loc["price against the usual price"]
    assert price["before"].startswith("median ") and 125 < float(price["now"].split()[1].rstrip("%")) < 135
    channel = found.loc["offers: channel"]
    assert channel["verdict"] == "moved" and channel["before"].split("% ")[1] == channel["now"].split("% ")[1]
    assert found.loc["product mix", "verdict"] == "stable"


def test_a_column_that_is_gone_has_moved() -> None:
    found = drift_between(dataset(2_000, 1), dataset(2_000, 2, channel=False)).set_index("column")
    assert found.loc["offers: channel", "verdict"] == "moved"
    assert found.loc["offers: channel", "now"] == "100.0% are unknown"


def test_two_parts_of_one_log_compare_like_two_data_sets() -> None:
    whole = dataset(2_000, 3)
    late = np.arange(2_000) >= 1_500
    found = input_drift(whole, late)
    assert set(found["verdict"]) <= {"stable", "some change"} and len(found) == 4


def test_moves_in_words() -> None:
    numbers = pd.Series(np.arange(100.0))
    assert move_in_words(numbers, numbers * 100) == ("median 49.5", "median 4,950")
    assert move_in_words(pd.Series(["a", "b"]), pd.Series(["a", "a"])) == ("50.0% are a", "100.0% are a")
    assert move_in_words(pd.Series(["a"]), pd.Series([None, None], dtype=object)) == ("100.0% are a", "0.0% are a")
    assert move_in_words(pd.Series([0, 1, 0, 0]), pd.Series([1, 1, 0, 0])) == ("25.0% yes", "50.0% yes")
    assert move_in_words(pd.Series([True]), pd.Series([True])) == ("100.0% yes", "100.0% yes")
    assert move_in_words(pd.Series(np.arange(20.0)), pd.Series([np.nan]))[1] == "no values"
