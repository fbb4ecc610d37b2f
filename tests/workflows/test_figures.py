"""Figures of a run on disk: valid JSON, and a number that is not known stays a number."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from pricing_core.store import runs
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.figures import read_figures, write_json

from .conftest import TrainedShop

FIGURES = {
    "auc": math.nan, "log_loss": np.float32(0.5), "price_band_slope": (1.0, -math.inf, np.float64("nan")),
    "policy_value": {"product": {"value": math.nan, "reliable": False}}, "pricing_model": {"pressure_share": None},
}  # fmt: skip


def refused(constant: str) -> float:
    raise AssertionError(f"{constant} is no JSON.")


def test_what_is_not_known_is_null_and_comes_back_as_it_was(tmp_path: Path) -> None:
    write_json(tmp_path / "new.json", FIGURES)
    (tmp_path / "old.json").write_text(json.dumps(FIGURES, default=float))  # as an earlier version wrote it: bare NaN
    kept = json.loads((tmp_path / "new.json").read_text(), parse_constant=refused)
    assert kept["auc"] is None and kept["price_band_slope"] == [1.0, None, None] and kept["log_loss"] == 0.5
    for name in ("new.json", "old.json"):
        found = read_figures(tmp_path / name)
        assert math.isnan(found["auc"]) and math.isnan(found["policy_value"]["product"]["value"])
        assert not any(map(math.isfinite, found["price_band_slope"][1:]))
        assert found["pricing_model"] == {"pressure_share": None}


@pytest.mark.parametrize("name", ["metrics.json", "manifest.json"])
def test_a_run_is_valid_json(trained: TrainedShop, name: str) -> None:
    text = (runs.run_dir(Workspace(trained.workspace)) / name).read_text()
    assert json.loads(text, parse_constant=refused)
