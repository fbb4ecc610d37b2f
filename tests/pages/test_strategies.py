"""The Optimize page with segments, markdowns, the value ladder, and a strategy of the shop's own."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from pricing_core import workflows
from pricing_core.optimize.registry import load_strategies
from pricing_core.store import settings
from pricing_core.store.workspace import Workspace

from .conftest import OpenPage

MINE = """
class Mine:
    name, label, personal = "mine", "Two percent off", False

    def propose(self, task):
        return task.propose(0.98 * task.rows.current_price, "two percent off")
"""


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception, page.exception[0].message
    return page


def subheaders(page: AppTest) -> list[str]:
    return [each.value for each in page.subheader]


def test_segments_show_their_rules_and_can_be_formed_again(trained: Workspace, open_page: OpenPage) -> None:
    settings.set(trained, "strategy", "segment")
    page = open_page("optimize")
    assert "Segments" in subheaders(page)
    table = next(frame.value for frame in page.dataframe if "rule" in frame.value)
    assert table["segment"].iloc[0] == "S1" and len(table) <= 8
    page.number_input(key="segment_depth").set_value(0)
    press(page, "Form segments again")
    assert workflows.chosen_settings(trained).segments.depth == 0
    table = next(frame.value for frame in page.dataframe if "rule" in frame.value)
    assert table["rule"].tolist() == ["every offer"]


def test_a_markdown_without_stock_names_the_missing_column(trained: Workspace, open_page: OpenPage) -> None:
    settings.set(trained, "strategy", "markdown")
    page = open_page("optimize")
    assert "Markdown until the stock is sold" in subheaders(page)
    said = [*(text.value for text in page.caption), *(text.value for text in page.info)]
    assert any("Give a column stock in the table products or market" in text for text in said)
    assert any("No product has a known stock" in text for text in said)


def test_the_ladder_is_climbed_on_request(trained: Workspace, open_page: OpenPage) -> None:
    page = open_page("optimize")
    assert not any("Added by this step" in str(frame.proto) for frame in page.dataframe)
    press(page, "Compare the steps")
    table = next(frame.value for frame in page.dataframe if "step_low" in frame.value)
    assert len(table) == 6 and table["name"].iloc[0] == "Leave every price as it is"


def test_own_strategies_can_be_chosen_and_a_broken_file_is_one_warning(trained: Workspace, open_page: OpenPage) -> None:
    folder = trained.root / "strategies"
    folder.mkdir()
    (folder / "mine.py").write_text(MINE, encoding="utf-8")
    (folder / "broken.py").write_text("1 / 0\n", encoding="utf-8")
    try:
        settings.set(trained, "strategy", "mine")
        page = open_page("optimize")
        assert "Two percent off" in page.radio(key="strategy").options
        warnings = [text.value.replace("\\", "") for text in page.warning]
        assert "The strategy file broken.py was left out: ZeroDivisionError: division by zero." in warnings
        (folder / "mine.py").unlink()
        assert open_page("optimize").radio(key="strategy").value == "personalized_discount"
    finally:
        load_strategies(trained.root / "nowhere")
