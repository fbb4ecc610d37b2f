"""Measure: designing a test, drawing it, reading its result, and what came of past decisions."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.components import job_panel
from pages.components.measure_design import fine_money
from pricing_core import jobs, workflows
from pricing_core.store import datasets, measurements
from pricing_core.store.workspace import Workspace
from pricing_core.workflows import following_up, measuring

from .conftest import OpenPage
from .test_filled import finding, labels, press


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123, "$0.0123"), (0.5731, "$0.573"), (12.5, "$12.50"), (0.0, "$0.00"), (-0.25, "−$0.250")],
)
def test_money_per_offer_keeps_three_digits(value: float, text: str) -> None:
    assert fine_money(value, "USD") == text


def tables_with(page: AppTest, column: str) -> list[pd.DataFrame]:
    return [frame.value for frame in page.dataframe if column in frame.value]


def captions(page: AppTest) -> str:
    return " ".join(caption.value for caption in page.caption).replace("\\", "")


def own_plan(page: AppTest, percent: float) -> None:
    page.selectbox(key="measure_plan").set_value("My own figure").run()
    page.number_input(key="measure_promise").set_value(percent).run()


def test_a_test_is_designed_without_a_model(ws: Workspace, imported: str, open_page: OpenPage) -> None:
    page = open_page("measure")
    assert finding(page).startswith("In 6 weeks you can see a profit change of ±")
    assert page.tabs[0].label == "Design a test"
    assert "A backtest needs a trained model." in [text.value for text in page.info]
    assert any("No price list has been made yet" in text.value for text in page.info)
    assert any("No result has been read yet" in text.value for text in page.info)


def test_the_recommendation_follows_weeks_and_promise(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("measure")
    own_plan(page, 1.0)
    before = labels(page)["Seen in 6 weeks"]
    assert re.fullmatch(r"±[\d.]+%", before)
    assert re.search(r"your plan promises \+1\.0%, (too small to be seen|which shows)", finding(page))
    page.number_input(key="measure_weeks").set_value(20)
    press(page, "Work it out")
    assert float(labels(page)["Seen in 20 weeks"].strip("±%")) < float(before.strip("±%"))
    designs = tables_with(page, "design")[0]
    assert designs["design"].tolist() == ["Split the customers", "Switch the whole shop by week"]
    said = captions(page)
    assert re.search(r"“[^”]+” sees the (promise first, after \d+ weeks?|smallest change in 20 weeks)\.", said)
    assert re.search(r"of 400 random splits without any change, \d+% raised a false alarm, within chance", said)


def test_a_drawn_test_is_kept_with_its_balance_and_its_file(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("measure")
    page.text_input(key="measure_name").set_value("Summer")
    page.number_input(key="measure_seed").set_value(7)
    press(page, "Draw and save")
    saved = measuring.load_design(trained, "Summer")
    assert saved.seed == 7 and saved.starts_on.day_of_week == 0
    again = open_page("measure")
    assert "Summer: split the customers, 6 weeks from " in captions(again).replace("**", "")
    assert re.search(r"A/A check before the test: profit per offer of the arms is .* \(p = \d\.\d\d\)", captions(again))
    assert tables_with(again, "p_value")[0]["figure"].tolist()[1] == "Profit per offer"
    assert {"Assignment for import", "Assignment for Excel"} <= {button.label for button in again.download_button}
    press(again, "Delete this test")
    assert measurements.list_measurements(trained, "design").empty


def drawn_in_the_past(ws: Workspace) -> measuring.SavedDesign:
    from pricing_core.evaluate.test_design import DesignConfig

    measuring.save_design(ws, "Winter", DesignConfig(weeks=4), starts_on=pd.Timestamp("2025-03-03"), seed=1)
    return measuring.load_design(ws, "Winter")


def test_a_result_is_read_from_newer_data_and_stays(trained: Workspace, open_page: OpenPage) -> None:
    drawn_in_the_past(trained)
    page = open_page("measure")
    page.radio(key="read_source").set_value(page.radio(key="read_source").options[1]).run()
    press(page, "Read the result")
    assert re.match(
        r"“Winter”: the new prices moved profit per offer by [+−]?[\d.]+% \(90% range [+−]?[\d.]+% to [+−]?[\d.]+%\): "
        r"(they earn (more|less)|the test cannot tell it from no change); chance of a loss (<1|>99|\d+)%\.",
        finding(page),
    )
    again = open_page("measure")
    assert finding(again) == finding(page)
    assert {"Profit change", "90% range", "Chance of a loss", "In test / control"} <= set(labels(again))
    assert "offers in test and" in captions(again)
    assert tables_with(again, "change")[0]["figure"].tolist()[0] == "Profit per offer"


def test_today_asks_for_the_result_of_a_test_that_has_ended(trained: Workspace, open_page: OpenPage) -> None:
    drawn_in_the_past(trained)
    asked = "Read the result of the test “Winter”"
    assert any(asked in text.value for text in open_page("today").markdown)
    design = measuring.load_design(trained, "Winter")
    outcomes = measuring.later_outcomes(trained, None, design.starts_on)
    measuring.read_result(trained, outcomes, design=design)
    assert not any(asked in text.value for text in open_page("today").markdown)


def test_an_uploaded_file_is_mapped_and_its_unusable_rows_are_given_back(
    trained: Workspace, open_page: OpenPage
) -> None:
    design = drawn_in_the_past(trained)
    offers = workflows.own_customer_ids(trained, datasets.load_dataset(trained).offers)
    later = offers[offers["offered_at"] >= design.starts_on].astype(str)
    later.loc[later.index[0], "price"] = "free"
    content = later.rename(columns={"customer_id": "Buyer"}).to_csv(index=False).encode()
    page = open_page("measure")
    page.file_uploader(key="outcomes").set_value([("out.csv", content, "text/csv")]).run()
    assert not page.exception and not page.error
    mapping = tables_with(page, "meaning")[0].set_index("field")["column"]
    assert mapping["customer_id"] == "Buyer" and mapping["unit_cost"] == "not in my file"
    press(page, "Read the result")
    assert not page.error, page.error[0].value
    assert "1 row of the file could not be used" in captions(page)
    assert "Rows of out.csv that could not be used (1)" in [button.label for button in page.download_button]


def test_reading_without_a_file_asks_for_one(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("measure")
    press(page, "Read the result")
    assert page.error[0].value == "Choose a file with the outcomes first: one row per offer, as in the import."


def test_a_file_that_lacks_a_column_is_refused_in_words_and_the_page_stays(
    trained: Workspace, open_page: OpenPage
) -> None:
    page = open_page("measure")
    page.file_uploader(key="outcomes").set_value([("out.csv", b"a,b\n1,2\n", "text/csv")]).run()
    press(page, "Read the result")
    shown = page.error[0].value.replace("\\", "")
    assert shown.startswith("out.csv: the required columns are missing: customer_id, product_id, offered_at, price")
    assert "Seen in 6 weeks" in labels(page)


def test_a_backtest_runs_in_the_background_and_its_result_is_shown(
    trained: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRICING_JOB_HANDLERS", "tests.pages.job_handlers:SUCCESS")
    page = open_page("measure")
    assert "Judged at training by a model that had learned only from offers before 2025-" in captions(page)
    press(page, "Run the backtest")
    job = jobs.list_jobs(trained)[0]
    assert (job.kind, job.params["weeks"], job.params["run_id"]) == ("backtest", 12, "r0001")
    assert "backtest" in job_panel.NAMES and "backtest" in workflows.JOB_HANDLERS
    following_up.backtest_job(trained, {"strategy": "product", "weeks": 4}, Quiet())
    page = open_page("measure")
    sentences = [text.value for text in page.markdown]
    assert any(text.startswith("**Over 4 past weeks the model expected ") for text in sentences)
    assert any("hollow points" in text.value for text in page.warning)


class Quiet:
    def stage(self, name: str, fraction: float, message: str = "") -> None: ...

    def metric(self, name: str, step: int, value: float) -> None: ...


def test_the_ledger_says_how_many_offers_are_missing(trained: Workspace, open_page: OpenPage) -> None:
    workflows.make_price_list(trained, "product")
    page = open_page("measure")
    assert any(re.search(r"p0001 promised [\d.]+% conversion and .* profit per offer; not yet measurable: needs ", text)
               for text in (each.value.replace("\\", "") for each in page.markdown))  # fmt: skip
    assert labels(page)["Offers at its prices"] == "0"
    assert len(tables_with(page, "status")[0]) == 3
    assert "against the weeks before" in captions(page)
