"""The Models page: whether to believe the prices, where the model errs, the going price, and the registry."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pricing_core import jobs
from pricing_core.store import pricelists, run_registry, runs
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import self_declared
from tests.blends import blended_run

from .conftest import OpenPage


def opened(open_page: OpenPage, tab: str) -> AppTest:
    page = open_page("models")
    page.session_state["tab"] = tab
    page.run()
    assert not page.exception, page.exception[0].message
    assert not page.error, page.error[0].value
    return page


def said(page: AppTest) -> str:
    texts = [each.value for kind in (page.markdown, page.caption, page.info) for each in kind]
    return "\n".join(texts).replace("\\", "")


def second_run(ws: Workspace) -> str:
    """A copy of the run in use, in use in its place."""
    first, draft = runs.run_dir(ws), runs.new_run_dir(ws)
    for file in first.iterdir():
        if file.name != "record.json":
            shutil.copy(file, draft / file.name)
    return runs.commit_run(ws, draft, dataset_id="d0001", summary={"seed": 0, "quick": True, "auc": 0.7})


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception, page.exception[0].message
    return page


def test_the_first_sentence_says_whether_to_believe_the_prices(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("models")
    first = page.subheader[0].value.replace("\\", "")
    assert first.startswith(("You can believe these prices: ", "Use these prices with care: ", "Do not rely on these"))
    assert "which it had not seen" in first
    for name in ("Knows more than the average", "Reaction to price", "Level of the forecast", "Past offers at such"):
        assert f"**{name}" in said(page)


@pytest.mark.parametrize("name", ["manifest.json", "metrics.json"])
def test_a_damaged_run_in_use_leaves_the_ways_out(trained: Workspace, open_page: OpenPage, name: str) -> None:
    damaged = second_run(trained)
    whole = (runs.run_dir(trained) / name).read_bytes()
    (runs.run_dir(trained) / name).write_bytes(whole[: len(whole) // 2])
    page = open_page("models", errors=True)
    assert page.subheader[0].value.startswith("The model in use cannot be read: train a new one")
    assert damaged in page.error[0].value and "Train again" in page.error[0].value
    assert [tab.label for tab in page.tabs] == ["Train", "Runs"]
    assert not page.button(key="train_start").disabled
    page.session_state["way_out"] = "Runs"
    page.run().button(key="roll_back").click().run()
    assert runs.latest_run_id(trained) == "r0001"
    assert not page.error and "How good" in [tab.label for tab in page.tabs]


def test_candidates_and_the_reason_of_the_choice_are_shown(trained: Workspace, open_page: OpenPage) -> None:
    path = runs.run_dir(trained) / "metrics.json"
    metrics = json.loads(path.read_text())
    shared = {"log_loss": 0.5, "auc": 0.7, "accuracy": 0.8, "policy_low": 0.1, "policy_high": 0.9, "size_bytes": 2e6}
    metrics["leaderboard"] = [
        {"family": "network", "label": "Deep behavior model", "policy_value": 0.5, "chosen": False, **shared},
        {"family": "l1_logit", "label": "L1 <logit>", "policy_value": 0.6, "chosen": True, "price_slope": 1.1,
         "policy_basis": "past offers"} | shared,
    ]
    metrics["choice_reason"] = "L1 <logit> was chosen."
    path.write_text(json.dumps(metrics))
    page = open_page("models")
    table = next(frame.value for frame in page.dataframe if "earned" in frame.value)
    assert table["name"].iloc[0] == "✓ L1 <logit>"
    assert table["earned"].iloc[0] == "$600.00 ($100.00 to $900.00)"
    assert table["basis"].iloc[0] == "Past offers"
    assert (table["reaction"].iloc[0], table["size"].iloc[0]) == ("1.10", "2.0 MB")
    assert "L1 <logit> was chosen." in said(page)
    assert len(page.get("plotly_chart")) == 1


def test_errors_are_split_by_any_grouping_with_counts_and_standard_errors(
    trained: Workspace, open_page: OpenPage
) -> None:
    page = opened(open_page, "Errors")
    assert len(page.get("plotly_chart")) == 4
    choice = page.segmented_control(key="error_grouping")
    assert choice.options == ["Price", "Earlier offers"]
    choice.set_value("earlier_offers").run()
    table = next(frame.value for frame in page.dataframe if "error_se" in frame.value)
    assert {"n", "purchases", "error", "error_se", "log_loss_se", "verdict"} <= set(table.columns)
    assert table["n"].sum() == json.loads((runs.run_dir(trained) / "metrics.json").read_text())["held_out_offers"]


def test_a_run_of_an_earlier_version_says_what_it_lacks(trained: Workspace, open_page: OpenPage) -> None:
    folder = runs.run_dir(trained)
    (folder / "held_out.parquet").unlink()
    metrics = json.loads((folder / "metrics.json").read_text())
    del metrics["pricing_model"]["going_price"]
    metrics.pop("leaderboard", None)
    (folder / "metrics.json").write_text(json.dumps(metrics))
    assert "trained without competitors" in said(open_page("models"))
    assert "kept no held-out offers" in said(opened(open_page, "Errors"))
    assert "trained by an earlier version" in said(opened(open_page, "Going price"))


def test_the_going_price_is_told_in_the_shops_own_numbers(trained: Workspace, open_page: OpenPage) -> None:
    page = opened(open_page, "Going price")
    words = said(page)
    assert "**1 · The going price.**" in words and "In the recent offers it ranges from $" in words
    assert "**2 · Chance told from habit.**" in words and "**3 · Prices that data support.**" in words
    assert "The data do not say what was in stock" in words
    assert {"level", "trees", "network"} <= set(page.dataframe[0].value.columns)


def test_new_data_are_compared_with_what_the_model_learned_from(trained: Workspace, open_page: OpenPage) -> None:
    page = opened(open_page, "New data")
    assert "The latest 4 weeks against the weeks before" in said(page)
    assert {"before", "now", "verdict", "index"} <= set(page.dataframe[0].value.columns)
    assert "below 0.1 it counts as before" in said(page)


def test_training_shows_what_it_was_made_from(trained: Workspace, open_page: OpenPage) -> None:
    page = opened(open_page, "Train")
    assert "Learned from 3,000 of 3,000 offers" in said(page) and len(page.get("plotly_chart")) == 1
    assert "How r0001, the model in use, has learned" in [each.value for each in page.subheader]
    assert "r0001: Deep behavior model, quick." in said(page)
    if "train_full" in [button.key for button in page.button]:
        page.button(key="train_full").click().run()
        assert page.radio(key="train_quick_choice").value is False
    way = page.radio(key="train_quick_choice")
    options = way.options
    way.set_value(False).run()
    page.selectbox(key="train_family").set_value("bayes").run()
    # The browser knows a choice by its text: what follows from another choice must not be part of it.
    assert page.radio(key="train_quick_choice").options == options
    assert page.radio(key="train_quick_choice").value is False


def test_a_finished_training_says_what_it_changed(
    trained: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = second_run(trained)
    job = SimpleNamespace(id="j1", kind="train", status="succeeded", active=False, result={"run_id": newer},
                          finished_at=datetime.now(UTC), error=None)  # fmt: skip
    monkeypatch.setattr(jobs, "list_jobs", lambda ws, limit: [job])
    words = said(open_page("models"))
    assert f"**{newer}** is ready and in use instead of r0001." in words
    assert "Its prices are on average as high as r0001's for the same offers, and 0% of them differ" in words
    run_registry.roll_back(trained, actor=self_declared("Ann"))
    assert f"**{newer}** is ready; r0001 stays in use until another is chosen." in said(open_page("models"))
    job.finished_at -= timedelta(hours=1)
    assert "is ready" not in said(open_page("models"))


def test_the_size_tab_compares_the_forms_and_names_a_model_that_has_none(
    trained: Workspace, open_page: OpenPage
) -> None:
    assert "about a sixth of its size" in said(opened(open_page, "Size"))
    form = {"form": "original", "size_bytes": 4_000, "size_share": 1.0, "seconds_1000": 0.1, "seconds_100000": 1.0,
            "log_loss": 0.5, "log_loss_change": 0.0, "price_change_mean": 0.0, "price_change_max": 0.0,
            "same_price_share": 1.0, "profit_change": 0.0}  # fmt: skip
    small = {"form": "int8", "size_bytes": 1_000, "size_share": 0.25, "price_change_mean": 0.001,
             "price_change_max": 0.012, "profit_change": -0.00002, "seconds_100000": 2.0}  # fmt: skip
    folder = runs.run_dir(trained) / "compressed"
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps({"forms": [form, form | small]}))
    page = opened(open_page, "Size")
    words = said(page)
    assert "takes 25% of the original's size (1.0 kB instead of 4.0 kB)" in words
    assert "answers slower (2.0 s instead of 1.0 s for 100,000 offers)" in words
    assert "It moves recommended prices by 0.10% on average" in words
    assert page.dataframe[0].value["serves"].tolist() == [True, False]
    assert "smaller form answers" not in words
    path = runs.run_dir(trained) / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "serving_form": "int8"}))
    assert "Its smaller form answers: Compressed, 4 and 8 bits" in said(opened(open_page, "Size"))
    path.write_text(json.dumps(manifest))
    blended_run(trained, alone=True)
    assert "The model in use (Bayes from counts) has no network" in said(opened(open_page, "Size"))


def test_runs_are_put_in_use_taken_back_noted_and_compared(trained: Workspace, open_page: OpenPage) -> None:
    newer = second_run(trained)
    page = opened(open_page, "Runs")
    assert "Against the prices of r0002 for the same" in said(page) and "0% of them move by more than 1%" in said(page)
    press(page, "Go back to r0001, which was in use before")
    assert runs.latest_run_id(trained) == "r0001"
    page.selectbox(key="registry_run").set_value(newer).run()
    page.text_input(key=f"note_text_{newer}").input("after the sale")
    press(page, "Save note")
    assert runs.list_runs(trained)["note"].tolist() == ["after the sale", ""]
    press(page, "Use this model")
    assert runs.latest_run_id(trained) == newer
    assert run_registry.usage_history(trained)["why"].tolist() == ["chosen", "rolled back", "trained", "trained"]


def test_a_damaged_run_is_not_put_in_use_and_going_back_passes_it_over(
    trained: Workspace, open_page: OpenPage
) -> None:
    second, third = second_run(trained), second_run(trained)
    (trained.runs_dir / second / "targets.parquet").write_bytes(b"nothing")
    page = open_page("models")
    page.session_state["tab"] = "Runs"
    page.session_state["compare"] = [third, "r0001"]
    page.run()
    assert f"{second} is passed over: its file targets.parquet is missing or damaged" in said(page)
    page.selectbox(key="registry_run").set_value(second).run()
    press(page, "Use this model")
    assert f"{second} cannot be put in use: its file targets" in page.error[0].value.replace("\\", "")
    assert runs.latest_run_id(trained) == third
    press(page, "Go back to r0001, which was in use before")
    assert runs.latest_run_id(trained) == "r0001"
    assert "roll_back" not in [button.key for button in page.button]


def test_a_run_is_deleted_after_one_more_question_and_never_while_something_rests_on_it(
    trained: Workspace, open_page: OpenPage
) -> None:
    second_run(trained)
    page = opened(open_page, "Runs")
    page.selectbox(key="registry_run").set_value("r0001").run()
    press(page, "Delete r0001")
    assert runs.list_runs(trained)["run_id"].tolist() == ["r0002"]
    third = second_run(trained)
    frame = pd.DataFrame({"product_id": ["a"], "new_price": [1.0], "effective_from": [pd.Timestamp("2026", tz="UTC")]})
    pricelists.save_price_list(trained, frame, strategy="product", run_id="r0002", dataset_id="d0001", summary={},
                               actor=self_declared("Ann"))  # fmt: skip
    page = opened(open_page, "Runs")
    for run_id, reason in ((third, "so that it cannot be deleted"), ("r0002", "made the price list p0001")):
        page.selectbox(key="registry_run").set_value(run_id).run()
        assert reason in said(page)
        assert f"delete_{run_id}" not in [button.key for button in page.button]
