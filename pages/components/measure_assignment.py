"""Who gets the new prices: draw the assignment of a design, see that the arms are alike, and take the file away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.evaluate.test_design import DesignConfig, DesignResult
from pricing_core.store import measurements

from . import access
from .measure_design import NAMES
from .state import PageState
from .tables import records, text_column
from .words import count, markdown, plural

if TYPE_CHECKING:
    from pricing_core.workflows.measuring import SavedDesign


def draw(state: PageState, config: DesignConfig, result: DesignResult | str) -> None:
    """Draw the assignment of the chosen design and keep it under a name."""
    if isinstance(result, str):
        return
    st.subheader("Draw the assignment", anchor=False)
    with st.form("measure_assign", border=True):
        name, day, seed, button = st.columns([3, 2, 1, 2], vertical_alignment="bottom")
        called = name.text_input("Name of the test", "Price test", key="measure_name", persist_state="session")
        starts = day.date_input("Starts on (the next Monday counts)", _next_monday(), key="measure_start")
        number = seed.number_input("Seed", 0, 10_000, 0, key="measure_seed", persist_state="session",
                                   help="The same seed and data give the same assignment.")  # fmt: skip
        if access.form_button(state, "edit", "Draw and save", place=button, type="primary", icon=":material/casino:"):
            from pricing_core.workflows import measuring

            plan = {"sentence": result.sentence, "promised_rate": result.promised_rate,
                    "detectable_rate": result.detectable_rate, "weeks_needed": result.weeks_needed}  # fmt: skip
            measuring.save_design(
                state.ws, called, config, starts_on=pd.Timestamp(starts), seed=int(number), plan=plan,
                dataset_id=state.dataset_id,
            )  # fmt: skip
            st.toast(f"Saved: {markdown(called)}", icon=":material/check:")


def saved(state: PageState) -> None:
    """Show the saved designs: balance, A/A check, and the files."""
    listed = records(measurements.list_measurements(state.ws, "design"))
    if not listed:
        st.caption("No test has been drawn yet.")
        return
    from pricing_core.workflows import measuring

    names = {str(row["measurement_id"]): str(row["name"]) for row in listed}
    chosen = st.selectbox("Saved tests", list(names), format_func=names.__getitem__, key=f"saved_design_{len(names)}",
                          width=460)  # fmt: skip
    design = measuring.load_design(state.ws, str(chosen))
    _facts(design)
    _balance(design)
    _downloads(state, design)


def _facts(design: SavedDesign) -> None:
    record, config = design.record, design.config
    arms = f"{count(record['n_test'])} in test, {count(record['n_control'])} in control"
    what = {"customer": "customers", "label": "groups"}.get(config.design, "blocks")
    last = design.starts_on + timedelta(weeks=config.weeks) - timedelta(days=1)
    st.caption(
        f"**{markdown(design.name)}**: {NAMES[config.design].lower()}, {plural(config.weeks, 'week')} from "
        f"{design.starts_on:%Y-%m-%d} to {last:%Y-%m-%d}; {what}: {arms}; seed {design.seed}, drawn from data "
        f"{design.dataset_id}. {markdown(str(record.get('plan', {}).get('sentence', '')))}"
    )


def _balance(design: SavedDesign) -> None:
    balance = pd.DataFrame(design.record["balance"])
    if balance.empty or "p_value" not in balance:
        st.caption("Every unit is in both arms, so that there is nothing to balance beforehand.")
        return
    p = design.record["p_value"]
    if p is not None and p == p:
        verdict = "as chance would have it" if p >= 0.05 else "more apart than chance usually makes them; draw again"
        st.caption(f"A/A check before the test: profit per offer of the arms is {verdict} (p = {p:.2f}).",
                   help=glossary.define("a/a check"))  # fmt: skip
    st.dataframe(
        balance, hide_index=True, height="content", placeholder="–",
        column_config={
            "figure": text_column("Before the test"),
            "test": st.column_config.NumberColumn("Test", format="%.3f"),
            "control": st.column_config.NumberColumn("Control", format="%.3f"),
            "difference": st.column_config.NumberColumn(
                "Standardized difference", format="%+.3f", help=glossary.define("standardized difference")
            ),
            "p_value": st.column_config.NumberColumn("p", format="%.2f"),
        },
    )  # fmt: skip


def _downloads(state: PageState, design: SavedDesign) -> None:
    from pricing_core.pricelist.export import to_excel_csv, to_import_csv

    with st.container(horizontal=True):
        for label, write, icon in (
            ("Assignment for import", to_import_csv, ":material/upload_file:"),
            ("Assignment for Excel", to_excel_csv, ":material/table_view:"),
        ):
            st.download_button(
                label, partial(_file, state, design, write),
                f"{design.name.replace(' ', '_')}_assignment.csv", "text/csv", icon=icon, on_click="ignore",
                disabled=not access.allowed(state, "export"), key=f"{label}_{design.measurement_id}",
            )  # fmt: skip
        if access.button(state, "edit", "Delete this test", icon=":material/delete:", type="tertiary",
                         key=f"delete_{design.measurement_id}"):  # fmt: skip
            measurements.delete_measurement(state.ws, design.measurement_id)
            st.rerun()


def _file(state: PageState, design: SavedDesign, write: Callable[[pd.DataFrame], bytes]) -> bytes:
    from pricing_core.workflows import measuring

    return write(measuring.assignment_file(state.ws, design))


def _next_monday() -> Any:
    today = datetime.now(UTC).date()
    return today + timedelta(days=7 - today.weekday())
