"""The search for settings, on objectives that cost nothing."""

from __future__ import annotations

import itertools
import time
from typing import Any

import optuna
import pytest

from pricing_core.errors import ConfigError, JobCancelled, ModelError
from pricing_core.models.demand_model import FAMILIES
from pricing_core.models.pricing_model import PricingConfig
from pricing_core.models.search import (
    Judged,
    Pruned,
    Report,
    SearchPlan,
    best_trial,
    finished_trials,
    importances,
    search,
)
from pricing_core.models.search_space import PRICING_MODEL, Choice, Range, grid_points, space_of, tunable
from pricing_core.models.trial_ends import OUT_OF_TIME
from pricing_core.progress import SilentProgress

SPACE = {"x": Range(-2.0, 2.0), "size": Range(1, 64, log=True, whole=True), "kind": Choice(("a", "b"))}
optuna.logging.set_verbosity(optuna.logging.WARNING)


def bowl(settings: dict[str, Any], report: Report) -> Judged:
    """Lowest, at 0, where x is 1, size 8 and kind b."""
    loss = (settings["x"] - 1) ** 2 + abs(settings["size"] - 8) / 20 + (settings["kind"] == "a")
    for step in range(1, 6):
        report(step, loss + 1 / step)
    return Judged(loss, {"loss": loss})


def new_study() -> optuna.Study:
    return optuna.create_study(direction="minimize")


def tried(study: optuna.Study) -> list[tuple[str, dict[str, Any]]]:
    return [(trial.state.name, trial.params) for trial in study.trials]


def test_the_search_finds_the_lowest_point_and_stops_hopeless_trials_early() -> None:
    study = new_study()
    search(study, SPACE, bowl, SearchPlan(trials=60, minutes=None, seed=1))
    best = best_trial(study)
    assert best is not None and best.value is not None
    assert best.params["kind"] == "b" and best.value < 0.25 and best.user_attrs["figures"] == {"loss": best.value}
    pruned = [t for t in study.trials if t.state == optuna.trial.TrialState.PRUNED]
    assert 5 < len(pruned) < 50
    assert all(bowl(t.params, lambda step, value: None).score > best.value for t in pruned)


def test_the_grid_tries_every_combination_once_and_then_stops() -> None:
    study = new_study()
    search(study, SPACE, bowl, SearchPlan("grid", "none", minutes=None, seed=3))
    expected = [dict(zip(SPACE, v, strict=True)) for v in itertools.product((-2.0, 0.0, 2.0), (1, 8, 64), ("a", "b"))]
    found = [params for _, params in tried(study)]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))
    assert found == grid_points(SPACE, 3) != expected
    search(study, SPACE, bowl, SearchPlan("grid", "none", minutes=None, seed=3))
    assert len(study.trials) == len(expected)


@pytest.mark.parametrize("kind", ["bayes", "random", "grid"])
def test_a_search_in_two_parts_is_the_search_in_one(kind: str) -> None:
    one, two = new_study(), new_study()
    for study, parts in ((one, (17,)), (two, (3, 11, 17))):
        for trials in parts:
            search(study, SPACE, bowl, SearchPlan(kind, "median", None, trials, seed=5, first={"x": 0.0}))
    assert tried(one) == tried(two) and len(one.trials) == 17
    assert one.trials[0].params["x"] == 0.0


def test_first_settings_outside_the_space_are_drawn_and_asked_for_once() -> None:
    study = new_study()
    search(study, SPACE, bowl, SearchPlan(trials=4, minutes=None, first={"x": 99.0, "size": 8, "other": 1}))
    assert study.trials[0].params["size"] == 8 and -2 <= study.trials[0].params["x"] <= 2
    assert len(study.trials) == 4


def test_a_model_that_cannot_be_fitted_is_a_failed_trial_and_is_not_tried_again() -> None:
    def sometimes(settings: dict[str, Any], report: Report) -> Judged:
        if settings["kind"] == "a":
            raise ModelError("It did not converge.")
        return Judged(float("nan") if settings["size"] == 1 else 0.0)

    study = new_study()
    search(study, SPACE, sometimes, SearchPlan("grid", "none", minutes=None))
    reasons = [t.user_attrs.get("reason") for t in study.trials]
    assert reasons.count("It did not converge.") == 9 and reasons.count("The score is not a number.") == 3
    assert len(finished_trials(study)) == len(study.trials) == 18


