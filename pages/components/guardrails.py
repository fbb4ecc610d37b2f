"""Strategy and guardrails: one form, remembered in the workspace, used by Optimize, Scenarios and Price list."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import streamlit as st

from pricing_core import glossary
from pricing_core.errors import ConfigError
from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.registry import FOLDER, labels, load_strategies
from pricing_core.optimize.settings import DEFAULT_STRATEGY
from pricing_core.store import settings
from pricing_core.store.workspace import Workspace

from .state import PageState
from .words import markdown, money, percent

KEY = "guardrails"
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


def chosen(ws: Workspace) -> Guardrails:
    """Return the guardrails that the user last set, or the product's own."""
    stored = settings.get(ws, KEY)
    return Guardrails.from_mapping(stored) if stored else Guardrails()


def plain(ws: Workspace) -> dict[str, Any]:
    """Return the guardrails as JSON values, for a job."""
    return asdict(chosen(ws))


def last_strategy(ws: Workspace) -> str:
    """Return the strategy that the user last ran on Optimize; discounts only until then."""
    load_strategies(ws.root / FOLDER)
    last = str(settings.get(ws, "strategy", DEFAULT_STRATEGY))
    return last if last in labels() else DEFAULT_STRATEGY  # the shop may have removed the file of its own strategy


def form(state: PageState) -> str:
    """Show strategy and guardrails; return the strategy that was last submitted."""
    last, names = last_strategy(state.ws), strategy_names(state.ws)
    with st.form("optimize_form"):
        left, right = st.columns([2, 3])
        strategy = left.radio(
            "Strategy", names, index=names.index(last), format_func=strategy_name,
            key="strategy", persist_state="session",
            help="Personal prices are discounts from the public list price unless you choose otherwise.",
        )  # fmt: skip
        with right:
            rules = _rules(chosen(state.ws), state.currency)
        run = st.form_submit_button("Run", type="primary", icon=":material/play_arrow:")
        problem = _problem(rules, state.currency)
        if problem is not None:
            st.error(f"{markdown(problem)} **Not applied:** what is shown below follows the rules applied last.")
        elif run:
            settings.set(state.ws, KEY, asdict(Guardrails(**rules)))
            settings.set(state.ws, "strategy", strategy)
            last = strategy
    return last


def in_words(rules: Guardrails, currency: str) -> str:
    """List the active guardrails in one line."""
    parts = [
        (rules.margin_floor, f"margin at least {percent(rules.margin_floor)}"),
        (rules.max_change_rate, f"change at most ±{percent(rules.max_change_rate)}"),
        (rules.price_floor, f"never below {money(rules.price_floor, currency)}"),
        (rules.price_ceiling, f"never above {money(rules.price_ceiling, currency)}"),
        (rules.endings, f"prices end in {' or '.join(f'.{each:02d}' for each in rules.endings or ())}"),
        (rules.discount_only or None, "never above the list price"),
    ]
    return ", ".join(words for value, words in parts if value is not None) or "none"


def line(state: PageState) -> None:
    """Name the guardrails that a page uses, with the way to where they are set."""
    with st.container(horizontal=True, vertical_alignment="center"):
        active = in_words(chosen(state.ws), state.currency)
        st.caption(f":material/rule: Guardrails, as last set on Optimize: {markdown(active)}.", width="content")
        st.page_link("pages/optimize.py", label="Change them", icon=":material/tune:")


def _problem(rules: dict[str, Any], currency: str) -> str | None:
    """Say in the words of the form why rules cannot be applied; None if they can."""
    low, high = rules["price_floor"], rules["price_ceiling"]
    if high is not None and high <= 0:
        return "“Never above” must be more than zero; empty it for no limit."
    if low is not None and high is not None and low > high:
        return (
            f"“Never below” ({money(low, currency)}) is higher than “Never above” ({money(high, currency)}): "
            "no price can keep both."
        )
    try:
        Guardrails(**rules)
    except ConfigError as error:
        return str(error)
    return None


def _rules(now: Guardrails, currency: str) -> dict[str, Any]:
    one, two = st.columns(2)
    floor = one.number_input(
        "Margin at least (% of the price)", -100.0, 95.0, _percent(now.margin_floor), 1.0, key="rule_margin",
        persist_state="session", help=glossary.define("margin floor"), placeholder="no limit",
    )  # fmt: skip
    change = two.number_input(
        "Change at most (± % of today's price)", 0.0, 500.0, _percent(now.max_change_rate), 1.0, key="rule_change",
        persist_state="session", help=glossary.define("maximum change"), placeholder="no limit",
    )  # fmt: skip
    low = one.number_input(
        f"Never below ({currency})", 0.0, None, now.price_floor, 0.5, key="rule_floor", persist_state="session",
        help=glossary.define("price floor"), placeholder="no limit",
    )  # fmt: skip
    high = two.number_input(
        f"Never above ({currency})", 0.0, None, now.price_ceiling, 0.5, key="rule_ceiling", persist_state="session",
        help=glossary.define("price ceiling"), placeholder="no limit",
    )  # fmt: skip
    names, allowed = list(ENDINGS), list(ENDINGS.values())
    ending = one.selectbox(
        "Prices end in", names, index=allowed.index(now.endings) if now.endings in allowed else 0,
        key="rule_endings", persist_state="session", help=glossary.define("price ending"),
    )  # fmt: skip
    discount = two.toggle(
        "Never above the list price", value=now.discount_only, key="rule_discount",
        help=glossary.define("discount only"),
    )  # fmt: skip
    return {
        "margin_floor": _rate(floor), "max_change_rate": _rate(change), "price_floor": low, "price_ceiling": high,
        "endings": ENDINGS[ending], "discount_only": discount, "decimals": minor_unit_digits(currency),
    }  # fmt: skip


def _percent(rate: float | None) -> float | None:
    return None if rate is None else round(rate * 100, 4)


def _rate(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
