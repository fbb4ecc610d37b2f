"""Rules for a part of the shop: the list of those in force, and a small form that adds one."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pricing_core.errors import ConfigError
from pricing_core.guardrails import KINDS, Guardrails, Rule, Scope
from pricing_core.response import PricingRows

from . import access, guardrail_fields, guardrail_state
from .guardrail_words import ALL, kind_name, limit_words, place_name, where_words
from .state import PageState
from .tables import records, text_column
from .words import markdown

UNGROUPED = ("week",)


def show(state: PageState) -> None:
    """Show the rules for parts of the shop, and let the user change, remove and add some."""
    rules = guardrail_state.chosen(state.ws)
    with st.expander("Rules for a part of the shop", icon=":material/account_tree:"):
        st.caption(
            "For a category, brand, product or segment, or that tie prices together: a budget for discounts, stock, "
            "pack sizes in order, at most so many changes. A strict rule is never broken; any other gives way, as far "
            "as needed, to strict ones and to those with a smaller priority number."
        )
        if rules.rules:
            _list(state, rules)
        _add(state, rules)


def _list(state: PageState, rules: Guardrails) -> None:
    currency = state.currency
    table = pd.DataFrame(
        [
            {
                "rule": kind_name(rule.kind), "where": where_words(rule), "limit": limit_words(rule, currency),
                "number": _shown(rule), "hard": rule.hard, "priority": rule.priority,
                "remove": False,
            }
            for rule in rules.rules
        ]
    )  # fmt: skip
    with st.form("guardrail_rules", border=False):
        edited = st.data_editor(
            table, hide_index=True, key=f"rules_{hash(rules.rules)}", placeholder="–",
            disabled=["rule", "where", "limit"],
            column_config={
                "rule": text_column("Rule"), "where": text_column("Where"),
                "limit": text_column("What it allows", width="medium"),
                "number": st.column_config.NumberColumn(
                    "Number", width="small", help="Percent, money, units or a count; blank where a rule has none."
                ),
                "hard": st.column_config.CheckboxColumn("Strict", help="Never broken."),
                "priority": st.column_config.NumberColumn(
                    "Priority", min_value=1, step=1, help="Of rules that are not strict, 1 is kept longest."
                ),
                "remove": st.column_config.CheckboxColumn("Remove"),
            },
        )  # fmt: skip
        if access.form_button(state, "edit", "Apply changes", icon=":material/done:"):
            _apply(state, rules, edited)


def _apply(state: PageState, rules: Guardrails, edited: pd.DataFrame) -> None:
    kept = []
    try:
        for rule, row in zip(rules.rules, records(edited), strict=True):
            if not row["remove"]:
                kept.append(_changed(rule, row))
        guardrail_state.keep(state.ws, rules.with_changes(rules=tuple(kept)))
    except ConfigError as error:
        st.error(markdown(str(error)), icon=":material/error:")
        return
    st.rerun()


def _changed(rule: Rule, row: dict[str, Any]) -> Rule:
    changes: dict[str, Any] = {"hard": bool(row["hard"]), "priority": int(row["priority"])}
    if rule.about.unit != "none":
        blank = pd.isna(row["number"])
        changes["value"] = None if blank else guardrail_fields.stored(rule.about, float(row["number"]))
    return rule.with_changes(**changes)


def _shown(rule: Rule) -> float | None:
    return None if rule.value is None else guardrail_fields.shown(rule.about, rule.value)


def _add(state: PageState, rules: Guardrails) -> None:
    rows = state.run.rows
    with st.container(border=True):
        left, middle, right = st.columns(3)
        kind = left.selectbox("Add a rule", list(KINDS), format_func=kind_name, key="new_rule_kind", index=None,
                              placeholder="Choose a rule")  # fmt: skip
        if kind is None:
            return
        by = middle.selectbox("Where", places(rows), format_func=place_name, key="new_rule_by")
        values: tuple[str, ...] = ()
        if by != ALL:
            values = tuple(right.multiselect("Which", levels(rows, by), key=f"new_rule_values_{by}"))
        st.caption(KINDS[kind].meaning)
        given, problem = guardrail_fields.show(kind, rows, state.currency)
        strict, rank, press = st.columns([1, 1, 1], vertical_alignment="bottom")
        hard = strict.toggle("Strict: never broken", value=True, key="new_rule_hard")
        priority = 100
        if not hard:
            priority = int(rank.number_input("Priority (1 is kept longest)", 1, 999, 100, key="new_rule_priority"))
        if access.button(state, "edit", "Add this rule", place=press, type="primary", icon=":material/add:"):
            _store(state, rules, problem, kind, given | {"hard": hard, "priority": priority}, by, values)


def _store(
    state: PageState, rules: Guardrails, problem: str, kind: str, given: dict[str, Any], by: str,
    values: tuple[str, ...],
) -> None:  # fmt: skip
    try:
        if problem:
            raise ConfigError(problem)
        if by != ALL and not values:
            raise ConfigError(f"Choose at least one {place_name(by).lower()}, or the whole shop.")
        rule = Rule(kind, scope=Scope(by, values), **given)
        guardrail_state.keep(state.ws, rules.with_changes(rules=(*rules.rules, rule)))
    except ConfigError as error:
        st.error(markdown(str(error)), icon=":material/error:")
        return
    st.toast(f"In force: {markdown(limit_words(rule, state.currency))}", icon=":material/check:")
    st.rerun()


def places(rows: PricingRows) -> list[str]:
    """Return by what a rule's scope can go: the whole shop, and every label of the rows that is no protected one."""
    labels = [name for name in rows.labels if not name.startswith("protected: ") and name not in UNGROUPED]
    own = [name for name in ("brand", "segment") if name in labels]
    doubles = ("products: category", "products: brand")
    return [ALL, "category", *own, "product", *(name for name in labels if name not in (*own, *doubles))]


def levels(rows: PricingRows, by: str) -> list[str]:
    """Return the values of a label, in order."""
    return sorted({str(value) for value in rows.label(by)} - {""})
