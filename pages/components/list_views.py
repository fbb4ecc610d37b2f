"""What else there is to see of a price list: violations, the difference to the live list, comments, versions, log."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from pricing_core import workflows
from pricing_core.charts.price_list import price_change_data, price_change_figure
from pricing_core.pricelist import decisions, lifecycle, violations
from pricing_core.pricelist import difference as differences
from pricing_core.store import audit, list_comments, pricelists

from . import access, figures
from .guardrails import strategy_name
from .list_status import attempt
from .state import PageState
from .tables import money_column, rate_column, records, text_column, visible_table
from .words import UNKNOWN, ago, count, markdown, plural

if TYPE_CHECKING:
    from pricing_core.store.pricelists import StoredPriceList

MOST_ROWS = 1_000
WRITTEN = "comments_written"
KINDS = {
    violations.NO_PRICE: ("no price", "blocks"),
    violations.FALSE_REDUCTION: ("crossed-out price above the lowest of 30 days", "blocks"),
    violations.BELOW_COST: ("below unit cost", "to judge"),
    violations.BELOW_ALLOWED: ("below the lowest allowed price", "to judge"),
    violations.ABOVE_ALLOWED: ("above the highest allowed price", "to judge"),
}

PRICES, DIFFERENCE, VIOLATIONS, COMMENTS = "Prices", "Difference to live", "Violations", "Comments"
EXPLANATIONS, VERSIONS, LOG, DOWNLOADS = "Explanations", "Versions", "Audit log", "Download"
VIEWS = (PRICES, DIFFERENCE, VIOLATIONS, EXPLANATIONS, COMMENTS, VERSIONS, LOG, DOWNLOADS)


def choose(state: PageState, stored: StoredPriceList) -> str:
    """Let one view of the list be chosen; what waits in it stands beside its name."""
    waiting = {VIOLATIONS: len(stored.violations), COMMENTS: list_comments.number(state.ws, stored.price_list_id)}
    chosen = st.segmented_control(
        "View", VIEWS, default=PRICES, required=True, key="list_view", label_visibility="collapsed",
        persist_state="session",
        format_func=lambda name: f"{name} ({count(waiting[name])})" if waiting.get(name) else name,
    )  # fmt: skip
    return str(chosen)


def alarm(stored: StoredPriceList) -> None:
    """Say at the top what is wrong with the prices, if anything."""
    place, found = st.container(), violations.counts(stored.violations)
    if not found:
        return
    said = "; ".join(f"{plural(number, 'price')} {_verb(kind, number)}" for kind, number in found.items())
    if any(kind in violations.BLOCKING for kind in found):
        place.error(f"Before this list can be submitted: {said}.", icon=":material/block:")
    else:
        waits = stored.status in (lifecycle.DRAFT, lifecycle.IN_REVIEW)
        place.warning(f"{'To judge before approval' if waits else 'Approved with'}: {said}.", icon=":material/warning:")


def violating(state: PageState, stored: StoredPriceList) -> None:
    """List the violations, the gravest first."""
    found = stored.violations
    if found.empty:
        st.success("No price is below cost, outside the allowed range, or announced from a false price.",
                   icon=":material/check_circle:")  # fmt: skip
        return
    table = found.head(MOST_ROWS).assign(
        kind=lambda t: [KINDS[kind][0] for kind in t["kind"]],
        blocking=lambda t: ["blocks the list" if each else "for the approver" for each in t["blocking"]],
    )
    st.dataframe(
        table[["product_id", "kind", "price", "limit", "blocking"]], hide_index=True, placeholder="unknown",
        column_config={
            "product_id": text_column("Product", pinned=True), "kind": text_column("What", width="large"),
            "price": money_column("Price", state.currency, help="The crossed-out price where that is what is wrong."),
            "limit": money_column("Limit", state.currency, help="Cost, allowed price or lowest price of 30 days."),
            "blocking": text_column("Consequence"),
        },
    )  # fmt: skip
    _cut(len(found))


def changes(stored: StoredPriceList) -> None:
    """Draw how far the prices move."""
    if len(stored.review):
        figures.show(price_change_figure(price_change_data(stored.review["change_rate"])), key="changes")


def difference(state: PageState, stored: StoredPriceList) -> None:
    """Compare with the list that is live, price by price."""
    live_id = pricelists.live_price_list_id(state.ws)
    if live_id is None:
        st.info("No list is live yet, so there is nothing to compare with. The table of prices compares with today's.",
                icon=":material/info:")  # fmt: skip
        return
    if live_id == stored.price_list_id:
        st.info("This is the list that is live.", icon=":material/storefront:")
        return
    live = pricelists.load_price_list(state.ws, live_id)
    found = _difference(
        str(state.ws.root), live_id, live.revision, stored.price_list_id, stored.revision, live, stored
    )  # fmt: skip
    said = ", ".join(f"{count(number)} {kind}" for kind, number in differences.kinds(found).items())
    st.markdown(f"Against **{live_id}**, which is live: {said}.")
    kinds = st.pills("Show", list(differences.kinds(found)), selection_mode="multi", key="difference_kinds")
    shown = found[found["kind"].isin(kinds)] if kinds else found[found["kind"] != differences.SAME]
    empty = [name for name in ("segment_id", "customer_id") if not shown[name].str.len().any()]
    st.dataframe(
        shown.drop(columns=empty).assign(change_rate=shown["change_rate"] * 100).head(MOST_ROWS), hide_index=True,
        placeholder="–", height=420,
        column_config={
            "product_id": text_column("Product", pinned=True), "segment_id": text_column("Segment"),
            "customer_id": text_column("Customer"), "live_price": money_column("Live price", state.currency),
            "new_price": money_column("Price here", state.currency),
            "change": money_column("Difference", state.currency), "change_rate": rate_column("Change", signed=True),
            "kind": text_column("What"),
        },
    )  # fmt: skip
    _cut(len(shown))


@st.cache_resource(max_entries=4, show_spinner="Comparing with the live list …")
def _difference(
    root: str, live_id: str, live_revision: int, price_list_id: str, revision: int, _live: StoredPriceList,
    _stored: StoredPriceList,
) -> pd.DataFrame:  # fmt: skip
    return differences.difference(_stored.current, _live.current)


def comments(state: PageState, stored: StoredPriceList) -> None:
    """Show what was said about the list and its prices, and let more be said."""
    for each in records(list_comments.read(state.ws, stored.price_list_id)):
        who = each["author"] if each["verified"] else f"{each['author']} (self-declared)"
        about = "" if pd.isna(each["row"]) else f" about **{markdown(_product(stored, int(each['row'])))}**"
        with st.chat_message("user", avatar=":material/comment:"):
            st.caption(f"{markdown(who)}{about}, {ago(each['at'].to_pydatetime())}")
            for line in each["text"].splitlines():
                st.markdown(markdown(line))
    products = stored.frame["product_id"].astype("str").drop_duplicates()
    # Kept until it is saved, so that a refused comment need not be written again.
    written = st.session_state.get(WRITTEN, 0)
    with st.form(f"list_comment_{written}"):
        label = f"Comment (at most {count(list_comments.LONGEST)} characters)"
        text = st.text_area(label, key=f"comment_text_{written}", height=80)
        about = st.text_input(
            "About product (empty: the whole list)", key=f"comment_product_{written}", placeholder=str(products.iloc[0])
        )
        if access.form_button(state, "edit", "Add comment", icon=":material/add_comment:"):
            attempt(lambda: _say(state, stored, text, about.strip()), "Comment added.")


def history(state: PageState, stored: StoredPriceList) -> None:
    """List all versions with their dates and who approved them."""
    listed = pricelists.list_price_lists(state.ws)
    shown = listed[["price_list_id", "version", "status", "strategy", "rows", "effective_from", "effective_to",
                    "ended_at", "approved_by", "restores"]]  # fmt: skip
    shown = shown.assign(strategy=[strategy_name(str(name)) for name in shown["strategy"]])
    date = "YYYY-MM-DD HH:mm"
    st.dataframe(
        shown, hide_index=True, placeholder="–",
        column_config={
            "price_list_id": text_column("List", pinned=True), "version": st.column_config.NumberColumn("Version"),
            "status": text_column("Status"), "strategy": text_column("Strategy"),
            "rows": st.column_config.NumberColumn("Prices", format="%,d"),
            "effective_from": st.column_config.DatetimeColumn("From (UTC)", format=date, timezone="UTC"),
            "effective_to": st.column_config.DatetimeColumn("To (UTC)", format=date, timezone="UTC"),
            "ended_at": st.column_config.DatetimeColumn("Ended (UTC)", format=date, timezone="UTC"),
            "approved_by": text_column("Approved by"), "restores": text_column("Restores"),
        },
    )  # fmt: skip


def log(state: PageState, stored: StoredPriceList) -> None:
    """Show the audit log of this list or of all, and check it on request."""
    every = st.toggle("All lists", key="log_all")
    found = audit.entries(state.ws, None if every else stored.price_list_id, limit=MOST_ROWS)
    table = pd.DataFrame(
        {
            "number": found["number"], "at": found["at"],
            "who": [a if v else f"{a} (self-declared)" for a, v in zip(found["actor"], found["verified"], strict=True)],
            "action": found["action"], "object_id": found["object_id"],
            "before": [_values(each) for each in found["before"]], "after": [_values(each) for each in found["after"]],
        }
    )  # fmt: skip
    st.dataframe(
        visible_table(table), hide_index=True, height=min(460, 38 + 35 * max(1, len(table))),
        column_config={
            "number": st.column_config.NumberColumn("No.", width="small"),
            "at": st.column_config.DatetimeColumn("When (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC"),
            "who": text_column("Who"), "action": text_column("What", width="small"),
            "object_id": text_column("List", width="small"), "before": text_column("From", width="medium"),
            "after": text_column("To", width="large"),
        },
    )  # fmt: skip
    if st.button("Check the log", icon=":material/verified:", key="log_check"):
        check = audit.verify(state.ws)
        (st.success if check.intact else st.error)(markdown(check.sentence))
        for problem in check.problems[1:20]:
            st.error(markdown(problem))
        st.caption(
            f"Hash of the last entry: `{check.head}`. Noted elsewhere, it shows even a rewrite by somebody who "
            "may change every file of this workspace."
        )


def _values(values: dict[str, Any]) -> str:
    """Write an entry's values as a reader wants them: the prices first, technical ones left out."""
    parts = []
    for change in values.get("changes", [])[:5]:
        step = f"{_exact(change['from_price'])} → {_exact(change['to_price'])}"
        what = f"{change['product_id']}: {step} ({change['to_decision']})"
        parts.append(what + (f", {change['reason']}" if change.get("reason") else ""))
    left_out = ("changes", "details", "revision", "products" if parts else "")
    rest = {name: value for name, value in values.items() if name not in left_out and value not in (None, "")}
    said = [
        f"{name.replace('_', ' ')}: {value if isinstance(value, str) else json.dumps(value)}"
        for name, value in rest.items()
    ]
    return "; ".join([*parts, *said])


