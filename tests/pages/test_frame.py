"""Every page: title, question, empty state that leads on, and errors as sentences."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.components.frame import sentences_for_errors
from pricing_core import jobs
from pricing_core.errors import DataError
from pricing_core.store.workspace import Workspace

from .conftest import ROOT, OpenPage

QUESTIONS = {
    "today": "What needs me?",
    "data": "Can I trust the data?",
    "models": "Is it learning something true?",
    "demand": "How do buyers react to price?",
    "explain": "Why this price?",
    "optimize": "What should prices be?",
    "scenarios": "What if?",
    "price_list": "What goes live?",
    "measure": "Did it work?",
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_page_without_data_asks_its_question_and_offers_the_sample(
    ws: Workspace, open_page: OpenPage, name: str
) -> None:
    page = open_page(name)
    assert page.caption[0].value == QUESTIONS[name]
    assert "No data yet. Try the sample shop (about a minute)." in [text.value for text in page.subheader]
    assert page.button(key="load_demo_shop").label == "Load the sample shop"


def test_the_sample_button_starts_the_job_and_the_page_shows_it(ws: Workspace, open_page: OpenPage) -> None:
    page = open_page("today")
    page.button(key="load_demo_shop").click().run()
    job = jobs.list_jobs(ws)[0]
    assert (job.kind, job.params) == ("import_sample", {"name": "demo_shop"})
    jobs.cancel(ws, job.id)


@pytest.mark.parametrize("name", ["demand", "explain", "optimize", "scenarios", "price_list"])
def test_a_page_that_needs_a_model_offers_to_train_one(
    ws: Workspace, imported: str, open_page: OpenPage, name: str
) -> None:
    page = open_page(name)
    page.button(key="train_quick").click().run()
    job = jobs.list_jobs(ws)[0]
    assert (job.kind, job.params["dataset_id"], job.params["quick"]) == ("train", imported, True)
    assert any("Training the models" in text.value for text in page.markdown)
    jobs.cancel(ws, job.id)


def test_the_entry_file_opens_today_and_every_page_is_in_the_navigation(ws: Workspace) -> None:
    app = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=180).run()
    assert not app.exception
    for name, question in QUESTIONS.items():
        app.switch_page(f"pages/{name}.py").run()
        assert not app.exception
        assert app.caption[0].value == question


def test_an_error_of_the_product_is_shown_as_its_message_and_any_other_as_one_sentence() -> None:
    def script() -> None:
        from tests.pages.test_frame import DataError, sentences_for_errors

        with sentences_for_errors():
            raise DataError("Prices of $0 in row 7.", fix="Correct them.")
        with sentences_for_errors():
            raise KeyError("secret detail")

    shown = [error.value for error in AppTest.from_function(script, default_timeout=180).run().error]
    assert shown[0] == "Prices of \\$0 in row 7. Correct them."
    assert "unexpected problem" in shown[1] and "secret detail" not in shown[1]


def test_an_unusable_workspace_is_a_sentence_and_not_a_crash(
    ws: Workspace, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ws.root / "a_file"
    file.write_text("x")
    monkeypatch.setenv("PRICING_WORKSPACE", str(file))
    page = open_page("today", errors=True)
    assert "is a file" in page.error[0].value


__all__ = ["DataError", "sentences_for_errors"]
