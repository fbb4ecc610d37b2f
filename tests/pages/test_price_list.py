"""The Price list page: find, decide, release, and what two people see of each other."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pricing_core import jobs, workflows
from pricing_core.pricelist import decisions
from pricing_core.pricelist.export import to_excel_csv, to_import_csv
from pricing_core.store import audit, list_comments, pricelists, scenarios
from pricing_core.store.workspace import Workspace
from tests.list_cases import MAYA, make_list, price_frame

from .conftest import OpenPage
from .test_filled import RANGE, finding

START = datetime.now(UTC) + timedelta(days=2)


def table(page: AppTest) -> pd.DataFrame:
    return next(frame.value for frame in page.dataframe if "change_percent" in frame.value)


def view(page: AppTest, name: str) -> AppTest:
    return page.segmented_control(key="list_view").set_value(name).run()


def said(page: AppTest) -> str:
    blocks = [*page.markdown, *page.caption, *page.warning, *page.error, *page.success, *page.info]
    return " ".join(str(block.value) for block in blocks).replace("\\", "").replace("\u2060", "")


def click(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception, page.exception[0].message
    return page


def test_a_price_list_is_reviewed_and_its_files_hold_every_price(trained: Workspace, open_page: OpenPage) -> None:
    price_list_id = workflows.make_price_list(trained, "personalized_discount")
    page = open_page("price_list")
    assert re.search(RANGE, finding(page))
    stored = pricelists.load_price_list(trained, price_list_id)
    assert len(table(page)) == min(100, len(stored.frame))
    assert f"{len(stored.frame):,} of {len(stored.frame):,} prices" in said(page)
    page.segmented_control(key="list_show").set_value("cut").run()
    cut = int((stored.frame["new_price"] < stored.frame["current_price"]).sum())
    assert f"{cut:,} of {len(stored.frame):,} prices" in said(page)
    for content in (to_import_csv(stored.current), to_excel_csv(stored.current)):
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        assert len(rows) == len(stored.frame)


def test_prices_are_found_and_decided_many_at_once(trained: Workspace, open_page: OpenPage) -> None:
    key = make_list(trained, price_frame(250))
    page = open_page("price_list")
    page.text_input(key="list_search").set_value("p01").run()
    assert table(page)["product_id"].tolist() == [f"p{i:03d}" for i in range(10, 20)]
    page.selectbox(key="bulk_decision").set_value("held").run()
    click(page, "bulk_apply")
    assert "10 prices saved." in [toast.value for toast in page.toast]
    found = decisions.counts(pricelists.load_price_list(trained, key).review)
    assert found == {"proposed": 240, "accepted": 0, "held": 10, "overridden": 0}
    assert finding(page).startswith("Now raise 120, cut 120, hold 10: 10 held. As proposed: raise 2, cut 2.")
    page.selectbox(key="bulk_decision").set_value("overridden").run()
    page.number_input(key="bulk_change").set_value(5.0).run()
    click(page, "bulk_apply")
    assert "An overridden price needs a reason: p010, p011, p012, p013, p014 and 5 more. Write why" in said(page)
    page.text_input(key="bulk_reason").set_value("spring").run()
    click(page, "bulk_apply")
    review = pricelists.load_price_list(trained, key).review
    assert review["new_price"].tolist()[10] == pytest.approx(110 * 1.05)
    page.text_input(key="list_search").set_value("").run()
    number = next(each for each in page.number_input if each.label == "Page (of 3)")
    number.set_value(3).run()
    assert table(page)["product_id"].tolist()[0] == "p200" and len(table(page)) == 50


def test_a_list_goes_live_step_by_step_and_is_rolled_back(trained: Workspace, open_page: OpenPage) -> None:
    first = make_list(trained)
    page = open_page("price_list")
    next(each for each in page.text_input if each.label.startswith("Your name")).set_value("Maya").run()
    for key, status in (("submit", "Ready for review"), ("approve", "Approved"), ("activate", "Active")):
        click(page, f"list_{key}")
        assert pricelists.load_price_list(trained, first).status == status
    assert "approved by Maya (self-declared)" in said(page)
    second = make_list(trained, price_frame(5).assign(new_price=9.0))
    page = open_page("price_list")
    view(page, "Difference to live")
    assert "which is live: 5 cut" not in said(page) and "Against **p0001**, which is live:" in said(page)
    workflows.submit(trained, second, actor=MAYA)
    workflows.approve(trained, second, actor=MAYA)
    workflows.activate(trained, second, actor=MAYA)
    page = open_page("price_list")
    page.selectbox(key=f"list_{second}").set_value(first).run()
    click(page, "list_rollback")
    made = pricelists.load_price_list(trained)
    assert (made.state.restores, made.status) == (first, "Approved")
    assert (
        made.current["new_price"].tolist() == pricelists.load_price_list(trained, first).current["new_price"].tolist()
    )
    assert made.current["current_price"].tolist() == [9.0] * 4
    assert "Version 3" in said(page)


def test_a_false_reduction_is_named_and_keeps_the_list_from_going_on(trained: Workspace, open_page: OpenPage) -> None:
    key = make_list(trained)
    workflows.set_terms(trained, key, actor=MAYA, effective_from=START, was_price="list_price")
    page = open_page("price_list", errors=True)
    assert "Before this list can be submitted: 4 prices announced from a false crossed-out price." in said(page)
    click(page, "list_submit")
    assert "The crossed-out price is not the lowest of the last 30 days: p000 (was 13, lowest" in said(page)
    view(page, "Violations")
    shown = next(frame.value for frame in page.dataframe if "limit" in frame.value)
    assert shown["product_id"].tolist() == ["p000", "p001", "p002", "p003"]


def test_the_second_of_two_people_is_told_and_keeps_what_they_wrote(trained: Workspace, open_page: OpenPage) -> None:
    key = make_list(trained)
    page = open_page("price_list")
    page.selectbox(key="bulk_decision").set_value("held").run()
    change = decisions.changes([1], "overridden", 19.5, "rival")
    workflows.decide(trained, key, change, actor=MAYA, expected_revision=0)
    click(page, "bulk_apply")
    news = r"p0001 is not as you saw it any more: Maya \(self-declared\) changed 1 price \(p001\) at \d\d:\d\d UTC"
    assert re.search(news, said(page))
    assert "Your 4 unsaved changes, beside the list as it is now:" in said(page)
    assert pricelists.load_price_list(trained, key).review["new_price"].tolist()[1] == 19.5
    click(page, "unsaved_save")
    assert set(pricelists.load_price_list(trained, key).review["decision"]) == {"held"}
    assert "unsaved" not in said(page)


def test_a_list_is_made_from_a_saved_scenario(trained: Workspace, open_page: OpenPage) -> None:
    spec = {"name": "Costs up", "cost_change_rate": 0.2, "run_id": "r0001"}
    saved = scenarios.save_scenario(trained, "Costs up", spec, pd.DataFrame({"profit": [1.0]}))
    make_list(trained)
    page = open_page("price_list")
    page.selectbox(key="another_strategy").set_value("product").run()
    page.selectbox(key="another_scenario").set_value(saved).run()
    click(page, "make_another_list")
    params = jobs.list_jobs(trained)[0].params
    assert (params["scenario_id"], params["strategy"], params["actor"]["name"]) == (saved, "product", "unnamed user")
    key = workflows.make_list_from_scenario(trained, saved, "product", actor=MAYA)
    usual = workflows.make_price_list(trained, "product", actor=MAYA)
    dear, cheap = (pricelists.load_price_list(trained, each) for each in (key, usual))
    assert dear.summary["scenario"]["cost_change_rate"] == 0.2 and dear.state.authors == ("Maya",)
    assert dear.current["unit_cost"].tolist() == pytest.approx((cheap.current["unit_cost"] * 1.2).tolist(), abs=0.011)
    held = decisions.changes(range(len(cheap.frame)), "held")
    workflows.decide(trained, usual, held, actor=MAYA, expected_revision=0)
    effect = pricelists.load_price_list(trained, usual).review["expected_conversion_rate"]
    assert effect.between(0, 1).all()  # today's prices are among those that were computed
    assert len(cheap.products) == 3 and cheap.products["list_price"].notna().all()


def test_nobody_approves_what_they_have_not_seen(trained: Workspace, open_page: OpenPage) -> None:
    key = make_list(trained)
    page = open_page("price_list")
    click(page, "list_submit")
    workflows.decide(
        trained, key, decisions.changes([1], "overridden", 19.5, "rival"), actor=MAYA, expected_revision=1
    )  # fmt: skip
    workflows.submit(trained, key, actor=MAYA)
    click(page, "list_approve")
    assert "Since you opened this list: Maya (self-declared) changed 1 price (p001)" in said(page)
    assert "p0001 is not as you saw it any more" in said(page)
    assert pricelists.load_price_list(trained, key).status == "Ready for review"
    click(page, "list_refresh")
    assert table(page)["new_price"].tolist()[1] == 19.5
    click(page, "list_approve")
    assert pricelists.load_price_list(trained, key).status == "Approved"


def test_the_log_writes_large_prices_in_full_and_shows_what_would_turn_a_text_around(
    trained: Workspace, open_page: OpenPage
) -> None:
    key = make_list(trained)
    change = decisions.changes([1], "overridden", 12_345_678.9, "\u202erival")
    workflows.decide(trained, key, change, actor=MAYA, expected_revision=0)
    page = open_page("price_list")
    view(page, "Audit log")
    shown = next(frame.value for frame in page.dataframe if "who" in frame.value)
    assert "→ 12,345,678.9 (overridden), \ufffdrival" in shown["after"].iloc[0]


def write_comment(page: AppTest, text: str, product: str = "") -> None:
    page.text_area[0].set_value(text)
    next(each for each in page.text_input if each.label.startswith("About product")).set_value(product)
    next(button for button in page.button if button.label == "Add comment").click().run()


def test_a_refused_comment_is_kept_for_another_try(trained: Workspace, open_page: OpenPage) -> None:
    key = make_list(trained)
    page = open_page("price_list")
    view(page, "Comments")
    write_comment(page, "x" * 2_001)
    assert "at most 2,000 characters; this one has 2,001" in page.error[0].value
    assert page.text_area[0].value == "x" * 2_001
    write_comment(page, "Too high?", "no such product")
    assert "no such product" in page.error[0].value and page.text_area[0].value == "Too high?"
    assert list_comments.read(trained, key).empty


def test_comments_versions_and_the_log_are_shown(trained: Workspace, open_page: OpenPage) -> None:
    key = make_list(trained)
    page = open_page("price_list")
    view(page, "Comments")
    write_comment(page, "Too high? **no**", "p002")
    assert page.text_area[0].value == ""
    assert list_comments.read(trained, key)[["row", "text"]].values.tolist() == [[2, "Too high? **no**"]]
    assert "about **p002**" in said(page) and "Too high? **no**" in said(page)
    view(page, "Versions")
    assert any("approved_by" in frame.value for frame in page.dataframe)
    view(page, "Audit log")
    shown = next(frame.value for frame in page.dataframe if "who" in frame.value)
    assert shown["action"].tolist() == ["comment", "create"]
    click(page, "log_check")
    assert "The log is intact: 3 entries" in said(page) and audit.verify(trained).head in said(page)
