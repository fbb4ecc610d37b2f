"""The prices of a list: found by filters, decided one by one in a table or many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pricing_core import glossary, workflows
from pricing_core.errors import ConflictError, PricingError
from pricing_core.pricelist import decisions, filtering, lifecycle, table_edits
from pricing_core.pricelist.filtering import ListFilter

from . import access, price_lists
from .list_status import NEWS
from .state import PageState
from .tables import money_column, number_column, rate_column, text_column, visible_table
from .words import count, markdown, money, plural

if TYPE_CHECKING:
    from pricing_core.store.pricelists import StoredPriceList

PAGE_ROWS = 100
UNSAVED = "unsaved_price_edits"
DECISIONS = {"proposed": "As proposed", "accepted": "Accept", "held": "Hold", "overridden": "Override"}
MEANS = {word: name for name, word in DECISIONS.items()}
DIRECTIONS = {"all": "All", "raise": "Raise", "cut": "Cut", "keep": "Keep"}
BULK = {"accepted": "Accept the proposals", "held": "Hold today's prices", "overridden": "Change by a percentage",
        "proposed": "Take decisions back"}  # fmt: skip


def show(state: PageState, stored: StoredPriceList) -> None:
    """Show filters, the table to edit, and what can be done with everything that is filtered."""
    wanted = _filters(stored)
    violating = stored.violations["row"].to_numpy() if wanted.only_violations else None
    category = _category(stored) if wanted.categories else None
    rows = filtering.matching(stored.review, wanted, category=category, violating=violating)
    _unsaved(state, stored)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        page = filtering.screen(rows, _page_number(wanted, len(rows)), PAGE_ROWS)
        _count(stored, page)
    editable = stored.status in lifecycle.EDITABLE and access.allowed(state, "edit")
    _table(state, stored, page, editable=editable, place=repr(wanted))
    if editable and len(rows):
        _bulk(state, stored, rows)


def _filters(stored: StoredPriceList) -> ListFilter:
    categories = [] if stored.products is None else sorted(stored.products["category"].dropna().unique())
    first = st.container(horizontal=True, vertical_alignment="bottom")
    text = first.text_input("Search", placeholder="product, customer or reason", key="list_search", width=240,
                            persist_state="session")  # fmt: skip
    direction = first.segmented_control(
        "Show", list(DIRECTIONS), default="all", required=True, format_func=DIRECTIONS.__getitem__, key="list_show",
        persist_state="session",
    )  # fmt: skip
    sort = first.selectbox("Sort by", filtering.SORTS, key="list_sort", width=210, format_func=str.capitalize,
                           persist_state="session")  # fmt: skip
    violating = first.toggle("Only violations", key="list_violating", persist_state="session")
    with st.expander("More filters", icon=":material/filter_list:"), st.container(horizontal=True):
        chosen = st.multiselect("Category", categories, key="list_category", width=300, disabled=not categories,
                                persist_state="session")  # fmt: skip
        decided = st.multiselect(
            "Decision", list(DECISIONS), format_func=DECISIONS.__getitem__, key="list_decision", width=300,
            persist_state="session",
        )  # fmt: skip
        evidence = st.multiselect("Evidence", ["measured", "borrowed", "extrapolated"], key="list_evidence", width=300,
                                  persist_state="session")  # fmt: skip
        least = st.number_input("Change of at least (%)", 0.0, 1000.0, 0.0, 1.0, key="list_least", width=180,
                                persist_state="session")  # fmt: skip
    return ListFilter(
        text=text, direction=str(direction), smallest_change=least / 100, categories=tuple(chosen),
        decisions=tuple(decided), evidence=tuple(evidence), only_violations=violating, sort=str(sort),
    )  # fmt: skip


def _page_number(wanted: ListFilter, matching: int) -> int:
    if matching <= PAGE_ROWS:
        return 1
    last = -(-matching // PAGE_ROWS)
    return int(st.number_input(f"Page (of {last:,})", 1, last, 1, key=f"list_page_{wanted!r}", width=140))


def _count(stored: StoredPriceList, page: filtering.Page) -> None:
    caption = f"{count(page.matching)} of {plural(len(stored.frame), 'price')}"
    caption += f", {len(page.rows)} on this page" if page.pages > 1 else ""
    st.caption(f"{caption}. Expected profit is per 100 offers; blank where a price lies outside what was computed.")


def _table(
    state: PageState, stored: StoredPriceList, page: filtering.Page, *, editable: bool, place: str
) -> None:  # fmt: skip
    currency = str(stored.frame["currency"].iloc[0]) if len(stored.frame) else state.currency
    shown = _shown(stored, page)
    fixed = [name for name in shown.columns if name not in (*table_edits.COLUMNS,)]
    options: dict[str, Any] = {
        "hide_index": True, "height": min(460, 38 + 35 * max(1, len(shown))), "placeholder": "–",
        "column_config": _columns(currency), "column_order": [name for name in shown.columns if name != "currency"],
    }  # fmt: skip
    if not editable:
        st.dataframe(shown, **options)
        return
    identity = f"{stored.price_list_id}_{stored.revision}_{page.number}_{place}"
    with st.form(f"prices_{identity}", border=False):
        edited = st.data_editor(shown, disabled=fixed, key=f"editor_{identity}", num_rows="fixed", **options)
        with st.container(horizontal=True, vertical_alignment="center"):
            pressed = access.form_button(state, "edit", "Save changes", icon=":material/save:")
            st.caption(
                "Edit the new price, the decision or the reason; a price set by hand needs a reason. Save before you "
                "turn the page or change a filter.", width="stretch",
            )  # fmt: skip
    if pressed:
        _save(state, stored, lambda: table_edits.edits(_plain(shown), _plain(edited)))


def _bulk(state: PageState, stored: StoredPriceList, rows: Any) -> None:
    label = f"Decide all {plural(len(rows), 'filtered price')} at once"
    with st.expander(label, icon=":material/checklist:"), st.container(horizontal=True, vertical_alignment="bottom"):
        what = st.selectbox("Decision", list(BULK), format_func=BULK.__getitem__, key="bulk_decision", width=240)
        change = None
        if what == decisions.OVERRIDDEN:
            change = st.number_input("Against today's price (%)", -99.0, 1000.0, 0.0, 0.5, key="bulk_change", width=180)
        reason = st.text_input("Reason", key="bulk_reason", width=320, disabled=what == decisions.PROPOSED)
        if access.button(state, "edit", f"Apply to {count(len(rows))}", key="bulk_apply"):
            rate = None if change is None else change / 100
            _save(
                state, stored,
                lambda: table_edits.in_bulk(stored.review, rows, str(what), change=rate, reason=reason),
            )  # fmt: skip


def _save(state: PageState, stored: StoredPriceList, make: Any) -> None:
    try:
        changes = make()
        if changes.empty:
            st.info("Nothing was changed.", icon=":material/info:")
            return
        _apply(state, stored, changes)
    except PricingError as error:
        st.error(markdown(str(error)), icon=":material/error:")


def _apply(state: PageState, stored: StoredPriceList, changes: pd.DataFrame) -> None:
    who, key = access.actor(state), stored.price_list_id
    try:
        workflows.decide(state.ws, key, changes, actor=who, expected_revision=stored.revision)
    except ConflictError as error:
        st.session_state[UNSAVED] = (key, changes, str(error))
        price_lists.forget_seen()
        st.rerun()
    st.session_state.pop(UNSAVED, None)
    price_lists.forget_seen()
    st.session_state[NEWS] = f"{plural(len(changes), 'price')} saved."
    st.rerun()


def _unsaved(state: PageState, stored: StoredPriceList) -> None:
    """Offer edits again that were refused because somebody else had changed the list."""
    place = st.container()
    kept = st.session_state.get(UNSAVED)
    if not kept or kept[0] != stored.price_list_id:
        return
    _, changes, why = kept
    with place.container(border=True):
        st.warning(markdown(why), icon=":material/group:")
        st.markdown(f"Your {plural(len(changes), 'unsaved change')}, beside the list as it is now:")
        now = stored.review.iloc[changes["row"].to_numpy()]
        currency = str(now["currency"].iloc[0])
        table = pd.DataFrame(
            {
                "product_id": now["product_id"].to_numpy(),
                **({"customer_id": now["customer_id"].to_numpy()} if now["customer_id"].notna().any() else {}),
                "now": [DECISIONS[name] for name in now["decision"]],
                "now_price": [money(value, currency) for value in now["new_price"]],
                "yours": [DECISIONS[name] for name in changes["decision"]],
                "your_price": ["" if pd.isna(v) else money(v, currency) for v in changes["price"]],
                "reason": changes["reason"].to_numpy(),
            }
        )
        names = {"product_id": "Product", "customer_id": "Customer", "now": "Now", "now_price": "Price now",
                 "yours": "Yours", "your_price": "Your price", "reason": "Your reason"}  # fmt: skip
        st.dataframe(table.rename(columns=names).head(PAGE_ROWS), hide_index=True)
        with st.container(horizontal=True):
            if access.button(state, "edit", "Save mine on top", type="primary", key="unsaved_save"):
                _save(state, stored, lambda: changes)
            if st.button("Drop mine", key="unsaved_drop"):
                st.session_state.pop(UNSAVED, None)
                st.rerun()


def _shown(stored: StoredPriceList, page: filtering.Page) -> pd.DataFrame:
    part = stored.review.iloc[page.rows]
    personal = part["customer_id"].notna().any()
    segments = part["segment_id"].notna().any()
    hit = stored.violations[stored.violations["row"].isin(page.rows)]
    marks = hit.groupby("row")["kind"].agg(", ".join).reindex(page.rows)
    category = _category(stored)
    table = pd.DataFrame(
        {
            "product_id": part["product_id"],
            **({"customer_id": part["customer_id"]} if personal else {}),
            **({"segment_id": part["segment_id"]} if segments else {}),
            **({} if category is None else {"category": category.iloc[page.rows]}),
            **{name: part[name] for name in ("current_price", "proposed_price", "new_price")},
            "change_percent": (part["change_rate"] * 100).round(1),
            "decision": part["decision"].map(DECISIONS),
            "decision_reason": part["decision_reason"],
            "violation": pd.Series(marks.to_numpy(), index=part.index),
            "reason": part["reason"],
            "margin_percent": part["margin_rate"] * 100,
            "conversion_percent": part["expected_conversion_rate"] * 100,
            **{name: (part[name] * 100).round(2) for name in ("expected_profit", "profit_low", "profit_high")},
            **{name: part[name] for name in ("floor_price", "ceiling_price", "prior_price_30d", "evidence")},
        }
    )
    table.index = pd.Index(page.rows)
    return visible_table(table if hit.size else table.drop(columns="violation"))


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(decision=table["decision"].map(MEANS))


def _category(stored: StoredPriceList) -> pd.Series | None:
    if stored.products is None:
        return None
    known = stored.products.drop_duplicates("product_id").set_index("product_id")["category"]
    if not known.notna().any():
        return None
    return stored.frame["product_id"].astype("str").map(known)


def _columns(currency: str) -> dict[str, Any]:
    return {
        "product_id": text_column("Product", pinned=True), "customer_id": text_column("Customer"),
        "segment_id": text_column("Segment"), "category": text_column("Category", width="small"),
        "current_price": money_column("Price today", currency),
        "proposed_price": money_column("Proposed", currency),
        "new_price": money_column("New price", currency),
        "change_percent": rate_column("Change", signed=True),
        "decision": st.column_config.SelectboxColumn("Decision", options=list(MEANS), required=True),
        "decision_reason": st.column_config.TextColumn("Reason (yours)", max_chars=decisions.LONGEST_REASON),
        "violation": text_column("Violation"), "reason": text_column("Why", width="large"),
        "margin_percent": st.column_config.NumberColumn("Margin", format="%.1f%%", help=glossary.define("margin")),
        "conversion_percent": st.column_config.NumberColumn("Conversion", format="%.1f%%"),
        "expected_profit": number_column("Profit per 100 offers"), "profit_low": number_column("90% low"),
        "profit_high": number_column("90% high"), "floor_price": money_column("Lowest allowed", currency),
        "ceiling_price": money_column("Highest allowed", currency),
        "prior_price_30d": money_column("30-day low", currency), "evidence": text_column("Evidence"),
    }  # fmt: skip
