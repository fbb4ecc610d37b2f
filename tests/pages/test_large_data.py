"""The Data page on a large data set, files of the server's folder, and the choice to add only what is new."""

from __future__ import annotations

import io

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import occasions, uploads, words
from pricing_core import jobs
from pricing_core.store import datasets, incoming, working_samples
from pricing_core.store.workspace import Workspace

from .conftest import OpenPage, small_offers


@pytest.fixture
def finished_jobs(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """However soon a job in the workspace ends, it ends well."""
    monkeypatch.setenv("PRICING_JOB_HANDLERS", "tests.pages.job_handlers:SUCCESS")


def _button(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label)  # type: ignore[return-value]


def _captions(page: AppTest) -> str:
    return " ".join(caption.value for caption in page.caption)


def test_a_large_data_set_says_what_it_is_worked_on_by(
    ws: Workspace, imported: str, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Trainings and most pages work on" not in _captions(open_page("data"))
    monkeypatch.setattr(working_samples, "LARGE_OFFERS", 50)
    monkeypatch.setattr(working_samples, "SAMPLE_OFFERS", 55)
    offers = len(datasets.load_dataset(ws, imported).offers)
    assert offers in (54, 55)
    expected = f"Trainings and most pages work on {offers} of 59 offers: 11 of 12 customers"
    assert expected in _captions(open_page("data"))


@pytest.mark.usefixtures("finished_jobs")
def test_a_file_on_the_server_is_mapped_by_its_beginning_and_imported_where_it_lies(
    ws: Workspace, open_page: OpenPage
) -> None:
    folder = incoming.incoming_folder(ws)
    small_offers().to_csv(folder / "big.csv", index=False, sep=";")
    page = open_page("data")
    page.multiselect(key="incoming_files_0").set_value(["big.csv"]).run()
    assert not page.exception and not page.error
    mapping = next(frame.value for frame in page.dataframe if "meaning" in frame.value).set_index("field")["column"]
    assert mapping["customer_id"] == "Customer ID"
    _button(page, "Import").click().run()  # type: ignore[attr-defined]
    assert not page.error, page.error[0].value
    assert jobs.list_jobs(ws)[0].params["sources"] == {"offers": [{"incoming": "big.csv"}]}
    assert (folder / "big.csv").exists()


@pytest.mark.usefixtures("finished_jobs")
def test_files_can_add_to_the_data_in_use(ws: Workspace, imported: str, open_page: OpenPage) -> None:
    page = open_page("data")
    content = small_offers().to_csv(index=False).encode()
    page.file_uploader(key="upload_0").set_value([("export.csv", content, "text/csv")]).run()
    assert "in the data in use already: add only what is new?" in page.info[0].value
    assert page.radio(key="import_way_known").value == "extend"
    _button(page, "Import").click().run()  # type: ignore[attr-defined]
    assert not page.error, page.error[0].value
    assert jobs.list_jobs(ws)[0].params["extend"] is True


@pytest.mark.usefixtures("finished_jobs")
def test_a_currency_in_the_file_is_suggested_and_told(ws: Workspace, open_page: OpenPage) -> None:
    page = open_page("data")
    offers = small_offers()
    offers["Sale price"] = [f"{price:.2f} €" for price in offers["Sale price"]]
    buffer = io.StringIO()
    offers.to_csv(buffer, index=False)
    page.file_uploader(key="upload_0").set_value([("export.csv", buffer.getvalue().encode(), "text/csv")]).run()
    assert next(box for box in page.selectbox if box.label == "Currency").value == "EUR"
    assert "€ stands in the column Sale price, so that EUR is suggested. Check it" in _captions(page)
    _button(page, "Import").click().run()  # type: ignore[attr-defined]
    assert jobs.list_jobs(ws)[0].params["currency"] == "EUR"


def test_without_a_sign_the_currency_is_said_to_be_the_users_choice(open_page: OpenPage) -> None:
    page = open_page("data")
    content = small_offers().to_csv(index=False).encode()
    page.file_uploader(key="upload_0").set_value([("export.csv", content, "text/csv")]).run()
    assert "No sign of a currency was found in the files" in _captions(page)


def test_of_a_large_upload_only_the_beginning_is_read(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LARGE_BYTES", 100)
    page = open_page("data")
    content = small_offers().to_csv(index=False).encode()
    page.file_uploader(key="upload_0").set_value([("export.csv", content, "text/csv")]).run()
    assert not page.error
    assert any(f"· {words.size(len(content))}, 6 columns" in expander.label for expander in page.expander)


@pytest.mark.usefixtures("finished_jobs")
def test_customer_features_are_made_in_the_background(ws: Workspace, imported: str, open_page: OpenPage) -> None:
    page = open_page("data")
    page.button(key="make_features").click().run()
    job = jobs.list_jobs(ws)[0]
    assert (job.kind, job.params["dataset_id"], job.params["own_ids"]) == ("customer_features", imported, False)
    assert job.params["actor"]["name"]


def test_large_versions_are_compared_on_request(
    ws: Workspace, imported: str, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets.copy_dataset(ws, imported)
    monkeypatch.setattr(working_samples, "LARGE_OFFERS", 50)
    page = open_page("data")
    assert not any("figure" in frame.value for frame in page.dataframe)
    page.button(key="compare").click().run()
    table = next(frame.value for frame in page.dataframe if "figure" in frame.value).set_index("figure")
    assert table.loc["offers", ["first", "second", "difference"]].tolist() == ["59", "59", ""]


@pytest.mark.parametrize(
    ("value", "reach", "expected"),
    [
        (-1.2, 0.3, "Cheaper weeks sold more."),
        (-0.1, 0.05, "Cheaper weeks sold slightly more."),
        (0.02, 0.3, "Near zero or uncertain: prices moved too little to tell."),
        (0.9, 0.2, "Dearer weeks sold more: demand moved the prices."),
        (float("nan"), 0.1, "Prices did not move within products."),
    ],
)
def test_a_raw_elasticity_is_put_into_words(value: float, reach: float, expected: str) -> None:
    assert occasions.elasticity_words(value, reach) == expected


def test_the_note_on_the_data_page_does_not_send_the_reader_to_the_data_page() -> None:
    assert "see Data" not in occasions.LABEL
