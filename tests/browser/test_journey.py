"""The main job in a real browser: sample → trained in the background → explained → simulated → price list as CSV."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .conftest import Server

SECOND = 1_000
MINUTE = 60 * SECOND


def look(page: Page, name: str) -> None:
    """Check that nothing on the page crashed, and keep a screenshot where JOURNEY_SCREENSHOTS names a folder."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("unexpected problem")).to_have_count(0)
    folder = os.environ.get("JOURNEY_SCREENSHOTS")
    if folder:
        page.wait_for_timeout(1 * SECOND)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def go_to(page: Page, title: str) -> None:
    """Click a page in the navigation, and wait for its title."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
    expect(page.get_by_role("heading", name=title, exact=True, level=1)).to_be_visible(timeout=MINUTE)


def settled(page: Page) -> None:
    """Wait until the page has finished computing."""
    page.wait_for_timeout(SECOND // 4)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=4 * MINUTE)


@pytest.mark.slow
@pytest.mark.flaky(reruns=1)
def test_from_a_small_sample_shop_to_a_price_list(server_of_small_sample: Server, browser_page: Page) -> None:
    travel(server_of_small_sample, browser_page)


@pytest.mark.slow
@pytest.mark.extra
@pytest.mark.flaky(reruns=1)
def test_from_the_sample_shop_to_a_price_list(server: Server, browser_page: Page) -> None:
    travel(server, browser_page)


def travel(server: Server, page: Page) -> None:
    """Go from an empty workspace to a downloaded price list, by way of every page."""
    page.set_default_timeout(60 * SECOND)
    expect.set_options(timeout=60 * SECOND)

    page.goto(server.url)
    expect(page.get_by_text("No data yet. Try the sample shop (about a minute).")).to_be_visible()
    look(page, "1_empty")
    page.get_by_role("button", name="Load the sample shop").click()
    expect(page.get_by_text("Train the models", exact=True)).to_be_visible(timeout=3 * MINUTE)
    look(page, "2_today")

    go_to(page, "Models")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_test_id("stMain").get_by_role("button", name="Cancel")).to_be_visible()
    look(page, "3_training")
    go_to(page, "Data")
    expect(page.get_by_text(re.compile(r"[\d,]+ offers are ready"))).to_be_visible()
    running = page.get_by_test_id("stSidebar").get_by_text(re.compile(r"Training the models · \d+%"))
    expect(running, "the app stays usable while the training goes on").to_be_visible()
    look(page, "4_data")
    go_to(page, "Models")
    expect(page.get_by_text("which it had not seen")).to_be_visible(timeout=5 * MINUTE)
    settled(page)
    look(page, "5_models")

    go_to(page, "Explain")
    expect(page.get_by_text("is recommended; what moved it most")).to_be_visible(timeout=2 * MINUTE)
    expect(page.get_by_text(re.compile("adds? up"))).not_to_have_count(0)
    look(page, "6_explain")  # the hidden tab goes on computing: the model as a whole takes many seconds

    go_to(page, "Scenarios")
    expect(page.get_by_text("would earn most")).to_be_visible(timeout=2 * MINUTE)
    settled(page)
    look(page, "7_scenarios")

    go_to(page, "Optimize")
    page.get_by_role("button", name="Make price list").click(timeout=2 * MINUTE)
    page.wait_for_timeout(2 * SECOND)
    look(page, "8_optimize")

    go_to(page, "Price list")
    page.get_by_role("radio", name="Download").click(timeout=2 * MINUTE)
    with page.expect_download(timeout=2 * MINUTE) as started:
        page.get_by_role("button", name="Download", exact=True).click(timeout=2 * MINUTE)
    look(page, "9_price_list")
    check_price_list(Path(started.value.path()))

    go_to(page, "Demand")
    settled(page)
    look(page, "10_demand")


def check_price_list(path: Path) -> None:
    """Read the file back with nothing but the standard library."""
    content = path.read_bytes()
    assert not content.startswith(b"\xef\xbb\xbf"), "the file for import carries no byte order mark"
    rows = list(csv.DictReader(content.decode("utf-8").splitlines()))
    assert len(rows) > 100
    for row in rows:
        assert row["product_id"] and row["currency"] == "USD"
        new, current = float(row["new_price"]), float(row["current_price"])
        assert new > 0 and current > 0
        assert re.fullmatch(r"\d+\.\d\d", row["new_price"]), "prices are exact decimals"
        assert row["reason"]
