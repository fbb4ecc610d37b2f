"""Scenarios page: sliders that answer, links, saved scenarios, and what can be taken away."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import parse_qsl, urlsplit

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pricing_core.guardrails import Guardrails, Rule
from pricing_core.pricelist.export import to_excel_csv
from pricing_core.simulate.export import comparison_frame
from pricing_core.simulate.scenario import Scenario
from pricing_core.store import scenarios as store
from pricing_core.store import settings
from pricing_core.store.workspace import Workspace

from .conftest import ROOT, OpenPage

RANGE = r"90% range [+−]?[\d.]+% to [+−]?[\d.]+%"


def finding(page: AppTest) -> str:
    return page.subheader[0].value.replace("\\", "")


def move(page: AppTest, key: str, value: float) -> AppTest:
    page.slider(key=key).set_value(value).run()
    assert not page.exception and not page.error
    return page


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception, page.exception[0].message
    return page


def tab(page: AppTest, name: str) -> AppTest:
    page.session_state["scenario_tab"] = name
    page.run()
    assert not page.exception and not page.error
    return page


def choose(page: AppTest, name: str) -> None:
    box = page.selectbox(key="saved_one")
    box.select_index(box.options.index(name)).run()
    assert not page.exception, page.exception[0].message


def table(page: AppTest, column: str) -> object:
    return next(frame.value for frame in page.dataframe if column in frame.value)


def test_a_slider_is_answered_at_once_with_the_sentence_to_repeat(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("scenarios")
    assert re.match(
        r"The strategy “[^”]+” would earn most: \$[\d.,k]+ in 4 weeks, "
        rf"[+−][\d.]+% against today's prices \({RANGE}\), "
        r"with a (<1|\d+|>99)%? chance of earning less\.", finding(page),
    )  # fmt: skip
    move(page, "scenario_cost", 10)
    assert finding(page).startswith("With costs +10%, the strategy “")
    move(page, "scenario_weeks", 8)
    assert " in 8 weeks" in finding(page)
    move(page, "scenario_churn", 2.0)
    assert "2.0% of customers a week leaving per 10% dearer" in finding(page)


def test_figures_say_raw_and_corrected_luck_and_what_is_not_measured(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("scenarios")
    captions = " ".join(caption.value for caption in page.caption).replace("\\", "")
    assert re.search(r"Corrected for prices that flatter the model .*: [+−][\d.]+% before, [+−][\d.]+% after", captions)
    assert re.search(r"With the luck of sales, profit may come out anywhere from \$[\d.,k]+ to \$[\d.,k]+", captions)
    assert {metric.label: metric.value for metric in page.metric}["Satisfaction"] == "not measured"


def test_a_budget_is_for_the_weeks_of_the_scenario(trained: Workspace, open_page: OpenPage) -> None:
    budget = Rule("discount_budget", 25.0)
    settings.set(trained, "guardrails", Guardrails(rules=(budget,), horizon_offers=1.0).to_mapping())
    page = open_page("scenarios")
    page.multiselect(key="scenario_strategies").set_value(["personalized_discount"]).run()
    assert "Totals count over the 4 weeks of this scenario." in " ".join(caption.value for caption in page.caption)
    four = _uplift(page)
    move(page, "scenario_weeks", 8)
    assert "Totals count over the 8 weeks of this scenario." in " ".join(caption.value for caption in page.caption)
    assert 0 < _uplift(page) < four  # the same money has to last twice as long


def _uplift(page: AppTest) -> float:
    """Profit of personal discounts over today's before correction: the most that the rules allow."""
    shown = table(page, "profit_uplift_rate_uncorrected").set_index("strategy")["profit_uplift_rate_uncorrected"]
    return float(str(shown["personalized_discount"]).replace("\u2212", "-").strip("+%"))


