"""Charts of a search for settings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pricing_core.charts.tuning import (
    AXES,
    history_data,
    history_figure,
    importance_data,
    importance_figure,
    settings_data,
    settings_figure,
    value_words,
)
from pricing_core.errors import DataError


def trials(n: int = 12, sign: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    rate = 10 ** rng.uniform(-4, -2, n)
    score = sign * (0.4 + np.abs(np.log10(rate) + 3) / 10)
    state = np.array(["done"] * n, dtype=object)
    state[3], state[5], state[-1] = "stopped early", "failed", "running"
    return pd.DataFrame(
        {
            "number": np.arange(1, n + 1),
            "state": state,
            "score": np.where(state == "done", score, np.nan),
            "seconds": 2.0,
            "setting.learning_rate": rate,
            "setting.batch_size": rng.choice([256, 512], n),
            "setting.kind": rng.choice(["a", "b"], n),
            "setting.same": 1,
        }
    )


def test_the_history_names_the_best_trial_and_what_it_gains() -> None:
    table = trials()
    data = history_data(table, "log_loss")
    judged = table[table["state"] == "done"]
    best = judged.loc[judged["score"].idxmin()]
    assert (data.best_number, data.best) == (best["number"], best["score"])
    assert data.trials["best"].tolist() == judged["score"].cummin().tolist()
    gain = 1 - best["score"] / judged["score"].iloc[0]
    assert data.finding == (
        f"Trial {best['number']} is best so far: log loss {best['score']:.4f}, {gain:.2%} below the settings of today"
    )
    figure = history_figure(data)
    assert figure.layout.yaxis.title.text == AXES["log_loss"]
    assert len(figure.data[0].x) == len(judged)


def test_a_profit_is_shown_per_thousand_offers_and_higher_is_better() -> None:
    table = trials(sign=-1.0).assign(score=lambda t: -t["score"].abs())
    data = history_data(table, "policy_value")
    assert data.best == pytest.approx(-1000 * table["score"].min()) and data.higher_is_better
    assert "profit per 1,000 offers" in data.finding
    assert data.trials["best"].is_monotonic_increasing
    assert history_figure(data).layout.yaxis.title.text == AXES["policy_value"]


def test_settings_that_differ_get_a_panel_each() -> None:
    data = settings_data(trials(), "log_loss")
    assert data.names == ("learning_rate", "batch_size", "kind")
    assert data.finding.startswith("Best so far: learning rate ")
    figure = settings_figure(data)
    assert len(figure.data) == 6 and figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis2.ticktext == ("256", "512") and figure.layout.xaxis2.type == "linear"
    assert sum(len(each.x) for each in figure.data) == 3 * 9


def test_few_numbers_stand_where_they_lie_and_labels_do_not_touch() -> None:
    table = trials()
    table["state"], table["score"] = "done", np.linspace(0.4, 0.7, len(table))
    table["setting.batch_size"] = np.tile([256, 512, 530, 4096], 3)
    axis = settings_figure(settings_data(table, "log_loss")).layout.xaxis2
    assert axis.type == "log" and axis.ticktext == ("256", "512", "4,096") and axis.tickvals == (256, 512, 4096)


def test_importance_is_sorted() -> None:
    table = importance_data({"batch_size": 0.2, "learning_rate": 0.8})
    assert table["setting"].tolist() == ["learning_rate", "batch_size"]
    assert importance_figure(table).layout.title.text == "What matters most: learning rate"


def test_values_of_settings_are_written_out() -> None:
    written = {5.81e-06: "0.0000058", 1e-5: "0.00001", 0.05: "0.05", 12.0: "12", 1024: "1,024", 3.456: "3.5"}
    assert {value: value_words(value) for value in written} == written
    assert (value_words("relu"), value_words(True)) == ("relu", "True")


def test_nothing_to_show_is_said_in_words() -> None:
    none = trials().head(0)
    assert history_data(none, "log_loss").finding == "No trial has been judged yet"
    assert history_data(trials().iloc[[3]], "log_loss").finding == "None of 1 trials has been judged yet"
    for figure in (
        history_figure(history_data(none, "log_loss")),
        settings_figure(settings_data(none, "log_loss")),
        importance_figure(importance_data({})),
    ):
        assert figure.layout.annotations[0].text
    first = history_data(trials().head(1), "price_error")
    assert first.finding.startswith("Nothing better than the settings of today so far: price error ")
    with pytest.raises(DataError, match="The trials lack score"):
        history_data(trials().drop(columns="score"), "log_loss")
    with pytest.raises(DataError, match="'beauty' is no criterion"):
        history_data(trials(), "beauty")


@pytest.mark.parametrize("count", [3, 40])
def test_the_settings_of_today_and_of_few_trials_every_score_lie_within_the_chart(count: int) -> None:
    scores = np.concatenate([[0.09], np.linspace(0.061, 0.060, count - 1)])
    table = pd.DataFrame(
        {"number": np.arange(1, count + 1), "state": "done", "score": scores, "today": np.arange(count) == 0}
    ).assign(**{"setting.learning_rate": np.geomspace(0.001, 0.01, count)})
    for figure in (history_figure(history_data(table, "log_loss")), settings_figure(settings_data(table, "log_loss"))):
        low, high = figure.layout.yaxis.range
        assert low < 0.060 and high > 0.09
