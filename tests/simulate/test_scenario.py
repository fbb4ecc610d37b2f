"""Scenarios: what they change, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pricing_core.errors import ConfigError
from pricing_core.simulate import Scenario
from tests.pricing_cases import make_rows


def test_cost_and_demand_change_as_stated() -> None:
    rows = make_rows(12)
    changed = Scenario(cost_change_rate=0.1, demand_shift_rate=0.25).apply(rows)
    np.testing.assert_allclose(changed.unit_cost, 1.1 * rows.unit_cost)
    before = rows.response.probability_draws(rows.current_price)
    after = changed.response.probability_draws(rows.current_price)
    np.testing.assert_allclose(after / (1 - after), 1.25 * before / (1 - before), rtol=1e-10)


def test_totals_stand_for_the_rows_or_for_the_horizon() -> None:
    rows = make_rows(12, weight=np.full(12, 2.0))
    assert Scenario().occasions(rows) == 24.0
    assert Scenario(horizon_weeks=6, occasions_per_week=500).occasions(rows) == 3000.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cost_change_rate": -1.0}, r"cost_change_rate is -1\.0\. It must be above -1"),
        ({"demand_shift_rate": "more"}, "demand_shift_rate is 'more'"),
        ({"horizon_weeks": 0}, r"horizon_weeks is 0\. It must be above 0"),
        ({"occasions_per_week": -5}, "occasions_per_week is -5"),
        ({"name": " "}, "The name of the scenario is ' '"),
    ],
)
def test_a_value_that_is_not_allowed_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Scenario(**values)


def test_scenarios_are_read_from_toml_and_unknown_settings_named() -> None:
    text = '[scenario]\nname = "dear coffee"\ncost_change_rate = 0.2\n'
    assert Scenario.from_toml(text) == Scenario(name="dear coffee", cost_change_rate=0.2)
    with pytest.raises(ConfigError, match=r"Unknown scenario setting: cost\. Allowed are name, cost_change_rate"):
        Scenario.from_toml("cost = 0.2")
