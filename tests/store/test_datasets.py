from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pricing_core.data.dataset import Dataset
from pricing_core.errors import ConfigError, DataError, NoDatasetError, WorkspaceError
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace


def test_a_loaded_data_set_equals_the_saved_one(ws: Workspace, dataset: Dataset, report: pd.DataFrame) -> None:
    aside = pd.DataFrame({"table": ["offers"], "row_number": [7], "reason": ["price is text"], "price": ["=1+1, x"]})
    dataset_id = datasets.save_dataset(ws, dataset, report, aside)
    loaded = datasets.load_dataset(ws, dataset_id)
    pd.testing.assert_frame_equal(loaded.offers, dataset.offers)
    assert dataset.products is not None and loaded.products is not None
    pd.testing.assert_frame_equal(loaded.products, dataset.products)
    assert (loaded.customers, loaded.market, loaded.events) == (None, None, None)
    assert loaded.manifest == replace(dataset.manifest, data_hash=loaded.manifest.data_hash)
    assert list(datasets.load_quality(ws, dataset_id)["rows"][0]) == [3, 7]
    back = pd.read_csv(datasets.set_aside_path(ws, dataset_id), dtype=str)
    assert back.to_dict("records") == [
        {"table": "offers", "row_number": "7", "reason": "price is text", "price": "=1+1, x"}
    ]


def test_the_hash_follows_the_content_and_nothing_else(ws: Workspace, dataset: Dataset, report: pd.DataFrame) -> None:
    first = datasets.hash_tables(dataset.tables())
    dataset_id = datasets.save_dataset(ws, dataset, report, None)
    assert datasets.load_manifest(ws, dataset_id).data_hash == first
    assert datasets.hash_tables(datasets.load_dataset(ws, dataset_id).tables()) == first
    offers = dataset.offers
    same = {
        "columns in another order": offers[offers.columns[::-1]],
        "wider integers": offers.astype({"purchased": "int64"}),
        "another index": offers.set_axis([5, 6, 7]),
        "text as objects": offers.astype({"product_id": object, "channel": object}),
    }
    for name, frame in same.items():
        assert datasets.hash_tables({**dataset.tables(), "offers": frame}) == first, name
    changed = {
        "one price": offers.assign(price=[9.99, 10.49, 3.01]),
        "one microsecond": offers.assign(offered_at=offers["offered_at"] + pd.Timedelta(1, "us")),
        "a lost leading zero": offers.assign(product_id=["7", "7", "小米"]),
        "another order of rows": offers.iloc[::-1],
        "a blank for a zero": offers.assign(stock=[5.0, 0.0, 0.0]),
        "no text for empty text": offers.assign(channel=["web", "", "app"]),
        "another column name": offers.rename(columns={"channel": "canal"}),
        "shifted cells": offers.assign(customer_id=["c_1", "c_1", "c_2"]),
    }
    hashes = {name: datasets.hash_tables({**dataset.tables(), "offers": frame}) for name, frame in changed.items()}
    assert len({first, *hashes.values()}) == len(changed) + 1


def test_versions_are_listed_newest_first_and_the_newest_is_the_default(
    ws: Workspace, dataset: Dataset, report: pd.DataFrame
) -> None:
    assert datasets.list_datasets(ws).empty and datasets.latest_dataset_id(ws) is None
    first = datasets.save_dataset(ws, dataset, report, None)
    second = datasets.save_dataset(
        ws,
        replace(dataset, manifest=replace(dataset.manifest, name="Second")),
        report,
        pd.DataFrame({"table": ["x"]}),
    )
    assert (first, second) == ("d0001", "d0002")
    listed = datasets.list_datasets(ws)
    assert listed["dataset_id"].tolist() == ["d0002", "d0001"]
    assert listed["set_aside"].tolist() == [1, 0]
    assert listed.loc[0, ["name", "currency", "offers", "products", "events"]].tolist() == [
        "Second",
        "USD",
        3,
        2,
        0,
    ]
    assert str(listed["created_at"].dt.tz) == "UTC"
    assert datasets.load_dataset(ws).manifest.name == "Second"


def test_no_data_and_an_unknown_version_are_told_apart(ws: Workspace, dataset: Dataset, report: pd.DataFrame) -> None:
    with pytest.raises(NoDatasetError, match=r"There is no data yet\. Load the sample shop or import your files\."):
        datasets.load_dataset(ws)
    datasets.save_dataset(ws, dataset, report, None)
    with pytest.raises(WorkspaceError, match=r"holds no data set 'd0009'\. Choose one of: d0001\."):
        datasets.load_dataset(ws, "d0009")
    with pytest.raises(WorkspaceError, match=r"holds no data set '\.\./\.\./etc'"):
        datasets.load_dataset(ws, "../../etc")


def test_a_deleted_version_is_gone_and_its_id_is_not_given_again(
    ws: Workspace, dataset: Dataset, report: pd.DataFrame
) -> None:
    datasets.save_dataset(ws, dataset, report, None)
    second = datasets.save_dataset(ws, dataset, report, None)
    datasets.delete_dataset(ws, second)
    assert datasets.latest_dataset_id(ws) == "d0001"
    assert not (ws.datasets_dir / second).exists() and list(ws.temp_dir.iterdir()) == []
    assert datasets.save_dataset(ws, dataset, report, None) == "d0003"


def test_the_manifest_changes_in_the_folder_and_in_the_list(
    ws: Workspace, dataset: Dataset, report: pd.DataFrame
) -> None:
    dataset_id = datasets.save_dataset(ws, dataset, report, None)
    datasets.update_manifest(ws, dataset_id, margin_assumption=0.45, excluded={"offers.channel": "user's choice"})
    assert datasets.load_dataset(ws).manifest.excluded == {"offers.channel": "user's choice"}
    assert datasets.list_datasets(ws).loc[0, "margin_assumption"] == 0.45
    with pytest.raises(ConfigError, match=r"The margin assumption is 1\.2"):
        datasets.update_manifest(ws, dataset_id, margin_assumption=1.2)
    assert datasets.load_manifest(ws).margin_assumption == 0.45


def test_a_column_of_mixed_kinds_leaves_nothing_behind(ws: Workspace, dataset: Dataset, report: pd.DataFrame) -> None:
    mixed = dataset.offers.assign(channel=pd.Series([1, "web", None], dtype=object))
    with pytest.raises(DataError, match="The offers table cannot be stored"):
        datasets.save_dataset(ws, replace(dataset, offers=mixed), report, None)
    assert list(ws.temp_dir.iterdir()) == [] and list(ws.datasets_dir.iterdir()) == []


def test_a_damaged_table_is_named(ws: Workspace, dataset: Dataset, report: pd.DataFrame) -> None:
    dataset_id = datasets.save_dataset(ws, dataset, report, None)
    (ws.datasets_dir / dataset_id / "offers.parquet").write_bytes(b"PAR1 half")
    with pytest.raises(WorkspaceError, match=r"The file d0001/offers\.parquet of the workspace cannot be read"):
        datasets.load_dataset(ws)


def test_a_full_disk_is_one_clear_error(
    ws: Workspace, dataset: Dataset, report: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    assert datasets.list_datasets(ws).empty
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(WorkspaceError, match=r"Writing to the workspace failed: No space left on device\. Free some"):
        datasets.save_dataset(ws, dataset, report, None)
    assert list(ws.temp_dir.iterdir()) == [] and datasets.list_datasets(ws).empty
