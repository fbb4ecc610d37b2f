"""What if: assumptions as sliders, strategies side by side, saved scenarios compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pricing_core import glossary
from pricing_core.charts.scenarios import TODAY
from pricing_core.simulate.scenario import Scenario
from pricing_core.store import scenarios as store

from . import guardrails, results
from .guardrails import strategy_name
from .state import PageState
from .tables import money_column, number_column, records, signed, text_column
from .words import chance, markdown, money, percent, percent_range

if TYPE_CHECKING:
    from pricing_core.simulate.strategies import SimulationResult

START = ("status_quo", "uniform", "product", "personalized_discount")
MAX_COMPARED = 4
RATES = (
    "conversion_rate", "margin_rate", "share_paying_less", "profit_uplift_rate", "profit_uplift_rate_low",
    "profit_uplift_rate_high",
)  # fmt: skip


def form(state: PageState) -> tuple[Scenario, tuple[str, ...]]:
    """Let the user set the assumptions and choose strategies; both hold until the next Run."""
    with st.form("scenario_form"):
        one, two, three, four = st.columns(4)
        cost = _slider(one, "Unit costs (%)", "scenario_cost", "All unit costs change by this much.")
        rival = _slider(two, "Competitor prices (%)", "scenario_rival", "All competitor prices change by this much.")
        demand = _slider(three, "Demand (%)", "scenario_demand", glossary.define("scenario"))
        weeks = four.slider(
            "Horizon (weeks)", 1, 26, 4, key="scenario_weeks", persist_state="session", help=glossary.define("horizon")
        )
        chosen, button = st.columns([5, 1], vertical_alignment="bottom")
        strategies = chosen.multiselect(
            "Strategies side by side", guardrails.strategy_names(state.ws), START, format_func=strategy_name,
            key="scenario_strategies", persist_state="session", wrap=True,
            help="The best uniform price is always among them: the fair baseline.",
        )  # fmt: skip
        button.form_submit_button("Run", type="primary", icon=":material/play_arrow:", width="stretch")
    scenario = Scenario(
        cost_change_rate=cost / 100, competitor_change_rate=rival / 100, demand_shift_rate=demand / 100,
        horizon_weeks=weeks, occasions_per_week=results.offers_per_week(state),
    )  # fmt: skip
    return scenario, tuple(dict.fromkeys([*strategies, "status_quo", "uniform"]))


def words(scenario: Scenario) -> str:
    """Say what the scenario assumes."""
    parts = [
        f"{name} {percent(rate, digits=0, signed=True)}"
        for name, rate in (
            ("costs", scenario.cost_change_rate),
            ("competitors", scenario.competitor_change_rate),
            ("demand", scenario.demand_shift_rate),
        )
        if rate
    ]
    return ", ".join(parts) or "nothing else changes"


def _moves(scenario: Scenario) -> bool:
    return any((scenario.cost_change_rate, scenario.competitor_change_rate, scenario.demand_shift_rate))


def sentence(state: PageState, simulated: SimulationResult, scenario: Scenario) -> str:
    """Name the strategy that earns most, and how sure that is."""
    row = records(simulated.table.nlargest(1, "profit"))[0]
    best = str(row["strategy"])
    start = f"With {words(scenario)}, " if _moves(scenario) else ""
    text = (
        f"{start}{'the' if start else 'The'} strategy “{strategy_name(best)}” would earn most: "
        f"{money(row['profit'], state.currency, compact=True)} in {scenario.horizon_weeks} weeks"
    )
    if best == "status_quo":
        return text + "."
    uplift = percent(row["profit_uplift_rate"], signed=True)
    return (
        f"{text}, {uplift} against today's prices "
        f"({percent_range(row['profit_uplift_rate_low'], row['profit_uplift_rate_high'])})."
    )


def table(state: PageState, simulated: SimulationResult) -> None:
    """Show the strategies side by side."""
    currency = state.currency
    shown = simulated.table.assign(
        name=simulated.table["strategy"].map(strategy_name),
        **{name: simulated.table[name] * 100 for name in RATES if name in simulated.table},
        probability_loss=simulated.table["probability_loss"].map(chance).mask(simulated.table["strategy"] == TODAY),
    )
    st.dataframe(
        signed(
            shown, currency, money=["profit", "profit_low", "profit_high"],
            percent=["profit_uplift_rate", "profit_uplift_rate_low", "profit_uplift_rate_high"],
        ),
        hide_index=True, placeholder="–", height="content",
        column_order=["name", "profit", "profit_low", "profit_high", "profit_uplift_rate",
                      "profit_uplift_rate_low", "profit_uplift_rate_high", "probability_loss",
                      "revenue", "conversion_rate", "units", "average_price", "margin_rate", "share_paying_less",
                      "held_rows"],
        column_config={
            "name": text_column("Strategy", pinned=True),
            "profit": number_column("Profit", help=glossary.define("profit")),
            "profit_low": number_column("90% low"), "profit_high": number_column("90% high"),
            "profit_uplift_rate": number_column("Against today"),
            "profit_uplift_rate_low": number_column("90% low"), "profit_uplift_rate_high": number_column("90% high"),
            "probability_loss": text_column(
                "Chance of a loss", help="Of earning less than at today's prices, if the model is right."
            ),
            "revenue": money_column("Revenue", currency, help=glossary.define("revenue")),
            "conversion_rate": st.column_config.NumberColumn("Conversion", format="%.2f%%"),
            "units": st.column_config.NumberColumn(
                "Purchases", format="%,.0f", help="Expected purchases over the horizon, one unit each."
            ),
            "average_price": money_column("Average price", currency),
            "margin_rate": st.column_config.NumberColumn("Margin", format="%.1f%%", help=glossary.define("margin")),
            "share_paying_less": st.column_config.NumberColumn(
                "Pay less than uniform", format="%.0f%%", help=glossary.define("share paying less")
            ),
            "held_rows": st.column_config.NumberColumn("Held", format="%,d", help=glossary.define("hold")),
        },
    )  # fmt: skip


def save(state: PageState, scenario: Scenario, simulated: SimulationResult) -> None:
    """Keep the scenario under a name."""
    with st.form("save_scenario", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        proposed = words(scenario).capitalize() if _moves(scenario) else "Base case"
        name = st.text_input("Name of this scenario", proposed, width=340)
        if st.form_submit_button("Save scenario", icon=":material/bookmark_add:"):
            spec = {**scenario.to_dict(), "name": name, "run_id": state.run_id}
            store.save_scenario(state.ws, name, spec, simulated.table)
            st.toast(f"Saved: {markdown(name)}", icon=":material/check:")


def compare(state: PageState) -> None:
    """Show up to four saved scenarios side by side."""
    saved = store.list_scenarios(state.ws)
    if saved.empty:
        return
    st.subheader("Saved scenarios", anchor=False)
    names = dict(zip(saved["scenario_id"], saved["name"], strict=True))
    chosen = st.multiselect(
        f"Compare up to {MAX_COMPARED}", list(names), list(names)[:MAX_COMPARED], format_func=names.__getitem__,
        max_selections=MAX_COMPARED, key="compared", persist_state="session",
    )  # fmt: skip
    loaded = [store.load_scenario(state.ws, scenario_id) for scenario_id in chosen]
    if not loaded:
        return
    profits = pd.DataFrame({each.name: each.results.set_index("strategy")["profit"] for each in loaded})
    profits.insert(0, "Strategy", [strategy_name(str(strategy)) for strategy in profits.index])
    columns = {each.name: money_column(_title(each.name, each.spec), state.currency) for each in loaded}
    st.dataframe(profits, hide_index=True, height="content", column_config=columns)
    st.caption("Expected profit over each scenario's horizon.")


def _title(name: str, spec: dict[str, object]) -> str:
    return f"{name} ({spec.get('horizon_weeks')} weeks)"


def _slider(place: st.delta_generator.DeltaGenerator, label: str, key: str, help_text: str) -> int:
    return int(place.slider(label, -50, 50, 0, format="%+d", key=key, persist_state="session", help=help_text))
