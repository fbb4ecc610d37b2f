"""The import form: what the data are called, which rules apply to dirty rows, and the button that starts the job."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pricing_core.data.currency_guess import guess_currency
from pricing_core.data.dataset import check_currency
from pricing_core.data.needed import lacking
from pricing_core.errors import ConfigError
from pricing_core.schema import SOURCES, field_names
from pricing_core.store import datasets

from . import access, job_panel, occasions, uploads
from .state import PageState
from .words import markdown

WAYS = {"replace": "Take the place of the data in use", "extend": "Add to them: only what is new is added"}
CURRENCIES = ("USD", "EUR", "GBP", "CNY", "JPY", "CHF", "CAD", "AUD", "INR", "SEK", "PLN", "BRL")
RULES: dict[str, tuple[str, dict[str, str], str]] = {
    "duplicates": (
        "Rows that appear twice",
        {"set_aside": "Keep the first", "keep": "Keep all"},
        "Customers, products and market rows must be unique in any case.",
    ),
    "outliers": (
        "Prices far from what the product usually costs",
        {"flag": "Keep and report", "set_aside": "Set aside", "keep": "Do not look"},
        "Far: more than three times off, and more than six robust standard deviations on the log scale.",
    ),
    "missing_numeric": (
        "Gaps in optional numbers",
        {"keep": "Leave as unknown", "median": "Fill with the product's median", "set_aside": "Set the row aside"},
        "The models know a value for unknown, so that leaving gaps is the honest default.",
    ),
    "noise": (
        "Double clicks among the events",
        {"set_aside": "Set aside", "keep": "Keep"},
        "The same customer, product and event within one second.",
    ),
    "decimal": (
        "Decimal sign",
        {"auto": "Find out", "point": "1,234.50", "comma": "1.234,50"},
        "Asked only where the file itself does not tell.",
    ),
    "date_order": (
        "Dates such as 03/04/2025",
        {"auto": "Find out", "day_first": "3 April", "month_first": "4 March"},
        "Asked only where the file itself does not tell.",
    ),
}


def show(state: PageState) -> None:
    """Let the user choose files, check the mapping and the rules, and start the import."""
    files = uploads.choose_files(state.ws)
    _templates()
    if not files:
        return
    st.subheader("Import", anchor=False)
    currency = _currency(state, files)  # outside of the form: what it allows must be known before the button
    with st.form("import_form"):
        about = {**_about(), "currency": currency}
        options = _rules()
        orders = any(file.table == "orders" for file in files)
        rule = occasions.form() if orders else None
        about["extend"] = _extend(state, files, orders, currency)
        if access.form_button(state, "import", "Import", type="primary", icon=":material/download:"):
            problem = _problem(files) or _currency_problem(about["currency"])
            if problem:
                st.error(markdown(problem))
            else:
                _start(state, files, about, options, rule)


def _currency(state: PageState, files: list[uploads.MappedFile]) -> str:
    """Ask for the currency of the files, and say at once where it is not that of the data in use."""
    guess, used = guess_currency(file.head for file in files), _currency_in_use(state)
    first = guess.code if guess else used or CURRENCIES[0]
    choices = list(CURRENCIES) if first in CURRENCIES else [first, *CURRENCIES]
    field, beside = st.columns([1, 3], vertical_alignment="bottom")
    code = field.selectbox(
        "Currency", choices, choices.index(first), accept_new_options=True,
        key=f"import_currency_{guess.code if guess else used}", persist_state="session",
        help="ISO 4217 code of all money in the files.",
    )  # fmt: skip
    problem = _currency_problem(code)
    if problem:
        beside.error(markdown(problem), icon=":material/error:")
    elif used and code != used:
        beside.warning(
            f"The data in use are in {markdown(used)}, these files in {markdown(code)}: they can take the place of the "
            f"data in use, but not be added to them. If the money of the files is in {markdown(used)}, choose it here.",
            icon=":material/currency_exchange:",
        )
    st.caption(
        ":material/payments: No sign of a currency was found in the files: the code above is "
        + (f"that of the data in use, {markdown(used)}." if used else f"{first} unless you choose another.")
        if guess is None
        else f":material/payments: {markdown(guess.words)}"
    )
    return str(code)


def _currency_in_use(state: PageState) -> str:
    return "" if state.dataset_id is None else datasets.load_manifest(state.ws, state.dataset_id).currency


def _about() -> dict[str, Any]:
    name, margin = st.columns([2, 1])
    return {
        "name": name.text_input("Name of this data", "My shop", key="import_name", persist_state="session"),
        "margin_assumption": margin.number_input(
            "Assumed margin (%)", 0.0, 95.0, 30.0, 1.0, key="import_margin", persist_state="session",
            help="Margin over price, used only where the unit cost is missing, and shown wherever profit appears.",
        ) / 100,
        "pseudonymize": st.toggle(
            "Replace customer ids by pseudonyms", value=True, key="import_pseudonymize",
            help="The key stays in the workspace on this computer. Turn off only if the ids are already anonymous.",
        ),
    }  # fmt: skip


def _extend(state: PageState, files: list[uploads.MappedFile], orders: bool, currency: str) -> bool:
    """Ask whether the files replace the data in use, or add to them."""
    if state.dataset_id is None:
        return False
    if orders or occasions.built(state):
        if orders:
            _say_known(state, files)
        st.caption(
            ":material/info: These files take the place of the data in use, which stay as an earlier version: what was "
            "declined is built from all orders together, so give all of them, not only the new ones."
            if orders
            else ":material/info: These files take the place of the data in use, which were built from orders and stay "
            "as an earlier version."
        )
        return False
    used = _currency_in_use(state)
    if currency != used:
        st.caption(
            ":material/info: These files take the place of the data in use, which stay as an earlier version: money in "
            f"{markdown(currency)} cannot be added to money in {markdown(used)}."
        )
        return False
    known = _say_known(state, files)
    way = st.radio(
        "These files", list(WAYS), 1 if known else 0, format_func=WAYS.__getitem__, horizontal=True,
        key="import_way_known" if known else "import_way", persist_state="session",
        help="For an export that grows: its rows join those of the newest version, each row once. A new version is "
        "made, unless nothing is new to add; the earlier ones stay.",
    )  # fmt: skip
    return bool(way == "extend")


def _say_known(state: PageState, files: list[uploads.MappedFile]) -> bool:
    """Say that the first rows of the offers or orders are in the data already; returns whether they are."""
    main = next((file for file in files if file.table in ("offers", "orders")), None)
    if main is None:
        return False
    mapping = tuple(sorted(main.mapping.items()))
    words = _known(str(state.ws.root), str(state.dataset_id), main.table, mapping, main.head, state)
    if words:
        st.info(words, icon=":material/content_copy:")
    return bool(words)


@st.cache_data(max_entries=16, show_spinner="Looking for rows that the data hold already …")
def _known(
    root: str, dataset_id: str, table: str, mapping: tuple[tuple[str, str], ...], head: pd.DataFrame, _state: PageState
) -> str:
    from pricing_core.workflows.known_files import known_in_head, known_orders_in_head, share_words

    if table == "orders":
        return share_words(*known_orders_in_head(_state.ws, head, dict(mapping)), orders=True)
    return share_words(*known_in_head(_state.ws, head, dict(mapping)))


def _rules() -> dict[str, str]:
    chosen = {}
    with st.expander("Rules for dirty rows", icon=":material/cleaning_services:"):
        st.caption("Rows without a required value or with a price of zero or less are always set aside, and listed.")
        columns = st.columns(2)
        for position, (rule, (label, choices, help_text)) in enumerate(RULES.items()):
            chosen[rule] = columns[position % 2].selectbox(
                label, list(choices), format_func=choices.__getitem__, key=f"rule_{rule}", help=help_text,
                persist_state="session",
            )  # fmt: skip
        chosen["timezone"] = columns[0].text_input(
            "Time zone of times that carry none", "UTC", key="rule_timezone", persist_state="session",
            help="An IANA name such as Europe/Berlin or America/New_York.",
        )  # fmt: skip
    return chosen


def _problem(files: list[uploads.MappedFile]) -> str | None:
    tables = [file.table for file in files]
    twice = sorted({table for table in tables if tables.count(table) > 1})
    if twice:
        return (
            f"Two files are marked as {twice[0]}, and their columns differ. Choose a different table for one of them, "
            "or give both the same columns: then they are read as one table."
        )
    if "offers" not in tables and "orders" not in tables:
        return (
            "None of the files is marked as offers (who was offered what, when and at what price) or as orders (who "
            "bought what). One of them is required."
        )
    if "offers" in tables and "orders" in tables:
        return "Offers and orders were both given. Leave the orders out: offers also say what was declined."
    for file in files:
        columns = list(file.mapping.values())
        shared = next((column for column in columns if columns.count(column) > 1), None)
        if shared is not None:
            both = " and ".join(field for field, column in file.mapping.items() if column == shared)
            return f"{file.name}: the column {shared} is chosen for {both}. Choose each column once."
        missing = lacking(file.table, file.mapping)
        if missing:
            return f"{file.name}: choose a column for {', '.join(missing)}."
    return None


def _currency_problem(code: str) -> str | None:
    try:
        check_currency(code)
    except ConfigError as error:
        return str(error)
    return None


def _start(
    state: PageState,
    files: list[uploads.MappedFile],
    about: dict[str, Any],
    options: dict[str, str],
    rule: dict[str, Any] | None,
) -> None:
    sources = uploads.hand_over(state.ws, files)
    mapping = {  # fields that the user left without a column are not to be guessed again
        file.table: {field: file.mapping.get(field, "") for field in field_names(file.table)} for file in files
    }
    uploads.forget_files()
    params = {"sources": sources, "mapping": mapping, "options": options, "occasions": rule, **about}
    job_panel.start(state.ws, "import", params)


def _templates() -> None:
    with st.expander("Accepted files and templates", icon=":material/help:"):
        st.write(
            "CSV (comma, semicolon, tab or |; any usual encoding), Parquet, Excel (.xlsx). The least that is needed is "
            "one table of **offers** with customer, product, time, price and whether it was bought. Any further column "
            "is kept and offered to the models. A shop that only keeps **orders** can start with these: what was "
            "offered and declined is then built from them by a rule that you can see and change."
        )
        with st.container(horizontal=True):
            for table in SOURCES:
                st.download_button(
                    f"{table}.csv", uploads.template(table), f"{table}.csv", "text/csv", key=f"template_{table}",
                    icon=":material/download:", on_click="ignore",
                )  # fmt: skip
