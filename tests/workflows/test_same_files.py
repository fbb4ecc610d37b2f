"""Adding files that have not changed since they were imported is told at once, and only then."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pricing_core import workflows
from pricing_core.data.options import CleaningOptions
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from pricing_core.workflows import importing
from tests.data.test_checks import shelf_offers


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "shop")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    offers = shelf_offers().assign(unit_cost=1.0)
    offers["price"] = offers["price"].astype("str")
    offers.loc[5, "price"] = "dear"
    path = tmp_path / "offers.csv"
    offers.to_csv(path, index=False)
    return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Fills with one entry for each time that files are read."""
    found: list[Any] = []
    whole = importing.read_into

    def read(*arguments: Any) -> Any:
        found.append(arguments)
        return whole(*arguments)

    monkeypatch.setattr(importing, "read_into", read)
    return found


def test_an_unchanged_file_is_not_read_again_and_its_rows_are_accounted_for(
    ws: Workspace, file: Path, reads: list[Any]
) -> None:
    first = workflows.import_files(ws, {"offers": file})
    again = workflows.import_files(ws, {"offers": file}, extend=True)
    assert len(reads) == 1 and again.dataset_id == first.dataset_id
    assert "Nothing is new: version d0001" in again.nothing_new and "not read again" in again.nothing_new
    assert again.files is not None and again.files.rows_in == first.report.rows_in
    assert again.files.rows_set_aside == {"offers": 1}
    pd.testing.assert_frame_equal(again.set_aside.astype("str"), first.set_aside.astype("str"))
    os.utime(file, ns=(1, 1))
    read = workflows.import_files(ws, {"offers": file}, extend=True)
    assert len(reads) == 2 and "not read again" not in read.nothing_new and read.files is not None
    assert read.files.rows_in == again.files.rows_in and read.files.rows_kept == again.files.rows_kept


@pytest.mark.parametrize("choice", [{"options": CleaningOptions(duplicates="keep")}, {"mapping": {"offers": {}}}])
def test_another_choice_reads_the_file(ws: Workspace, file: Path, reads: list[Any], choice: dict[str, Any]) -> None:
    workflows.import_files(ws, {"offers": file})
    workflows.import_files(ws, {"offers": file}, extend=True, **choice)
    assert len(reads) == 2


def test_only_files_whose_rows_the_version_in_use_holds_are_passed_over(
    ws: Workspace, file: Path, tmp_path: Path, reads: list[Any]
) -> None:
    workflows.import_files(ws, {"offers": file})
    later = shelf_offers().assign(offered_at=lambda frame: frame["offered_at"] + pd.Timedelta("400D"), unit_cost=1.0)
    later.loc[:9, "unit_cost"] = 500.0
    more = tmp_path / "more.csv"
    later.to_csv(more, index=False)
    added = workflows.import_files(ws, {"offers": more}, extend=True)
    workflows.repair_dataset(ws, added.dataset_id, ["below_cost"])
    for path, aside in ((file, 1), (more, 0)):
        again = workflows.import_files(ws, {"offers": path}, extend=True)
        assert again.nothing_new and len(again.set_aside) == aside
    assert len(reads) == 2
    other = workflows.import_files(ws, {"offers": more})  # as a version of its own, without the first file
    back = workflows.import_files(ws, {"offers": file}, extend=True)
    assert len(reads) == 4 and not back.nothing_new
    assert datasets.load_manifest(ws, back.dataset_id).extends == other.dataset_id
