"""The time that a training is said to take: from earlier ones of its kind, else by the rule."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pricing_core.store import runs
from pricing_core.store.workspace import Workspace
from pricing_core.workflows import training_time


def kept(ws: Workspace, seconds: float, *, quick: bool, family: str, rows: int, warm: bool = False) -> None:
    draft = runs.new_run_dir(ws)
    manifest = {
        "config": {"quick": quick, "family": family}, "counts": {"rows_used": rows}, "seconds": {"total": seconds},
        "warm_start": {"used": warm},
    }  # fmt: skip
    (draft / "manifest.json").write_text(json.dumps(manifest))
    runs.commit_run(ws, draft, dataset_id="d0001", summary={})


def test_earlier_trainings_of_the_same_kind_tell_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    ws = Workspace(tmp_path / "shop")
    ruled = training_time(ws, 100_000, quick=True)
    assert ruled.trainings == 0 and ruled.seconds == 15 + 100 * 0.15
    assert (
        training_time(ws, 100_000, quick=False).seconds
        > training_time(ws, 100_000, quick=False, family="bayes").seconds
    )
    # A quick training takes at most 210,000 offers.
    assert training_time(ws, 10**7, quick=True) == training_time(ws, 210_000, quick=True)
    kept(ws, 5.0, quick=True, family="auto", rows=100_000, warm=True)  # it began with what another had learned
    kept(ws, 999.0, quick=False, family="auto", rows=100_000)
    assert training_time(ws, 100_000, quick=True) == ruled
    for seconds in (900.0, 60.0, 120.0, 90.0):
        kept(ws, seconds, quick=True, family="auto", rows=100_000)
    found = training_time(ws, 100_000, quick=True, family="network")  # what a quick training takes anyway
    assert (found.seconds, found.trainings) == (90.0, 3)
    assert training_time(ws, 200_000, quick=True).seconds == pytest.approx(90 * 45 / 30)
    assert training_time(ws, 100_000, quick=True, family="bayes").trainings == 0
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert training_time(Workspace(tmp_path / "other"), 100_000, quick=True).seconds == 2 * ruled.seconds
