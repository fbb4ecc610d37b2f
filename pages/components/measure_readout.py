"""Read the result: outcomes from a file or from newer data, compared by arm, and kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.measure import measured_data, measured_figure
from pricing_core.data.mapping import guess_mapping
from pricing_core.data.options import CleaningOptions
from pricing_core.data.read import FORMATS, read_raw
from pricing_core.evaluate.arms import SUSPICIOUS
from pricing_core.evaluate.test_design import DesignConfig
from pricing_core.schema import fields
from pricing_core.store import datasets, measurements

from . import access, figures, side_by_side
from .measure_design import fine_money
from .state import PageState
from .tables import records, text_column
from .words import ago, chance, count, markdown, percent, percent_range, plural

if TYPE_CHECKING:
    from pricing_core.workflows.measuring import Outcomes, SavedDesign

FROM_FILE = "The file says it (a column with test and control)"
ASKED = ("customer_id", "product_id", "offered_at", "price", "purchased", "quantity", "unit_cost")
NOT_THERE = "not in my file"
DECIMALS = {"auto": "Find out", "point": "1,234.50", "comma": "1.234,50"}
DATES = {"auto": "Find out", "day_first": "Day first", "month_first": "Month first"}
_ASIDE = "outcomes_set_aside"


def form(state: PageState) -> None:
    """Let the user choose the test and its outcomes, read them, and keep the result."""
    listed = records(measurements.list_measurements(state.ws, "design"))
    designs = {str(row["measurement_id"]): str(row["name"]) for row in listed}
    left, right = st.columns(2)
    test = left.selectbox(
        "Which test", [*designs, FROM_FILE], format_func=lambda key: designs.get(key, key), key="read_test",
        help="A test drawn here knows its arms; another needs a column arm (or group) in the file.",
    )  # fmt: skip
    newest = records(datasets.list_datasets(state.ws))[0]
    upload, stored = "A file of outcomes", f"The newest data ({newest['dataset_id']})"
    sources = [upload, stored] if test != FROM_FILE else [upload]
    source = right.radio("Where the outcomes are", sources, key="read_source", horizontal=True)
    given, mapping = _upload() if source == upload else (None, {})
    with st.expander("How to read", icon=":material/tune:"):
        config_changes, options = _how()
    if not access.button(state, "edit", "Read the result", type="primary", icon=":material/fact_check:",
                         key="read_result"):  # fmt: skip
        return
    if source == upload and given is None:
        st.error("Choose a file with the outcomes first: one row per offer, as in the import.")
        return
    _read(state, str(test) if test != FROM_FILE else None, given, mapping, config_changes, options)


def finding(state: PageState) -> str | None:
    """Return the sentence of the newest stored result with the name of its test; None while there is none."""
    listed = records(measurements.list_measurements(state.ws, "readout"))
    if not listed:
        return None
    said = str(listed[0]["record"]["sentence"])
    return f"“{listed[0]['name']}”: {said[0].lower()}{said[1:]}"


def show(state: PageState) -> None:
    """Show a stored result."""
    listed = records(measurements.list_measurements(state.ws, "readout"))
    if not listed:
        st.info("No result has been read yet. It stays here, also after a restart, once it has.")
        return
    names = {str(row["measurement_id"]): f"{row['name']} · read {ago(str(row['created_at']))}" for row in listed}
    chosen = st.selectbox("Results", list(names), format_func=names.__getitem__, width=460,
                          key=f"readout_{listed[0]['created_at']}")  # fmt: skip
    record = next(dict(row["record"]) for row in listed if row["measurement_id"] == chosen)
    st.markdown(f"**{markdown(record['sentence'])}**")
    _tiles(record)
    _doubts(record)
    table = pd.DataFrame(record["table"])
    figures.show(measured_figure(measured_data(table, confidence=record["confidence"])), key="measured")
    _table(table, record, state.currency)
    _account(record)
    _set_aside()


def _upload() -> tuple[tuple[bytes, str] | None, dict[str, str]]:
    file = st.file_uploader(
        "Outcomes: one row per offer, with customer, product, time, price and whether it was bought",
        type=list(FORMATS), key="outcomes", help="CSV, Parquet or Excel; columns are recognized as in the import.",
    )  # fmt: skip
    if file is None:
        return None, {}
    content = file.getvalue()
    columns = _columns(file.file_id, file.name, content)
    guessed = guess_mapping(columns, "offers")
    start = pd.DataFrame([
        {"field": each.name, "column": guessed.get(each.name, NOT_THERE), "meaning": each.meaning}
        for each in fields("offers") if each.name in ASKED
    ])  # fmt: skip
    with st.expander(f"Columns of {markdown(file.name)}", icon=":material/description:"):
        edited = st.data_editor(
            start, hide_index=True, height="content", disabled=["field", "meaning"], key=f"outcome_map_{file.file_id}",
            column_config={
                "field": text_column("Field"), "meaning": text_column("Meaning", width="large"),
                "column": st.column_config.SelectboxColumn(
                    "Your column", options=[NOT_THERE, *columns], required=True
                ),
            },
        )  # fmt: skip
    mapping = {row["field"]: "" if row["column"] == NOT_THERE else row["column"] for row in records(edited)}
    return (content, file.name), mapping


@st.cache_data(max_entries=4, show_spinner="Reading the file …")
def _columns(file_id: str, name: str, _content: bytes) -> list[str]:
    return list(read_raw((_content, name)).frame.columns)


def _how() -> tuple[dict[str, Any], CleaningOptions]:
    one, two, three, four = st.columns(4)
    sure = one.select_slider("Confidence (%)", [80, 90, 95, 99], 90, key="read_confidence",
                             help=glossary.define("confidence"))  # fmt: skip
    before = two.number_input("Weeks before to compare with", 0, 52, 8, key="read_before",
                              help=glossary.define("cuped"))  # fmt: skip
    decimal = three.selectbox("Decimal sign", list(DECIMALS), format_func=DECIMALS.__getitem__, key="read_decimal")
    order = four.selectbox("Dates such as 03/04/2025", list(DATES), format_func=DATES.__getitem__, key="read_order")
    options = CleaningOptions(decimal=decimal, date_order=order)  # type: ignore[arg-type]
    return {"confidence": sure / 100, "before_weeks": int(before)}, options


def _read(
    state: PageState, design_id: str | None, given: tuple[bytes, str] | None, mapping: dict[str, str],
    changes: dict[str, Any], options: CleaningOptions,
) -> None:  # fmt: skip
    from pricing_core.workflows import measuring

    design: SavedDesign | None = None if design_id is None else measuring.load_design(state.ws, design_id)
    outcomes: Outcomes
    with st.spinner("Reading the outcomes …"):
        if given is not None:
            outcomes = measuring.read_outcomes(state.ws, given, mapping=mapping, options=options)
        elif design is not None:
            outcomes = measuring.later_outcomes(state.ws, str(state.dataset_id), design.starts_on)
        else:
            return
        config = replace(design.config if design else DesignConfig(), **changes)
        measuring.read_result(state.ws, outcomes, design=design, config=config)
    st.session_state[_ASIDE] = (outcomes.name, outcomes.set_aside)
    st.rerun()


def _tiles(record: dict[str, Any]) -> None:
    tiles = side_by_side.places(4)
    tiles[0].metric("Profit change", percent(record["rate"], signed=True), border=True,
                    help=glossary.define("uplift"))  # fmt: skip
    low, high = percent(record["rate_low"], signed=True), percent(record["rate_high"], signed=True)
    tiles[1].metric(f"{record['confidence']:.0%} range", f"{low} to {high}", border=True,
                    help=glossary.define("interval"))  # fmt: skip
    tiles[2].metric("Chance of a loss", chance(record["probability_loss"]), border=True,
                    help=glossary.define("probability of loss"))  # fmt: skip
    units = record["n_units"]
    tiles[3].metric("In test / control", f"{count(units.get('test', 0))} / {count(units.get('control', 0))}",
                    border=True, help="Customers, groups, or pairs of blocks whose offers were counted.")  # fmt: skip


def _doubts(record: dict[str, Any]) -> None:
    for warning in record["warnings"]:
        st.warning(markdown(warning), icon=":material/warning:")
    p = record["mismatch_p_value"]
    if p is not None and p == p and p >= SUSPICIOUS:
        st.caption(f"The arms' sizes fit the plan (p = {p:.2f}).", help=glossary.define("sample ratio mismatch"))


def _table(table: pd.DataFrame, record: dict[str, Any], currency: str) -> None:
    conversion = table["figure"] == "Conversion"
    shown = pd.DataFrame({
        "figure": table["figure"],
        **{name: [_value(value, share, currency) for value, share in zip(table[name], conversion, strict=True)]
           for name in ("test", "control")},
        "change": [percent(rate, signed=True) for rate in table["rate"]],
        "range": [percent_range(low, high).removeprefix("90% range ")
                  for low, high in zip(table["rate_low"], table["rate_high"], strict=True)],
    })  # fmt: skip
    st.dataframe(
        shown, hide_index=True, height="content",
        column_config={
            "figure": text_column("Figure"), "test": text_column("Test"), "control": text_column("Control"),
            "change": text_column("Change"), "range": text_column(f"{record['confidence']:.0%} range"),
        },
    )  # fmt: skip


def _value(value: float, is_share: bool, currency: str) -> str:
    return percent(value, digits=2) if is_share else fine_money(value, currency)


def _account(record: dict[str, Any]) -> None:
    offers, left = record["n_offers"], record["left_out"]
    parts = [
        f"{count(offers.get('test', 0))} offers in test and {count(offers.get('control', 0))} in control were counted, "
        f"{record['first_day']} to {record['last_day']}"
    ]
    parts += [f"{count(lost)} left out: {reason}" for reason, lost in left.items()]
    if record["set_aside"]:
        parts.append(f"{plural(record['set_aside'], 'row')} of the file could not be used")
    saved = record["variance_reduction"]
    if saved and saved > 0.005:
        parts.append(f"comparing with the weeks before took away {percent(saved, digits=0)} of the variance (CUPED)")
    st.caption(markdown("; ".join(parts)) + ".")
    if record["remarks"]:
        with st.expander(f"{plural(len(record['remarks']), 'remark')} on how the file was read"):
            for remark in record["remarks"]:
                st.markdown(f"- {markdown(remark)}")


def _set_aside() -> None:
    name, rows = st.session_state.get(_ASIDE, ("", pd.DataFrame()))
    if len(rows):
        from pricing_core.pricelist.export import to_excel_csv

        st.download_button(
            f"Rows of {name} that could not be used ({count(len(rows))})", lambda: to_excel_csv(rows),
            "outcomes_set_aside.csv", "text/csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
