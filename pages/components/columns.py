"""Which columns the models use, which not and why, and the switch that excludes one."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pricing_core.store import datasets

from . import access, cache
from .state import PageState
from .tables import text_column
from .words import markdown, plural

USER_REASON = "excluded by you"
ORDER = ("feature", "unused", "structure")
ROLES = {"feature": "✓ used", "structure": "◆ needed", "unused": "– not used"}


@st.cache_data(max_entries=4, show_spinner="Looking at the columns …")
def _uses(root: str, dataset_id: str, stamp: str, _state: PageState) -> pd.DataFrame:
    from pricing_core.workflows.aggregates import column_uses

    return column_uses(_state.ws, dataset_id, lambda: _state.dataset)


def show(state: PageState) -> None:
    """Show the list of columns with a checkbox to leave one out, and save what was changed."""
    uses = _uses(str(state.ws.root), str(state.dataset_id), cache.stamp(state.ws, state.dataset_id), state)
    excluded = datasets.load_manifest(state.ws, state.dataset_id).excluded
    uses = uses.assign(
        use=uses["role"].map(ROLES),
        exclude=[f"{row.table}.{row.column}" in excluded for row in uses.itertuples()],
        locked=uses["role"].eq("structure"),
    ).sort_values("role", key=lambda role: role.map(ORDER.index), kind="stable")
    used = int(uses["used"].sum())
    st.caption(
        f"{plural(used, 'column')} of your files {'becomes a feature' if used == 1 else 'become features'}. Protected "
        "attributes, columns that give the outcome away and personal data are left out by themselves; tick **Leave "
        "out** for any other."
    )
    with st.form("exclusions", border=False):
        edited = st.data_editor(
            uses, hide_index=True, key=f"columns_{state.dataset_id}", height=420,
            disabled=["table", "column", "kind", "use", "reason"],
            column_order=["use", "table", "column", "kind", "reason", "exclude"],
            column_config={
                "use": text_column("Use"), "table": text_column("Table"), "column": text_column("Column"),
                "kind": text_column("Kind"), "reason": text_column("Why", width="large"),
                "exclude": st.column_config.CheckboxColumn("Leave out", help="Takes effect at the next training."),
            },
        )  # fmt: skip
        if access.form_button(state, "import", "Save", icon=":material/save:"):
            _save(state, edited, excluded)


def _save(state: PageState, edited: pd.DataFrame, before: dict[str, str]) -> None:
    chosen = edited[edited["exclude"]]
    if chosen["locked"].any():
        row = chosen[chosen["locked"]].iloc[0]
        st.error(markdown(f"{row['table']}.{row['column']} cannot be left out: {row['reason']}."))
        return
    keys = [f"{row.table}.{row.column}" for row in chosen.itertuples()]
    from pricing_core import workflows

    workflows.set_exclusions(state.ws, str(state.dataset_id), {key: before.get(key, USER_REASON) for key in keys})
    st.toast("Saved. Train again to apply it.", icon=":material/check:")
    st.rerun()
