"""Designs, readouts and backtests are kept under their names."""

from __future__ import annotations

import pandas as pd
import pytest

from pricing_core.errors import ConfigError, WorkspaceError
from pricing_core.store import measurements
from pricing_core.store.workspace import Workspace

FRAME = pd.DataFrame({"unit": ["007", "x"], "arm": ["test", "control"]})


def test_a_measurement_survives_a_restart(ws: Workspace) -> None:
    kept = measurements.save_measurement(ws, "design", " Autumn ", {"seed": 3, "p_value": 0.4}, FRAME)
    again = measurements.load_measurement(Workspace(ws.root), kept)
    assert (again.kind, again.name, again.record) == ("design", "Autumn", {"seed": 3, "p_value": 0.4})
    pd.testing.assert_frame_equal(again.frame, FRAME, check_dtype=False)
    assert measurements.find_measurement(ws, "design", "Autumn").measurement_id == kept


def test_a_name_is_used_once_per_kind_and_the_newest_comes_first(ws: Workspace) -> None:
    first = measurements.save_measurement(ws, "design", "A", {"n": 1}, FRAME)
    measurements.save_measurement(ws, "design", "B", {"n": 2}, FRAME)
    other = measurements.save_measurement(ws, "readout", "A", {"n": 3}, FRAME)
    assert measurements.save_measurement(ws, "design", "A", {"n": 4}, FRAME) == first
    listed = measurements.list_measurements(ws, "design")
    assert listed["name"].tolist() == ["A", "B"]
    assert listed["record"].iloc[0] == {"n": 4}
    assert measurements.load_measurement(ws, other).record == {"n": 3}


def test_a_deleted_measurement_is_gone_and_an_unknown_one_is_named(ws: Workspace) -> None:
    kept = measurements.save_measurement(ws, "backtest", "A", {}, FRAME)
    measurements.delete_measurement(ws, kept)
    for wrong in (kept, "m0077", "nonsense"):
        with pytest.raises(WorkspaceError, match=f"holds no measurement '{wrong}'"):
            measurements.load_measurement(ws, wrong)
    with pytest.raises(WorkspaceError, match=r"There is no backtest called 'A'\. Saved so far: none\."):
        measurements.find_measurement(ws, "backtest", "A")


def test_what_has_no_name_or_kind_is_refused(ws: Workspace) -> None:
    with pytest.raises(ConfigError, match="The design has no name"):
        measurements.save_measurement(ws, "design", "  ", {}, FRAME)
    with pytest.raises(ConfigError, match="no measurement of the kind 'guess'"):
        measurements.save_measurement(ws, "guess", "A", {}, FRAME)
