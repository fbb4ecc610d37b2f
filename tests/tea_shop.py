"""A small shop whose buyers react to price, with quickly trained models, made once for all test processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.store.workspace import Workspace


def make_tea_shop(path: Path) -> None:
    """Import 3,000 offers of three products with unknown costs, and train quickly."""
    random = np.random.default_rng(5)
    n = 3_000
    level = np.array([4.0, 9.0, 20.0])
    product = random.integers(0, 3, n)
    price = level[product] * np.exp(random.normal(0.0, 0.15, n))
    chance = 1 / (1 + np.exp(-(2.2 - 3.0 * price / level[product])))
    hours = np.sort(random.integers(0, 84 * 24, n))
    offers = pd.DataFrame(
        {
            "customer_id": [f"c{k}" for k in random.integers(0, 150, n)],
            "product_id": np.array(["tea", "cup", "pot"])[product],
            "offered_at": pd.Timestamp("2025-01-06", tz="UTC") + pd.to_timedelta(hours, "h"),
            "price": price.round(2),
            "list_price": level[product] * 1.2,
            "purchased": (random.random(n) < chance).astype(int),
        }
    )
    ws = Workspace(path)
    workflows.import_files(ws, {"offers": offers}, name="Tea shop")
    workflows.train(ws, config=workflows.TrainingConfig(quick=True))


def shared_tea_shop(factory: pytest.TempPathFactory) -> Path:
    """Workspace of the tea shop, to be copied and never changed; the first test process that asks makes it."""
    base = factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "tea_shop"
    outcome = folder / "outcome"
    try:
        folder.mkdir()
    except FileExistsError:
        until = time.monotonic() + 600
        while not outcome.exists() and time.monotonic() < until:
            time.sleep(0.2)
    else:
        try:
            make_tea_shop(folder / "shop")
        except BaseException:
            outcome.write_text("failed")
            raise
        outcome.write_text("trained")
    assert outcome.read_text() == "trained"
    return folder / "shop"
