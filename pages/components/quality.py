"""What the import found out: one sentence, counts, findings by severity with row numbers, rows set aside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from pricing_core import workflows
from pricing_core.data.dataset import sample_words
from pricing_core.store import blocked, datasets

from . import occasions, side_by_side
from .state import PageState
from .tables import SEVERITIES, record
from .words import count, markdown, plural


def sentence(state: PageState) -> str:
    """Say in one sentence whether the data can be trusted."""
    listed = _listed(state)
    findings = datasets.load_quality(state.ws, state.dataset_id)
    warnings = int((findings["severity"] == "warning").sum())
    verdict = "nothing to worry about" if warnings == 0 else f"{plural(warnings, 'warning')} to look at"
    what = f"{occasions.noun(state)}, built from orders," if occasions.built(state) else occasions.noun(state)
    return f"{count(listed['offers'])} {what} are ready; {_set_aside_words(listed)}, {verdict}."


def show(state: PageState) -> None:
    """Show the row counts, the findings and the download of the rows set aside."""
    listed = _listed(state)
    places = side_by_side.places(6)
    first = "Occasions" if occasions.built(state) else "Offers"
    labels = {"offers": first, "customers": "Customers", "products": "Products", "market": "Market rows",
              "events": "Events"}  # fmt: skip
    for tile, (table, label) in zip(places, labels.items(), strict=False):
        tile.metric(label, count(listed[table]) if listed[table] else "no table")
    places[-1].metric("Set aside", count(listed["set_aside"]), help="Rows that were not used, each with its reason.")
    manifest = datasets.load_manifest(state.ws, state.dataset_id)
    _counts(datasets.load_counts(state.ws, state.dataset_id), "All files of this version: " if manifest.extends else "")
    sample = datasets.sample_counts(state.ws, state.dataset_id)
    if sample is not None:
        st.caption(
            f":material/groups: Trainings and most pages work on {sample_words(sample)}, drawn at random. How products "
            "sold, the last weeks, lowest prices, tests and the customer features count all of them."
        )
    findings = datasets.load_quality(state.ws, state.dataset_id)
    if findings.empty:
        st.success("Nothing was found that affects the prices.", icon=":material/check_circle:")
    else:
        _findings(findings)
    if listed["set_aside"]:
        path = datasets.set_aside_path(state.ws, state.dataset_id)
        _download(path, listed["set_aside"], f"{state.dataset_id}_set_aside.csv", "set_aside")


def refused(state: PageState) -> None:
    """Show what the newest import found if it was refused, and hand its rows back."""
    last = blocked.load_blocked(state.ws)
    if last is None:
        return
    with st.expander("The last import was refused: what was found", expanded=True, icon=":material/block:"):
        _counts(last.counts)
        _findings(last.findings)
        if int(last.counts["rows_set_aside"].sum()):
            _download(last.set_aside, int(last.counts["rows_set_aside"].sum()), "refused_rows.csv", "refused_rows")


def _download(path: Path, rows: int, name: str, key: str) -> None:
    st.download_button(
        f"Download the {plural(rows, 'row')} set aside", lambda: workflows.set_aside_for_excel(path), name, "text/csv",
        icon=":material/download:", on_click="ignore", key=key,
        help="Each row as it was, with its number and the reason; opens safely in a spreadsheet.",
    )  # fmt: skip


def _counts(counts: pd.DataFrame, whose: str = "") -> None:
    """Show that no row was lost: rows in = rows kept + rows set aside, table by table; ``whose`` if it needs saying."""
    if counts.empty or not int(counts["rows_set_aside"].sum()):
        return
    words = [
        f"**{row['table']}**: {count(row['rows_in'])} in = {count(row['rows_kept'])} kept + "
        f"{count(row['rows_set_aside'])} set aside"
        for row in counts.to_dict("records")
    ]
    st.caption(whose + " · ".join(words))


def _listed(state: PageState) -> dict[str, Any]:
    return record(datasets.list_datasets(state.ws), "dataset_id", state.dataset_id)


def _set_aside_words(listed: dict[str, Any]) -> str:
    return "no row was set aside" if not listed["set_aside"] else f"{plural(listed['set_aside'], 'row')} set aside"


def _findings(findings: pd.DataFrame) -> None:
    shown = pd.DataFrame(
        {
            "Severity": findings["severity"].map(SEVERITIES),
            "What was found": findings["message"].map(markdown),
            "What it does to the prices": findings["effect"].map(markdown),
            "Table": findings["table"],
            "Row numbers": findings["rows"].map(_shorten),
        }
    )
    st.table(shown, hide_index=True, border="horizontal")
    st.caption("Row numbers are those that a spreadsheet shows: the first line of the file is row 1.")


def _shorten(rows: str, limit: int = 40) -> str:
    return rows if len(rows) <= limit else rows[:limit].rsplit(",", 1)[0] + " …"
