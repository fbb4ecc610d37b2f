"""From a large data set to a price list: learned from whole customers, said so, and priced for everyone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.store import pricelists, working_samples
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.runs import load_run
from tests.engines.large_shop import random_shop, saved

pytestmark = pytest.mark.extra


def test_a_large_data_set_trains_and_prices_customers_outside_its_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = Workspace(tmp_path / "shop")
    dataset = random_shop(6_000, 300)
    dataset_id = saved(ws, dataset)
    monkeypatch.setattr(working_samples, "LARGE_OFFERS", 5_000)
    monkeypatch.setattr(working_samples, "SAMPLE_OFFERS", 2_000)
    run = load_run(ws, workflows.train(ws, dataset_id, config=workflows.TrainingConfig(quick=True)))
    sample = run.manifest["working_sample"]
    assert (sample["offers_there"], sample["customers_there"]) == (6_000, 300)
    assert run.manifest["counts"]["offers"] == sample["offers"] <= 2_000
    assert pd.Timestamp(run.manifest["log_to"]) == dataset.log_to
    known = set(run.dataset.offers["customer_id"])
    outside = sorted(set(dataset.offers["customer_id"]) - known)[:20]
    targets = pd.DataFrame({"customer_id": outside, "product_id": "p1", "price": 6.0})
    priced = workflows.predict(ws, targets)["conversion_rate"]
    monkeypatch.setattr(working_samples, "LARGE_OFFERS", 1_000_000)  # the same from the whole log
    whole = workflows.predict(ws, targets)["conversion_rate"]
    np.testing.assert_allclose(priced, whole, rtol=2e-3)
    assert priced.nunique() > 5  # each by a history of their own
    monkeypatch.setattr(working_samples, "LARGE_OFFERS", 5_000)
    stored = pricelists.load_price_list(ws, workflows.make_price_list(ws, "product"))
    last = dataset.offers[dataset.offers["offered_at"] > dataset.log_to - pd.Timedelta(days=30)]
    lowest = last.groupby("product_id")["price"].min()
    found = stored.frame.drop_duplicates("product_id").set_index("product_id")["prior_price_30d"]
    pd.testing.assert_series_equal(found.sort_index(), lowest.reindex(found.index).sort_index(), check_names=False)
