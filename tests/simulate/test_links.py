"""Links: what goes in comes out, nothing personal goes in, and a wrong link is refused in words."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest

from pricing_core.errors import ConfigError
from pricing_core.simulate import Scenario
from pricing_core.simulate.links import from_query, to_query

NAMES = ("status_quo", "uniform", "product")
FULL = Scenario(
    name="for c_0017 of Anna", cost_change_rate=0.1, competitor_change_rate=-0.05, competitor_reaction_rate=0.3,
    demand_shift_rate=0.07, demand_by_category={"tea & more": -0.2}, season_week=48, season_demand_rate=0.01,
    stock_share=0.5, stock_cover_weeks=3, churn_rate=0.02, reach_rate=0.4, horizon_weeks=8, occasions_per_week=3921.5,
)  # fmt: skip


def test_a_link_reproduces_every_setting_through_a_browser_address() -> None:
    address = urlencode(to_query(FULL, ["uniform", "product"], "product"))
    link = from_query(dict(parse_qsl(address)), strategies=NAMES, occasions_per_week=3921.5)
    assert link.scenario == Scenario(**{**FULL.to_dict(), "name": "base case"})
    assert (link.strategies, link.focus) == (("uniform", "product"), "product")


def test_a_link_holds_settings_only() -> None:
    query = to_query(FULL, ["uniform"])
    assert not any("c_0017" in value or "Anna" in value for value in (*query, *query.values()))
    assert "3921.5" not in query.values()
    assert to_query(Scenario()) == {}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"cost": "ten"}, "The link's cost is 'ten'"),
        ({"cost": "nan"}, "cost_change_rate is nan"),
        ({"cost": "-200"}, r"cost_change_rate is -2\.0"),
        ({"customer_id": "c1"}, "unknown here: 'customer_id'"),
        ({"strategies": "uniform,evil"}, "does not exist here: 'evil'"),
        ({"focus": "evil"}, "does not exist here: 'evil'"),
        ({"week": "99"}, "season_week is 99"),
        ({f"demand_in.{k}": "1" for k in range(60)}, "The link has 60 settings"),
    ],
)
def test_a_wrong_link_is_refused_in_words(query: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_query(query, strategies=NAMES)
