"""A dirty, orders-only file in a real browser: uploaded, repaired, trained on, and taken home as a price list."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.order_shop import dirty_orders

from .conftest import Server
from .test_journey import MINUTE, SECOND, go_to, look, settled


@pytest.mark.slow
@pytest.mark.extra
@pytest.mark.flaky(reruns=1)
def test_a_dirty_export_of_orders_becomes_a_price_list(server: Server, browser_page: Page, tmp_path: Path) -> None:
    page = browser_page
    page.set_default_timeout(60 * SECOND)
    expect.set_options(timeout=60 * SECOND)
    made = dirty_orders(n_customers=120)
    (tmp_path / "orders.csv").write_bytes(made.content)

    page.goto(server.url)
    expect(page.get_by_text("No data yet.")).to_be_visible()
    go_to(page, "Data")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "orders.csv")
    expect(page.get_by_text("This file holds")).to_be_visible()
    expect(page.get_by_text("Further columns", exact=False)).to_contain_text("Contact")
    settled(page)
    look(page, "orders_1_mapped")
    currency = page.get_by_role("combobox", name="Currency")
    currency.click()
    page.keyboard.type("EUR")
    page.get_by_role("option", name="EUR").click()
    expect(currency).to_have_value("EUR")
    settled(page)  # the page says at once what the currency allows
    page.get_by_role("button", name="Import", exact=True).click()

    expect(page.get_by_text(re.compile(r"[\d,]+ choice occasions, built from orders, are ready"))).to_be_visible()
    settled(page)
    expect(page.get_by_text(f"{made.without_customer} rows were set aside: customer_id is missing")).to_be_visible()
    look(page, "orders_2_quality")
    page.get_by_role("button", name="Set the far-off prices aside").click()
    expect(page.get_by_text("Done: set the far-off prices aside.")).to_be_visible(timeout=2 * MINUTE)
    settled(page)
    look(page, "orders_3_repaired")

    go_to(page, "Models")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text("which it had not seen")).to_be_visible(timeout=8 * MINUTE)
    settled(page)
    look(page, "orders_4_models")
    expect(page.get_by_text("conversion rate of visitors")).to_have_count(0)

    go_to(page, "Optimize")
    page.get_by_role("button", name="Make price list").click(timeout=2 * MINUTE)
    page.wait_for_timeout(2 * SECOND)
    go_to(page, "Price list")
    page.get_by_role("radio", name="Download").click(timeout=2 * MINUTE)
    with page.expect_download(timeout=2 * MINUTE) as started:
        page.get_by_role("button", name="Download", exact=True).click(timeout=2 * MINUTE)
    look(page, "orders_5_price_list")
    with Path(started.value.path()).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert row["currency"] == "EUR" and re.fullmatch(r"00\d\d", row["product_id"])
        assert re.fullmatch(r"\d+\.\d\d", row["new_price"]) and float(row["new_price"]) > 0
