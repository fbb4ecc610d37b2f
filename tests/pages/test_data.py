"""The Data page: what was found, which columns are used, and the way in for files."""

from __future__ import annotations

import io

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import import_form, uploads
from pricing_core import jobs
from pricing_core.store import datasets
from pricing_core.store.workspace import Workspace

from .conftest import OpenPage, small_offers


def test_the_finding_counts_usable_and_set_aside_rows(ws: Workspace, imported: str, open_page: OpenPage) -> None:
    page = open_page("data")
    findings = datasets.load_quality(ws, imported)
    warnings = int((findings["severity"] == "warning").sum())
    assert page.subheader[0].value == f"59 offers are ready; 1 row set aside, {warnings} warnings to look at."
    assert {metric.label: metric.value for metric in page.metric}["Set aside"] == "1"


def test_data_built_from_orders_are_not_called_offers(
    imported: str, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.components.occasions.built", lambda page: {"lines": 59})
    monkeypatch.setattr("pages.components.occasions.show", lambda page: None)
    page = open_page("data")
    assert page.subheader[0].value.startswith("59 choice occasions, built from orders, are ready; 1 row set aside")
    assert page.metric[0].label == "Occasions"


def test_the_rows_set_aside_can_be_downloaded(ws: Workspace, imported: str, open_page: OpenPage) -> None:
    page = open_page("data")
    assert page.download_button(key="set_aside").label == "Download the 1 row set aside"


def test_columns_say_whether_they_are_used_and_why(ws: Workspace, imported: str, open_page: OpenPage) -> None:
    table = next(frame.value for frame in open_page("data").dataframe if "reason" in frame.value)
    uses = table.set_index("column")
    assert uses.loc["weather", "reason"] == "used as a category"
    assert uses.loc["price", "role"] == "structure"


def test_uploaded_files_are_mapped_checked_and_imported(
    ws: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However soon the job ends, it ends well.
    monkeypatch.setenv("PRICING_JOB_HANDLERS", "tests.pages.job_handlers:SUCCESS")
    page = open_page("data")
    buffer = io.StringIO()
    small_offers().to_csv(buffer, index=False, sep=";")
    page.file_uploader(key="upload_0").set_value([("export.csv", buffer.getvalue().encode(), "text/csv")]).run()
    assert not page.exception and not page.error
    mapping = next(frame.value for frame in page.dataframe if "meaning" in frame.value).set_index("field")["column"]
    assert mapping["customer_id"] == "Customer ID"
    assert mapping["unit_cost"] == uploads.NOT_IN_FILE
    next(button for button in page.button if button.label == "Import").click().run()
    assert not page.error, page.error[0].value
    job = jobs.list_jobs(ws)[0]
    assert job.kind == "import"
    assert job.params["mapping"]["offers"]["price"] == "Sale price"
    assert [file["name"] for file in job.params["sources"]["offers"]] == ["export.csv"]
    assert job.params["options"]["duplicates"] == "set_aside"


def test_monthly_orders_become_one_import_with_the_rule_that_the_user_chose(
    ws: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRICING_JOB_HANDLERS", "tests.pages.job_handlers:SUCCESS")
    page = open_page("data")
    header = "Invoice;Customer;SKU;Date;Qty;Unit price\n"
    months = [(f"2025-0{m}.csv", f"{header}1;a;P;2025-0{m}-03;1;4,00\n".encode(), "text/csv") for m in (1, 2)]
    page.file_uploader(key="upload_0").set_value(months).run()
    assert not page.exception and not page.error
    assert next(box for box in page.selectbox if box.label == "This file holds").value == "orders"
    page.number_input(key="occasion_days").set_value(14)
    page.number_input(key="occasion_bestsellers").set_value(50)
    next(button for button in page.button if button.label == "Import").click().run()
    assert not page.error, page.error[0].value
    params = jobs.list_jobs(ws)[0].params
    assert [file["name"] for file in params["sources"]["orders"]] == ["2025-01.csv", "2025-02.csv"]
    assert (params["occasions"]["period_days"], params["occasions"]["bestsellers"]) == (14, 50)
    assert params["mapping"]["orders"]["unit_price"] == "Unit price"


def test_a_missing_required_column_is_named_before_anything_is_imported(ws: Workspace, open_page: OpenPage) -> None:
    page = open_page("data")
    content = small_offers().drop(columns="Bought").to_csv(index=False).encode()
    page.file_uploader(key="upload_0").set_value([("export.csv", content, "text/csv")]).run()
    next(button for button in page.button if button.label == "Import").click().run()
    assert [error.value for error in page.error] == ["export.csv: choose a column for purchased."]
    assert jobs.list_jobs(ws) == []


def test_an_unreadable_file_is_refused_with_its_name(ws: Workspace, open_page: OpenPage) -> None:
    page = open_page("data")
    page.file_uploader(key="upload_0").set_value([("empty.xlsx", b"", "")]).run()
    assert "empty.xlsx" in page.error[0].value
    assert not page.exception


LEAVE_OUT = """
import pandas as pd
from pages.components import columns, state

page = state.page_state(None)
row = {"table": "offers", "column": "%s", "exclude": True, "locked": %s, "reason": "what the models learn"}
if not page.manifest.excluded:
    columns._save(page, pd.DataFrame([row]), {})
"""


def test_a_column_left_out_by_the_user_is_kept_in_the_manifest(ws: Workspace, imported: str) -> None:
    app = AppTest.from_string(LEAVE_OUT % ("weather", False), default_timeout=180).run()
    assert not app.exception and not app.error
    assert datasets.load_manifest(ws, imported).excluded == {"offers.weather": "excluded by you"}


def test_a_column_that_the_models_need_cannot_be_left_out(ws: Workspace, imported: str) -> None:
    app = AppTest.from_string(LEAVE_OUT % ("price", True), default_timeout=180).run()
    assert app.error[0].value == "offers.price cannot be left out: what the models learn."
    assert datasets.load_manifest(ws, imported).excluded == {}


def test_one_column_for_two_fields_is_refused_before_a_job_starts(ws: Workspace) -> None:
    mapping = {"customer_id": "who", "product_id": "sku", "offered_at": "day", "price": "net", "purchased": "net"}
    file = uploads.MappedFile("export.csv", ((b"", "export.csv"),), "offers", mapping)
    assert import_form._problem([file]) == (
        "export.csv: the column net is chosen for price and purchased. Choose each column once."
    )


def test_a_field_without_a_column_is_not_guessed_again_by_the_job(ws: Workspace, open_page: OpenPage) -> None:
    page = open_page("data")
    content = small_offers().to_csv(index=False).encode()
    page.file_uploader(key="upload_0").set_value([("export.csv", content, "text/csv")]).run()
    next(button for button in page.button if button.label == "Import").click().run()
    assert jobs.list_jobs(ws)[0].params["mapping"]["offers"]["unit_cost"] == ""


def test_files_in_another_currency_cannot_be_added_to_the_data_in_use(
    ws: Workspace, imported: str, open_page: OpenPage
) -> None:
    page = open_page("data")
    content = small_offers().to_csv(index=False).encode()
    page.file_uploader(key="upload_0").set_value([("export.csv", content, "text/csv")]).run()
    used = datasets.load_manifest(ws, imported).currency
    ways = [radio for radio in page.radio if radio.label == "These files"]
    assert len(ways) == 1 and not any("not be added to them" in warning.value for warning in page.warning)
    field = next(box for box in page.selectbox if box.label == "Currency")
    assert field.value == used
    field.set_value("GBP" if used != "GBP" else "EUR").run()
    assert not page.exception
    assert not [radio for radio in page.radio if radio.label == "These files"]
    assert any("not be added to them" in warning.value for warning in page.warning)
    next(button for button in page.button if button.label == "Import").click().run()
    job = jobs.list_jobs(ws)[0]
    assert job.params["extend"] is False and job.params["currency"] != used
