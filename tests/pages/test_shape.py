"""What keeps the pages thin: short files, no arithmetic libraries, and an entry file that only navigates."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "pages").glob("*.py"))


def called_on_streamlit(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.attr for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "st"
    }  # fmt: skip


def test_the_entry_file_is_the_navigation_table_and_nothing_else() -> None:
    entry = ROOT / "streamlit_app.py"
    assert len(entry.read_text(encoding="utf-8").splitlines()) <= 40
    assert called_on_streamlit(entry) <= {"Page", "navigation", "session_state"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_short_and_opens_with_the_frame(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80
    assert "with start_page(" in text
    assert "import pandas" not in text and "import numpy" not in text


def test_no_page_injects_style_or_raw_html() -> None:
    for path in (ROOT / "pages").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "unsafe_allow_html=True" not in text and "st.html(" not in text, path.name