def test_a_cancelled_trial_and_one_that_ran_out_of_time_are_tried_again() -> None:
    calls = []

    def cancelled(settings: dict[str, Any], report: Report) -> Judged:
        calls.append(settings)
        if len(calls) == 3:
            raise JobCancelled("Stop.")
        return bowl(settings, report)

    study = new_study()
    with pytest.raises(JobCancelled):
        search(study, SPACE, cancelled, SearchPlan(minutes=None, trials=9, seed=2))
    assert study.trials[-1].state == optuna.trial.TrialState.FAIL and len(finished_trials(study)) == 2
    search(study, SPACE, bowl, SearchPlan(minutes=None, trials=3, seed=2))
    assert study.trials[3].params == study.trials[2].params == calls[2]
    said: list[str] = []

    class Told(SilentProgress):
        def stage(self, name: str, fraction: float, message: str = "") -> None:
            said.append(message.split(";")[0])

    search(study, SPACE, bowl, SearchPlan(minutes=None, trials=5, seed=2), Told())
    assert said == ["Trial 5", "Trial 6"] and [trial.number + 1 for trial in study.trials[4:]] == [5, 6]

    late = new_study()
    search(late, SPACE, bowl, SearchPlan(minutes=1e-9, seed=2))
    assert tried(late) == []  # the time was over before anything began

    def slow(settings: dict[str, Any], report: Report) -> Judged:
        report(1, 1.0)
        time.sleep(0.2)
        report(2, 1.0)
        raise AssertionError("The second report comes after the time.")

    for _ in range(2):
        search(late, SPACE, slow, SearchPlan(minutes=0.1 / 60, seed=2))
    assert [trial.user_attrs["reason"] for trial in late.trials] == [OUT_OF_TIME] * 2 and not finished_trials(late)
    assert late.trials[0].params == late.trials[1].params


def test_importance_tells_the_setting_that_matters() -> None:
    def only_x(settings: dict[str, Any], report: Report) -> Judged:
        return Judged(settings["x"] ** 2)

    study = new_study()
    search(study, SPACE, only_x, SearchPlan("random", "none", None, 7))
    assert importances(study) == {}
    search(study, SPACE, only_x, SearchPlan("random", "none", None, 60))
    found = importances(study)
    assert set(found) == set(SPACE) and next(iter(found)) == "x" and abs(sum(found.values()) - 1) < 1e-9


def test_a_trial_can_end_itself() -> None:
    def ends(settings: dict[str, Any], report: Report) -> Judged:
        raise Pruned("It is enough.")

    study = new_study()
    search(study, SPACE, ends, SearchPlan(minutes=None, trials=2))
    assert [s for s, _ in tried(study)] == ["PRUNED"] * 2 and best_trial(study) is None
    assert study.trials[0].user_attrs == {"reason": "It is enough."}


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"search": "magic"}, "search is 'magic'; allowed are bayes, grid, random."),
        ({"pruning": "some"}, "pruning is 'some'; allowed are median, hyperband, none."),
        ({"minutes": 0}, "The budget is 0 minutes; it must be above 0."),
        ({"trials": 0}, "The number of trials is 0; it must be at least 1."),
        ({"minutes": None}, "The search has no end. Give minutes, or a number of trials."),
    ],
)
def test_plans_that_make_no_sense_are_refused(plan: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SearchPlan(**plan)
    assert str(caught.value) == message


def test_every_family_declares_settings_that_its_class_takes() -> None:
    assert set(tunable()) == {*FAMILIES, PRICING_MODEL}
    for name in tunable():
        space = space_of(name)
        assert space and all(setting.holds(value) for setting in space.values() for value in setting.grid())
        for settings in grid_points(space)[:2]:
            if name == PRICING_MODEL:
                assert PricingConfig(**settings).n_leaves == settings["n_leaves"]
            else:
                made = FAMILIES[name].new(settings).config
                assert {key: getattr(made, key) for key in settings} == settings
    with pytest.raises(ConfigError, match="There is no family of models named 'none'"):
        space_of("none")


def test_ranges_hold_what_they_suggest_and_nothing_else() -> None:
    whole = Range(1, 9, whole=True)
    assert whole.holds(3) and not whole.holds(2.5) and not whole.holds(10) and not whole.holds(True)
    assert Range(1e-4, 1e-2, log=True, points=3).grid() == [1e-4, 1e-3, 1e-2]
    assert Range(1, 2, whole=True, points=5).grid() == [1, 2]
    for wrong in ((2.0, 1.0), (0.0, 1.0)):
        with pytest.raises(ConfigError):
            Range(*wrong, log=True)
    with pytest.raises(ConfigError):
        Choice(("one",))
