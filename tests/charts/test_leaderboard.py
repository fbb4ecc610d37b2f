"""Models side by side: order, and the gain over the shop's average."""

from __future__ import annotations

import pytest

from pricing_core.charts.leaderboard import leaderboard_data
from pricing_core.errors import DataError


def _figures(log_loss: float) -> dict[str, float]:
    return {"log_loss": log_loss, "auc": 0.5, "accuracy": 0.9, "brier": 0.1, "calibration_slope": 1.0}


def test_models_are_ordered_by_log_loss_and_measured_against_the_average() -> None:
    metrics = {
        **_figures(0.30),
        "baselines": {
            "average of the shop": _figures(0.40),
            "monotone boosted trees": _figures(0.28),
            "average of the product": _figures(0.44),
        },
    }
    table = leaderboard_data(metrics)
    assert list(table["model"]) == [
        "monotone boosted trees", "behavior model", "average of the shop", "average of the product",
    ]  # fmt: skip
    assert table["gain_rate"].tolist() == pytest.approx([0.30, 0.25, 0.0, -0.10])


def test_a_run_without_the_average_is_refused() -> None:
    with pytest.raises(DataError, match="average of the shop"):
        leaderboard_data({**_figures(0.3), "baselines": {}})
