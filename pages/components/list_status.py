"""Where a price list stands, and the next steps that the person in front of it may take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import streamlit as st

from pricing_core import workflows
from pricing_core.errors import PricingError
from pricing_core.pricelist import lifecycle
from pricing_core.pricelist.lifecycle import STATUSES

from . import access, price_lists
from .state import PageState
from .words import ago, markdown

if TYPE_CHECKING:
    from pricing_core.store.pricelists import StoredPriceList

NEWS = "price_list_news"
COLORS = {
    "Draft": "gray", "Ready for review": "orange", "Approved": "blue", "Scheduled": "violet", "Active": "green",
    "Superseded": "gray", "Expired": "gray",
}  # fmt: skip
ICONS = {
    "Draft": ":material/edit:", "Ready for review": ":material/rate_review:", "Approved": ":material/task_alt:",
    "Scheduled": ":material/schedule:", "Active": ":material/storefront:", "Superseded": ":material/history:",
    "Expired": ":material/event_busy:",
}  # fmt: skip
WAS_PRICES = {
    "none": "None: no crossed-out price", "prior_price_30d": "Lowest price of the last 30 days",
    "list_price": "List price", "current_price": "Today's price",
}  # fmt: skip


def show(state: PageState, stored: StoredPriceList) -> None:
    """Show the status, who did what, and the buttons for what comes next."""
    if NEWS in st.session_state:
        st.toast(st.session_state.pop(NEWS), icon=":material/check:")
    standing = stored.state
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(stored.status, icon=ICONS[stored.status], color=COLORS[stored.status])  # type: ignore[arg-type]
            st.markdown(f"**Version {stored.version}** · {_dates(standing, stored.status)}", width="stretch")
            _actions(state, stored)
        st.caption(markdown(_people(stored)) + _steps(stored.status))
        if standing.rejection:
            st.warning(f"Sent back by {markdown(standing.rejection)}", icon=":material/undo:")


def attempt(action: Callable[[], Any], news: str) -> None:
    """Do something and run the page again; say what went wrong where it does."""
    try:
        action()
    except PricingError as error:
        st.error(markdown(str(error)), icon=":material/error:")
        return
    st.session_state[NEWS] = news
    price_lists.forget_seen()
    st.rerun()


def _actions(state: PageState, stored: StoredPriceList) -> None:
    status = stored.status
    if status == "Draft":
        _step(state, stored, "submit", "Submit for review", "Submitted for review.", workflows.submit)
    if status == "Ready for review":
        _reject(state, stored)
        _step(state, stored, "approve", "Approve", "Approved.", workflows.approve)
    if status == "Approved":
        _reject(state, stored)
        _step(state, stored, "activate", "Put live now", "The list is live.", workflows.activate, main=False)
        label = f"Schedule for {_day(stored.state.effective_from)}"
        _step(state, stored, "activate", label, "Scheduled.", workflows.schedule, key="schedule")
    if status == "Scheduled":
        _reject(state, stored)
    if status in ("Superseded", "Expired") and access.button(
        state, "rollback", "Roll back to this version", icon=":material/settings_backup_restore:", key="list_rollback",
        help="Makes a new version with these prices, ready to be put live.",
    ):  # fmt: skip
        _copied(state, lambda who: workflows.rollback(state.ws, stored.price_list_id, actor=who))
    if status not in lifecycle.EDITABLE and access.button(
        state, "edit", "New version", icon=":material/content_copy:", key="list_copy",
        help="Makes a draft with these prices that can be changed.",
    ):  # fmt: skip
        _copied(state, lambda who: workflows.new_version(state.ws, stored.price_list_id, actor=who))


def _step(
    state: PageState, stored: StoredPriceList, action: str, label: str, news: str, verb: Callable[..., int], *,
    main: bool = True, key: str | None = None,
) -> None:  # fmt: skip
    look: dict[str, Any] = {"type": "primary"} if main else {}
    if access.button(state, action, label, key=f"list_{key or action}", **look):
        who = access.actor(state)
        attempt(lambda: verb(state.ws, stored.price_list_id, actor=who, expected_revision=stored.revision), news)


def _copied(state: PageState, make: Callable[[Any], str]) -> None:
    who = access.actor(state)

    def action() -> None:
        made = make(who)
        st.query_params["list"] = made

    attempt(action, "A new version was made.")


def _reject(state: PageState, stored: StoredPriceList) -> None:
    with st.popover("Send back", icon=":material/undo:"):
        reason = st.text_input("What has to change?", key=f"reject_{stored.price_list_id}_{stored.revision}")
        if access.button(state, "reject", "Send back to draft", key="list_reject"):
            who = access.actor(state)
            seen = stored.revision
            attempt(
                lambda: workflows.reject(
                    state.ws, stored.price_list_id, reason, actor=who, expected_revision=seen
                ),
                "Sent back to draft.",
            )  # fmt: skip


def terms(state: PageState, stored: StoredPriceList) -> None:
    """Let the dates and the crossed-out price be changed, as long as the prices have not been charged."""
    if stored.status not in lifecycle.EDITABLE:
        return
    standing, identity = stored.state, f"{stored.price_list_id}_{stored.revision}"
    label = f"Dates and crossed-out price: {_dates(standing, stored.status)}; {WAS_PRICES[standing.was_price].lower()}"
    with st.expander(label, icon=":material/event:"), st.form(f"terms_{identity}", border=False):
        first, second, third = st.columns(3)
        begin = first.datetime_input("Effective from (UTC)", _naive(standing.effective_from), step=timedelta(hours=1))
        end = second.date_input(
            "Last day (empty: until further notice)", _last_day(standing.effective_to), format="YYYY-MM-DD"
        )
        was = third.selectbox(
            "Crossed-out price in the shop", list(WAS_PRICES), index=list(WAS_PRICES).index(standing.was_price),
            format_func=WAS_PRICES.__getitem__,
            help="A crossed-out price announces a reduction. In the European Union it may not be above the lowest "
            "price of the 30 days before. Prices that break this are listed and keep the list from being submitted.",
        )  # fmt: skip
        st.caption("Changing the dates of a list that was submitted or approved makes it a draft again.")
        if access.form_button(state, "edit", "Save dates"):
            who = access.actor(state)
            attempt(
                lambda: workflows.set_terms(
                    state.ws, stored.price_list_id, actor=who, effective_from=begin.replace(tzinfo=UTC),
                    effective_to=_end_of(end), was_price=was, expected_revision=stored.revision,
                ),
                "Dates saved.",
            )  # fmt: skip


def _people(stored: StoredPriceList) -> str:
    standing = stored.state
    authors = f" by {', '.join(standing.author_labels)}" if standing.authors else ""
    said = [f"Made {ago(stored.created_at)}{authors}"]
    if standing.submitted_by:
        said.append(f"submitted by {standing.submitted_by} {ago(standing.submitted_at)}")
    if standing.approved_by:
        said.append(f"approved by {standing.approved_by} {ago(standing.approved_at)}")
    if standing.restores:
        said.append(f"restores {standing.restores}")
    return "; ".join(said) + ". "


def _steps(status: str) -> str:
    shown = [name for name in STATUSES if name not in ("Superseded", "Expired") or name == status]
    return " → ".join(f"**{name}**" if name == status else name for name in shown)


def _dates(standing: lifecycle.ListState, status: str) -> str:
    begin, end = lifecycle.moment(standing.effective_from), lifecycle.moment(standing.effective_to)
    verb = "effective" if status in ("Draft", "Ready for review", "Approved", "Scheduled") else "in force"
    from_ = f"{verb} from {_minute(begin)}" if begin else "no dates yet"
    ended = lifecycle.moment(standing.ended_at)
    if ended:
        return f"{from_} to {_minute(ended)}"
    return from_ + (f" to {_minute(end)}" if end else ", until further notice")


def _minute(when: datetime) -> str:
    return f"{when.day} {when:%b %Y}" + ("" if when.time() == time() else f", {when:%H:%M} UTC")


def _day(text: str | None) -> str:
    when = lifecycle.moment(text)
    return "its start" if when is None else f"{when.day} {when:%b}"


def _naive(text: str | None) -> datetime:
    when = lifecycle.moment(text) or datetime.now(UTC)
    return when.replace(tzinfo=None, microsecond=0, second=0)


def _last_day(text: str | None) -> Any:
    when = lifecycle.moment(text)
    return None if when is None else (when - timedelta(seconds=1)).date()


def _end_of(day: Any) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC) + timedelta(days=1)
