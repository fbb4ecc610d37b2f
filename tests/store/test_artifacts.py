"""Runs, scenarios and settings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pricing_core.errors import ConfigError, NoModelError, WorkspaceError
from pricing_core.store import runs, scenarios, settings
from pricing_core.store.workspace import Workspace


def _commit(ws: Workspace, *, promote: bool = True, **summary: object) -> str:
    draft = runs.new_run_dir(ws)
    (draft / "model.txt").write_text("weights")
    return runs.commit_run(ws, draft, dataset_id="d0001", summary=summary, promote=promote)


def test_a_draft_is_nobodys_run_until_it_is_committed(ws: Workspace) -> None:
    draft = runs.new_run_dir(ws)
    (draft / "model.txt").write_text("weights")
    assert runs.list_runs(ws).empty and runs.latest_run_id(ws) is None
    with pytest.raises(NoModelError, match=r"There is no trained model yet\. Train one on the Models page\."):
        runs.run_dir(ws)
    run_id = runs.commit_run(ws, draft, dataset_id="d0001", summary={"seed": 3, "auc": 0.71})
    assert run_id == "r0001" and not draft.exists()
    assert (runs.run_dir(ws) / "model.txt").read_text() == "weights"
    listed = runs.list_runs(ws)
    assert listed.loc[0, ["run_id", "dataset_id", "promoted", "seed", "auc"]].tolist() == [
        "r0001", "d0001", True, 3, 0.71,
    ]  # fmt: skip
    with pytest.raises(WorkspaceError, match="is not an open draft of this workspace"):
        runs.commit_run(ws, draft, dataset_id="d0001", summary={})
    with pytest.raises(WorkspaceError, match="is not an open draft"):
        runs.commit_run(ws, ws.runs_dir, dataset_id="d0001", summary={})


def test_the_newest_promoted_run_is_used_unless_the_user_chose(ws: Workspace) -> None:
    first, second = _commit(ws), _commit(ws)
    assert runs.latest_run_id(ws) == second
    third = _commit(ws, promote=False)
    assert runs.latest_run_id(ws) == second
    runs.promote_run(ws, first)
    assert runs.latest_run_id(ws) == first
    assert runs.list_runs(ws).set_index("run_id")["promoted"].to_dict() == {
        first: True,
        second: False,
        third: False,
    }
    _commit(ws, promote=False)
    assert runs.latest_run_id(ws) == first
    fifth = _commit(ws)
    assert runs.latest_run_id(ws) == fifth
    runs.promote_run(ws, third)
    runs.delete_run(ws, third)
    assert runs.latest_run_id(ws) == fifth
    with pytest.raises(WorkspaceError, match="holds no trained model 'r0099'"):
        runs.promote_run(ws, "r0099")


def test_a_scenario_of_the_same_name_replaces_the_old_one(ws: Workspace) -> None:
    results = pd.DataFrame({"strategy": ["uniform"], "profit": [10.25]})
    first = scenarios.save_scenario(ws, "Costs up 5%", {"cost_change_rate": 0.05}, results)
    second = scenarios.save_scenario(ws, "Base", {}, results)
    assert (first, second) == ("s0001", "s0002")
    assert scenarios.save_scenario(ws, " Costs up 5% ", {"cost_change_rate": 0.06}, results.assign(profit=9.0)) == first
    loaded = scenarios.load_scenario(ws, first)
    assert loaded.spec == {"cost_change_rate": 0.06} and loaded.results["profit"].tolist() == [9.0]
    assert set(scenarios.list_scenarios(ws)["name"]) == {"Costs up 5%", "Base"}
    scenarios.delete_scenario(ws, first)
    for missing in (first, "x1", "s"):
        with pytest.raises(WorkspaceError, match=f"holds no scenario '{missing}'"):
            scenarios.load_scenario(ws, missing)
    with pytest.raises(ConfigError, match="The scenario's name is empty"):
        scenarios.save_scenario(ws, "  ", {}, results)


def test_numbers_and_times_of_numpy_and_pandas_are_kept_as_plain_values(ws: Workspace) -> None:
    _commit(ws, auc=np.float32(0.5), rows=np.int64(7), as_of=pd.Timestamp("2025-01-01", tz="UTC"))
    listed = runs.list_runs(ws).loc[0, ["auc", "rows", "as_of"]]
    assert listed.tolist() == [0.5, 7, "2025-01-01T00:00:00+00:00"]


def test_settings_last(ws: Workspace) -> None:
    assert settings.get(ws, "target", 0.3) == 0.3
    settings.set(ws, "target", {"margin": [1, None, "é"]})
    settings.set(ws, "target", {"margin": [2, None, "é"]})
    assert settings.get(Workspace(ws.root), "target") == {"margin": [2, None, "é"]}
