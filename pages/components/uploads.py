"""Files that the user drops in: kept over page changes, read once, assigned to a table, and mapped to fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import streamlit as st

from pricing_core.data.heads import head_of
from pricing_core.data.mapping import guess_mapping
from pricing_core.data.needed import lacking, need_of
from pricing_core.data.read import FORMATS, read_raw, sheets_of
from pricing_core.data.table_guess import guess_table
from pricing_core.schema import SOURCES, field_names, fields
from pricing_core.store import file_shapes, incoming
from pricing_core.store.workspace import Workspace

from . import server_files
from .frame import sentences_for_errors
from .tables import records
from .words import markdown, plural, size

TYPES = list(FORMATS)
MAX_FILES = 60
NOT_IN_FILE = "not in my file"
LEAVE_OUT = "nothing that is needed"
GUESSED_FROM = 200
LARGE_BYTES = 50_000_000
"""Size from which only the beginning of a file is looked at before the import."""

_KEPT = "uploaded_files"
_ROUND = "upload_round"


@dataclass(frozen=True)
class MappedFile:
    """Files of the same columns, what table they are, and which of their columns is which field.

    Each part is the content and name of an upload, or the name of a file in the server's folder.
    """

    name: str
    parts: tuple[tuple[bytes, str] | str, ...]
    table: str
    mapping: dict[str, str]
    head: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)


@dataclass(frozen=True)
class _Part:
    """One file, or one sheet of a workbook, as uploaded or as it lies on the server.

    ``rows`` is None where only the beginning was read; ``size`` in bytes.
    """

    name: str
    file_id: str
    source: tuple[bytes, str] | str
    columns: list[str]
    rows: int | None
    head: pd.DataFrame
    size: int


@st.cache_data(max_entries=2 * MAX_FILES, show_spinner="Reading the file …")
def _read(file_id: str, name: str, _content: bytes) -> tuple[list[str], int, pd.DataFrame]:
    raw = read_raw((_content, name))
    return list(raw.frame.columns), len(raw.frame) + len(raw.malformed), raw.frame.head(GUESSED_FROM)


@st.cache_data(max_entries=2 * MAX_FILES, show_spinner="Reading the beginning of the file …")
def _read_head(file_id: str, name: str, _source: Path | tuple[bytes, str]) -> tuple[list[str], None, pd.DataFrame]:
    raw = read_raw(head_of(_source, name))
    return list(raw.frame.columns), None, raw.frame.head(GUESSED_FROM)


@st.cache_data(max_entries=2 * MAX_FILES, show_spinner="Reading the file …")
def _sheets(file_id: str, name: str, _content: bytes) -> list[str]:
    return sheets_of((_content, name))


def choose_files(ws: Workspace) -> list[MappedFile]:
    """Let the user drop files and correct what was guessed about each; return those that could be read."""
    st.file_uploader(
        "Drop your files: offers or orders, and optionally customers, products, market and events",
        type=TYPES, accept_multiple_files=True, key=_widget(), on_change=_keep,
        help="CSV (any usual delimiter and encoding), Parquet or Excel, also zipped. Files of the same columns, such "
        "as one for each month, become one table. Column names need not match: you map them.",
    )  # fmt: skip
    from_server = server_files.choose(ws)
    kept: dict[str, tuple[str, bytes]] = st.session_state.get(_KEPT, {})
    if len(kept) + len(from_server) > MAX_FILES:
        st.error(
            f"These are {len(kept) + len(from_server)} files. Keep at most {MAX_FILES}, or put them into one zip file."
        )
        return []
    if kept or from_server:
        st.button("Start over with other files", icon=":material/restart_alt:", type="tertiary", on_click=forget_files)
    groups: dict[tuple[str, ...], list[_Part]] = {}
    for name, (file_id, content) in kept.items():
        with sentences_for_errors():
            for part in _parts(name, file_id, content):
                groups.setdefault(tuple(part.columns), []).append(part)
    for name in from_server:
        with sentences_for_errors():
            part = _on_server(ws, name)
            groups.setdefault(tuple(part.columns), []).append(part)
    chosen = [_one_group(ws, parts, alone=len(groups) == 1) for parts in groups.values()]
    return [file for file in chosen if file.table != LEAVE_OUT]


def _parts(name: str, file_id: str, content: bytes) -> list[_Part]:
    """The file, or each sheet of a workbook that holds a table."""
    if len(content) > LARGE_BYTES and not name.lower().endswith((".xlsx", ".xlsm")):
        looked = _read_head(file_id, name, (content, name))
        return [_Part(name, file_id, (content, name), *looked, len(content))]
    names = _sheets(file_id, name, content) or [name]
    return [
        _Part(each, file_id, (content, each), *_read(f"{file_id}{each}", each, content), len(content)) for each in names
    ]


def _on_server(ws: Workspace, name: str) -> _Part:
    """A file of the server's folder, of which only the beginning is read."""
    path = incoming.incoming_path(ws, name)
    about = path.stat()
    file_id = f"server_{about.st_size}_{about.st_mtime_ns}_{name}"
    return _Part(name, file_id, name, *_read_head(file_id, path.name, path), about.st_size)


