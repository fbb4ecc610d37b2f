"""Searches for settings survive what happens to processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pricing_core.errors import ConfigError, JobError, WorkspaceError
from pricing_core.store import studies
from pricing_core.store.workspace import Workspace
from tests.store import toy_search

ROOT = Path(__file__).parents[2]


def test_a_killed_search_goes_on_as_if_it_had_not_been(ws: Workspace) -> None:
    for name in ("whole", "killed"):
        studies.create(ws, name, {"family": "toy"})
    toy_search.run(str(ws.root), "whole", 0)
    command = [sys.executable, "-m", "tests.store.toy_search", str(ws.root), "killed", "3"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "asleep\n"
        assert studies.get(ws, "killed").running
        assert studies.trials(ws, "killed")["state"].iloc[-1] == "running"
        with pytest.raises(JobError, match="The tuning 'killed' is running already"):
            toy_search.run(str(ws.root), "killed", 0)
        with pytest.raises(JobError, match=r"The tuning 'killed' is running\. Cancel it first"):
            studies.delete(ws, "killed")
        os.kill(process.pid, signal.SIGKILL)
    assert not studies.get(ws, "killed").running
    assert studies.trials(ws, "killed")["state"].tolist()[-1] == "interrupted"
    toy_search.run(str(ws.root), "killed", 0)
    one, two = studies.trials(ws, "whole"), studies.trials(ws, "killed")
    assert two["reason"].iloc[2] == "the computer or program stopped" and np.isnan(two["seconds"].iloc[2])
    assert two["state"].iloc[2] == "interrupted" and len(two) == len(one) + 1
    again = two.drop(index=2)
    for column in ("state", "score", "setting.x", "setting.kind"):
        assert again[column].tolist() == one[column].tolist() or np.array_equal(again[column], one[column], True)
    first, second = studies.get(ws, "whole"), studies.get(ws, "killed")
    assert first.best_score == second.best_score and first.n_trials + 1 == second.n_trials


def test_studies_are_kept_by_name_until_deleted(ws: Workspace) -> None:
    assert studies.list_studies(ws) == []
    with pytest.raises(WorkspaceError, match=r"holds no tuning named 'spring'\. Choose one of: none"):
        studies.get(ws, "spring")
    assert studies.create(ws, " spring ", {"family": "network", "seed": np.int64(3)}) == "spring"
    studies.create(ws, "夏", {"family": "pricing_model"})
    newest = studies.list_studies(ws)
    assert [each.name for each in newest] == ["夏", "spring"]
    assert newest[1].record == {"family": "network", "seed": 3}
    assert (newest[1].n_trials, newest[1].best_number, newest[1].running) == (0, None, False)
    assert list(studies.trials(ws, "spring")) == ["number", "state", "score", "seconds", "reason", "today"]
    with pytest.raises(ConfigError, match="There is a tuning named 'spring' already"):
        studies.create(ws, "spring", {"family": "other"})
    for wrong in ("", "  ", "x" * 61, "two\nlines"):
        with pytest.raises(ConfigError, match="A tuning needs a name of 1 to 60 printable characters"):
            studies.create(ws, wrong, {"family": "network"})
    studies.delete(ws, "spring")
    assert [each.name for each in studies.list_studies(ws)] == ["夏"]
    with pytest.raises(WorkspaceError, match=r"holds no tuning named 'spring'\. Choose one of: 夏"):
        studies.delete(ws, "spring")


def test_the_file_is_the_owners_only(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / "shop")
    studies.create(ws, "spring", {"family": "network"})
    path = ws.root / studies.FOLDER / studies.FILE
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0
