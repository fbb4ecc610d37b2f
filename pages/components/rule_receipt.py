"""The rule receipt: what each guardrail costs, and which prices it stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pricing_core import glossary
from pricing_core.charts.receipts import RuleCosts, rule_cost_data, rule_cost_figure
from pricing_core.guardrails import Guardrails, coupled_rules
from pricing_core.guardrails.selection import all_rules
from pricing_core.optimize.receipts import ALL_RULES, Receipt, bound_rows_data, rule_receipts

from . import figures, guardrail_conflicts, results
from .guardrail_words import rule_words
from .state import PageState
from .tables import count_column, money_column, text_column
from .words import count

if TYPE_CHECKING:
    from pricing_core.optimize.objectives import Objective
    from pricing_core.workflows.pricing import PricedTable


def show(
    state: PageState, strategy: str, rules: Guardrails, priced: PricedTable, objective: Objective | None = None
) -> None:
    """Show what each rule costs over the next weeks.

    Parameters
    ----------
    priced
        What the strategy asks for under all rules.
    objective
        What was maximized; default: profit.
    """
    if not all_rules(rules):
        st.info("No rule is in force, so none costs anything.", icon=":material/receipt_long:")
        return
    if not guardrail_conflicts.kept(state, strategy, rules):
        st.info(
            "Rules that cannot all be kept have no cost: use one of the relaxations above first.",
            icon=":material/receipt_long:",
        )
        return
    if coupled_rules(rules) and not st.toggle(
        "Work out what each rule costs", key="receipt_asked", persist_state="session",
        help="Prices are computed again without each rule; with rules that tie prices together this takes a while.",
    ):  # fmt: skip
        return
    scene = results.base_case(state)
    stamp = f"{results.key(state)}|{strategy}|{rules!r}|{objective!r}|{_fingerprint(priced)}"
    receipts = _receipts(stamp, state, strategy, rules, priced, objective)
    counts = objective is not None and objective.counts_units
    period = f"{scene.horizon_weeks:.0f} weeks"
    currency = "" if counts else state.currency
    named = {rule.label: rule_words(rule, state.currency) for rule in all_rules(rules)}
    costs = rule_cost_data(
        receipts, scale=scene.occasions(priced.rows) / float(priced.rows.weight.sum()), period=period,
        currency=currency, words=[_sentence(named.get(each.rule, each.words)) for each in receipts],
    )  # fmt: skip
    if (costs.table["cost"] > 0).any():
        figures.show(rule_cost_figure(costs, currency=currency, period=period), key="receipt_chart")
    else:
        st.markdown(f"**{costs.finding}**")
    _table(state, costs, period, counts)
    _download(priced, receipts)
    st.caption(
        "What a rule costs is what the strategy would earn without it, minus what it earns with it, by the same "
        "demand model that chose the prices: an upper estimate. Costs of single rules do not add up; where two rules "
        "stop the same price, leaving out one changes nothing. Prices stay among those that past data support in any "
        "case; that limit is never lifted, so it is not on the receipt."
    )


def _table(state: PageState, costs: RuleCosts, period: str, counts: bool) -> None:
    table = costs.table.assign(share=100 * costs.table["share_bound"])
    columns = ["words", "cost", "rows_bound", *(["dual"] if table["dual"].notna().any() else [])]
    plain = st.column_config.NumberColumn(f"Costs, {period}", format="%,.0f purchases")
    st.dataframe(
        table[columns], hide_index=True, placeholder="–",
        column_config={
            "words": text_column("Rule", width="large"),
            "cost": plain if counts else money_column(f"Costs, {period}", state.currency),
            "rows_bound": count_column("Prices it stops", help="Prices that would differ without this rule."),
            "dual": money_column("One more unit", state.currency, help=glossary.define("shadow price")),
        },
    )  # fmt: skip


def _download(priced: PricedTable, receipts: tuple[Receipt, ...]) -> None:
    stopped = sum(each.rows_bound for each in receipts if each.rule != ALL_RULES)
    if stopped:
        st.download_button(
            f"Prices that rules stop ({count(stopped)} rows, CSV)",
            lambda: bound_rows_data(priced.rows, priced.prices, receipts).to_csv(index=False).encode(),
            "rules_and_prices.csv", "text/csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip


def _fingerprint(priced: PricedTable) -> int:
    """Return a number that other prices, after a change of any setting, do not share."""
    return hash(priced.prices.price.tobytes())


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


@st.cache_resource(max_entries=6, show_spinner="Pricing again without each rule …")
def _receipts(
    stamp: str, _state: PageState, strategy: str, _rules: Guardrails, _priced: PricedTable, _aim: Objective | None
) -> tuple[Receipt, ...]:
    from pricing_core.workflows import pricing, settings_for

    return rule_receipts(
        strategy, _priced.rows, pricing.rules_for(_state.run, _rules), objective=_aim, prices=_priced.prices,
        settings=settings_for(_state.run, [strategy]),
    )  # fmt: skip
