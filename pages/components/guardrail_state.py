"""The guardrails and the strategy in force, as the workspace remembers them."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pricing_core.guardrails import Guardrails
from pricing_core.guardrails.coupled import TOTALS
from pricing_core.optimize.registry import FOLDER, labels, load_strategies
from pricing_core.optimize.settings import DEFAULT_STRATEGY
from pricing_core.store import settings
from pricing_core.store.workspace import Workspace

from . import access, results
from .state import PageState

KEY = "guardrails"
ADOPTED = "guardrails_adopted"
NOTABLE = 0.01


def chosen(ws: Workspace) -> Guardrails:
    """Return the guardrails that the user last set, or the product's own."""
    stored = settings.get(ws, KEY)
    return Guardrails.from_mapping(stored) if stored else Guardrails()


def plain(ws: Workspace) -> dict[str, Any]:
    """Return the guardrails as JSON values, for a job."""
    return chosen(ws).to_mapping()


def keep(ws: Workspace, rules: Guardrails) -> None:
    """Put guardrails into force for every page."""
    access.require(ws, "edit")
    settings.set(ws, KEY, rules.to_mapping())


def adopt(ws: Workspace, rules: Guardrails) -> None:
    """Put guardrails into force; the form takes them over when it is drawn next."""
    keep(ws, rules)
    st.session_state[ADOPTED] = True


def last_strategy(ws: Workspace) -> str:
    """Return the strategy that the user last ran on Optimize; discounts only until then."""
    load_strategies(ws.root / FOLDER)
    last = str(settings.get(ws, "strategy", DEFAULT_STRATEGY))
    return last if last in labels() else DEFAULT_STRATEGY  # the shop may have removed the file of its own strategy


def follow_pace(state: PageState) -> None:
    """Have budgets, stock and least units count over the next weeks at the shop's recent pace."""
    rules = chosen(state.ws)
    if not any(rule.kind in TOTALS for rule in rules.rules):
        return
    offers = results.base_case(state).occasions(state.run.rows)
    if rules.horizon_offers is None or abs(rules.horizon_offers / offers - 1) > NOTABLE:
        settings.set(state.ws, KEY, rules.with_changes(horizon_offers=offers).to_mapping())
