"""A log that has grown is learned from the last model, on the command line's own path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.endogenous import as_dataset, draw
from pricing_core import workflows
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.warm import extends, previous_run

CONFIG = workflows.TrainingConfig(quick=True, family="network", settings={"members": 2, "max_epochs": 3})


@pytest.mark.extra
def test_training_on_a_log_that_has_grown_starts_from_the_run_in_use(tmp_path: Path) -> None:
    ws = Workspace.open(tmp_path)
    whole = as_dataset(draw(2_400, 0), instrument=False)
    part = replace(whole, offers=whole.offers.iloc[:2_000].reset_index(drop=True))

    def store(offers: pd.DataFrame) -> str:
        tables = {"offers": offers, "customers": whole.customers, "products": whole.products}
        stored = workflows.import_files(ws, tables, name="grown", source="test", pseudonymize=False)
        return str(stored.dataset_id)

    first = workflows.train(ws, store(part.offers), config=CONFIG)
    assert workflows.load_run(ws, first).manifest["warm_start"]["run"] == ""
    grown = store(whole.offers)
    manifest = workflows.load_run(ws, first).manifest
    assert extends(datasets.load_dataset(ws, grown), manifest)
    assert not extends(part, manifest)  # nothing new
    second = workflows.load_run(ws, workflows.train(ws, grown, config=CONFIG))
    assert second.manifest["warm_start"] == {"run": first, "used": True, "reason": ""}
    assert second.manifest["config"]["warm_start"] == first
    assert second.metrics["held_out_from"] > manifest["log_to"][:10]
    cold = workflows.load_run(ws, workflows.train(ws, grown, config=replace(CONFIG, warm_start="none")))
    assert not cold.manifest["warm_start"]["used"]
    again = previous_run(ws, first, datasets.load_dataset(ws, grown))
    assert again is not None and again.run_id == first
