"""Ledger: what each price list promised beside what came of it, and whether the data have drifted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pricing_core import glossary
from pricing_core.charts.follow_up import (
    ledger_data,
    ledger_figure,
    predicted_observed_data,
    predicted_observed_figure,
)
from pricing_core.store import measurements, pricelists

from . import cache, data_drift, figures, side_by_side
from .guardrails import strategy_name
from .measure_design import fine_money
from .state import PageState
from .tables import number_column, records, signed, text_column
from .words import count, markdown, note, percent, plural

if TYPE_CHECKING:
    from pricing_core.evaluate.ledger import Ledger

NEWEST = "the newest data"


def show(state: PageState) -> None:
    """Show the ledger of one price list."""
    listed = records(pricelists.list_price_lists(state.ws))
    if not listed:
        st.info("No price list has been made yet. Once one is in force and offers follow, its promise is checked here.")
        st.page_link("pages/optimize.py", label="Set prices", icon=":material/tune:")
        return
    names = {str(row["price_list_id"]): f"{row['price_list_id']} · {strategy_name(str(row['strategy']))} · "
             f"made {str(row['created_at'])[:10]}" for row in listed}  # fmt: skip
    readouts = {str(row["measurement_id"]): f"outcomes of “{row['name']}”"
                for row in records(measurements.list_measurements(state.ws, "readout"))}  # fmt: skip
    left, right = st.columns(2)
    price_list = left.selectbox("Price list", list(names), format_func=names.__getitem__, key="ledger_list")
    source = right.selectbox("What came", [NEWEST, *readouts], format_func=lambda key: readouts.get(key, key),
                             key="ledger_source")  # fmt: skip
    found = _ledger(str(state.ws.root), str(price_list), str(source), str(state.dataset_id),
                    cache.stamp(state.ws, state.dataset_id), _revision(state, str(price_list)), state)  # fmt: skip
    st.markdown(f"**{markdown(sentence(str(price_list), found, state.currency))}**")
    _tiles(found, state.currency)
    status = _revision(state, str(price_list)).partition("|")[2]
    st.caption(f"Status of the list: {status.lower()}. Counted are offers at its prices from {_from(found)}"
               f"{'' if found.effective_to is None else f' to {found.effective_to:%Y-%m-%d}'}.")  # fmt: skip
    if found.n_applied:
        figures.show(ledger_figure(ledger_data(found.table)), key="ledger")
    _table(found, state.currency)
    _weekly(found)


def sentence(price_list_id: str, found: Ledger, currency: str) -> str:
    """Say in one sentence whether the list keeps its promise."""
    total = found.total
    promised = (
        f"{price_list_id} promised {percent(total['predicted_rate'])} conversion and "
        f"{fine_money(total['predicted_profit'], currency)} profit per offer"
    )
    if not found.n_applied:
        needed = f"needs {count(total['needed'])} offers at its prices from {_from(found)} on"
        return f"{promised}; not yet measurable: {needed}."
    came = (
        f"{percent(total['realized_rate'])} and {fine_money(total['realized_profit'], currency)} came over "
        f"{plural(found.n_applied, 'offer')} at its prices"
    )
    profit, rate = str(total["status"]), str(total["rate_status"])
    verdict = f"profit {profit}, but conversion {rate}"
    if profit == rate:
        verdict = profit if profit.startswith("not") else f"both {profit}"
    return f"{promised}; {came}: {verdict}."


def drift(state: PageState) -> None:
    """Show whether the models' inputs have moved."""
    if state.run_id is not None:
        with st.expander("Do the data still look like those the model learned from?", icon=":material/trending_flat:"):
            data_drift.show(state)


def _revision(state: PageState, price_list_id: str) -> str:
    stored = pricelists.load_price_list(state.ws, price_list_id)
    return f"{stored.revision}|{stored.status}"


@st.cache_resource(max_entries=8, show_spinner="Comparing with what came …")
def _ledger(
    root: str, price_list_id: str, source: str, dataset_id: str, stamp: str, revision: str, _state: PageState
) -> Ledger:
    from pricing_core.workflows import following_up

    return following_up.ledger(_state.ws, price_list_id, source=None if source == NEWEST else source)


def _from(found: Ledger) -> str:
    return f"{found.effective_from:%Y-%m-%d}"


def _tiles(found: Ledger, currency: str) -> None:
    total = found.total
    tiles = side_by_side.places(4)
    tiles[0].metric("Offers at its prices", count(found.n_applied), border=True,
                    help=f"Of {count(found.n_offers)} offers of its products and customers since {_from(found)}; a "
                         "price within half a percent of the list's counts.")  # fmt: skip
    came = found.n_applied > 0
    rate, profit = total["realized_rate"], total["realized_profit"]
    tiles[1].metric("Conversion that came", percent(rate) if came else "–", border=True, help=glossary.define("ledger"),
                    **note(f"promised {percent(total['predicted_rate'])}"))  # fmt: skip
    tiles[2].metric("Profit per offer that came", fine_money(profit, currency) if came else "–", border=True,
                    **note(f"promised {fine_money(total['predicted_profit'], currency)}"))  # fmt: skip
    tiles[3].metric("Offers still needed", count(total["needed"]), border=True,
                    help="Until the 90% range of the conversion is ±10% of the promised one.")  # fmt: skip


def _table(found: Ledger, currency: str) -> None:
    shown = found.table.assign(
        **{name: found.table[name] * 100
           for name in ("predicted_rate", "realized_rate", "realized_low", "realized_high")}
    )  # fmt: skip
    st.dataframe(
        signed(shown, currency, money=["predicted_profit", "realized_profit", "profit_low", "profit_high"]),
        hide_index=True, placeholder="–", height=380 if len(shown) > 9 else "content",
        column_order=["product_id", "status", "rate_status", "offers", "predicted_rate", "realized_rate",
                      "realized_low", "realized_high", "predicted_profit", "realized_profit", "profit_low",
                      "profit_high"],
        column_config={
            "product_id": text_column("Product", pinned=True),
            "offers": st.column_config.NumberColumn("Offers", format="%,d"),
            "predicted_rate": st.column_config.NumberColumn("Promised conversion", format="%.1f%%"),
            "realized_rate": st.column_config.NumberColumn("Came", format="%.1f%%"),
            "realized_low": st.column_config.NumberColumn("90% low", format="%.1f%%"),
            "realized_high": st.column_config.NumberColumn("90% high", format="%.1f%%"),
            "predicted_profit": number_column("Promised profit per offer"), "realized_profit": number_column("Came"),
            "profit_low": number_column("90% low"), "profit_high": number_column("90% high"),
            "status": text_column("Profit"), "rate_status": text_column("Conversion"),
        },
    )  # fmt: skip
    st.caption(
        "A product is judged, by its profit and by its conversion, once the 90% range of its conversion is ±20% of the "
        "promised one. Profit counts the units of a purchase as the promise does."
    )


def _weekly(found: Ledger) -> None:
    if len(found.weeks) < 2:
        return
    weeks = found.weeks.rename(columns={"realized_rate": "observed_rate", "realized_low": "observed_low",
                                        "realized_high": "observed_high"})  # fmt: skip
    data = predicted_observed_data(weeks.assign(seen="not seen"))
    figures.show(predicted_observed_figure(data), key="ledger_weeks")
