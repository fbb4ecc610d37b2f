"""Price lists made so far: choose one, make another."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import streamlit as st

from pricing_core.optimize.settings import STRATEGIES
from pricing_core.pricelist import decisions
from pricing_core.pricelist.summary import change_counts
from pricing_core.store import list_edits, list_states, pricelists, scenarios

from . import access, guardrails, job_panel
from .guardrails import strategy_name
from .state import PageState
from .tables import records
from .words import ago, count, markdown, plural

if TYPE_CHECKING:
    from pricing_core.store.pricelists import StoredPriceList

SEEN = "price_list_as_seen"


def choose(state: PageState) -> StoredPriceList | None:
    """Return the price list to look at: the newest, or another that the user picks; None if there is none."""
    list_states.settle(state.ws)
    listed = records(pricelists.list_price_lists(state.ws))
    if not listed:
        return None
    names = {
        row["price_list_id"]: f"{row['price_list_id']} · {row['status']} · {strategy_name(row['strategy'])} · "
        f"{plural(row['rows'], 'price')} · {ago(row['created_at'])}"
        for row in listed
    }
    newest = str(listed[0]["price_list_id"])
    asked = st.query_params.pop("list") if "list" in st.query_params else None
    if asked in names:
        st.session_state[f"list_{newest}"] = asked
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Price list", list(names), format_func=names.__getitem__, key=f"list_{newest}", width=640,
                              persist_state="session")  # fmt: skip
        another(state)
    revision, standing = list_states.at(state.ws)[str(chosen)]
    return _as_seen(state, _load(str(state.ws.root), str(chosen), revision, repr(standing), state))


def _as_seen(state: PageState, current: StoredPriceList) -> StoredPriceList:
    """Return the list as this person last saw it, so that nobody changes or approves what they have not seen."""
    place = st.container()  # always there: what follows keeps its place, and with it what is open or typed
    seen = st.session_state.get(SEEN)
    if seen is None or seen.folder != current.folder or seen.revision >= current.revision:
        st.session_state[SEEN] = current
        return current
    with place.container(border=True, horizontal=True, vertical_alignment="center"):
        happened = list_edits.news(state.ws, current.price_list_id, seen.revision)
        st.warning(f"Since you opened this list: {markdown(happened)}.", icon=":material/group:")
        if st.button("Show it as it is now", icon=":material/refresh:", key="list_refresh"):
            forget_seen()
            st.rerun()
    return seen


def forget_seen() -> None:
    """Have the next run show the list as it is then."""
    st.session_state.pop(SEEN, None)


@st.cache_resource(max_entries=6, show_spinner="Opening the price list …")
def _load(root: str, price_list_id: str, revision: int, standing: str, _state: PageState) -> StoredPriceList:
    return pricelists.load_price_list(_state.ws, price_list_id)


def sentence(stored: StoredPriceList) -> str:
    """Return the list in one sentence: what it was proposed to do, and what people have decided since."""
    made = decisions.counts(stored.review)
    decided = {"accepted": "accepted", "held": "held", "overridden": "overridden by hand"}
    parts = [f"{count(made[name])} {word}" for name, word in decided.items() if made[name]]
    proposed = str(stored.summary["sentence"])
    if not (made["held"] or made["overridden"]):
        return f"{proposed}." + (f" {', '.join(parts).capitalize()}." if parts else "")
    now = change_counts(stored.review)
    return (
        f"Now raise {count(now['raise'])}, cut {count(now['cut'])}, hold {count(now['hold'])}: {', '.join(parts)}. "
        f"As proposed: {proposed[:1].lower()}{proposed[1:]}."
    )


def none_yet(state: PageState) -> None:
    """Lead from models without a price list to the first one."""
    with st.container(border=True):
        st.subheader("No price list yet. Make one from the recommended prices (a few seconds).", anchor=False)
        strategy = guardrails.last_strategy(state.ws)
        st.write(f"Strategy: {strategy_name(strategy).lower()}. Guardrails as last set on Optimize.")
        with st.container(horizontal=True, vertical_alignment="center"):
            make(state, strategy)
            st.page_link("pages/optimize.py", label="Choose strategy and guardrails", icon=":material/tune:")


def make(state: PageState, strategy: str, *, scenario_id: str | None = None, key: str = "make_price_list") -> None:
    """Show the button that makes a price list in the background."""
    if access.button(state, "edit", "Make price list", type="primary", icon=":material/sell:", key=key):
        params = {"strategy": strategy, "guardrails": guardrails.plain(state.ws), "run_id": state.run_id}
        params |= {"actor": asdict(access.actor(state))} | ({"scenario_id": scenario_id} if scenario_id else {})
        job_panel.start(state.ws, "price_list", params)


def another(state: PageState) -> None:
    """Offer to make a further list: of a strategy, under today's assumptions or those of a saved scenario."""
    saved = records(scenarios.list_scenarios(state.ws))
    names = {"": "As it is today", **{row["scenario_id"]: f"Scenario: {row['name']}" for row in saved}}
    with st.popover("Make another list", icon=":material/add:"):
        strategies = list(STRATEGIES)
        last = guardrails.last_strategy(state.ws)
        place = strategies.index(last) if last in strategies else 0
        strategy = st.selectbox("Strategy", strategies, index=place, format_func=strategy_name, key="another_strategy")
        scenario = st.selectbox("Assumptions", list(names), format_func=names.__getitem__, key="another_scenario")
        st.caption("Guardrails as last set on Optimize.")
        make(state, str(strategy), scenario_id=str(scenario) or None, key="make_another_list")
