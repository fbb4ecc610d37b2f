"""Price lists made so far: the review table, the sentence that sums one up, and the two files to take away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pricing_core import glossary, workflows
from pricing_core.charts.price_list import price_change_data, price_change_figure
from pricing_core.pricelist.export import dangerous_identifiers, to_excel_csv, to_import_csv
from pricing_core.store import pricelists

from . import guardrails, job_panel
from .guardrails import strategy_name
from .state import PageState
from .tables import money_column, number_column, records, signed, text_column
from .words import ago, count, plural

if TYPE_CHECKING:
    from pricing_core.store.pricelists import StoredPriceList

SHOW = ("All", "Raise", "Cut", "Keep")


def choose(state: PageState) -> StoredPriceList | None:
    """Return the price list to look at: the newest, or another that the user picks; None if there is none."""
    listed = records(pricelists.list_price_lists(state.ws))
    if not listed:
        return None
    names = {
        row["price_list_id"]: f"{row['price_list_id']} · {strategy_name(row['strategy'])} · "
        f"{plural(row['rows'], 'price')} · {ago(row['created_at'])}"
        for row in listed
    }
    newest = listed[0]["price_list_id"]
    chosen = st.selectbox("Price list", list(names), format_func=names.__getitem__, key=f"list_{newest}", width=560)
    return _load(str(state.ws.root), str(chosen), state)


@st.cache_resource(max_entries=4, show_spinner="Opening the price list …")
def _load(root: str, price_list_id: str, _state: PageState) -> StoredPriceList:
    return pricelists.load_price_list(_state.ws, price_list_id)


def none_yet(state: PageState) -> None:
    """Lead from models without a price list to the first one."""
    with st.container(border=True):
        st.subheader("No price list yet. Make one from the recommended prices (a few seconds).", anchor=False)
        strategy = guardrails.last_strategy(state.ws)
        st.write(f"Strategy: {strategy_name(strategy).lower()}. Guardrails as last set on Optimize.")
        with st.container(horizontal=True, vertical_alignment="center"):
            make(state, strategy)
            st.page_link("pages/optimize.py", label="Choose strategy and guardrails", icon=":material/tune:")


def make(state: PageState, strategy: str) -> None:
    """Show the button that makes a price list in the background."""
    if st.button("Make price list", type="primary", icon=":material/sell:", key="make_price_list"):
        params = {"strategy": strategy, "guardrails": guardrails.plain(state.ws), "run_id": state.run_id}
        job_panel.start(state.ws, "price_list", params)


def downloads(state: PageState, stored: StoredPriceList) -> None:
    """Offer the two files, made only when one is asked for, and name identifiers that a spreadsheet would run."""
    frame, name = stored.current, stored.price_list_id
    if frame["customer_id"].notna().any() and st.checkbox(
        "Put the shop's own customer ids into the files", True, key="own_ids", persist_state="session",
        help="On screen customers have pseudonyms. Your shop's system needs its own ids; they are put back only into "
        "the files that you download.",
    ):  # fmt: skip
        frame = workflows.own_customer_ids(state.ws, frame)
    with st.container(horizontal=True):
        st.download_button(
            "Download for Excel", lambda: to_excel_csv(frame), f"{name}_excel.csv", "text/csv", key="for_excel",
            icon=":material/table_view:", on_click="ignore",
            help="UTF-8 with a byte order mark; text that a spreadsheet would run as a formula is made harmless.",
        )  # fmt: skip
        st.download_button(
            "Download for import", lambda: to_import_csv(frame), f"{name}_import.csv", "text/csv", key="for_import",
            type="primary", icon=":material/upload_file:", on_click="ignore",
            help="UTF-8, dot decimals, nothing altered: for another system.",
        )  # fmt: skip
    dangerous = dangerous_identifiers(frame)
    if len(dangerous):
        rows = ", ".join(str(row) for row in dangerous["row_number"].head(10))
        cells = plural(len(dangerous), "cell")
        st.warning(f"{cells} start like a formula (rows {rows}). The file for import keeps them as they are.")


def table(state: PageState, stored: StoredPriceList) -> None:
    """Show the prices beside today's, with the reason of each, and how far they move."""
    frame = stored.current
    currency = str(frame["currency"].iloc[0]) if len(frame) else state.currency
    kind = st.segmented_control("Show", SHOW, default="All", required=True, key="list_show", persist_state="session")
    shown = frame[_kind(frame, str(kind))]
    personal = shown["customer_id"].notna().any()
    order = ["product_id", *(["customer_id"] if personal else []), "current_price", "new_price", "change_percent",
             "conversion_percent", "expected_profit", "profit_low", "profit_high", "reason", "margin_percent",
             "floor_price", "ceiling_price", "evidence", "effective_from", "disclosure_required"]  # fmt: skip
    written = signed(
        _scaled(shown)[order], currency, money=["expected_profit", "profit_low", "profit_high"],
        percent=["change_percent"],
    )  # fmt: skip
    st.dataframe(written, hide_index=True, placeholder="–", height=460, column_config=_columns(currency))
    st.caption(f"{count(len(shown))} of {plural(len(frame), 'price')}; expected profit is per 100 offers.")
    if len(frame):
        st.plotly_chart(price_change_figure(price_change_data(frame["change_rate"])), key="changes")


def _kind(frame: pd.DataFrame, kind: str) -> pd.Series:
    change = frame["new_price"] - frame["current_price"]
    return {"Raise": change > 0, "Cut": change < 0, "Keep": change == 0}.get(kind, change == change)


def _scaled(frame: pd.DataFrame) -> pd.DataFrame:
    """Rates in percent, and profit per 100 offers."""
    return frame.assign(
        change_percent=frame["change_rate"] * 100,
        margin_percent=frame["margin_rate"] * 100,
        conversion_percent=frame["expected_conversion_rate"] * 100,
        **{name: frame[name] * 100 for name in ("expected_profit", "profit_low", "profit_high")},
    )


def _columns(currency: str) -> dict[str, Any]:
    return {
        "product_id": text_column("Product", pinned=True), "customer_id": text_column("Customer", width="small"),
        "current_price": money_column("Price today", currency), "new_price": money_column("New price", currency),
        "change_percent": number_column("Change"),
        "reason": text_column("Why", width="large"),
        "margin_percent": st.column_config.NumberColumn("Margin", format="%.1f%%", help=glossary.define("margin")),
        "conversion_percent": st.column_config.NumberColumn("Conversion", format="%.1f%%"),
        "expected_profit": number_column("Profit per 100 offers"), "profit_low": number_column("90% low"),
        "profit_high": number_column("90% high"), "floor_price": money_column("Lowest allowed", currency),
        "ceiling_price": money_column("Highest allowed", currency), "evidence": text_column("Evidence"),
        "effective_from": st.column_config.DatetimeColumn("Effective from", format="YYYY-MM-DD"),
        "disclosure_required": st.column_config.CheckboxColumn("Disclosure"),
    }  # fmt: skip
