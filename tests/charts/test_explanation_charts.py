"""Beeswarm, dependence, response curves and events: the numbers behind the pictures."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pricing_core.charts import shap
from pricing_core.charts.curves import _ticks, curves_figure, curves_finding
from pricing_core.charts.events import event_words, events_figure, events_finding
from pricing_core.errors import ConfigError
from pricing_core.explain.curves import ResponseCurves
from pricing_core.explain.events import EventEffects
from pricing_core.explain.shapley import ShapResult

RNG = np.random.default_rng(0)
VALUES = pd.DataFrame(
    {"age": RNG.normal(40, 10, 200), "tier": RNG.choice(["gold", "none"], 200), "member": RNG.integers(0, 2, 200) * 1.0}
)


def _result() -> ShapResult:
    age = (VALUES["age"] - 40) / 100
    table = np.column_stack([age, np.where(VALUES["tier"] == "gold", 0.02, -0.01), 0.005 * VALUES["member"]])
    return ShapResult(tuple(VALUES.columns), table, 0.3, 0.3 + table.sum(axis=1), 0.0, np.zeros_like(table))


def test_the_swarm_holds_every_offer_once_per_feature_and_ranks_values() -> None:
    data = shap.beeswarm_data(_result(), VALUES, name="chance")
    assert data.features == ("age", "tier", "member")
    assert data.points["feature"].value_counts().tolist() == [200, 200, 200]
    age = data.points[data.points["feature"] == "age"]
    assert age["rank"].min() == 0 and age["rank"].max() == 1
    assert np.argmax(age["rank"].to_numpy()) == np.argmax(VALUES["age"].to_numpy())
    assert data.points.loc[data.points["feature"] == "tier", "rank"].isna().all()
    assert data.points["place"].abs().max() <= 0.5
    # Equal contributions are drawn beside each other, not on top.
    gold = data.points[(data.points["feature"] == "tier") & (data.points["contribution"] > 0)]
    assert gold["place"].nunique() == len(gold)
    assert len(shap.beeswarm_figure(data, is_rate=True).data) == 2
    with pytest.raises(ConfigError, match="199 rows of values for 200 rows"):
        shap.beeswarm_data(_result(), VALUES.iloc[:-1])


def test_dependence_is_a_line_for_numbers_and_levels_for_texts_and_flags() -> None:
    line = shap.dependence_data(_result(), VALUES, "age", name="chance")
    assert line.numeric and line.line["n"].sum() == 200
    assert line.line["contribution"].to_numpy() == pytest.approx((line.line["value"].to_numpy() - 40) / 100)
    assert line.finding.startswith("The chance rises with “age”: +0.")
    levels = shap.dependence_data(_result(), VALUES, "tier", name="chance")
    assert levels.line["value"].tolist() == ["gold", "none"] and not levels.numeric
    assert levels.finding == "The chance is highest for tier = gold, lowest for none"
    flag = shap.dependence_data(_result(), VALUES, "member")
    assert flag.line["value"].tolist() == ["yes", "no"]
    for data in (line, levels, flag):
        shap.dependence_figure(data, is_rate=True)
    with pytest.raises(ConfigError, match="no feature 'height'"):
        shap.dependence_data(_result(), VALUES, "height")


def test_the_additivity_error_is_told_as_a_share_of_the_range() -> None:
    assert shap.additivity_text(0.0, 0.0, n=10) == "The contributions of 10 offers add up exactly."
    told = shap.additivity_text(0.0052, 0.0031, n=1000)
    assert told == "Additivity error: at most 0.52% of the range of predictions over 1,000 offers (0.0031)."


def _curves(own: list[float]) -> ResponseCurves:
    support = pd.DataFrame({"low": [1.0, 2.0], "high": [2.0, 3.0], "share": [0.7, 0.2]})
    return ResponseCurves(np.array([1.0, 2.0, 3.0]), np.array([[0.5, 0.4, 0.2]] * 40), np.array(own), 2.0, support)


def test_curves_say_where_they_lead_and_draw_support_below_them() -> None:
    told = curves_finding(_curves([0.4, 0.3, 0.1]), what="the price", name="chance")
    assert told == "As the price goes up, this offer's chance falls: 40% to 10%"
    flat = curves_finding(_curves([0.3, 0.3, 0.3]), what="the stock", name="chance")
    assert flat == "The stock does not move this offer's chance"
    figure = curves_figure(_curves([0.4, 0.3, 0.1]), what="the price", x="Price", name="chance", y="Chance")
    bars = figure.data[0]
    assert max(np.array(bars.base) + np.array(bars.y)) <= 0.1  # below the lowest curve
    assert sum(trace.name == "other offers" for trace in figure.data) == 30
    now = next(trace for trace in figure.data if trace.name == "now")
    assert (now.x[0], now.y[0]) == (2.0, pytest.approx(0.3))


def test_ticks_are_round_and_within_the_curves() -> None:
    assert _ticks(0.02, 0.89) == [0.2, 0.4, 0.6, 0.8]
    assert _ticks(0.1, 0.4) == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_events_are_told_with_their_age_and_the_largest_is_named() -> None:
    events = pd.DataFrame(
        {
            "event": ["viewed", "reviewed"],
            "product_id": ["TEA-1", "<b>COF</b>"],
            "days_ago": [0.006, 18.2],
            "relation": ["this product", ""],
            "rating": [np.nan, 4.0],
            "effect": [0.0123, -0.002],
        }
    )
    data = EventEffects(events, 0.034)
    assert events_finding(data) == (
        "Viewed TEA-1 9 min ago mattered most (+1.23 points); all events together +3.4 points"
    )
    figure = events_figure(data)
    labels = figure.layout.yaxis.ticktext
    assert labels[0] == "9 min ago · viewed TEA-1 · this product"
    assert labels[1].startswith("18 days ago · reviewed") and "<b>" not in labels[1] and "(4 of 5)" in labels[1]
    nothing = EventEffects(events.iloc[:0], 0.0)
    assert events_finding(nothing) == "There are no recent events of this customer."
    events_figure(nothing)
    assert [event_words(days) for days in (0.0, 0.2, 1.2)] == ["1 min ago", "5 h ago", "1 day ago"]
