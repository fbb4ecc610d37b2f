"""Crashes between two steps of a write, and many processes at once."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time

import pandas as pd
import pytest

from pricing_core.data.dataset import Dataset
from pricing_core.store import datasets, runs, settings, shelf
from pricing_core.store.workspace import Workspace

_COMMIT = """
import os, signal, sys
from pricing_core.store import runs, shelf
from pricing_core.store.workspace import Workspace
ws = Workspace(sys.argv[1])
draft = runs.new_run_dir(ws)
(draft / "model.txt").write_text("weights")
def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
{where} = die
runs.commit_run(ws, draft, dataset_id="d0001", summary={{"seed": 5}})
"""


def _die_while_committing(ws: Workspace, where: str) -> None:
    ran = subprocess.run([sys.executable, "-c", _COMMIT.format(where=where), ws.root], check=False)
    assert ran.returncode == -9


@pytest.mark.parametrize("where", ["shelf.write_json", "shelf._flush", "os.rename"])
def test_a_death_before_the_rename_leaves_no_run(ws: Workspace, where: str) -> None:
    _die_while_committing(ws, where)
    assert runs.list_runs(ws).empty and list(ws.runs_dir.iterdir()) == []
    assert len(ws.clean_temp()) == 1 and list(ws.temp_dir.iterdir()) == []


def test_a_death_between_rename_and_index_leaves_a_whole_run_that_is_found_and_used(ws: Workspace) -> None:
    _die_while_committing(ws, "shelf._enter")
    assert runs.list_runs(ws)[["run_id", "dataset_id", "seed", "promoted"]].to_dict("records") == [
        {"run_id": "r0001", "dataset_id": "d0001", "seed": 5, "promoted": True}
    ]
    assert (runs.run_dir(ws) / "model.txt").read_text() == "weights"


def test_an_index_entry_whose_folder_was_removed_by_hand_goes(
    ws: Workspace, dataset: Dataset, report: pd.DataFrame
) -> None:
    first, second = (datasets.save_dataset(ws, dataset, report, None) for _ in range(2))
    shutil.rmtree(ws.datasets_dir / second)
    assert datasets.latest_dataset_id(ws) == first
    assert datasets.list_datasets(ws)["dataset_id"].tolist() == [first]
    assert datasets.save_dataset(ws, dataset, report, None) == "d0003"


def test_a_lost_database_is_rebuilt_from_the_folders(
    file_ws: Workspace, dataset: Dataset, report: pd.DataFrame
) -> None:
    ws = file_ws
    for _ in range(2):
        datasets.save_dataset(ws, dataset, report, None)
    before = datasets.list_datasets(ws)
    for path in ws.root.glob("workspace.sqlite*"):
        path.unlink()
    pd.testing.assert_frame_equal(datasets.list_datasets(ws), before)
    assert datasets.save_dataset(ws, dataset, report, None) == "d0003"


@pytest.mark.parametrize("record", [None, "{half", "[]"])
def test_a_folder_that_is_not_ours_is_neither_listed_nor_touched(ws: Workspace, record: str | None) -> None:
    foreign = ws.runs_dir / "r0007"
    foreign.mkdir()
    if record is not None:
        (foreign / shelf.RECORD).write_text(record)
    assert runs.list_runs(ws).empty and foreign.exists()
    draft = runs.new_run_dir(ws)
    assert runs.commit_run(ws, draft, dataset_id="d0001", summary={}) == "r0008"


_WRITER = """
import sys, time
from pricing_core.store import runs, settings
from pricing_core.store.workspace import Workspace
name, at = sys.argv[2], float(sys.argv[3])
time.sleep(max(0.0, at - time.time()))
ws = Workspace(sys.argv[1])
for i in range(12):
    draft = runs.new_run_dir(ws)
    (draft / "model.txt").write_text("weights")
    print(runs.commit_run(ws, draft, dataset_id=name, summary={"i": i}))
    settings.set(ws, "shared", name)
    settings.set(ws, name, i)
    for run_id in runs.list_runs(ws)["run_id"]:
        assert (runs.run_dir(ws, run_id) / "model.txt").read_text() == "weights"
        break
"""


def test_processes_that_write_at_once_neither_fail_nor_lose_anything(ws: Workspace) -> None:
    root, at = ws.root, str(time.time() + 2.0)  # even the database is made by all of them at once
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, root, f"d000{n}", at], stdout=-1, stderr=-1, text=True)
        for n in range(4)
    ]
    said = [writer.communicate(timeout=180) for writer in writers]
    assert [error for _, error in said] == [""] * 4
    ids = [line for out, _ in said for line in out.splitlines()]
    assert sorted(ids) == [f"r{number:04d}" for number in range(1, 49)]
    assert [settings.get(ws, f"d000{n}") for n in range(4)] == [11] * 4
    listed = runs.list_runs(ws)
    assert listed["run_id"].tolist() == sorted(ids, reverse=True)
    assert listed.groupby("dataset_id")["i"].agg(list).map(sorted).tolist() == [list(range(12))] * 4
    record = json.loads((runs.run_dir(ws, "r0001") / shelf.RECORD).read_text())
    assert record["promote"] is True


_INCREMENT = """
import sys, threading
from pricing_core.store import database, settings
from pricing_core.store.workspace import Workspace
ws = Workspace(sys.argv[1])
def count():
    for _ in range(25):
        settings.get(ws, "count", 0)
        with database.writing(ws) as connection:
            settings.write(connection, "count", settings.read(connection, "count", 0) + 1)
threads = [threading.Thread(target=count) for _ in range(4)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
"""


def test_no_update_is_lost_between_threads_and_processes(ws: Workspace) -> None:
    running = [subprocess.Popen([sys.executable, "-c", _INCREMENT, ws.root], stderr=-1, text=True) for _ in range(3)]
    assert [process.communicate(timeout=180)[1] for process in running] == [""] * 3
    assert settings.get(ws, "count") == 3 * 4 * 25