def _exact(price: float | None) -> str:
    """Write a price of the log in full: no digit is rounded away, and no power of ten written."""
    return (
        UNKNOWN if price is None or pd.isna(price) else f"{Decimal(repr(float(price))):,.12f}".rstrip("0").rstrip(".")
    )


def _say(state: PageState, stored: StoredPriceList, text: str, product: str) -> None:
    row = int(decisions.rows_of(stored.frame, product)[0]) if product else None
    workflows.comment(state.ws, stored.price_list_id, text, actor=access.actor(state), row=row)
    st.session_state[WRITTEN] = st.session_state.get(WRITTEN, 0) + 1


def _product(stored: StoredPriceList, row: int) -> str:
    return str(stored.frame["product_id"].iloc[row])


def _verb(kind: str, number: int) -> str:
    return {
        violations.NO_PRICE: "missing or not above zero",
        violations.FALSE_REDUCTION: "announced from a false crossed-out price",
        violations.BELOW_COST: "below cost",
        violations.BELOW_ALLOWED: "below the allowed range",
        violations.ABOVE_ALLOWED: "above the allowed range",
    }[kind]


def _cut(rows: int) -> None:
    if rows > MOST_ROWS:
        st.caption(f"The first {count(MOST_ROWS)} of {count(rows)} are shown.")
