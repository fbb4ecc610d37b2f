"""Training, calibration and the look that all charts share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pricing_core.charts import style
from pricing_core.charts.calibration import (
    calibration_data,
    calibration_figure,
    price_band_data,
    price_band_figure,
    response_doubt,
)
from pricing_core.charts.quantity import units_per_purchase
from pricing_core.charts.training import training_data, training_figure
from pricing_core.errors import DataError


def _live(values: dict[str, list[float]]) -> pd.DataFrame:
    rows = [(name, k, v) for name, line in values.items() for k, v in enumerate(line, start=1)]
    return pd.DataFrame(rows, columns=["name", "step", "value"])


def test_a_live_curve_marks_the_best_pass() -> None:
    data = training_data(_live({"training loss": [0.5, 0.4, 0.3, 0.2], "validation loss": [0.6, 0.45, 0.47, 0.5]}))
    assert (data.best_step, data.best_value) == (2, 0.45)
    assert data.finding == "Best validation loss 0.4500 at pass 2; 2 passes later it had not improved"
    figure = training_figure(data)
    assert [trace.name for trace in figure.data] == ["training loss", "validation loss"]
    assert len({trace.line.dash for trace in figure.data}) == 2
    assert figure.layout.shapes[0].x0 == 2


def test_a_curve_that_still_falls_says_so() -> None:
    falling = training_data(_live({"validation loss": [0.5, 0.4]}))
    assert falling.finding == "Still improving: validation loss 0.4000 after pass 2, 20.0% below the first"
    assert training_data(_live({"validation loss": [0.5]})).finding == "Validation loss 0.5000 after the first pass"
    assert training_data(_live({"training loss": [0.5, 0.3]})).finding == "Training loss 0.3000 after pass 2"


def test_a_finished_runs_history_reads_the_same_way_and_skips_what_was_not_measured() -> None:
    history = pd.DataFrame(
        {
            "phase": ["choose", "choose", "refit"],
            "epoch": [1, 2, 1],
            "training_loss": [0.5, 0.4, 0.45],
            "validation_loss": [0.6, 0.5, math.nan],
        }
    )
    data = training_data(history)
    assert set(data.curves) == {"training loss", "validation loss", "final training loss"}
    assert data.curves["final training loss"]["value"].tolist() == [0.45]
    assert data.best_step == 2


def test_a_pass_measured_twice_keeps_the_later_value_and_nothing_measured_is_no_error() -> None:
    again = pd.concat([_live({"validation loss": [0.5, 0.4]}), _live({"validation loss": [0.3]})])
    assert training_data(again).curves["validation loss"]["value"].tolist() == [0.3, 0.4]
    nothing = training_data(_live({}))
    assert nothing.finding == "No loss has been measured yet"
    assert training_figure(nothing).layout.annotations[0].text == "No loss has been measured yet."
    with pytest.raises(DataError, match="needs name, step and value; it has when"):
        training_data(pd.DataFrame({"when": [1]}))


METRICS = {
    "calibration": {
        "bin": [1, 2],
        "n": [100, 400],
        "predicted_rate": [0.10, 0.30],
        "observed_rate": [0.11, 0.20],
        "observed_low": [0.07, 0.16],
        "observed_high": [0.17, 0.24],
    },
    "price_bands": {
        "mean_price": [0.9, 1.1],
        "n": [200, 200],
        "predicted_rate": [0.30, 0.20],
        "observed_rate": [0.27, 0.22],
        "observed_low": [0.22, 0.18],
        "observed_high": [0.32, 0.27],
    },
    "price_band_slope": [0.5, 0.2, 0.8],
}


def test_groups_whose_interval_misses_the_forecast_are_told_apart_by_marker_too() -> None:
    data = calibration_data(METRICS)
    assert data.table["agrees"].tolist() == [True, False]
    assert data.error == pytest.approx(0.2 * 0.01 + 0.8 * 0.10)
    assert data.finding == (
        "Forecasts hold in 1 of 2 groups; on average they are off by 8.2 points, "
        "most where 30.0% was forecast and 20.0% bought"
    )
    figure = calibration_figure(data)
    assert [trace.marker.symbol for trace in figure.data[1:]] == ["circle", "x"]
    assert list(figure.data[2].error_y.array) == pytest.approx([0.04])


def test_price_bands_say_whether_the_reaction_to_price_is_as_forecast() -> None:
    assert price_band_data(METRICS).finding == (
        "Conversion differs less between price bands than forecast: slope 0.50 (90% range 0.20 to 0.80)"
    )
    right = price_band_data({**METRICS, "price_band_slope": [1.1, 0.9, 1.3]})
    assert right.finding.startswith("Conversion differs between price bands as forecast: slope 1.10")
    vague = price_band_data({**METRICS, "price_band_slope": [0.8, 0.1, 1.5]})
    assert "as forecast, as far as these few differences in price can tell: slope 0.80" in vague.finding
    unknown = price_band_data({**METRICS, "price_band_slope": [None, None, None]})
    assert unknown.finding.startswith("Forecasts do not differ between price bands")
    assert price_band_figure(right).layout.xaxis.title.text == "Price, % of the going price"


def test_price_bands_show_the_forecasts_range_and_what_fell_outside_it() -> None:
    bands: Any = METRICS["price_bands"]
    ranged = {**bands, "forecast_low": [0.26, 0.15], "forecast_high": [0.34, 0.21]}
    data = price_band_data({**METRICS, "price_bands": ranged})
    assert data.table["within"].tolist() == [True, False]
    assert data.finding.endswith("; 1 of 2 bands sold within the forecast's 90% range")
    figure = price_band_figure(data)
    assert [trace.name for trace in figure.data] == [None, "forecast, 90% range", "forecast", "observed"]
    assert list(figure.data[3].marker.symbol) == ["diamond", "x"]
    assert figure.data[3].error_y.array is None
    old = price_band_figure(price_band_data(METRICS))
    assert [trace.name for trace in old.data] == ["forecast", "observed, 90% interval"]


def test_a_slope_that_may_be_zero_cannot_tell() -> None:
    data = price_band_data({**METRICS, "price_band_slope": [1.2, -0.4, 2.8]})
    assert data.finding == (
        "These offers cannot tell whether conversion differs between price bands: slope 1.20 (90% range −0.40 to 2.80)"
    )


CAUTION = ": treat the promised profit with caution."


@pytest.mark.parametrize(
    ("slope", "said"),
    [
        ([1.1, 0.9, 1.3], None),
        ([1.2, 0.5, 1.9], None),
        (
            [2.0, 0.5, 3.5],
            "On later offers, it can only roughly be told how strongly buyers react to price "
            "(slope 2.0, 90% range 0.5 to 3.5)" + CAUTION,
        ),
        ([1.3, 1.1, 1.5], None),
        ([0.75, 0.6, 0.9], None),
        (
            [2.8, 1.7, 3.9],
            "On later offers, buyers reacted 2.8 times as strongly to price as the model forecast "
            "(90% range 1.7 to 3.9)" + CAUTION,
        ),
        (
            [0.4, 0.2, 0.6],
            "On later offers, buyers reacted 0.4 times as strongly to price as the model forecast "
            "(90% range 0.2 to 0.6)" + CAUTION,
        ),
        (
            [1.0, -0.5, 2.5],
            "Later offers cannot tell whether buyers react to price as forecast "
            "(slope 1.0, 90% range −0.5 to 2.5)" + CAUTION,
        ),
        (
            [-1.0, -1.5, -0.5],
            "On later offers, buyers bought more at higher prices, against the model's forecast "
            "(slope −1.0, 90% range −1.5 to −0.5)" + CAUTION,
        ),
        ([None, None, None], "Later offers cannot tell whether buyers react to price as forecast" + CAUTION),
    ],
)
def test_doubt_about_the_reaction_to_price_is_one_sentence(slope: list[float | None], said: str | None) -> None:
    assert response_doubt({"price_band_slope": slope}) == said


def test_a_run_without_a_slope_raises_no_doubt() -> None:
    assert response_doubt({}) is None


def test_units_per_purchase_count_only_what_was_bought() -> None:
    offers = pd.DataFrame({"purchased": [1, 1, 0, 1], "quantity": [2.0, 1.0, 9.0, math.nan]})
    assert units_per_purchase(offers) == pytest.approx(4 / 3)
    assert units_per_purchase(offers.drop(columns="quantity")) is None
    assert units_per_purchase(offers.assign(quantity=math.nan)) is None
    assert units_per_purchase(offers.assign(purchased=0)) is None


def test_a_run_without_figures_says_what_to_do() -> None:
    with pytest.raises(DataError, match=r"holds no figures called calibration\. Train the models again"):
        calibration_data({})


def _luminance(color: str) -> float:
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("background", ["#FFFFFF", "#0F1719"])
def test_every_color_can_be_seen_on_the_light_and_on_the_dark_background(background: str) -> None:
    for color in (*style.SERIES, style.GRAY):
        light, dark = sorted([_luminance(color), _luminance(background)], reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 3, color


def test_figures_leave_backgrounds_and_text_color_to_the_app() -> None:
    layout = calibration_figure(calibration_data(METRICS)).layout
    assert layout.paper_bgcolor is None and layout.plot_bgcolor is None and layout.font.color is None


def test_names_from_the_data_cannot_add_markup_and_long_titles_wrap() -> None:
    assert style.shorten("<b>x</b>") == "&lt;b&gt;x&lt;/b&gt;"
    figure = training_figure(training_data(_live({"<a href='x'>loss</a>": [0.5]})))
    assert figure.data[0].name.startswith("&lt;a")
    long = style.frame(style.go.Figure(), "word " * 40)
    assert 3 <= long.layout.title.text.count("<br>") <= 4


def test_amounts_and_rates_are_written_with_unit_and_sign() -> None:
    assert style.money(11.494, "USD") == "$11.49"
    assert style.money(-0.2, "EUR", signed=True) == "−€0.20"
    assert style.money(1234.5, "JPY") == "¥1,234"
    assert style.money(12_345, "CHF", compact=True) == "CHF 12.3k"
    assert style.money(-0.001, "USD") == "$0.00"
    assert style.money(3, "") == "3.00"
    assert style.percent(0.0213, signed=True) == "+2.1%"
    assert style.percent(-0.0001, signed=True) == "0.0%"
    assert style.percent(math.nan) == style.money(math.nan, "USD") == style.number(math.inf) == "unknown"


def test_a_curve_measured_every_few_passes_counts_passes_and_not_points() -> None:
    rows = pd.DataFrame({"name": "validation loss", "step": [4, 8, 12], "value": [0.5, 0.6, 0.7]})
    assert training_data(rows).finding == "Best validation loss 0.5000 at pass 4; 8 passes later it had not improved"
