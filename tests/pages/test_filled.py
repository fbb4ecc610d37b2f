"""Pages of a shop with trained models: the finding, the figures and the next step."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys

from streamlit.testing.v1 import AppTest

from pricing_core import jobs, workflows
from pricing_core.pricelist.export import to_excel_csv, to_import_csv
from pricing_core.store import datasets, pricelists, runs, settings
from pricing_core.store.workspace import Workspace

from .conftest import ROOT, OpenPage

RANGE = r"90% range [+−]?[\d.]+% to [+−]?[\d.]+%"


def finding(page: AppTest) -> str:
    return page.subheader[0].value


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


def test_profit_on_assumed_costs_says_so_and_the_margin_can_be_changed(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("optimize")
    before = labels(page)["Profit, 4 weeks"]
    assert any("a margin of 30% of each product's usual price" in text.value for text in page.markdown)
    page.number_input(key="margin_percent").set_value(60.0)
    press(page, "Use this margin")
    assert datasets.load_manifest(trained).margin_assumption == 0.6
    assert labels(page)["Profit, 4 weeks"] != before
    assert any("a margin of 60% of each product's usual price" in text.value for text in page.markdown)


def test_models_compares_with_baselines_and_shows_runs(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("models")
    assert "which it had not seen" in finding(page)
    assert set(labels(page)) >= {"Ranks buyers first", "Calibration slope", "Accuracy"}
    table = next(frame.value for frame in page.dataframe if "gain_rate" in frame.value)
    assert {"behavior model", "average of the shop", "monotone boosted trees"} <= set(table["model"])
    assert len(page.get("plotly_chart")) == 3


def test_another_run_can_be_put_into_use(trained: Workspace, open_page: OpenPage) -> None:
    folder = runs.new_run_dir(trained)
    record = runs.list_runs(trained).iloc[0]
    for file in runs.run_dir(trained).iterdir():
        if file.name != "record.json":
            (folder / file.name).write_bytes(file.read_bytes())
    summary = {key: record[key] for key in ("seed", "quick", "seconds", "auc", "log_loss")}
    newer = runs.commit_run(trained, folder, dataset_id="d0001", summary=summary)
    page = open_page("models")
    assert runs.latest_run_id(trained) == newer
    press(page, "Use this run")
    assert runs.latest_run_id(trained) == "r0001"


def test_demand_names_the_best_price_and_answers_for_another(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("demand")
    product = page.selectbox(key="product").value
    assert product in finding(page)
    assert float(labels(page)["Elasticity"].replace("−", "-")) < 0
    before = labels(page)["Conversion"]
    slider = page.slider(key=f"try_{product}")
    slider.set_value(slider.max).run()
    assert float(labels(page)["Conversion"].rstrip("%")) < float(before.rstrip("%"))


def test_explain_takes_one_recommendation_apart(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("explain")
    assert re.search(r"is recommended|stays at the going price", finding(page))
    captions = " ".join(caption.value for caption in page.caption)
    assert "the steps add up exactly" in captions
    errors = [float(number) for number in re.findall(r"within ([\d.e+-]+) \(additivity error\)", captions)]
    assert len(errors) == 2 and max(errors) < 1e-5
    assert re.search(r"Fidelity R² -?\d\.\d\d", captions)
    assert len(page.get("plotly_chart")) == 7


def test_optimize_applies_the_guardrails_and_names_what_binds(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("optimize")
    assert re.match(rf"Raise [\d,]+, cut [\d,]+, hold [\d,]+: [+−]?[\d.]+% profit, {RANGE}\.", finding(page))
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
    assert "price_floor 9.0 is above price_ceiling 5.0" in page.error[0].value
    assert settings.get(trained, "guardrails") is None


def test_scenarios_compare_strategies_and_are_saved(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("scenarios")
    page.slider(key="scenario_cost").set_value(10)
    press(page, "Run")
    assert finding(page).startswith("If costs +10%")
    table = next(frame.value for frame in page.dataframe if "profit_uplift_rate" in frame.value)
    assert {"uniform", "status_quo", "personalized_discount"} <= set(table["strategy"])
    press(page, "Save scenario")
    press(page, "Run")
    assert any("Costs +10%" in frame.value.columns for frame in page.dataframe)


def test_widget_values_survive_a_visit_to_another_page(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("scenarios")
    page.slider(key="scenario_cost").set_value(10)
    press(page, "Run")
    page.switch_page("pages/data.py").run()
    page.switch_page("pages/models.py").run()
    page.switch_page("pages/scenarios.py").run()
    assert page.slider(key="scenario_cost").value == 10
    assert finding(page).startswith("If costs +10%")


def test_a_price_list_is_made_in_the_background(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("price_list")
    assert "No price list yet" in finding(page)
    page.button(key="make_price_list").click().run()
    job = jobs.list_jobs(trained)[0]
    assert (job.kind, job.params["strategy"]) == ("price_list", "personalized_discount")


def test_a_price_list_is_reviewed_and_downloaded_twice(trained: Workspace, open_page: OpenPage) -> None:
    price_list_id = workflows.make_price_list(trained, "personalized_discount")
    page = open_page("price_list")
    assert re.search(RANGE, finding(page))
    assert {button.label for button in page.download_button} == {"Download for Excel", "Download for import"}
    stored = pricelists.load_price_list(trained, price_list_id)
    table = next(frame.value for frame in page.dataframe if "change_percent" in frame.value)
    assert len(table) == len(stored.frame)
    page.segmented_control(key="list_show").set_value("Cut").run()
    cut = next(frame.value for frame in page.dataframe if "change_percent" in frame.value)
    assert len(cut) == (stored.frame["new_price"] < stored.frame["current_price"]).sum()
    for content in (to_import_csv(stored.current), to_excel_csv(stored.current)):
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        assert len(rows) == len(stored.frame)


def test_no_page_imports_the_learners_before_they_are_needed(trained: Workspace) -> None:
    script = (
        "import sys; from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('streamlit_app.py', default_timeout=60).run()\n"
        "assert not app.exception and 'decision' in app.subheader[0].value\n"
        "print([name for name in ('tensorflow', 'keras', 'shap', 'lightgbm') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]"
