"""The registry of runs: in use, back again, notes, deletion, and what was in use when."""

from __future__ import annotations

import pandas as pd
import pytest

from pricing_core.errors import AccessError, ConfigError, ModelError, WorkspaceError
from pricing_core.store import audit, pricelists, run_registry, runs, shelf
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor, self_declared

ANN = Actor("ann@shop.example", "analyst", verified=True)
VI = Actor("vi@shop.example", "viewer", verified=True)


def commit(ws: Workspace, *, promote: bool = True) -> str:
    draft = runs.new_run_dir(ws)
    (draft / "model.txt").write_text("weights")
    return runs.commit_run(ws, draft, dataset_id="d0001", summary={"seed": 1}, promote=promote)


def test_a_run_is_put_in_use_and_taken_back_and_the_log_says_who(ws: Workspace) -> None:
    first, second, third = commit(ws), commit(ws), commit(ws, promote=False)
    run_registry.put_in_use(ws, third, actor=ANN)
    assert runs.latest_run_id(ws) == third and run_registry.previous_run_id(ws) == second
    assert run_registry.roll_back(ws, actor=self_declared("Ben")) == second
    assert runs.latest_run_id(ws) == second and run_registry.previous_run_id(ws) == first
    history = run_registry.usage_history(ws)
    assert history["run_id"].tolist() == [second, third, second, first]
    assert history["why"].tolist() == ["rolled back", "chosen", "trained", "trained"]
    assert history["actor"].tolist() == ["Ben (self-declared)", "ann@shop.example", "", ""]
    assert pd.isna(history.loc[0, "until"]) and history["since"].is_monotonic_decreasing
    assert (history["until"].to_numpy()[1:] == history["since"].to_numpy()[:-1]).all()
    assert audit.verify(ws).intact and len(audit.entries(ws)) == 4
    assert audit.entries(ws, third).iloc[0]["before"] == {"run_id": second}


def test_going_back_again_goes_further_back(ws: Workspace) -> None:
    first, second, third = commit(ws), commit(ws), commit(ws)
    assert run_registry.earlier_run_ids(ws) == [second, first]
    assert [run_registry.roll_back(ws, actor=ANN) for _ in range(2)] == [second, first]
    assert run_registry.earlier_run_ids(ws) == []
    for run_id in (third, second, third):  # a run can lie on the way more than once
        run_registry.put_in_use(ws, run_id, actor=ANN)
    assert [run_registry.roll_back(ws, actor=ANN) for _ in range(3)] == [second, third, first]
    with pytest.raises(ModelError, match=f"{third} has not been in use before the present model"):
        run_registry.roll_back(ws, actor=ANN, to=third)


def test_without_an_earlier_run_there_is_nothing_to_go_back_to(ws: Workspace) -> None:
    commit(ws)
    with pytest.raises(ModelError, match="No other model has been in use before"):
        run_registry.roll_back(ws, actor=ANN)
    with pytest.raises(WorkspaceError, match="holds no trained model 'r0009'"):
        run_registry.put_in_use(ws, "r0009", actor=ANN)


def test_runs_from_before_the_log_knew_of_them_are_in_the_history(ws: Workspace) -> None:
    draft = runs.new_run_dir(ws)
    record = {"dataset_id": "d0001", "summary": {}, "promote": True}
    old = shelf.commit(ws, runs.SHELF, draft, record)
    new = commit(ws)
    assert run_registry.usage_history(ws)["run_id"].tolist() == [new, old]
    assert run_registry.roll_back(ws, actor=ANN) == old


def test_a_note_is_kept_replaced_and_removed(ws: Workspace) -> None:
    run_id = commit(ws)
    assert runs.list_runs(ws)["note"].tolist() == [""]
    run_registry.set_note(ws, run_id, "  after the \n autumn sale ", actor=ANN)
    assert runs.list_runs(ws)["note"].tolist() == ["after the autumn sale"]
    run_registry.set_note(ws, run_id, "after the autumn sale", actor=ANN)
    run_registry.set_note(ws, run_id, "", actor=ANN)
    assert runs.list_runs(ws)["note"].tolist() == [""]
    assert audit.entries(ws, run_id)["action"].tolist() == ["note model", "note model", "use model"]
    with pytest.raises(ConfigError, match="501 characters"):
        run_registry.set_note(ws, run_id, "x" * 501, actor=ANN)


def test_only_a_run_that_nothing_rests_on_is_deleted(ws: Workspace) -> None:
    first, second, third = commit(ws), commit(ws), commit(ws)
    from_day = pd.Timestamp("2026-01-01", tz="UTC")
    frame = pd.DataFrame({"product_id": ["a"], "new_price": [1.0], "effective_from": [from_day]})
    pricelists.save_price_list(ws, frame, strategy="product", run_id=first, dataset_id="d0001", summary={})
    with pytest.raises(ModelError, match=f"{third} is in use. Put another model in use first"):
        run_registry.delete(ws, third, actor=ANN)
    with pytest.raises(ModelError, match=f"{first} made the price list p0001, which could no longer be explained"):
        run_registry.delete(ws, first, actor=ANN)
    run_registry.delete(ws, second, actor=ANN)
    assert runs.list_runs(ws)["run_id"].tolist() == [third, first]
    assert not (ws.runs_dir / second).exists()
    history = run_registry.usage_history(ws).set_index("run_id")
    assert history["deleted"].to_dict() == {third: False, second: True, first: False}
    assert run_registry.previous_run_id(ws) == first
    assert audit.entries(ws, second)["action"].tolist() == ["delete model", "use model"]
    with pytest.raises(WorkspaceError, match="holds no trained model"):
        run_registry.delete(ws, second, actor=ANN)


def test_a_viewer_may_do_none_of_it(ws: Workspace) -> None:
    first, second = commit(ws), commit(ws)
    for verb in (
        lambda: run_registry.put_in_use(ws, first, actor=VI),
        lambda: run_registry.roll_back(ws, actor=VI),
        lambda: run_registry.set_note(ws, first, "mine", actor=VI),
        lambda: run_registry.delete(ws, first, actor=VI),
    ):
        with pytest.raises(AccessError, match="who may not train models"):
            verb()
    assert runs.latest_run_id(ws) == second