def test_what_the_data_do_not_know_cannot_be_moved(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("scenarios")
    assert page.slider(key="scenario_rival").disabled and page.selectbox(key="scenario_season").disabled
    stock = page.select_slider(key="scenario_stock")
    stock.set_value(1.0).run()
    assert "stock for 1 week of sales" in finding(page)
    shown = table(page, "stock_outs")
    assert (shown["stock_outs"] > 0).all() and (shown["units_missed"] > 0).all()


def test_a_link_opens_the_same_scenario(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("scenarios")
    move(page, "scenario_cost", 15)
    move(page, "scenario_demand", -5)
    page.multiselect(key="scenario_strategies").set_value(["status_quo", "product"]).run()
    address = next(code.value for code in page.code if "cost=15" in code.value)
    query = dict(parse_qsl(urlsplit(address).query))
    assert query == {"cost": "15", "demand": "-5", "strategies": "status_quo,product,uniform"}
    other = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=180)
    for key, value in query.items():
        other.query_params[key] = value
    other.switch_page("pages/scenarios.py").run()
    assert not other.exception and not other.error
    assert finding(other) == finding(page)
    assert other.slider(key="scenario_cost").value == 15


@pytest.mark.parametrize("query", [{"cost": "999"}, {"cost": "<b>"}, {"customer": "c1"}, {"strategies": "evil"}])
def test_a_wrong_link_is_refused_in_words_and_the_page_stays(
    trained: Workspace, open_page: OpenPage, query: dict[str, str]
) -> None:
    page = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=180)
    for key, value in query.items():
        page.query_params[key] = value
    page.switch_page("pages/scenarios.py").run()
    assert not page.exception and not page.error
    assert any("The settings of the link are left out" in warning.value for warning in page.warning)
    assert finding(page).startswith("The strategy “")


def test_scenarios_are_saved_duplicated_compared_opened_and_deleted(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("scenarios")
    press(page, "Save scenario")
    move(page, "scenario_cost", 20)
    press(page, "Save scenario")
    assert set(store.list_scenarios(trained)["name"]) == {"Base case", "Costs +20%"}
    tab(page, "Saved scenarios")
    compared = table(page, "assumes").set_index("scenario")
    assert compared.loc["Costs +20%", "assumes"] == "costs +20%"
    assert compared.loc["Costs +20%", "profit"] < compared.loc["Base case", "profit"]
    choose(page, "Base case")
    press(page, "Duplicate")
    assert set(store.list_scenarios(trained)["name"]) == {"Base case", "Base case (2)", "Costs +20%"}
    choose(page, "Base case")
    press(page, "Delete")
    assert "Base case" not in set(store.list_scenarios(trained)["name"])
    move(page, "scenario_cost", -10)
    choose(page, "Costs +20%")
    press(page, "Open")
    assert page.slider(key="scenario_cost").value == 20


def test_the_bridge_is_explained_and_past_offers_are_asked_on_demand(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("scenarios")
    move(page, "scenario_demand", 10)
    tab(page, "Why profit changes")
    assert len(page.get("plotly_chart")) == 2
    tab(page, "Do past offers confirm it?")
    assert not page.get("plotly_chart")
    next(button for button in page.button if "against past offers" in button.label).click().run()
    assert not page.exception and not page.error
    assert len(page.get("plotly_chart")) == 2
    assert any("in effect" in caption.value for caption in page.caption)


def test_comparison_and_report_can_be_taken_away(trained: Workspace, open_page: OpenPage) -> None:
    assert {"CSV", "One-page report"} <= {button.label for button in open_page("scenarios").download_button}


def test_the_csv_of_a_comparison_parses() -> None:
    found = pd.DataFrame({"strategy": ["uniform", "product"], "profit": [1.5, 2.25], "name": ["a", "b"]})
    frame = comparison_frame(
        [("=cmd()", Scenario(demand_by_category={"tea": -0.2}), found), ("plain", Scenario(stock_share=0.5), found)]
    )
    rows = list(csv.DictReader(io.StringIO(to_excel_csv(frame).decode("utf-8-sig"))))
    assert len(rows) == 4
    assert rows[0]["scenario"] == "'=cmd()" and rows[0]["assumed_demand_by_category"] == "tea -20%"
    assert [float(row["profit"]) for row in rows] == [1.5, 2.25, 1.5, 2.25]
    assert [row["assumed_stock_share"] for row in rows] == ["", "", "0.5", "0.5"]
