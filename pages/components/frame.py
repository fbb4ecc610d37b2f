"""The frame of every page: title, question, sidebar, empty state, and errors as sentences."""

from __future__ import annotations

import logging
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import streamlit as st

from pricing_core.errors import PricingError

from . import access, empty, sidebar
from .state import PageState, page_state
from .words import markdown

ENTRY = Path(__file__).parents[2] / "streamlit_app.py"
ICON = Path(__file__).with_name("icon.svg")

_log = logging.getLogger(__name__)


@contextmanager
def start_page(
    title: str, question: str, *, icon: str, needs: Literal["dataset", "model"] | None = None
) -> Iterator[PageState]:
    """Open a page, and turn every error inside it into a sentence.

    Parameters
    ----------
    title, question, icon
        Name of the page, the question it answers, and its Material icon.
    needs
        What has to exist before the page has anything to show; without it the page leads on instead.
    """
    st.set_page_config(page_title=f"{title} · Pricing", page_icon=str(ICON), layout="wide")
    _run_navigation_once()
    st.title(title, anchor=False)
    st.caption(question)
    place = st.container()
    with sentences_for_errors():
        access.gate()
        state = page_state(place)
        sidebar.show(state)
        if needs and state.dataset_id is None:
            empty.no_data(state)
        elif needs == "model" and state.run_id is None:
            empty.no_model(state)
        else:
            yield state
            return
    st.stop()


@contextmanager
def sentences_for_errors() -> Iterator[None]:
    """Show an error of the product as its message, and any other as one sentence; details go to the log."""
    try:
        yield
    except PricingError as error:
        st.error(markdown(str(error)), icon=":material/error:")
    except Exception:
        _log.exception("a page failed")
        st.error(
            "This page ran into an unexpected problem. Reload it; if it stays, the server's log has the details.",
            icon=":material/error:",
        )


def _run_navigation_once() -> None:
    """Run the entry file when a deep link started the page without it.

    Streamlit treats a folder called ``pages`` in its own way until ``st.navigation`` has run once in the
    server; a first visit to a deep link would then come without the navigation.
    """
    if "navigation_ran" not in st.session_state:
        runpy.run_path(str(ENTRY))
        st.stop()
