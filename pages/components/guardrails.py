"""Strategy and guardrails: one form, remembered in the workspace, used by Optimize, Scenarios and Price list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pricing_core import glossary
from pricing_core.errors import ConfigError
from pricing_core.guardrails.coupled import OVER_HORIZON
from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.registry import FOLDER, labels, load_strategies
from pricing_core.store import settings
from pricing_core.store.workspace import Workspace

from . import access, guardrail_conflicts, guardrail_rules, guardrail_sets
from .guardrail_state import ADOPTED, chosen, follow_pace, keep, last_strategy, plain
from .guardrail_words import endings_words, in_words
from .state import PageState
from .words import markdown, money, plural

__all__ = ["chosen", "form", "in_words", "last_strategy", "line", "plain", "strategy_name", "strategy_names"]

ENDINGS: dict[str, tuple[int, ...] | None] = {
    "any": None, ".99": (99,), ".99 or .49": (49, 99), ".95": (95,), ".90": (90,), ".00": (0,),
}  # fmt: skip


def strategy_name(strategy: str) -> str:
    """Return the words for a strategy."""
    return labels().get(strategy, strategy)


def strategy_names(ws: Workspace) -> list[str]:
    """Return the strategies to choose from, the shop's own among them; say which of its files cannot be used."""
    for problem in load_strategies(ws.root / FOLDER).problems:
        st.warning(markdown(problem), icon=":material/code_off:")
    return list(labels())


def form(state: PageState, beside: Callable[[], None] | None = None) -> str:
    """Show strategy and guardrails, and contradictions among these; return the strategy that was last submitted.

    Parameters
    ----------
    beside
        Shows more inputs under the strategy.
    """
    last, names = last_strategy(state.ws), strategy_names(state.ws)
    follow_pace(state)
    now = chosen(state.ws)
    _fill(now, afresh=st.session_state.pop(ADOPTED, False))
    with st.form("optimize_form"):
        left, right = st.columns([2, 3])
        with left:
            strategy = st.radio(
                "Strategy", names, index=names.index(last), format_func=strategy_name,
                key="strategy", persist_state="session",
                help="Personal prices are discounts from the public list price unless you choose otherwise.",
            )  # fmt: skip
            if beside is not None:
                beside()
        with right:
            rules = _rules(now, state.currency)
            if now.rules:
                st.caption(f"And {plural(len(now.rules), 'rule')} for a part of the shop, below.")
        run = access.form_button(state, "edit", "Run", type="primary", icon=":material/play_arrow:")
        problem = _problem(now, rules, state.currency)
        if problem is not None:
            st.error(f"{markdown(problem)} **Not applied:** what is shown below follows the rules applied last.")
        elif run:
            keep(state.ws, now.with_changes(**rules))
            settings.set(state.ws, "strategy", strategy)
            last = strategy
    guardrail_rules.show(state)
    guardrail_sets.show(state)
    guardrail_conflicts.show(state, last)
    return last


def line(state: PageState, weeks: float | None = None) -> None:
    """Name the guardrails that a page uses, the weeks that totals count over, and the way to where they are set."""
    with st.container(horizontal=True, vertical_alignment="center"):
        rules = chosen(state.ws)
        active, counted = in_words(rules, state.currency), ""
        if weeks is not None and any(rule.kind in OVER_HORIZON for rule in rules.rules):
            counted = f" Totals count over the {plural(round(weeks), 'week')} of this scenario."
        st.caption(
            f":material/rule: Guardrails, as last set on Optimize: {markdown(active)}.{counted}", width="content"
        )
        st.page_link("pages/optimize.py", label="Change them", icon=":material/tune:")


def _fill(rules: Guardrails, *, afresh: bool) -> None:
    """Put rules into the inputs of the form before they are drawn; unless ``afresh``, into those not drawn yet.

    The inputs themselves start empty: what an input starts with could not be cleared from it.
    """
    values = {
        "rule_margin": _percent(rules.margin_floor), "rule_change": _percent(rules.max_change_rate),
        "rule_floor": _float(rules.price_floor), "rule_ceiling": _float(rules.price_ceiling),
        "rule_discount": rules.discount_only, "rule_endings": _ending_name(rules.endings),
    }  # fmt: skip
    st.session_state.update({key: each for key, each in values.items() if afresh or key not in st.session_state})


def _problem(now: Guardrails, rules: dict[str, Any], currency: str) -> str | None:
    """Say in the words of the form why rules cannot be applied; None if they can."""
    low, high = rules["price_floor"], rules["price_ceiling"]
    if rules["margin_floor"] is not None and rules["margin_floor"] >= 1:
        return "“Margin at least” must be below 100% of the price."
    if high is not None and high <= 0:
        return "“Never above” must be more than zero; empty it for no limit."
    if low is not None and high is not None and low > high:
        return (
            f"“Never below” ({money(low, currency)}) is higher than “Never above” ({money(high, currency)}): "
            "no price can keep both."
        )
    try:
        now.with_changes(**rules)
    except ConfigError as error:
        return str(error)
    return None


def _rules(now: Guardrails, currency: str) -> dict[str, Any]:
    one, two = st.columns(2)
    floor = one.number_input(
        "Margin at least (% of the price)", None, None, None, 1.0, key="rule_margin",
        persist_state="session", help=glossary.define("margin floor"), placeholder="no limit",
    )  # fmt: skip
    change = two.number_input(
        "Change at most (± % of today's price)", 0.0, None, None, 1.0, key="rule_change",
        persist_state="session", help=glossary.define("maximum change"), placeholder="no limit",
    )  # fmt: skip
    low = one.number_input(
        f"Never below ({currency})", 0.0, None, None, 0.5, key="rule_floor", persist_state="session",
        help=glossary.define("price floor"), placeholder="no limit",
    )  # fmt: skip
    high = two.number_input(
        f"Never above ({currency})", 0.0, None, None, 0.5, key="rule_ceiling", persist_state="session",
        help=glossary.define("price ceiling"), placeholder="no limit",
    )  # fmt: skip
    endings = ENDINGS if now.endings in ENDINGS.values() else ENDINGS | {_ending_name(now.endings): now.endings}
    ending = one.selectbox(
        "Prices end in", list(endings), key="rule_endings", persist_state="session",
        help=glossary.define("price ending"),
    )  # fmt: skip
    discount = two.toggle(
        "Never above the list price", key="rule_discount", help=glossary.define("discount only"),
    )  # fmt: skip
    return {
        "margin_floor": _rate(floor), "max_change_rate": _rate(change), "price_floor": low, "price_ceiling": high,
        "endings": endings[ending], "discount_only": discount, "decimals": minor_unit_digits(currency),
    }  # fmt: skip


def _ending_name(endings: tuple[int, ...] | None) -> str:
    known = {value: name for name, value in ENDINGS.items()}
    return known.get(endings) or endings_words(endings)


def _percent(rate: float | None) -> float | None:
    return None if rate is None else round(rate * 100, 4)


def _float(amount: float | None) -> float | None:
    return None if amount is None else float(amount)


def _rate(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
