"""Explanations, strategies and price changes: numbers and titles behind the pictures."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pricing_core.charts.explain import (
    REST,
    lime_data,
    lime_figure,
    shap_global_data,
    shap_global_figure,
    shap_local_data,
    shap_local_figure,
)
from pricing_core.charts.price_list import price_change_data, price_change_figure
from pricing_core.charts.price_steps import ladder_finding, price_ladder_data, price_ladder_figure
from pricing_core.charts.scenarios import frontier_data, frontier_figure, scenario_data, scenario_figure
from pricing_core.errors import DataError
from pricing_core.explain.lime import LimeResult
from pricing_core.explain.price_steps import price_ladder
from pricing_core.explain.shapley import ShapResult

NAMES = ("loyalty tier", "age of account", "competitor price")


def test_global_importance_shows_one_outcome_and_its_share() -> None:
    table = pd.DataFrame(
        {
            "outcome": ["probability", "sensitivity", "sensitivity", "sensitivity"],
            "feature": ["x", *NAMES],
            "mean_abs": [9.0, 1.0, 2.0, 1.0],
        }
    )
    data = shap_global_data(table, outcome="sensitivity", name="price sensitivity", most=2)
    assert data.table["feature"].tolist() == ["age of account", "loyalty tier"]
    assert data.table["share"].tolist() == [0.5, 0.25]
    assert data.n_left_out == 1
    assert data.finding == "The price sensitivity is moved most by age of account and loyalty tier: 75% of all movement"
    figure = shap_global_figure(data)
    assert list(figure.data[0].y) == ["loyalty tier", "age of account"]  # drawn from the bottom up
    assert "1 smaller not shown" in figure.layout.xaxis.title.text
    with pytest.raises(DataError, match="no importance for 'taste'; the run holds probability, sensitivity"):
        shap_global_data(table, outcome="taste")


def _shap(values: list[float], base: float = 0.2) -> ShapResult:
    row = np.array([values])
    return ShapResult(
        feature_names=NAMES[: len(values)],
        values=row,
        base_value=base,
        prediction=base + row.sum(axis=1),
        additivity_error=1e-12,
        standard_error=np.full_like(row, 0.003),
        displayed=pd.DataFrame([["gold", 3.0, 12.5][: len(values)]], columns=list(NAMES[: len(values)])),
    )


def test_the_local_bars_lead_from_the_typical_offer_to_this_one_with_the_rest_in_one_bar() -> None:
    data = shap_local_data(_shap([0.02, -0.15, 0.04]), name="chance of a purchase", most=1)
    assert data.table["feature"].tolist() == ["age of account", REST]
    assert data.table["contribution"].tolist() == pytest.approx([-0.15, 0.06])
    assert data.table["standard_error"][1] == pytest.approx(0.003 * math.sqrt(2))
    assert data.start + data.table["contribution"].sum() == pytest.approx(data.end)
    assert data.finding == (
        "The chance of a purchase is lowered most by age of account: from the typical 0.2 to 0.11 with all steps"
    )
    figure = shap_local_figure(data)
    assert list(figure.data[0].measure) == ["absolute", "relative", "relative", "total"]
    assert figure.data[0].y[1] == "age of account = 3"
    assert figure.layout.xaxis.title.text == "Answer"
    wrong = shap_local_figure(replace(data, additivity_error=0.02), unit="Price sensitivity")
    assert wrong.layout.xaxis.title.text == "Price sensitivity, off by 0.02"
    assert shap_local_data(_shap([0.0, 0.0])).finding == "This offer's prediction is the typical one: 0.2"


def test_a_chance_is_written_in_percent() -> None:
    data = shap_local_data(_shap([0.004, -0.0002], base=0.0048), name="chance of a purchase", is_rate=True)
    assert data.finding == (
        "The chance of a purchase is raised most by loyalty tier: from the typical 0.48% to 0.86% with all steps"
    )
    assert list(shap_local_figure(data).data[0].text) == ["0.48%", "+0.40%", "−0.020%", "0.86%"]


def test_features_that_read_the_same_keep_their_own_bars() -> None:
    shap = _shap([0.02, -0.15])
    same = replace(
        shap, feature_names=("views of this product in the last week", "views of this product in the last ye")
    )
    places = shap_local_figure(shap_local_data(replace(same, displayed=None))).data[0].y
    assert len(set(places)) == 4


def _lime(r2: float) -> LimeResult:
    return LimeResult(
        NAMES, np.array([0.01, -0.2, 0.1]), np.full(3, 0.01), 0.2, 0.11, 0.11, r2, np.full(5, r2), 0.97, 1.0
    )


@pytest.mark.parametrize(("r2", "word"), [(0.9, "well"), (0.6, "roughly"), (0.2, "badly")])
def test_lime_says_how_well_its_line_fits(r2: float, word: str) -> None:
    data = lime_data(_lime(r2), name="chance of a purchase")
    assert data.finding == (
        f"The chance of a purchase is lowered most by age of account; the line fits the model {word} "
        f"(R² {r2:.2f}, stability 0.97)"
    )
    figure = lime_figure(data)
    assert list(figure.data[0].marker.pattern.shape) == ["", "", "/"]  # direction is not told by color alone


def test_a_flat_model_has_no_line_to_praise() -> None:
    assert lime_data(_lime(math.nan)).finding == "The model is flat around this offer: its prediction does not change"


def test_the_ladder_is_drawn_in_money_and_names_its_largest_step() -> None:
    ladder = price_ladder({"reference": 12.99, "sensitivity": 11.64, "ending": 11.49})
    table = price_ladder_data(ladder)
    assert table["kind"].tolist() == ["start", "change", "change", "final"]
    assert 12.99 + table["change"].sum() == pytest.approx(11.49)
    figure = price_ladder_figure(ladder, currency="USD")
    assert list(figure.data[0].text) == ["$12.99", "−$1.35", "−$0.15", "$11.49"]
    told = "From the going price $12.99 to $11.49: the largest step is price sensitivity (−$1.35)"
    assert ladder_finding(ladder, "USD") == told
    still = price_ladder({"reference": 5, "kept": 5})
    assert ladder_finding(still) == "The recommended price 5.00 is the going price; no step moves it"


def _strategies(**profit: float) -> pd.DataFrame:
    table = pd.DataFrame({"strategy": list(profit), "profit": list(profit.values())})
    table["revenue"], table["conversion_rate"] = 3 * table["profit"], 0.1 + np.arange(len(table)) / 100
    for name in ("profit", "revenue", "conversion_rate"):
        table[f"{name}_low"], table[f"{name}_high"] = 0.9 * table[name], 1.2 * table[name]
    table["profit_uplift_rate"] = table["profit"] / 100 - 1
    return table.assign(profit_uplift_rate_low=table["profit_uplift_rate"] - 0.1, profit_uplift_rate_high=0.3)


def test_strategies_are_compared_with_the_best_uniform_change_and_with_today() -> None:
    data = scenario_data(_strategies(status_quo=100, uniform=105, personalized=111.3))
    assert data.table["strategy"].tolist() == ["personalized", "uniform", "status_quo"]
    assert data.finding == (
        "Personal prices earn most, +6.0% profit over one change for all and +11.3% over today "
        "(90% range +1.3% to +30.0%)"
    )
    figure = scenario_figure(data, currency="EUR")
    assert figure.layout.annotations[0].text == "Profit (EUR), 90% range"
    assert list(figure.data[0].x) == [100, 105, 111.3]
    assert list(figure.data[0].error_x.array) == pytest.approx([20, 21, 22.26])
    assert list(figure.data[0].marker.symbol) == ["circle", "diamond", "circle"]
    assert [shape.x0 for shape in figure.layout.shapes] == pytest.approx([105, 315, 0.11])
    named = [(trace.name, trace.marker.symbol) for trace in figure.data if trace.showlegend]
    assert named == [("best uniform change, the fair baseline", "diamond")]


def test_a_range_that_reaches_below_zero_is_said_to_allow_a_loss() -> None:
    assert scenario_data(_strategies(status_quo=100, product=104)).finding == (
        "One price per product earns most and +4.0% over today (90% range −6.0% to +30.0%); a loss is not ruled out"
    )
    assert scenario_data(_strategies(status_quo=100, uniform=90)).finding == (
        "Today's prices earn most, +11.1% profit over one change for all"
    )
    with pytest.raises(DataError, match="lacks the columns revenue, revenue_low"):
        scenario_data(pd.DataFrame({"strategy": ["a"], "profit": [1], "profit_low": [1], "profit_high": [1]}))


def test_the_frontier_keeps_what_no_other_strategy_beats_in_both_goals() -> None:
    table = pd.DataFrame(
        {"strategy": list("abcd"), "conversion_rate": [0.1, 0.2, 0.2, 0.3], "profit": [5.0, 9.0, 8.0, 7.0]}
    )
    data = frontier_data(table)
    assert data.table.loc[data.table["best"], "strategy"].tolist() == ["b", "d"]
    assert data.finding == "B and d trade profit and conversion rate off; every other strategy is beaten in both"
    assert [trace.marker.symbol for trace in frontier_figure(data).data[1:]] == ["circle", "x"]
    assert frontier_data(table.iloc[[0, 1]]).finding == "B is best in both profit and conversion rate"
    twins = pd.DataFrame({"strategy": ["a", "b"], "conversion_rate": [0.1, 0.1], "profit": [5.0, 5.0]})
    assert frontier_data(twins).table["best"].all()


def test_price_changes_are_counted_once_and_zero_has_a_bin_of_its_own() -> None:
    rate = np.array([-0.101, -0.03, -0.03, 0.0, 0.0, 1e-6, 0.02, math.nan])
    data = price_change_data(rate, bins=10)
    assert (data.n_cut, data.n_unchanged, data.n_raised, data.n_unknown) == (3, 3, 1, 1)
    assert data.bins["n"].sum() == 7
    assert data.bins.loc[data.bins["kind"] == "unchanged", "n"].tolist() == [3]
    assert data.bins["low"].to_numpy()[1:] == pytest.approx(data.bins["high"].to_numpy()[:-1])
    for value, kind in ((-0.101, "cut"), (-0.03, "cut"), (0.02, "raise")):
        inside = data.bins[(data.bins["low"] <= value) & (value <= data.bins["high"]) & (data.bins["kind"] == kind)]
        assert inside["n"].sum() == (rate == value).sum()
    assert data.bins["label"].tolist() == ["−15%", "−10%", "−5%", "unchanged", "+5%"]
    assert data.median_change == pytest.approx(-0.03)
    assert data.finding == ("Prices: 1 up, 3 down, 3 unchanged, 1 without a current price; the median change is −3.0%")
    names = [trace.name for trace in price_change_figure(data).data]
    assert names == ["cut", "unchanged", "raise"]


def test_a_list_that_changes_nothing_or_is_empty() -> None:
    still = price_change_data([0.0, 0.0])
    assert math.isnan(still.median_change) and still.finding == "Prices: 0 up, 0 down, 2 unchanged"
    assert [trace.name for trace in price_change_figure(still).data] == ["unchanged"]
    with pytest.raises(DataError, match="price list is empty"):
        price_change_data([])
