"""Hostile values in a shop's data and in what people type: shown as text on every view of a price list, never run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.list_views import VIEWS
from pricing_core import workflows
from pricing_core.pricelist import decisions
from pricing_core.pricelist.formats import FORMATS
from pricing_core.store import pricelists
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import self_declared
from tests.list_cases import make_list, price_frame
from tests.pricelist.test_hostile_values import HOSTILE

from .conftest import ROOT, OpenPage

VALUES = [text for text in HOSTILE.values() if not re.search("[\ud800-\udfff]", text) and len(text) < 1_000]
MARKUP = re.compile(r"allow_html|unsafe_allow_html|st\.html\(|components\.v1|\.iframe\(")


def test_no_page_shows_html(tmp_path: Path) -> None:
    found = [
        f"{path.name}:{number}"
        for path in [*(ROOT / "pages").rglob("*.py"), ROOT / "streamlit_app.py"]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if MARKUP.search(line)
    ]
    assert found == []


@pytest.fixture
def hostile_list(trained: Workspace) -> Workspace:
    """A list whose products, reasons, authors and comments attack."""
    frame = price_frame(len(VALUES)).assign(product_id=VALUES, reason=VALUES)
    key = make_list(trained, frame, actor=self_declared('<b onclick="alert(1)">Eve</b> =1+1'))
    for row, text in enumerate(VALUES[:3]):
        workflows.comment(trained, key, text, actor=self_declared(text), row=row)
    changes = decisions.changes([0, 1], decisions.HELD, reason="<script>alert(1)</script>")
    stored = pricelists.load_price_list(trained, key)
    workflows.decide(trained, key, changes, actor=self_declared("Eve"), expected_revision=stored.revision)
    return trained


def harmless(page: AppTest) -> None:
    assert not page.exception, page.exception[0].message
    for element in (*page.markdown, *page.caption, *page.subheader, *page.warning, *page.error, *page.info):
        proto = element.proto
        assert not getattr(proto, "allow_html", False)
        body = str(element.value)
        assert not re.search(r"(?<!\\)<(script|img|b)\b", body), f"not escaped: {body[:200]}"
        assert not re.search(r"(?<!\\)\]\((javascript|http)", body), f"a link that nobody meant: {body[:200]}"


def test_every_view_of_a_hostile_list_shows_text(hostile_list: Workspace, open_page: OpenPage) -> None:
    page = open_page("price_list", errors=True)
    harmless(page)
    for view in VIEWS:
        page.segmented_control(key="list_view").set_value(view).run()
        harmless(page)


def test_every_format_of_a_hostile_list_can_be_looked_at(hostile_list: Workspace, open_page: OpenPage) -> None:
    page = open_page("price_list", errors=True)
    page.segmented_control(key="list_view").set_value("Download").run()
    for name in FORMATS:
        page.selectbox(key="export_format").set_value(name).run()
        harmless(page)
        assert not [error.value for error in page.error if "unexpected problem" in error.value]
