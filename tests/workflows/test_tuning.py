"""Tuning from a data set to a training that can be repeated from its manifest."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pricing_core import jobs, workflows
from pricing_core.cli import main
from pricing_core.errors import ConfigError, JobCancelled, NoDatasetError
from pricing_core.models.search import Judged, Pruned, SearchPlan, search
from pricing_core.models.search_space import PRICING_MODEL, space_of
from pricing_core.models.time_folds import FoldPlan
from pricing_core.models.tuning import prepare
from pricing_core.progress import SilentProgress
from pricing_core.store import datasets, studies
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.telling import start_number, told_from, told_from_best
from pricing_core.workflows.trials import judged_by, score_of
from pricing_core.workflows.tuned import job_settings, read_settings, settings_text
from pricing_core.workflows.tuning import compare_tunings, request_of, start_settings

FIGURES = {"log_loss": 0.4, "base_log_loss": 0.5, "price_slope": 0.8, "policy_value": 1.2, "policy_reliable": 1.0}


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,500 offers of three products whose buyers react to price."""
    random = np.random.default_rng(5)
    n, level = 1_500, np.array([4.0, 9.0, 20.0])
    product = random.integers(0, 3, n)
    price = level[product] * np.exp(random.normal(0.0, 0.15, n))
    chance = 1 / (1 + np.exp(-(2.2 - 3.0 * price / level[product])))
    offers = pd.DataFrame(
        {
            "customer_id": [f"c{k}" for k in random.integers(0, 120, n)],
            "product_id": np.array(["tea", "cup", "pot"])[product],
            "offered_at": pd.Timestamp("2025-01-06", tz="UTC")
            + pd.to_timedelta(np.sort(random.integers(0, 84 * 24, n)), "h"),
            "price": price.round(2),
            "list_price": level[product] * 1.2,
            "purchased": (random.random(n) < chance).astype(int),
        }
    )
    path = tmp_path_factory.mktemp("tea") / "shop"
    workflows.import_files(Workspace(path), {"offers": offers}, name="Tea shop", margin_assumption=0.4)
    return path


