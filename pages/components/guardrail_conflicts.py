"""Rows that no price fits, and why: said in words before prices are computed, with the smallest way out."""

from __future__ import annotations

import streamlit as st

from pricing_core.guardrails import Guardrails
from pricing_core.optimize.infeasible import Conflict, find_conflicts, relax_until_possible
from pricing_core.optimize.no_price import COST, RULES
from pricing_core.optimize.relaxing import Relaxation

from . import access, guardrail_state, results
from .state import PageState
from .words import markdown, plural

SHOWN = 6
DONE = "relaxation_done"
WHY = {
    frozenset({COST}): "their unit cost is above every price that can be charged",
    frozenset({RULES}): "rules contradict each other",
}


def show(state: PageState, strategy: str) -> None:
    """Say for which rows no price fits and why, or which rules cannot be kept, and offer what relaxes them."""
    done = st.session_state.pop(DONE, None)
    if done:
        st.success(markdown(done), icon=":material/check_circle:")
    rules = guardrail_state.chosen(state.ws)
    found = _conflicts(results.key(state), strategy, repr(rules), state, rules)
    if not found:
        return
    held = [each for each in found if each.holds_rows]
    with st.container(border=True):
        st.markdown(f":material/block: **{_headline(found, held)}**")
        _one(state, rules, found[0], 0)
        if len(found) > 1:
            label = "Use the smallest relaxation for all"
            loosened = any(each.relaxations and each.cause != COST for each in found)
            if loosened and access.button(state, "edit", label, icon=":material/auto_fix:", key="relax_all"):
                _relax_all(state, strategy)
            with st.expander(f"{plural(len(found) - 1, 'more reason')}"):
                for number, conflict in enumerate(found[1:SHOWN], start=1):
                    _one(state, rules, conflict, number)
                if len(found) > SHOWN:
                    st.caption(f"And {plural(len(found) - SHOWN, 'smaller one')}.")


def kept(state: PageState, strategy: str, rules: Guardrails) -> bool:
    """Whether the rules that tie prices together can all be kept."""
    return all(each.holds_rows for each in _conflicts(results.key(state), strategy, repr(rules), state, rules))


def _headline(found: tuple[Conflict, ...], held: list[Conflict]) -> str:
    if not held:
        return "These rules cannot all be kept."
    rows = sum(len(each.rows) for each in held)
    verb = "keeps" if rows == 1 else "keep"
    why = WHY.get(frozenset(each.cause for each in held), "no price fits them")
    kept = f"{plural(rows, 'offer')} {verb} today's price, because {why}."
    return kept if len(held) == len(found) else f"{kept} Other rules cannot be kept at all."


def _one(state: PageState, rules: Guardrails, conflict: Conflict, number: int) -> None:
    st.markdown(markdown(conflict.message[0].upper() + conflict.message[1:]))
    if not conflict.relaxations:
        return
    with st.container(horizontal=True):
        for place, relaxation in enumerate(conflict.relaxations[:3]):
            words = _imperative(relaxation)
            words = f"Sell at a loss: {words[0].lower()}{words[1:]}" if conflict.cause == COST else words
            key = f"relax_{number}_{place}"
            if access.button(state, "edit", markdown(words), key=key, icon=":material/auto_fix:"):
                guardrail_state.adopt(state.ws, relaxation.apply(rules))
                st.session_state[DONE] = f"Done: {relaxation.words}."
                st.rerun()


def _imperative(relaxation: Relaxation) -> str:
    """Say what a button does: ``Lower the margin floor to 31.2%``."""
    verbs = {"lowering": "lower", "raising": "raise", "leaving": "leave"}
    parts = [change.words.split(" ", 1) for change in relaxation.changes]
    words = " and ".join(f"{verbs.get(first, first)} {rest}" for first, rest in parts)
    return words[0].upper() + words[1:]


def _relax_all(state: PageState, strategy: str) -> None:
    relaxed, done, left = relax_until_possible(state.run.rows, guardrail_state.chosen(state.ws), strategy)
    guardrail_state.adopt(state.ws, relaxed)
    rest = f" {plural(len(left), 'reason')} left." if left else ""
    st.session_state[DONE] = f"Done: {'; '.join(done)}.{rest}"
    st.rerun()


@st.cache_resource(max_entries=8, show_spinner="Checking the rules …")
def _conflicts(stamp: str, strategy: str, rules: str, _state: PageState, _rules: Guardrails) -> tuple[Conflict, ...]:
    from pricing_core.workflows import pricing

    return find_conflicts(_state.run.rows, pricing.rules_for(_state.run, _rules), strategy)
