"""Files that the user drops in: kept over page changes, read once, assigned to a table, and mapped to fields."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pricing_core.data.mapping import guess_mapping
from pricing_core.data.read import FORMATS, read_raw
from pricing_core.data.table_guess import guess_table
from pricing_core.schema import SOURCES, TABLES, field_names, fields, required_names
from pricing_core.store.workspace import Workspace

from .frame import sentences_for_errors
from .tables import records
from .words import markdown, plural

TYPES = list(FORMATS)
MAX_FILES = len(TABLES)
NOT_IN_FILE = "not in my file"
GUESSED_FROM = 200
_KEPT = "uploaded_files"
_ROUND = "upload_round"


@dataclass(frozen=True)
class MappedFile:
    """One uploaded file, what table it is, and which of its columns is which field."""

    name: str
    content: bytes
    table: str
    mapping: dict[str, str]


@st.cache_data(max_entries=2 * MAX_FILES, show_spinner="Reading the file …")
def _read(file_id: str, name: str, _content: bytes) -> tuple[list[str], int, pd.DataFrame]:
    raw = read_raw((_content, name))
    return list(raw.frame.columns), len(raw.frame) + len(raw.malformed), raw.frame.head(GUESSED_FROM)


def choose_files() -> list[MappedFile]:
    """Let the user drop files and correct what was guessed about each; return those that could be read."""
    st.file_uploader(
        "Drop up to five files: offers or orders, and optionally customers, products, market and events",
        type=TYPES, accept_multiple_files=True, key=_widget(), on_change=_keep,
        help="CSV (any usual delimiter and encoding), Parquet or Excel. Column names need not match: you map them.",
    )  # fmt: skip
    kept: dict[str, tuple[str, bytes]] = st.session_state.get(_KEPT, {})
    if len(kept) > MAX_FILES:
        st.error(f"These are {len(kept)} files. Keep at most {MAX_FILES}: one for each table.")
        return []
    if kept:
        st.button("Start over with other files", icon=":material/restart_alt:", type="tertiary", on_click=forget_files)
    chosen = []
    for name, (file_id, content) in kept.items():
        with sentences_for_errors():
            chosen.append(_one_file(name, file_id, content, alone=len(kept) == 1))
    return chosen


def forget_files() -> None:
    """Drop the kept files and empty the widget."""
    st.session_state.pop(_KEPT, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def hand_over(ws: Workspace, files: list[MappedFile]) -> dict[str, dict[str, str]]:
    """Keep the files in the workspace until the import job has read them, which then removes them."""
    from pricing_core import workflows

    return workflows.keep_uploads(ws, {file.table: (file.content, file.name) for file in files})


def _widget() -> str:
    """Return the widget's key: a new one each time, since the value of an uploader cannot be taken back."""
    return f"upload_{st.session_state.get(_ROUND, 0)}"


def _keep() -> None:
    """Copy the files out of the widget, whose value is lost when the user looks at another page."""
    files = st.session_state.get(_widget()) or []
    st.session_state[_KEPT] = {file.name: (file.file_id, file.getvalue()) for file in files}


def _one_file(name: str, file_id: str, content: bytes, *, alone: bool) -> MappedFile:
    columns, rows, head = _read(file_id, name, content)
    guess = guess_table(columns, name, sample=head, alone=alone)
    title = f"**{markdown(name)}** · {plural(rows, 'row')}, {plural(len(columns), 'column')}"
    with st.expander(title, expanded=True, icon=":material/description:"):
        table = st.selectbox(
            "This file holds", SOURCES, index=SOURCES.index(guess), key=f"table_{file_id}_{guess}", width=260
        )
        st.dataframe(head.head(5), hide_index=True, height=150)
        mapping = _edit_mapping(table, columns, file_id)
        missing = [field for field in required_names(table) if field not in mapping]
        if missing:
            st.warning(f"Choose a column for {', '.join(missing)}: rows cannot be used without.")
        further = [column for column in columns if column not in mapping.values()]
        if further:
            st.caption(f"Further columns, kept under their own names: {markdown(', '.join(further))}")
    return MappedFile(name, content, table, mapping)


def _edit_mapping(table: str, columns: list[str], file_id: str) -> dict[str, str]:
    guessed = guess_mapping(columns, table)
    start = pd.DataFrame(
        {
            "field": [field.name for field in fields(table)],
            "needed": [field.required for field in fields(table)],
            "column": [guessed.get(field.name, NOT_IN_FILE) for field in fields(table)],
            "meaning": [f"{field.meaning} ({field.unit})" if field.unit else field.meaning for field in fields(table)],
        }
    )
    edited = st.data_editor(
        start, hide_index=True, height="content", disabled=["field", "needed", "meaning"],
        key=f"mapping_{file_id}_{table}",
        column_config={
            "field": st.column_config.TextColumn("Field"),
            "needed": st.column_config.CheckboxColumn("Required"),
            "column": st.column_config.SelectboxColumn("Your column", options=[NOT_IN_FILE, *columns], required=True),
            "meaning": st.column_config.TextColumn("Meaning", width="large"),
        },
    )  # fmt: skip
    return {row["field"]: row["column"] for row in records(edited) if row["column"] != NOT_IN_FILE}


def template(table: str) -> bytes:
    """Return an empty CSV with the headers of a table, for Excel."""
    return ("\ufeff" + ",".join(field_names(table)) + "\r\n").encode()
