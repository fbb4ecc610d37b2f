"""Named sets of guardrails: save, load, delete, and exchange as TOML files."""

from __future__ import annotations

import streamlit as st

from pricing_core.errors import PricingError
from pricing_core.guardrails import Guardrails
from pricing_core.store import guardrail_sets

from . import access, guardrail_state
from .guardrail_words import in_words
from .state import PageState
from .words import ago, markdown

UPLOAD = "guardrails_file"
SAID = "guardrails_said"


def show(state: PageState) -> None:
    """Show the saved sets, and the file of the rules in force."""
    rules = guardrail_state.chosen(state.ws)
    said = st.session_state.pop(SAID, None)
    with st.expander("Saved sets of guardrails, and files", icon=":material/bookmarks:", expanded=bool(said)):
        if said:
            st.success(markdown(said), icon=":material/check_circle:")
        saved, files = st.columns(2, gap="large")
        with saved:
            _save(state, rules)
            _saved(state)
        with files:
            _files(state, rules)


def _save(state: PageState, rules: Guardrails) -> None:
    with st.form("save_guardrails", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Save the rules in force as", placeholder="Summer sale", max_chars=80, width=260)
        if access.form_button(state, "edit", "Save", icon=":material/bookmark_add:"):
            kept = guardrail_sets.save(state.ws, name, rules, saved_by=access.actor(state).name)
            _say(f"Saved as “{kept}”.")


def _saved(state: PageState) -> None:
    names = guardrail_sets.names(state.ws)
    if not names:
        st.caption("No set is saved yet.")
        return
    name = st.selectbox("Saved sets", names, key="guardrail_set")
    stored = guardrail_sets.load(state.ws, name)
    by = f" by {stored.saved_by}" if stored.saved_by else ""
    st.caption(
        f"Rules: {markdown(in_words(stored.guardrails, state.currency))}. Saved {ago(stored.saved_at)}{markdown(by)}."
    )
    with st.container(horizontal=True):
        if access.button(state, "edit", "Load", icon=":material/upload:", key="load_set"):
            guardrail_state.adopt(state.ws, stored.guardrails)
            _say(f"In force: “{name}”.")
        if access.button(state, "edit", "Delete", icon=":material/delete:", key="delete_set"):
            guardrail_sets.delete(state.ws, name)
            _say(f"Deleted: “{name}”.")


def _say(sentence: str) -> None:
    """Draw the page again, with a sentence on top of the section."""
    st.session_state[SAID] = sentence
    st.rerun()


def _files(state: PageState, rules: Guardrails) -> None:
    st.download_button(
        "Download the rules in force (TOML)", rules.to_toml().encode(), "guardrails.toml", "application/toml",
        icon=":material/download:", on_click="ignore",
        help="A text file that this page and the command line read: --guardrails guardrails.toml",
    )  # fmt: skip
    file = st.file_uploader("Or take rules from a TOML file", type=["toml"], key=UPLOAD)
    if file is None:
        return
    try:
        found = Guardrails.from_toml(file.getvalue().decode("utf-8-sig"))
    except UnicodeDecodeError:
        st.error("This file is not text in UTF-8.", icon=":material/error:")
        return
    except PricingError as error:
        st.error(markdown(str(error)), icon=":material/error:")
        return
    st.caption(f"{markdown(file.name)}: {markdown(in_words(found, state.currency))}")
    if access.button(state, "edit", "Put these rules into force", icon=":material/done:", key="adopt_file"):
        guardrail_state.adopt(state.ws, found.with_changes(decimals=rules.decimals))
        _say(f"In force: the rules of {file.name}.")
