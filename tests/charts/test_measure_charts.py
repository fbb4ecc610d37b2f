"""Charts of tests, backtests and ledgers: the numbers behind them and the titles that say the finding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pricing_core.charts import follow_up, measure
from pricing_core.errors import DataError
from pricing_core.evaluate.test_design import DesignConfig, DesignResult


def design(*, promised: float | None = 0.05, needed: int | None = 12, seen: float = 0.1) -> DesignResult:
    weeks = np.arange(1, 105)
    curve = pd.DataFrame({"weeks": weeks, "detectable_rate": seen * np.sqrt(6 / weeks), "standard_error": 0.1,
                          "df": 100.0, "power": 0.5})  # fmt: skip
    curve.loc[curve["weeks"] < 2, "detectable_rate"] = np.inf
    return DesignResult(
        config=DesignConfig(), curve=curve, mean=1.0, n_units=100, correlation=0.1, detectable_rate=seen, power=0.5,
        promised_rate=promised, weeks_needed=needed,
    )  # fmt: skip


def test_the_curve_reaches_as_far_as_the_promise_needs_and_leaves_out_what_sees_nothing() -> None:
    data = measure.detectable_data(design(needed=40))
    assert data.table["weeks"].min() == 2 and data.table["weeks"].max() == 44
    assert data.finding == "6 weeks show changes of ±10.0% or more; +5.0% needs 40 weeks"
    assert measure.detectable_data(design(needed=None)).finding.endswith("; +5.0% stays unseen")
    assert measure.detectable_data(design(promised=None, needed=None)).finding.endswith("or more")
    figure = measure.detectable_figure(data)
    assert [trace.mode for trace in figure.data] == ["lines", "markers+text"]
    assert figure.layout.shapes[0].y0 == 0.05
    assert "80% power" in figure.layout.yaxis.title.text
    assert figure.data[0].line.shape == "linear"
    switching = replace(design(), config=DesignConfig(design="switchback"))
    assert measure.detectable_figure(measure.detectable_data(switching)).data[0].line.shape == "hv"


def test_a_test_that_sees_nothing_says_so() -> None:
    data = measure.detectable_data(design(seen=np.inf))
    assert data.table.empty and data.finding == "6 weeks hold too few blocks to compare"
    assert "less than 100%" in measure.detectable_figure(data).layout.annotations[0].text


def test_measured_changes_keep_the_order_and_leave_out_what_has_no_percentage() -> None:
    table = pd.DataFrame({
        "figure": ["Profit per offer", "Conversion", "Revenue per offer"], "rate": [0.04, -0.01, np.nan],
        "rate_low": [-0.02, -0.03, np.nan], "rate_high": [0.1, 0.01, np.nan],
    })  # fmt: skip
    data = measure.measured_data(table, confidence=0.95)
    assert data.table["figure"].tolist() == ["Profit per offer", "Conversion"]
    assert data.finding == "Profit per offer +4.0% against control, 95% range −2.0% to +10.0%"
    figure = measure.measured_figure(data)
    assert list(figure.data[0].x) == [-0.01, 0.04], "the first figure is on top"
    assert list(figure.data[0].error_x.array) == pytest.approx([0.02, 0.06])
    with pytest.raises(DataError, match="holds no figure"):
        measure.measured_data(table.iloc[:0])


def weeks() -> pd.DataFrame:
    return pd.DataFrame({
        "week": pd.date_range("2025-03-03", periods=3, freq="7D", tz="UTC"), "predicted_rate": [0.2, 0.3, 0.2],
        "observed_rate": [0.21, 0.2, 0.2], "observed_low": [0.18, 0.18, 0.18], "observed_high": [0.23, 0.22, 0.22],
        "predicted_profit": [1.0, 1.0, 1.0], "observed_profit": [1.1, 0.9, 1.0],
        "observed_profit_low": [0.9, 0.8, 0.9], "observed_profit_high": [1.3, 1.0, 1.1], "value": [1.2, np.nan, 0.9],
        "value_low": [1.0, np.nan, 0.7], "value_high": [1.4, np.nan, 1.1],
        "seen": ["learned from", "learned from", "not seen"],
    })  # fmt: skip


def test_weeks_within_the_range_are_counted_and_new_weeks_are_drawn_apart() -> None:
    data = follow_up.predicted_observed_data(weeks())
    assert data.finding == "Conversion rate: the prediction is within the 90% range in 2 of 3 weeks"
    names = [trace.name for trace in follow_up.predicted_observed_figure(data).data]
    assert names == ["predicted", "observed, learned from", "observed, new"]
    profit = follow_up.predicted_observed_data(weeks(), kind="profit")
    assert profit.table["observed"].tolist() == [1.1, 0.9, 1.0]
    figure = follow_up.predicted_observed_figure(profit, currency="EUR")
    assert figure.layout.yaxis.title.text == "Profit per offer (EUR), 90% range"
    with pytest.raises(DataError, match="There are 0 weeks to show"):
        follow_up.predicted_observed_data(weeks().iloc[:0])


def test_weeks_without_overlap_stay_blank() -> None:
    data = follow_up.weekly_value_data(weeks())
    assert data.finding == "The strategy's prices would have earned more in 1 of 2 weeks, surely (90%) in none of them"
    figure = follow_up.weekly_value_figure(data, currency="USD")
    assert len(figure.data[1].x) == 2 and len(figure.data[2].x) == 3
    blank = follow_up.weekly_value_data(weeks().assign(value=np.nan))
    assert blank.finding == "No week has enough offers near the strategy's prices"
    assert not follow_up.weekly_value_figure(blank).data


def test_a_ledger_shows_the_products_that_were_offered() -> None:
    table = pd.DataFrame({
        "product_id": ["<b>tea", "pot", "cup"], "offers": [100, 50, 0], "predicted_rate": [0.2, 0.5, 0.1],
        "realized_rate": [0.21, 0.2, np.nan], "realized_low": [0.15, 0.1, np.nan], "realized_high": [0.28, 0.3, np.nan],
    })  # fmt: skip
    data = follow_up.ledger_data(table)
    assert data.finding == "Conversion came as promised for 1 of 2 products (90% range)"
    figure = follow_up.ledger_figure(data)
    assert list(figure.data[0].y) == ["pot", "&lt;b&gt;tea"], "user text is no markup"
    assert "21.0% over 100 offers" in figure.data[0].text[1]
    nothing = follow_up.ledger_data(table.assign(offers=0))
    assert nothing.finding == "No offer has been made at the list's prices yet"
    assert follow_up.ledger_figure(nothing).layout.annotations[0].text == nothing.finding
