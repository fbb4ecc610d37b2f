"""Files too large for an upload: chosen from one folder on the server."""

from __future__ import annotations

import streamlit as st

from pricing_core.store import incoming
from pricing_core.store.workspace import Workspace

from . import access
from .tables import text_column
from .words import size

_CHOSEN = "incoming_files"
_REMEMBERED = "incoming_remembered"
_ROUND = "incoming_round"


def choose(ws: Workspace) -> list[str]:
    """Let the user choose files of the server's folder; return their names within it."""
    if not access.may(ws, "import"):
        return []
    listed = incoming.list_incoming(ws)
    most = st.get_option("server.maxUploadSize")
    names = listed["name"].tolist()
    remembered = [name for name in st.session_state.get(_REMEMBERED, []) if name in names]
    with st.expander(f"Files of more than {most:,} MB", expanded=bool(remembered), icon=":material/hard_drive:"):
        st.markdown(
            f"An upload takes at most **{most:,} MB** a file. Larger files have two ways in: whoever runs the server "
            "copies them into the folder below, or raises the limit with the setting `server.maxUploadSize` (in "
            "megabytes, in `.streamlit/config.toml` or as `STREAMLIT_SERVER_MAX_UPLOAD_SIZE`) and starts the app again."
        )
        st.code(str(incoming.incoming_folder(ws)), language=None)
        if not names:
            st.caption(f"The folder holds no table. `{incoming.VARIABLE}` names another folder.")
            return []
        st.dataframe(
            listed.assign(size=[size(number) for number in listed["size"]]), hide_index=True, height="content",
            column_config={
                "name": text_column("File"), "size": text_column("Size"),
                "modified": st.column_config.DatetimeColumn("Changed (UTC)", format="YYYY-MM-DD HH:mm"),
            },
        )  # fmt: skip
        chosen = st.multiselect("Import from this folder", names, remembered, key=_widget(), on_change=_remember)
    return list(chosen)


def forget() -> None:
    """Choose none of the files any more."""
    st.session_state.pop(_REMEMBERED, None)
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def _widget() -> str:
    """Return the widget's key: a new one each time, since the browser keeps the choice of an old one."""
    return f"{_CHOSEN}_{st.session_state.get(_ROUND, 0)}"


def _remember() -> None:
    """Keep the choice over page changes, which a widget's own value does not survive."""
    st.session_state[_REMEMBERED] = st.session_state[_widget()]
