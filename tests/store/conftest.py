"""A small shop and an empty workspace, with either kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from pricing_core.data.dataset import Dataset, DatasetManifest
from pricing_core.store.workspace import Workspace
from tests.databases import DATABASES, use_database


@pytest.fixture(params=DATABASES)
def ws(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    with use_database(request.param, monkeypatch):
        yield Workspace(tmp_path / "shop")


@pytest.fixture
def file_ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An empty workspace whose database is a SQLite file, whatever the environment says."""
    monkeypatch.delenv("PRICING_DATABASE_URL", raising=False)
    return Workspace(tmp_path / "shop")


@pytest.fixture
def dataset() -> Dataset:
    offers = pd.DataFrame(
        {
            "customer_id": ["c_1", "c_2", "c_2"],
            "product_id": ["007", "007", "小米"],
            "offered_at": pd.to_datetime(
                ["2025-01-01T10:00:00Z", "2025-01-02T11:30:00.123456Z", "2025-01-03T00:00:00Z"],
                format="ISO8601",
            ).as_unit("us"),
            "price": [9.99, 10.49, 3.0],
            "purchased": pd.Series([0, 1, 1], dtype="int8"),
            "stock": [5.0, float("nan"), 0.0],
            "channel": ["web", None, "app"],
        }
    )
    products = pd.DataFrame({"product_id": ["007", "小米"], "unit_cost": [4.0, float("nan")], "category": ["a", "b"]})
    return Dataset(
        offers=offers,
        customers=None,
        products=products,
        market=None,
        events=None,
        manifest=DatasetManifest(name="Corner shop", source="offers.csv", margin_assumption=0.3),
    )


@pytest.fixture
def report() -> pd.DataFrame:
    return pd.DataFrame({"severity": ["warning"], "count": [2], "rows": [[3, 7]], "message": ["two rows repeat"]})
