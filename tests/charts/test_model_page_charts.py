"""Charts of the Models page: candidates, lift, errors by group, going price."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from pricing_core.charts.going_price import going_price_data, going_price_figure
from pricing_core.charts.group_errors import group_error_data, group_error_figure
from pricing_core.charts.leaderboard import CANDIDATE, YARDSTICK, candidates_data, candidates_figure
from pricing_core.charts.lift import lift_data, lift_figure
from pricing_core.errors import DataError
from pricing_core.evaluate.family_values import FORECAST
from pricing_core.evaluate.group_errors import group_errors
from pricing_core.evaluate.lift import lift_table

BASELINES = {
    "monotone boosted trees": {"log_loss": 0.46, "auc": 0.73, "accuracy": 0.8},
    "average of the shop": {"log_loss": 0.51, "auc": 0.5, "accuracy": 0.78},
}
METRICS = {
    "log_loss": 0.45, "auc": 0.74, "accuracy": 0.81, "price_band_slope": [1.0, 0.9, 1.1], "baselines": BASELINES,
}  # fmt: skip


def candidate(family: str, value: float, **changed: object) -> dict[str, object]:
    return {
        "family": family, "label": family.title(), "policy_value": value, "policy_low": value - 0.05,
        "policy_high": value + 0.05, "log_loss": 0.5 - value / 10, "auc": 0.7, "accuracy": 0.8, "seconds": 3.0,
        "size_bytes": 1e6, "chosen": False, **changed,
    }  # fmt: skip


def test_an_old_run_shows_what_it_has() -> None:
    table = candidates_data(METRICS, seconds=60, size_bytes=2e6)
    assert table["label"].tolist() == ["Deep behavior model", "Monotone boosted trees", "Average of the shop"]
    assert table["kind"].tolist() == [CANDIDATE, YARDSTICK, YARDSTICK]
    first = table.iloc[0]
    assert bool(first["chosen"]) and (first["seconds"], first["price_slope"]) == (60, 1.0)
    assert math.isnan(first["policy_value"]) and table["price_slope"].isna().tolist() == [False, True, True]
    assert candidates_figure(table) is None
    judged = {"policy_value": {"personalized": {"reliable": True, "value": 0.7, "low": 0.6, "high": 0.8}}}
    assert candidates_data({**METRICS, **judged}).loc[0, "policy_high"] == 0.8


def test_candidates_come_chosen_first_and_a_yardstick_that_competed_is_not_told_twice() -> None:
    rows = [candidate("network", 0.6), candidate("monotone_trees", 0.7, chosen=True), candidate("bayes", 0.5)]
    del rows[2]["policy_value"]
    table = candidates_data({**METRICS, "leaderboard": rows})
    assert table["family"].tolist() == ["monotone_trees", "network", "bayes", "average of the shop"]
    figure = candidates_figure(table, currency="EUR")
    assert figure is not None
    assert figure.layout.title.text.replace("<br>", " ") == (
        "On past offers, the prices of “Monotone_Trees” earned most: €700.00 per 1,000 offers"
    )
    assert {trace.marker.symbol for trace in figure.data} == {"circle", "diamond"}
    rows[1]["policy_basis"] = FORECAST
    judged = candidates_data({**METRICS, "leaderboard": rows})
    assert judged.loc[0, "policy_basis"] == FORECAST
    assert candidates_figure(judged).layout.title.text.startswith("By the forecast of the other models")
    rows[0] |= {"policy_value": 0.75, "policy_low": 0.7, "policy_high": 0.8}
    close = candidates_data({**METRICS, "leaderboard": rows})
    rows[0] |= {"policy_value": 0.9, "policy_low": 0.85}
    apart = candidates_data({**METRICS, "leaderboard": rows})
    titles = [candidates_figure(each, currency="EUR").layout.title.text.replace("<br>", " ") for each in (close, apart)]
    assert "€750.00 per 1,000 offers, against €700.00 of the chosen model; the ranges overlap, so that" in titles[0]
    assert titles[1].endswith("€900.00 per 1,000 offers, against €700.00 of the chosen model")


def test_lift_says_how_much_more_the_best_tenth_buys() -> None:
    y = [1.0] * 20 + [0.0] * 80
    data = lift_data(lift_table(y, [1 - k / 100 for k in range(100)]))
    assert data.overall == 0.2
    assert data.finding == (
        "The highest rated tenth buys 5.0 times as often as the average; the first tenth holds 50% of all purchases"
    )
    assert [trace.name for trace in lift_figure(data).data] == ["observed, 90% interval", "forecast"]
    weighted = lift_data(lift_table([1.0, 0.0, 1.0, 0.0], [0.9, 0.8, 0.3, 0.2], [1.0, 10.0, 1.0, 10.0], groups=2))
    assert weighted.overall == pytest.approx(2 / 22)
    assert lift_data(lift_table([0.0, 0.0], [0.1, 0.2])).finding == "Nobody bought, so that there is nothing to rank"


def test_errors_by_group_name_the_worst() -> None:
    y, p = [1.0, 0.0] * 100, [0.5] * 100 + [0.9] * 100
    table = group_errors(y, p, ["a"] * 100 + ["<b>"] * 100)
    data = group_error_data(table, "Category")
    assert data.finding == (
        "By category, the forecast holds in 1 of 2 groups; most off for “<b>”: 40.0 points too high "
        "(standard error 3.0)"
    )
    figure = group_error_figure(data)
    assert {trace.name for trace in figure.data} == {"as forecast", "forecast too high"}
    assert "&lt;b&gt;" in figure.data[1].y[0]
    assert group_error_data(table[table["group"] == "a"], "Price").finding == (
        "By price, the forecast holds in the group"
    )
    few = group_errors([1, 0], [0.5, 0.5], ["a", "b"])
    assert "has enough offers" in group_error_data(few, "Price").finding


def test_the_going_price_names_the_category_it_misses_most() -> None:
    figures = {
        "chosen": "trees", "errors": {"trees": 0.08},
        "by_category": {"category": ["cups", "tea"], "n": [10, 30], "level": [0.2, 0.3], "trees": [0.1, 0.07],
                        "network": [0.11, 0.08]},
    }  # fmt: skip
    data = going_price_data(figures)
    assert data.table["category"].tolist() == ["tea", "cups"] and data.models == ("level", "trees", "network")
    assert data.finding == "A charged price is 8.0% from the going price on average, most in “cups” (10.0%)"
    assert len(going_price_figure(data).data) == 3
    with pytest.raises(DataError, match="no errors of the going price"):
        going_price_data({})
    assert isinstance(data.table, pd.DataFrame)