@pytest.fixture
def ws(imported: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(imported, tmp_path / "shop")
    return Workspace(tmp_path / "shop")


def cheap(name: str, **changes: object) -> workflows.TuningRequest:
    return workflows.TuningRequest(**{"name": name, "family": "bayes", **changes})  # type: ignore[arg-type]


@pytest.mark.extra
def test_trials_begin_with_todays_settings_and_are_the_same_again(ws: Workspace) -> None:
    for name in ("one", "two"):
        workflows.new_tuning(ws, cheap(name))
    workflows.tune(ws, "one", minutes=None, trials=2)
    for trials in (1, 2):
        workflows.tune(ws, "two", minutes=None, trials=trials)
    one, two = studies.trials(ws, "one"), studies.trials(ws, "two")
    pd.testing.assert_frame_equal(one.drop(columns="seconds"), two.drop(columns="seconds"))
    today = start_settings(request_of(ws, "one"))
    assert {name: one[f"setting.{name}"][0] for name in space_of("bayes")} == today
    figures = one.filter(like="figure.")
    assert np.isfinite(figures.to_numpy(dtype=float)).all()
    assert (one["score"] == one["figure.log_loss"]).all() and (one["figure.auc"] > 0.5).all()
    assert one["figure.log_loss"].max() < one["figure.base_log_loss"].min()
    compared = compare_tunings(ws).set_index("name")
    assert compared.loc["one", "score"] == compared.loc["two", "score"] <= compared.loc["one", "start_score"]
    assert compared.loc["one", "judged_on"] == "d0001, 40,000 offers, 2 windows, seed 0"


def test_no_trial_sees_the_outcomes_that_it_is_judged_on(ws: Workspace) -> None:
    dataset = datasets.load_dataset(ws)
    config = cheap("x").training()
    data = prepare(dataset, config, FoldPlan(n_folds=2))
    late = data.encoded.table.offers["offered_at"].iloc[data.folds[1].judge].min()
    bought = np.random.default_rng(0).permutation(dataset.offers["purchased"].to_numpy())
    changed = dataset.offers["purchased"].where(dataset.offers["offered_at"] < late, bought)
    other = prepare(replace(dataset, offers=dataset.offers.assign(purchased=changed)), config, FoldPlan(n_folds=2))
    fold = data.folds[1]
    assert np.array_equal(fold.learn, other.folds[1].learn)
    assert np.array_equal(data.rows.y[fold.learn], other.rows.y[fold.learn])
    assert not np.array_equal(data.rows.y[fold.judge], other.rows.y[fold.judge])
    assert np.array_equal(data.rows.batch.matrix()[fold.learn], other.rows.batch.matrix()[fold.learn])


def test_where_purchases_are_many_some_customers_stand_for_all(ws: Workspace) -> None:
    dataset = datasets.load_dataset(ws)
    bought = int(dataset.offers["purchased"].sum())
    data = prepare(dataset, cheap("x", max_rows=400).training(), FoldPlan(n_folds=1))
    assert bought > 300 and 100 < data.rows.y.sum() < 300 and data.rows.batch.n < 500
    kept = set(data.rows.customer_id)
    assert len(kept) < dataset.offers["customer_id"].nunique()
    # Each of those customers keeps all purchases, and the refusals that are left out weigh on those that stay.
    rate = float(np.average(data.rows.y, weights=data.rows.weight))
    assert rate == pytest.approx(bought / len(dataset.offers), abs=0.1)


def test_the_pricing_model_is_tuned_by_its_price_error(ws: Workspace) -> None:
    workflows.new_tuning(ws, cheap("prices", family=PRICING_MODEL, criterion="price_error"))
    found = workflows.tune(ws, "prices", minutes=None, trials=2)
    table = studies.trials(ws, "prices")
    assert found.best_score == table["figure.price_error"].min() > 0
    for number, sums in studies.parts(ws, "prices").items():
        mean = sum(sums["loss"]) / sum(sums["weight"])
        assert mean == pytest.approx(table.set_index("number").loc[number, "figure.price_error"])
    assert [type(told) for told in told_from_best(ws, "prices").values()] == [bool] and start_number(table) == 1
    config = workflows.tuned_config(ws, "prices", base=workflows.TrainingConfig(quick=True, settings={"members": 1}))
    best = table.set_index("number").loc[found.best_number]
    assert config.pricing().n_leaves == best["setting.n_leaves"] and config.settings == {"members": 1}
    assert config.origin == {"pricing_model": {"study": "prices", "trial": found.best_number}}


def test_criteria_weigh_the_figures_as_they_say() -> None:
    assert score_of(FIGURES, "log_loss") == 0.4
    assert score_of(FIGURES, "price_reaction") == pytest.approx(0.8 + 0.05 * 0.2)
    assert score_of({**FIGURES, "price_slope": float("nan")}, "price_reaction") == pytest.approx(0.85)
    assert score_of(FIGURES, "policy_value") == -1.2
    with pytest.raises(Pruned, match="Too few past offers were near the prices"):
        score_of({**FIGURES, "policy_reliable": 0.0}, "policy_value")


def test_settings_of_another_family_are_not_the_networks() -> None:
    trees = workflows.TrainingConfig(family="two_output_trees", settings={"n_leaves": 9})
    assert trees.behavior() == workflows.TrainingConfig().behavior()
    with pytest.raises(ConfigError, match="cannot take these settings"):
        workflows.TrainingConfig(family="network", settings={"n_leaves": 9}).behavior()


def test_requests_that_make_no_sense_are_refused(ws: Workspace, tmp_path: Path) -> None:
    for changes in ({"family": "none"}, {"criterion": "price_error"}, {"search": "magic"}, {"n_folds": 0}):
        with pytest.raises(ConfigError):
            cheap("x", **changes)
    with pytest.raises(ConfigError, match="allowed are price_error"):
        cheap("x", family=PRICING_MODEL)
    with pytest.raises(NoDatasetError, match="There are no data to tune on"):
        workflows.new_tuning(Workspace(tmp_path / "empty"), cheap("x"))
    workflows.new_tuning(ws, cheap("x"))
    with pytest.raises(ConfigError, match="No trial of 'x' has been judged yet"):
        workflows.tuned_config(ws, "x", base=workflows.TrainingConfig())


def test_settings_go_into_a_file_and_back(ws: Workspace, tmp_path: Path) -> None:
    base = workflows.TrainingConfig(quick=True)
    toml = tmp_path / "settings.toml"
    toml.write_text("[settings]\nmembers = 1\n[pricing_settings]\nn_leaves = 9\n")
    read = workflows.config_with(ws, str(toml), base=base)
    assert read.behavior().members == 1 and read.pricing().n_leaves == 9 and read.origin == {"file": "settings.toml"}
    again = tmp_path / "settings.json"
    again.write_text(settings_text(read))
    assert read_settings(again, base).settings == read.settings
    assert workflows.config_from(json.loads(json.dumps(job_settings(read)))) == read
    toml.write_text("members = 1\n")
    with pytest.raises(ConfigError, match=r"settings\.toml holds members\. It may hold family, settings"):
        read_settings(toml, base)
    toml.write_text("members = \n")
    with pytest.raises(ConfigError, match=r"The settings in settings\.toml cannot be read"):
        read_settings(toml, base)
    with pytest.raises(ConfigError, match="'nothing' is neither a tuning nor a file"):
        workflows.config_with(ws, "nothing", base=base)


def test_the_command_line_tunes_lists_and_deletes(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tune = ["tune", "--workspace", str(ws.root)]
    out = tmp_path / "trials.csv"
    assert main([*tune, "--family", "bayes", "--trials", "1", "--search", "grid", "--out", str(out)]) == 0
    assert main([*tune, "--resume", "bayes 1", "--trials", "2"]) == 0
    said = capsys.readouterr().out
    assert "settings of today (trial 1)" in said and "of 1 other judged trials cannot be told apart" in said
    assert "tuning: bayes 1; 2 trials; best: trial" in said and 'train --settings "bayes 1"' in said
    assert len(pd.read_csv(out)) == 1
    assert main([*tune, "--list"]) == 0
    assert "bayes 1" in capsys.readouterr().out
    assert main([*tune, "--delete", "bayes 1"]) == 0 and studies.list_studies(ws) == []
    assert main([*tune, "--resume", "none"]) == main([*tune, "--delete", "none"]) == 2
    assert main(["train", "--workspace", str(ws.root), "--settings", "none"]) == 2


def test_what_cannot_be_begun_leaves_no_tuning_and_one_line(ws: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {
        "--minutes": ("-1", "0", "nan"), "--trials": ("0", "-3"), "--dataset": ("d0099",), "--seed": ("-1",),
        "--family": ("none",), "--name": ("", " "), "--rows": ("3",), "--folds": ("0", "500"),
    }  # fmt: skip
    for option, values in wrong.items():
        for value in values:
            assert main(["tune", "--workspace", str(ws.root), "--family", "bayes", option, value]) == 2
            said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("[")]
            assert len(said) == 1 and said[0].startswith("error: "), (option, value, said)
    assert studies.list_studies(ws) == []


def test_a_training_names_the_setting_or_trial_that_it_cannot_use(
    ws: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "fast.json"
    path.write_text('{"settings": {"lerning_rate": 0.01}}')
    workflows.new_tuning(ws, cheap("spring"))
    for options, message in (
        (["--settings", str(path)], "it has none named 'lerning_rate'. Did you mean learning_rate?"),
        (["--settings", "spring", "--trial", "0"], "The tuning 'spring' has no trial 0. It has none yet."),
        (["--trial", "2"], "--trial names a trial of a tuning. Name the tuning with --settings."),
        (["--seed", "-3"], "The seed is -3; it must be a whole number from 0 to"),
    ):
        assert main(["train", "--workspace", str(ws.root), *options]) == 2
        said = capsys.readouterr().err
        assert message in said and said.count("\n") == 1, said


def test_who_stops_a_tuning_is_told_how_to_go_on(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pricing_core.workflows.tuning.tune", stopped)
    assert main(["tune", "--workspace", str(ws.root), "--family", "bayes"]) == 130
    assert "the trials of 'bayes 1' so far are kept; go on with: tune --resume \"bayes 1\"" in capsys.readouterr().err
    assert [each.name for each in studies.list_studies(ws)] == ["bayes 1"]


def test_trials_are_told_apart_by_what_their_criterion_says(ws: Workspace) -> None:
    even = {"loss": [4.0, 5.0, 6.0], "weight": [10.0, 10.0, 10.0]}
    better = {"loss": [3.0, 4.0, 5.0], "weight": [10.0, 10.0, 10.0]}
    noisy = {"loss": [1.0, 6.5, 6.5], "weight": [10.0, 10.0, 10.0]}
    made = [  # score, sums, range of the reaction to price, range of the profit
        (0.50, even, (0.8, 1.2), (0.1, 0.2)),
        (0.40, better, (0.9, 1.1), (0.3, 0.4)),
        (0.47, noisy, (1.3, 1.5), (0.15, 0.5)),
        (0.60, None, (0.9, 1.1), (0.15, 0.5)),
    ]
    for criterion, expected in (
        ("log_loss", {1: True, 3: False, 4: None}),
        ("price_reaction", {1: True, 3: True, 4: None}),
        ("policy_value", {1: True, 3: False, 4: False}),
    ):
        workflows.new_tuning(ws, cheap(criterion, criterion=criterion))
        ahead = iter(made)

        def judge(settings: object, report: object, ahead: Iterator[Any] = ahead) -> Judged:
            score, sums, slope, profit = next(ahead)
            figures = dict(
                zip(
                    ("price_slope_low", "price_slope_high", "policy_low", "policy_high"), (*slope, *profit), strict=True
                )
            )
            return Judged(score, figures, sums or {})

        with studies.working_on(ws, criterion) as study:
            search(study, space_of("bayes"), judge, SearchPlan("random", "none", None, 4))
        assert studies.get(ws, criterion).best_number == 2
        assert told_from_best(ws, criterion) == expected
        assert told_from(ws, criterion, 9) == {} and start_number(studies.trials(ws, criterion)) is None


@pytest.mark.extra
@pytest.mark.parametrize(
    ("family", "settings", "small"),
    [
        ("network", {"learning_rate": 0.01, "batch_size": 512, "weight_decay": 1e-3}, {"members": 1, "max_epochs": 1}),
        ("bayes", {"smoothing": 20.0, "n_features": 4}, {"members": 2}),
    ],
)
def test_a_training_with_tuned_settings_is_repeated_from_its_manifest(
    ws: Workspace, family: str, settings: dict[str, float], small: dict[str, int]
) -> None:
    workflows.new_tuning(ws, cheap("spring", family=family))
    plan = SearchPlan(minutes=None, trials=1, first=settings)
    with studies.working_on(ws, "spring") as study:
        search(study, space_of(family), lambda tried, report: Judged(1.0), plan)
    config = workflows.tuned_config(ws, "spring", base=workflows.TrainingConfig(seed=3, quick=True))
    assert config.settings == settings and config.family == family
    config = replace(config, settings={**config.settings, **small})
    config = workflows.config_from(json.loads(json.dumps(job_settings(config))))
    first = workflows.load_run(ws, workflows.train(ws, config=config))
    kept = json.loads((first.folder / "manifest.json").read_text())
    assert kept["config"]["settings"] == {**settings, **small} and kept["config"]["seed"] == 3
    assert kept["config"]["origin"] == {family: {"study": "spring", "trial": 1}}
    assert first.model.behavior.family == family
    repeated = workflows.config_from(kept["config"])
    second = workflows.load_run(ws, workflows.train(ws, kept["dataset_id"], config=repeated))
    lists = [workflows.price(ws, "personalized", run_id=run.run_id).frame for run in (first, second)]
    pd.testing.assert_frame_equal(*lists)
    assert len(lists[0]) > 100


@pytest.mark.extra
def test_a_killed_tuning_job_can_be_tried_again(ws: Workspace) -> None:
    workflows.new_tuning(ws, cheap("spring", family=PRICING_MODEL, criterion="price_error"))
    job = jobs.submit(ws, "tune", {"name": "spring", "trials": 4})
    end = time.monotonic() + 120
    while not len(studies.trials(ws, "spring")) and time.monotonic() < end:
        time.sleep(0.05)
    pid = jobs.get(ws, job).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while jobs.get(ws, job).active and time.monotonic() < end:
        time.sleep(0.1)
    assert jobs.get(ws, job).status == "lost"
    again = jobs.retry(ws, job)
    while jobs.get(ws, again).active and time.monotonic() < end:
        time.sleep(0.1)
    assert jobs.get(ws, again).status == "succeeded", jobs.get(ws, again).error
    states = studies.trials(ws, "spring")["state"].tolist()
    assert sum(state in ("done", "stopped early") for state in states) == 4 and "running" not in states


def test_a_trial_reports_and_can_be_stopped_by_the_user(ws: Workspace) -> None:
    class Stops(SilentProgress):
        def stage(self, name: str, fraction: float, message: str = "") -> None:
            if "window 2 of 2" in message:
                raise JobCancelled("Stop.")

    workflows.new_tuning(ws, cheap("spring"))
    with pytest.raises(JobCancelled):
        workflows.tune(ws, "spring", minutes=None, trials=2, progress=Stops())
    assert studies.trials(ws, "spring")["state"].tolist() == ["interrupted"]
    assert studies.trials(ws, "spring")["reason"].tolist() == ["stopped by you"]
    assert not studies.get(ws, "spring").running


def test_the_budget_stops_a_trial_within_its_learning_and_says_how_long_one_takes(ws: Workspace) -> None:
    class Said(SilentProgress):
        def __init__(self) -> None:
            self.all: list[tuple[float, str]] = []

        def stage(self, name: str, fraction: float, message: str = "") -> None:
            self.all.append((fraction, message))
            if "window 1 of 2" in message:
                time.sleep(0.2)

    said = Said()
    workflows.new_tuning(ws, cheap("spring"))
    found = workflows.tune(ws, "spring", minutes=0.1 / 60, progress=said)
    trials = studies.trials(ws, "spring")
    assert found.best_number is None and trials["reason"].tolist() == ["the time was over"]
    assert said.all[-1][1].startswith("No trial has been judged in this time")
    assert said.all[-1][1].endswith("give more minutes, or use fewer offers")
    assert not any("window 2 of 2" in message for _, message in said.all)
    shares = [fraction for fraction, _ in said.all]
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_all_figures_are_there_whatever_counts(ws: Workspace) -> None:
    data = prepare(datasets.load_dataset(ws), cheap("x").training(), FoldPlan(n_folds=1))
    judge = judged_by(data, "bayes", "price_reaction", SilentProgress())
    reports: list[tuple[int, float]] = []
    found = judge({"smoothing": 20.0}, lambda step, value: reports.append((step, value)))
    assert set(FIGURES) <= set(found.figures) and found.score == score_of(dict(found.figures), "price_reaction")
    assert sum(found.parts["loss"]) / sum(found.parts["weight"]) == pytest.approx(found.figures["log_loss"])
    assert reports and all(0 < value < 1.5 for _, value in reports)
