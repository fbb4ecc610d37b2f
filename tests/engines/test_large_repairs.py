"""Repairs of large versions give the same version as those of small ones."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.data.checks import DROP
from pricing_core.data.quality import SEVERITIES
from pricing_core.errors import DataError, JobCancelled
from pricing_core.schema import TABLES
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from tests.engines.messy_shop import as_csv, messy_shop


class Stopping:
    """Progress that asks to stop within the queries of a repair."""

    def stage(self, name: str, fraction: float, message: str = "") -> None:
        if message.startswith("Writing"):
            raise JobCancelled("The job was stopped at your request.")

    def metric(self, name: str, step: int, value: float) -> None:
        pass


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    ws = Workspace.open(tmp_path / "shop")
    sources = {table: (as_csv(frame), f"{table}.csv") for table, frame in messy_shop().items()}
    workflows.import_files(ws, sources, excluded={"offers.contact": "personal", "offers.measure": "no"})
    monkeypatch.setenv("PRICING_ENGINE_MEMORY_MB", "200")
    return ws


def test_a_large_version_is_repaired_the_same(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = datasets.load_quality(ws)["repair"].fillna("").tolist()
    repairs = [name for name in offered if name]
    assert f"{DROP}offers.contact" in repairs and "out_of_stock" in repairs and len(repairs) > 3
    small = workflows.repair_dataset(ws, "d0001", repairs)
    monkeypatch.setenv("PRICING_LARGE_MB", "0")
    large = workflows.repair_dataset(ws, "d0001", repairs)
    assert_equal_versions(ws, small, large)
    fewer = workflows.repair_dataset(ws, large, [name for name in repairs if name != "out_of_stock"])
    monkeypatch.setenv("PRICING_LARGE_MB", "1000")
    assert_equal_versions(ws, workflows.repair_dataset(ws, small, datasets.load_manifest(ws, fewer).repairs), fewer)
    assert not list(ws.temp_dir.iterdir())


@pytest.mark.parametrize("large_mb", ["0", "1000"])
def test_what_is_said_of_all_rows_is_counted_after_the_repair(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, large_mb: str
) -> None:
    before = datasets.load_quality(ws)
    repairs = [name for name in before["repair"].fillna("") if name and name != "out_of_stock"]
    monkeypatch.setenv("PRICING_LARGE_MB", large_mb)
    made = workflows.repair_dataset(ws, "d0001", repairs)
    after = datasets.load_quality(ws, made)
    folder = datasets.folder_of(ws, made)
    tables = {table: pd.read_parquet(folder / f"{table}.parquet") for table in TABLES}
    fresh = workflows.import_files(ws, tables, pseudonymize=False)
    wanted = [(finding.table, finding.message, finding.count) for finding in fresh.report.findings
              if finding.scope == "tables" and " in version " not in finding.message]  # fmt: skip
    found = after.loc[after["scope"] == "tables", ["table", "message", "count"]].itertuples(index=False, name=None)
    assert sorted(found) == sorted(wanted)
    whole = before.loc[(before["scope"] == "tables") & (before["repair"] == ""), "message"]
    assert not whole.isin(after["message"]).all()  # something was counted anew
    assert after["severity"].map(SEVERITIES.index).is_monotonic_increasing
    single = before.loc[before["scope"] == "rows", "message"]
    assert len(single) and single.isin(after["message"]).all()


def assert_equal_versions(ws: Workspace, small: str, large: str, tables: tuple[str, ...] = TABLES) -> None:
    for table in tables:
        one, other = (datasets.folder_of(ws, each) / f"{table}.parquet" for each in (small, large))
        pd.testing.assert_frame_equal(pd.read_parquet(one), pd.read_parquet(other), check_freq=False)
    pd.testing.assert_frame_equal(datasets.load_quality(ws, small), datasets.load_quality(ws, large))
    pd.testing.assert_frame_equal(datasets.load_counts(ws, small), datasets.load_counts(ws, large))
    one, other = (pd.read_csv(datasets.set_aside_path(ws, each), dtype=str) for each in (small, large))
    pd.testing.assert_frame_equal(one, other)
    ours, theirs = (datasets.load_manifest(ws, each).to_dict() for each in (small, large))
    assert {**ours, "created_at": ""} == {**theirs, "created_at": ""}
    listed = datasets.list_datasets(ws).set_index("dataset_id")
    assert listed.loc[small, "set_aside"] == listed.loc[large, "set_aside"] == len(one)


def test_what_cannot_be_repaired_leaves_nothing(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRICING_LARGE_MB", "0")
    with pytest.raises(DataError, match=r"no column offers\.nothing"):
        workflows.repair_dataset(ws, "d0001", [f"{DROP}offers.nothing"])
    with pytest.raises(JobCancelled):
        workflows.repair_dataset(ws, "d0001", ["below_cost"], progress=Stopping())
    offers = messy_shop()["offers"]
    dear = offers.assign(unit_cost=offers["purchased"].map({"no": "0.1"}).fillna("999999"))
    made = workflows.import_files(ws, {"offers": (as_csv(dear), "dear.csv")})
    with pytest.raises(DataError, match="no prices could be learned"):
        workflows.repair_dataset(ws, made.dataset_id, ["below_cost"])
    assert datasets.latest_dataset_id(ws) == made.dataset_id
    assert not list(ws.temp_dir.iterdir())
