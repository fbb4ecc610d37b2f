"""A workspace for the pages, empty or with a small shop, and pages run by Streamlit's own test runner."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pricing_core.store.workspace import Workspace
from pricing_core.workflows import importing

ROOT = Path(__file__).parents[2]
OpenPage = Callable[..., AppTest]


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """An empty workspace, which the pages open; jobs are done by stand-ins."""
    monkeypatch.setenv("PRICING_WORKSPACE", str(tmp_path / "shop"))
    monkeypatch.setenv("PRICING_JOB_HANDLERS", "tests.pages.job_handlers:HANDLERS")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    st.cache_resource.clear()
    st.cache_data.clear()
    return Workspace(tmp_path / "shop")


@pytest.fixture
def open_page() -> OpenPage:
    """Open one page as a deep link does, and check that it neither crashed nor showed an error."""

    def run(name: str, *, errors: bool = False) -> AppTest:
        app = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=60).switch_page(f"pages/{name}.py").run()
        assert not app.exception, app.exception[0].message
        assert errors or not app.error, app.error[0].value
        return app

    return run


def small_offers(rows: int = 60) -> pd.DataFrame:
    """Offers of a tiny shop as its export would look."""
    return pd.DataFrame(
        {
            "Customer ID": [f"{i % 12:04d}" for i in range(rows)],
            "SKU": [f"p{i % 5}" for i in range(rows)],
            "Date": [f"2025-01-{1 + i % 28:02d}T10:00:00Z" for i in range(rows)],
            "Sale price": [5 + (i * 7) % 11 / 2 for i in range(rows)],
            "Bought": [int(i % 3 == 0) for i in range(rows)],
            "weather": ["sun" if i % 4 else "rain" for i in range(rows)],
        }
    )


@pytest.fixture
def imported(ws: Workspace) -> str:
    """Id of a small imported data set, with one bad row and unknown costs."""
    offers = small_offers()
    offers.loc[3, "Sale price"] = -1.0
    return importing.import_files(ws, {"offers": offers.astype(str)}, name="Corner shop", currency="EUR").dataset_id
