"""Two people with two browsers change the same price list: nothing is lost, and the second is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pricing_core.store import pricelists
from pricing_core.store.workspace import Workspace

from .conftest import running_app

if TYPE_CHECKING:
    from playwright.sync_api import Page

SECOND = 1_000
MINUTE = 60 * SECOND


@pytest.mark.extra
@pytest.mark.flaky(reruns=1)
def test_the_second_of_two_people_is_told_and_loses_nothing(
    tmp_path: Path, prepared_shop: Path, browser_page: Page
) -> None:
    ws = Workspace(prepared_shop)
    before = pricelists.load_price_list(ws).current["new_price"].tolist()
    with running_app(tmp_path, prepared_shop) as server:
        people = [browser_page, _another(browser_page)]
        for page, name in zip(people, ("Maya", "Ben"), strict=True):
            page.goto(f"{server.url}/price_list")
            page.get_by_role("button", name="Save changes").wait_for(timeout=MINUTE)
            page.get_by_role("textbox", name="Your name (self-declared)").fill(name)
            page.keyboard.press("Enter")
            page.wait_for_timeout(2 * SECOND)
        first, second = people
        _hold_all(first)
        first.get_by_text("prices saved.").wait_for(timeout=MINUTE)
        _hold_all(second)
        second.get_by_text("is not as you saw it any more: Maya (self-declared) changed").wait_for(timeout=MINUTE)
        stored = pricelists.load_price_list(ws)
        assert stored.revision == 1 and set(stored.review["decided_by"]) == {"Maya (self-declared)"}
        second.get_by_role("button", name="Save mine on top").click()
        second.get_by_text("prices saved.").wait_for(timeout=MINUTE)
    stored = pricelists.load_price_list(ws)
    assert stored.revision == 2 and set(stored.review["decided_by"]) == {"Ben (self-declared)"}
    today = stored.frame["current_price"].tolist()
    assert stored.current["new_price"].tolist() == pytest.approx(today) != before


def _another(page: Page) -> Page:
    """A page of a browser of its own, as a second person has it."""
    browser = page.context.browser
    assert browser is not None
    return browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()


def _hold_all(page: Page) -> None:
    page.get_by_text("filtered prices at once").click()
    page.wait_for_timeout(SECOND)
    page.get_by_role("combobox", name="Decision").last.click()
    page.keyboard.type("Hold")
    page.keyboard.press("Enter")
    page.wait_for_timeout(2 * SECOND)
    page.get_by_role("button", name="Apply to").click()