def forget_files() -> None:
    """Drop the kept files and empty the widget."""
    st.session_state.pop(_KEPT, None)
    server_files.forget()
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def hand_over(ws: Workspace, files: list[MappedFile]) -> dict[str, list[dict[str, str]]]:
    """Keep uploads in the workspace until the import job has read them; files on the server stay where they are."""
    from pricing_core import workflows

    uploaded = {file.table: [part for part in file.parts if isinstance(part, tuple)] for file in files}
    kept = workflows.keep_uploads(ws, uploaded)
    for file in files:
        kept[file.table] += [{"incoming": part} for part in file.parts if isinstance(part, str)]
    return kept


def _widget() -> str:
    """Return the widget's key: a new one each time, since the value of an uploader cannot be taken back."""
    return f"upload_{st.session_state.get(_ROUND, 0)}"


def _keep() -> None:
    """Copy the files out of the widget, whose value is lost when the user looks at another page."""
    files = st.session_state.get(_widget()) or []
    st.session_state[_KEPT] = {file.name: (file.file_id, file.getvalue()) for file in files}


def _one_group(ws: Workspace, parts: list[_Part], *, alone: bool) -> MappedFile:
    """Ask what the files of the same columns are."""
    first = parts[0]
    known = file_shapes.recall(ws, first.columns)
    guess = known.table if known else guess_table(first.columns, first.name, sample=first.head, alone=alone)
    more = f" and {plural(len(parts) - 1, 'file')} of the same columns" if len(parts) > 1 else ""
    title = f"**{markdown(first.name)}**{more} · {_amount(parts)}, {plural(len(first.columns), 'column')}"
    with st.expander(title, expanded=True, icon=":material/description:"):
        choices = [*SOURCES, LEAVE_OUT]
        table = st.selectbox(
            "This file holds", choices, index=choices.index(guess), key=f"table_{first.file_id}{first.name}_{guess}",
            width=260,
        )  # fmt: skip
        if more:
            st.caption(f"Read as one table: {markdown(', '.join(part.name for part in parts))}")
        st.dataframe(first.head.head(5), hide_index=True, height=150)
        mapping = {} if table == LEAVE_OUT else _edit_mapping(table, first, known)
    return MappedFile(first.name, tuple(part.source for part in parts), table, mapping, first.head)


def _amount(parts: list[_Part]) -> str:
    """How many rows the files have, or how large they are where they were not read to their end."""
    rows = [part.rows for part in parts]
    if None in rows:
        return size(sum(part.size for part in parts))
    return plural(sum(number for number in rows if number is not None), "row")


def _edit_mapping(table: str, part: _Part, known: file_shapes.FileShape | None) -> dict[str, str]:
    remembered = known is not None and known.table == table
    if remembered:
        st.caption(":material/history: Columns as you mapped them for the last file of this kind.")
    guessed = known.mapping if known is not None and remembered else guess_mapping(part.columns, table)
    start = pd.DataFrame(
        {
            "field": [field.name for field in fields(table)],
            "needed": [need_of(table, field.name) for field in fields(table)],
            "column": [guessed.get(field.name, NOT_IN_FILE) for field in fields(table)],
            "meaning": [f"{field.meaning} ({field.unit})" if field.unit else field.meaning for field in fields(table)],
        }
    )
    edited = st.data_editor(
        start, hide_index=True, height="content", disabled=["field", "needed", "meaning"],
        key=f"mapping_{part.file_id}{part.name}_{table}",
        column_config={
            "field": st.column_config.TextColumn("Field"),
            "needed": st.column_config.TextColumn("Required"),
            "column": st.column_config.SelectboxColumn(
                "Your column", options=[NOT_IN_FILE, *part.columns], required=True
            ),
            "meaning": st.column_config.TextColumn("Meaning", width="large"),
        },
    )  # fmt: skip
    mapping = {row["field"]: row["column"] for row in records(edited) if row["column"] != NOT_IN_FILE}
    missing = lacking(table, mapping)
    if missing:
        st.warning(f"Choose a column for {', '.join(missing)}: rows cannot be used without.")
    further = [column for column in part.columns if column not in mapping.values()]
    if further:
        fate = "not used" if table == "orders" else "kept under their own names"
        st.caption(f"Further columns, {fate}: {markdown(', '.join(further))}")
    return mapping


def template(table: str) -> bytes:
    """Return an empty CSV with the headers of a table, for Excel."""
    return ("\ufeff" + ",".join(field_names(table)) + "\r\n").encode()
