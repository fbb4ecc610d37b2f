"""From the reason of a price to files that a shop takes in: explain, override, submit, approve, export, undo."""

from __future__ import annotations

import csv
import io
import os
import re
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, expect

from pricing_core.pricelist.formats import FORMATS
from pricing_core.store import audit, pricelists
from pricing_core.store.workspace import Workspace

from .conftest import Server, running_app

SECOND = 1_000
HOSTILE = '<img src=x onerror="alert(1)">=cmd|/C calc!A0 [x](javascript:alert(1)) \u202egnp.exe'


def open_list(page: Page, server: Server, name: str) -> None:
    """Open the price list page, and say who is there."""
    page.goto(f"{server.url}/price_list")
    field = page.get_by_role("textbox", name="Your name (self-declared)")
    field.fill(name)
    field.press("Enter")
    settled(page)


def settled(page: Page) -> None:
    """Wait until the page has finished computing."""
    page.wait_for_timeout(SECOND // 3)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=180 * SECOND)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_text("unexpected problem")).to_have_count(0)


def look(page: Page, name: str) -> None:
    """Keep a screenshot, light and dark, where JOURNEY_SCREENSHOTS names a folder."""
    folder = os.environ.get("JOURNEY_SCREENSHOTS")
    for scheme in ("light", "dark") if folder else ():
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_timeout(SECOND)
        page.screenshot(path=str(Path(str(folder)) / f"{name}_{scheme}.png"), full_page=True)


def choose(page: Page, label: str, option: str) -> None:
    settled(page)
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=option, exact=True).click()
    settled(page)


def view(page: Page, name: str) -> None:
    settled(page)  # what was just done is drawn anew; a click meanwhile can miss
    page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()
    settled(page)


def take(page: Page, button: str) -> tuple[str, bytes]:
    """Press a download button, and return the name and the content of the file."""
    with page.expect_download() as started:
        page.get_by_test_id("stDownloadButton").get_by_role("button", name=button, exact=True).click()
    return started.value.suggested_filename, Path(started.value.path()).read_bytes()


@pytest.fixture
def shop(tmp_path: Path, prepared_shop: Path) -> object:
    with running_app(tmp_path, prepared_shop) as server:
        yield server


@pytest.mark.extra
@pytest.mark.flaky(reruns=1)
def test_a_price_is_explained_overridden_approved_by_another_person_exported_and_undone(
    shop: Server, browser_page: Page
) -> None:
    expect.set_options(timeout=60 * SECOND)
    page = browser_page
    page.set_default_timeout(60 * SECOND)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))

    page.goto(f"{shop.url}/explain")
    expect(page.get_by_text("is recommended; what moved it most")).to_be_visible(timeout=180 * SECOND)
    look(page, "handover_1_explain")

    open_list(page, shop, "Ann")
    page.get_by_role("textbox", name="Search").fill("tea")
    page.get_by_role("textbox", name="Search").press("Enter")
    settled(page)
    bulk = page.get_by_test_id("stExpander").filter(has_text="Decide all 1 filtered price at once")
    bulk.get_by_text("Decide all 1 filtered price at once").click()
    settled(page)
    bulk.get_by_role("combobox", name="Decision", exact=True).click()
    page.get_by_role("option", name="Change by a percentage", exact=True).click()
    settled(page)
    percent = page.get_by_role("spinbutton", name="Against today's price (%)")
    percent.fill("-2")
    percent.press("Tab")
    settled(page)
    page.get_by_role("textbox", name="Reason", exact=True).fill(HOSTILE)
    page.get_by_role("textbox", name="Reason", exact=True).press("Tab")
    settled(page)
    page.get_by_role("button", name="Apply to 1").click()
    expect(page.get_by_text("1 overridden by hand")).to_be_visible()
    look(page, "handover_2_overridden")
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text(re.compile(r"submitted by Ann \(self-declared\)"))).to_be_visible()

    browser = page.context.browser
    assert isinstance(browser, Browser)
    other = browser.new_context(viewport={"width": 1440, "height": 1400}, accept_downloads=True).new_page()
    other.set_default_timeout(60 * SECOND)
    other.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    open_list(other, shop, "Paul")
    other.get_by_role("button", name="Approve", exact=True).click()
    expect(other.get_by_text(re.compile(r"approved by Paul \(self-declared\)"))).to_be_visible()
    look(other, "handover_3_approved")

    view(other, "Download")
    ws = Workspace(shop.workspace)
    listed = pricelists.load_price_list(ws).current.set_index("product_id")
    for name, form in FORMATS.items():
        choose(other, "Format", form.label)
        if name.startswith("shopify"):
            box = other.get_by_text("Let product ids stand for titles")
            if not other.get_by_role("checkbox", name=re.compile("Let product ids stand")).is_checked():
                box.click()
                settled(other)
        look(other, f"handover_4_{name}")
        file_name, data = take(other, "Download")
        assert file_name == f"p0001_{name}.{form.extension}"
        assert prices(name, data) == pytest.approx(listed["new_price"].to_dict())
        _, back = take(other, "Undo file")
        assert prices(name, back) == pytest.approx(listed["current_price"].to_dict())
    own = other.locator("input[type=file]")
    choose(other, "Format", "WooCommerce")
    source = b"\xef\xbb\xbfID;SKU;Name;Regular price\r\n7;tea;\"Tea; green\";4,00\r\n8;kettle;Kettle;30,00\r\n"
    own.set_input_files({"name": "products.csv", "mimeType": "text/csv", "buffer": source})
    expect(other.get_by_text("1 cell of your file change")).to_be_visible()
    settled(other)
    look(other, "handover_5_own_export")
    _, data = take(other, "Download")
    tea = f"{listed.loc['tea', 'new_price']:.2f}".replace(".", ",").encode()
    assert data == source.replace(b"4,00", tea)
    assert take(other, "Undo file")[1] == source

    entries = audit.entries(ws)
    assert audit.verify(ws).intact
    said = entries.groupby("action")["actor"].agg(set).to_dict()
    assert said["submit"] == {"Ann"} and said["approve"] == {"Paul"}
    assert (entries["action"] == "export").sum() == 2 * len(FORMATS) + 2
    assert dialogs == [], "nothing that a shop's data say is run"
    assert other.locator("img[onerror]").count() == page.locator("img[onerror]").count() == 0


def prices(format: str, data: bytes) -> dict[str, float]:
    """Prices by product, as another program reads them."""
    if format in ("xlsx", "parquet"):
        table = (pd.read_excel if format == "xlsx" else pd.read_parquet)(io.BytesIO(data))
        return dict(zip(table["product_id"], table["new_price"].astype(float), strict=True))
    delimiter = "\t" if format == "google_merchant" else ","
    key, price = {
        "shopify": ("SKU", "Price"), "shopify_legacy": ("Variant SKU", "Variant Price"),
        "woocommerce": ("SKU", "Regular price"), "magento": ("sku", "tier_price"), "google_merchant": ("id", "price"),
    }.get(format, ("product_id", "new_price"))  # fmt: skip
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter)
    return {row[key]: float(row[price].removesuffix(" USD")) for row in rows}
