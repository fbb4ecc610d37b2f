"""Repairs make versions, undoing one brings its rows back, and an earlier version can be put back into use."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from tests.data.test_checks import shelf_offers


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    ws = Workspace.open(tmp_path)
    offers = shelf_offers().assign(unit_cost=2.0, stock=3)
    offers.loc[:9, "unit_cost"] = 50.0
    offers.loc[5:14, "stock"] = 0
    workflows.import_files(ws, {"offers": offers}, pseudonymize=False)
    return ws


def stored(ws: Workspace, dataset_id: str) -> pd.DataFrame:
    return datasets.load_dataset(ws, dataset_id).offers


def test_a_repair_is_a_new_version_and_leaving_it_out_undoes_it(ws: Workspace) -> None:
    base = "d0001"
    first = workflows.repair_dataset(ws, base, ["below_cost"])
    both = workflows.repair_dataset(ws, first, ["below_cost", "out_of_stock"])
    assert len(stored(ws, base)) > len(stored(ws, first)) > len(stored(ws, both))
    assert datasets.load_manifest(ws, both).base == base
    counts = datasets.load_counts(ws, both).iloc[0]
    assert counts["rows_in"] == counts["rows_kept"] + counts["rows_set_aside"]
    assert counts["rows_kept"] == len(stored(ws, both))
    aside = pd.read_csv(datasets.set_aside_path(ws, both), dtype=str)
    assert len(aside) == counts["rows_set_aside"]
    offered = set(datasets.load_quality(ws, both)["repair"]) - {""}
    assert not offered & {"below_cost", "out_of_stock"}
    undone = workflows.repair_dataset(ws, both, ["out_of_stock"])
    assert set(datasets.load_quality(ws, undone)["repair"]) >= {"below_cost"}
    whole = workflows.repair_dataset(ws, undone, [])
    pd.testing.assert_frame_equal(stored(ws, whole), stored(ws, base))
    assert datasets.load_manifest(ws, whole).repairs == []


def test_a_repaired_version_counts_its_own_offers_without_a_cost(tmp_path: Path) -> None:
    ws = Workspace.open(tmp_path)
    offers = shelf_offers()
    offers.loc[:9, "price"] *= 100
    workflows.import_files(ws, {"offers": offers})
    made = workflows.repair_dataset(ws, "d0001", ["price_outliers"])
    found = datasets.load_quality(ws, made)
    costs = found.loc[found["message"].str.startswith("The unit cost"), "message"].tolist()
    left = len(stored(ws, made))
    assert left < len(offers) and [f"{left:,} of {left:,} offers" in message for message in costs] == [True]


def test_an_earlier_version_is_put_back_into_use(ws: Workspace) -> None:
    workflows.repair_dataset(ws, "d0001", ["below_cost"])
    again = workflows.use_version(ws, "d0001")
    assert datasets.latest_dataset_id(ws) == again == "d0003"
    pd.testing.assert_frame_equal(stored(ws, again), stored(ws, "d0001"))
    assert workflows.use_version(ws, again) == again
    table = workflows.compare_versions(ws, "d0002", again).set_index("figure")
    assert table.loc["offers only in the second", "second"] == "10"
