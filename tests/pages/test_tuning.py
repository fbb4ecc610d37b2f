"""Tunings on the page: begin, go on, compare, train with what was found, delete."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState
from streamlit.testing.v1 import AppTest

from pricing_core import jobs
from pricing_core.models.search import Judged, Report, SearchPlan, search
from pricing_core.models.search_space import PRICING_MODEL, space_of
from pricing_core.models.trial_ends import OUT_OF_TIME
from pricing_core.store import datasets, runs, studies
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.tuning import TuningRequest, new_tuning

PAGE = Path(__file__).with_name("tuning_page.py")


def open_tuning() -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=180).run()
    assert not app.exception, app.exception[0].message
    assert not app.error, app.error[0].value
    return app


def made(ws: Workspace, name: str, family: str = "network", trials: int = 10) -> None:
    """A tuning whose trials cost nothing."""
    criterion = "price_error" if family == PRICING_MODEL else "log_loss"
    new_tuning(ws, TuningRequest(name=name, family=family, criterion=criterion))

    def objective(settings: dict[str, Any], report: Report) -> Judged:
        loss = 0.34 + abs(math.log10(settings["learning_rate"]) + 2.3) / 50
        report(1, loss)
        return Judged(loss, {"log_loss": loss, "price_slope": 0.97, "policy_value": 0.81, "policy_reliable": 1.0})

    with studies.working_on(ws, name) as study:
        search(study, space_of(family), objective, SearchPlan("random", minutes=None, trials=trials, seed=1))


def button(app: AppTest, label: str) -> Any:
    return next(each for each in app.button if each.label == label)


@pytest.mark.usefixtures("imported")
def test_a_tuning_begins_in_the_background(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(jobs, "submit", lambda ws, kind, params: sent.append((kind, params)))
    app = open_tuning()
    assert "Tuning tries other settings" in app.info[0].value
    assert app.text_input(key="tuning_name_network").value == "network 1"
    app.selectbox(key="tuning_family").set_value(PRICING_MODEL).run()
    assert app.selectbox(key="tuning_criterion_True").options == ["Error of the going price"]
    app.text_input(key=f"tuning_name_{PRICING_MODEL}").set_value("prices in spring")
    button(app, "Begin").click().run()
    assert sent == [("tune", {"name": "prices in spring", "minutes": 10.0})]
    record = studies.get(ws, "prices in spring").record
    assert (record["family"], record["criterion"], record["max_rows"]) == (PRICING_MODEL, "price_error", 20_000)


@pytest.mark.usefixtures("imported")
def test_trials_are_shown_and_their_settings_can_be_trained_with(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(jobs, "submit", lambda ws, kind, params: sent.append((kind, params)))
    made(ws, "spring")
    made(ws, "prices", PRICING_MODEL, trials=3)
    app = open_tuning()
    best = studies.get(ws, "prices").best_number
    assert [m.value for m in app.metric] == ["3", "0", str(best), "unknown", app.metric[4].value]
    app.selectbox(key="tuning_shown").set_value("spring").run()
    found = studies.get(ws, "spring")
    assert app.metric[0].value == "10" and app.metric[2].value == str(found.best_number)
    tables = [each.value for each in app.dataframe]
    assert len(tables[0]) == 10 and list(tables[1]["name"]) == ["prices", "spring"]
    assert tables[0]["mark"].tolist().count("★ best") == 1 and "90" not in tables[0]["slope"].iloc[0]
    assert any("were judged on different offers" in each.value for each in app.caption)
    app.text_input(key="tuning_name_network").set_value("spring")
    button(app, "Begin").click().run()
    assert "There is a tuning named 'spring' already" in app.error[0].value and len(app.dataframe) == 2 and not sent
    button(app, "Train").click().run()
    assert sent[-1][0] == "train"
    params = sent[-1][1]
    assert params["promote"] is True and "seed" not in params  # the first model is in use in any case
    assert params["origin"] == {"network": {"study": "spring", "trial": found.best_number}}
    trials = studies.trials(ws, "spring").set_index("number")
    assert params["settings"]["learning_rate"] == trials.loc[found.best_number, "setting.learning_rate"]
    button(app, "Go on").click().run()
    assert sent[-1] == ("tune", {"name": "spring", "minutes": 10.0})
    study = studies.open_study(ws, "spring")
    cut = study.ask()
    cut.set_user_attr("reason", OUT_OF_TIME)
    study.tell(cut, state=TrialState.FAIL)
    app.run()
    assert app.dataframe[0].value["state"].iloc[0] == "! interrupted"


@pytest.mark.usefixtures("imported")
def test_a_tuning_can_be_deleted(ws: Workspace) -> None:
    made(ws, "spring", trials=2)
    app = open_tuning()
    button(app, "Delete").click().run()
    assert studies.list_studies(ws) == []
    assert "Tuning tries other settings" in app.info[0].value


@pytest.mark.usefixtures("imported")
def test_a_tuned_model_stands_beside_the_one_in_use_unless_asked_otherwise(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = runs.new_run_dir(ws)
    (folder / "manifest.json").write_text("{}")  # a tuning asks nothing of the model in use but whether there is one
    runs.commit_run(ws, folder, dataset_id=str(datasets.latest_dataset_id(ws)), summary={})
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(jobs, "submit", lambda ws, kind, params: sent.append(params))
    made(ws, "spring", trials=3)
    app = open_tuning()
    button(app, "Train").click().run()
    app.checkbox(key="tuning_promote").check().run()
    app.number_input(key="tuning_seed_spring").set_value(4).run()
    button(app, "Train").click().run()
    assert [(params["promote"], params.get("seed")) for params in sent] == [(False, None), (True, 4)]
