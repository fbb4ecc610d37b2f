"""Pages of a shop with trained models: the finding, the figures and the next step."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from streamlit.testing.v1 import AppTest

from pricing_core import jobs, workflows
from pricing_core.store import datasets, pricelists, runs, settings
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import self_declared
from pricing_core.workflows import whole_model

from .conftest import ROOT, OpenPage

RANGE = r"90% range [+−]?[\d.]+% to [+−]?[\d.]+%"


def finding(page: AppTest) -> str:
    return page.subheader[0].value.replace("\\", "")


def said(page: AppTest) -> str:
    return "\n".join(text.value for text in page.markdown).replace("\\", "")


def labels(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception, page.exception[0].message
    return page


def test_today_shows_the_week_and_ranks_decisions(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("today")
    assert re.match(r"\d decisions? for you", finding(page))
    assert labels(page)["Revenue"].startswith("$")
    assert any("Make the first price list" in text.value for text in page.markdown)
    assert any("profit in 4 weeks" in text.value and "90% range" in text.value for text in page.markdown)


def test_today_names_the_price_list_that_waits_for_somebody(trained: Workspace, open_page: OpenPage) -> None:
    key = workflows.make_price_list(trained, "product")
    workflows.submit(trained, key, actor=self_declared("Ann"))
    page = open_page("today")
    assert finding(page).endswith(f"first: review the price list {key}.")
    assert "Submitted by Ann (self-declared) just now" in said(page)
    workflows.reject(trained, key, "Too bold.", actor=self_declared("Paul"))
    page = open_page("today")
    assert finding(page).endswith(f"first: change the price list {key}.")
    assert "Sent back by Paul (self-declared): Too bold" in said(page)
    workflows.submit(trained, key, actor=self_declared("Ann"))
    workflows.approve(trained, key, actor=self_declared("Paul"))
    assert finding(open_page("today")).endswith(f"first: put the price list {key} live.")
    workflows.activate(trained, key, actor=self_declared("Paul"))
    assert key not in finding(open_page("today"))


def test_profit_on_assumed_costs_says_so_and_the_margin_can_be_changed(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("optimize")
    before = labels(page)["Profit, 4 weeks"]
    told = "The unit cost is unknown for", "a margin of 30% of the usual price is assumed"
    assert any(all(words in text.value for words in told) for text in page.markdown)
    page.number_input(key="margin_percent").set_value(60.0)
    press(page, "Use this margin")
    assert datasets.load_manifest(trained).margin_assumption == 0.6
    assert labels(page)["Profit, 4 weeks"] != before
    assert any("a margin of 60% of the usual price is assumed" in text.value for text in page.markdown)


def test_models_compares_with_baselines_and_shows_runs(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("models")
    assert "which it had not seen" in finding(page)
    assert set(labels(page)) >= {"Ranks buyers first", "Calibration slope", "Accuracy"}
    table = next(frame.value for frame in page.dataframe if "earned" in frame.value)
    assert {"Average of the shop", "Average of the product"} <= {name.strip() for name in table["name"]}
    assert table["name"].iloc[0].startswith("✓ ")


def test_demand_names_the_best_price_and_answers_for_another(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("demand")
    product = page.selectbox(key="product").value
    assert product in finding(page)
    assert float(labels(page)["Elasticity"].replace("−", "-")) < 0
    before = labels(page)["Conversion"]
    slider = page.slider(key=f"try_{product}")
    slider.set_value(slider.max).run()
    assert float(labels(page)["Conversion"].rstrip("%")) < float(before.rstrip("%"))


def test_explain_takes_one_recommendation_apart(
    trained: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(whole_model.behavior_as_a_whole.__kwdefaults__, "n_offers", 40)  # a thousand take half a minute
    page = open_page("explain")
    assert re.search(r"is recommended|stays at the going price", finding(page))
    captions = " ".join(caption.value for caption in page.caption)
    assert "the steps add up exactly" in captions
    errors = re.findall(r"prediction (exactly|within [\d.e+-]+ points) \(additivity error\)", captions)
    assert len(errors) == 1
    assert all(error == "exactly" or float(error.split()[1]) < 1 for error in errors)
    assert re.search(r"Additivity error: at most \d\.\d\d% of the range of predictions", captions)
    assert re.search(r"Fidelity R² −?\d\.\d\d", captions)
    assert any("Evidence: " in text.value for text in page.markdown)
    assert len(page.get("plotly_chart")) == 9


def test_optimize_applies_the_guardrails_and_names_what_binds(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("optimize")
    counts = r"Raise [\d,]+( \(a smaller discount than today\))?, cut [\d,]+, hold [\d,]+ offers"
    others = r"with [+−]?[\d.]+% revenue and [+−]?[\d.]+ points of conversion"
    assert re.match(rf"{counts}: [+−]?[\d.]+% profit, {RANGE}, {others}\.", finding(page))
    captions = " ".join(caption.value for caption in page.caption)
    assert "A raise is a smaller discount than today" in captions
    assert re.search(r"less than today: (\\[<>])?\d+%, if the model is right", captions)
    assert "less than today: 0%" not in captions
    page.radio(key="strategy").set_value("product")
    page.number_input(key="rule_change").set_value(1.0)
    press(page, "Run")
    assert settings.get(trained, "guardrails")["max_change_rate"] == 0.01
    table = next(frame.value for frame in page.dataframe if "rule" in frame.value)
    assert "maximum change" in set(table["rule"])


def test_guardrails_that_contradict_each_other_are_refused_in_words(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("optimize")
    page.number_input(key="rule_floor").set_value(9.0)
    page.number_input(key="rule_ceiling").set_value(5.0)
    press(page, "Run")
    assert page.error[0].value == (
        "“Never below” \\(\\$9.00\\) is higher than “Never above” \\(\\$5.00\\): no price can keep both. "
        "**Not applied:** what is shown below follows the rules applied last."
    )
    assert settings.get(trained, "guardrails") is None
    assert finding(page).startswith("Raise") and "Profit, 4 weeks" in labels(page)
    page.number_input(key="rule_ceiling").set_value(12.0)
    press(page, "Run")
    assert not page.error
    assert settings.get(trained, "guardrails")["price_ceiling"] == 12.0


def test_scenarios_compare_strategies(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("scenarios")
    page.slider(key="scenario_cost").set_value(10).run()
    assert finding(page).startswith("With costs +10%, the strategy “")
    table = next(frame.value for frame in page.dataframe if "profit_uplift_rate" in frame.value)
    assert {"uniform", "status_quo", "personalized_discount"} <= set(table["strategy"])
    chances = table.set_index("strategy")["probability_loss"]
    assert chances.isna()["status_quo"], "today's prices do not lose against themselves"
    assert chances.drop("status_quo").str.fullmatch(r"<1%|>99%|[1-9]\d?%").all()


def test_widget_values_survive_a_visit_to_another_page(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("scenarios")
    page.slider(key="scenario_cost").set_value(10).run()
    page.switch_page("pages/data.py").run()
    page.switch_page("pages/models.py").run()
    page.switch_page("pages/scenarios.py").run()
    assert page.slider(key="scenario_cost").value == 10
    assert finding(page).startswith("With costs +10%, the strategy “")


def test_a_price_list_is_made_in_the_background(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("price_list")
    assert "No price list yet" in finding(page)
    page.button(key="make_price_list").click().run()
    job = jobs.list_jobs(trained)[0]
    assert (job.kind, job.params["strategy"]) == ("price_list", "personalized_discount")


def captions(page: AppTest) -> str:
    return " ".join(caption.value for caption in page.caption).replace("\\", "")


def test_scenarios_name_the_guardrails_set_on_optimize(trained: Workspace, open_page: OpenPage) -> None:
    assert "Guardrails, as last set on Optimize: margin at least 0%." in captions(open_page("scenarios"))
    settings.set(trained, "guardrails", {"margin_floor": None})
    assert "Guardrails, as last set on Optimize: none." in captions(open_page("scenarios"))
    settings.set(trained, "guardrails", {"max_change_rate": 0.1, "price_ceiling": 9.0, "endings": [49, 99]})
    assert "change at most ±10%, never above $9.00, prices end in .49 or .99." in captions(open_page("scenarios"))


def test_a_price_list_says_what_it_was_made_from_and_when_it_is_outdated(
    trained: Workspace, open_page: OpenPage
) -> None:
    workflows.make_price_list(trained, "personalized_discount")
    page = open_page("price_list")
    assert "from data **d0001** (Tea shop) with model **r0001**; unit costs from an assumed margin" in captions(page)
    assert not any("outdated" in warning.value for warning in page.warning)
    stored = pricelists.load_price_list(trained)
    pricelists.save_price_list(
        trained, stored.frame, strategy=stored.strategy, run_id="r0000", dataset_id="d0000",
        summary={**stored.summary, "margin_assumption": 0.2},
    )  # fmt: skip
    warning = next(each.value for each in open_page("price_list").warning if "outdated" in each.value)
    assert warning == (
        "**This list is outdated:** it was made with model r0000, and r0001 is in use; it rests on data d0000, and "
        "d0001 is here; it assumed a margin of 20.0%, and the assumption has changed."
    )


def test_a_doubtful_reaction_to_price_is_said_wherever_profit_is_promised(
    trained: Workspace, open_page: OpenPage
) -> None:
    path = runs.run_dir(trained) / "metrics.json"
    metrics = json.loads(path.read_text())
    path.write_text(json.dumps({**metrics, "price_band_slope": [2.8, 1.7, 3.9]}))
    workflows.make_price_list(trained, "personalized_discount")
    for name in ("optimize", "scenarios", "price_list", "today"):
        shown = [warning.value.replace("\\", "") for warning in open_page(name).warning]
        assert any(text.startswith("On later offers, buyers reacted 2.8 times as strongly") for text in shown), name


def test_no_page_imports_the_learners_before_they_are_needed(trained: Workspace) -> None:
    script = (
        "import sys; from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('streamlit_app.py', default_timeout=180).run()\n"
        "assert not app.exception and 'decision' in app.subheader[0].value\n"
        "print([name for name in ('tensorflow', 'keras', 'shap', 'lightgbm') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]"
