"""Prices and simulations, computed once per model, rules and assumption, and shared by the pages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pricing_core.charts.products import product_gain_data, product_overview_data
from pricing_core.guardrails.coupled import OVER_HORIZON
from pricing_core.guardrails.rules import Guardrails
from pricing_core.simulate.scenario import Scenario
from pricing_core.store import settings

from . import cache
from .state import PageState

if TYPE_CHECKING:
    from pricing_core.simulate.competitor import CompetitorMoves
    from pricing_core.simulate.response_surface import Answer, ResponseSurface
    from pricing_core.simulate.strategies import SimulationResult
    from pricing_core.workflows.off_policy import PastVerdict
    from pricing_core.workflows.pricing import PricedTable

GAIN_WEEKS = 4


def key(state: PageState) -> str:
    """Return what results depend on besides their own rules: workspace, model, margin, objective, settings."""
    chosen = [settings.get(state.ws, name) for name in ("objective", "strategy_settings")]
    return f"{state.ws.root}|{state.run_id}|{cache.stamp(state.ws, state.basis_id)}|{chosen}"


def model_key(state: PageState) -> str:
    """Return what the models' answers depend on, whatever is done with them: workspace, model, margin."""
    return f"{state.ws.root}|{state.run_id}|{cache.stamp(state.ws, state.basis_id)}"


def weekly(state: PageState) -> pd.DataFrame:
    """Return the last complete weeks of the newest data."""
    return _weekly_of(state, str(state.dataset_id))


def offers_per_week(state: PageState) -> float:
    """Return the recent pace of the shop: offers in an average one of the last complete weeks."""
    return float(_weekly_of(state, str(state.basis_id))["offers"].mean())


def base_case(state: PageState) -> Scenario:
    """Return the scenario in which nothing changes: the next four weeks at the recent pace."""
    return Scenario(horizon_weeks=GAIN_WEEKS, occasions_per_week=offers_per_week(state))


def prices(state: PageState, strategy: str, guardrails: Guardrails) -> PricedTable:
    """Return the recent offers priced under a strategy."""
    return _prices(key(state), strategy, repr(guardrails), state, guardrails)


def simulation(
    state: PageState, strategies: tuple[str, ...], scenario: Scenario, guardrails: Guardrails
) -> SimulationResult:
    """Return strategies side by side under a scenario."""
    return _simulation(key(state), strategies, repr(scenario), repr(guardrails), state, scenario, guardrails)


def answer(state: PageState, strategies: tuple[str, ...], scenario: Scenario, guardrails: Guardrails) -> Answer:
    """Return strategies under a scenario in the time of a slider, from the precomputed response.

    Budgets, stock and least units count over the scenario's own weeks.
    """
    guardrails = rules_over(state, scenario, guardrails)
    return _answer(key(state), strategies, repr(scenario), repr(guardrails), state, scenario, guardrails)


def rules_over(state: PageState, scenario: Scenario, guardrails: Guardrails) -> Guardrails:
    """Return guardrails whose budgets, stock and least units count over the weeks of a scenario."""
    if not any(rule.kind in OVER_HORIZON for rule in guardrails.rules):
        return guardrails
    return guardrails.with_changes(horizon_offers=scenario.occasions(state.run.rows))


def base_of(state: PageState, strategies: tuple[str, ...], scenario: Scenario, guardrails: Guardrails) -> Answer:
    """Return the same strategies over the same weeks with everything else as it is."""
    plain = Scenario(horizon_weeks=scenario.horizon_weeks, occasions_per_week=scenario.occasions_per_week)
    return answer(state, strategies, plain, guardrails)


def knowledge(state: PageState) -> tuple[bool, bool, bool]:
    """Return whether the data know competitor prices, the season, and stock."""
    return _knowledge(model_key(state), state)


def satisfaction(state: PageState) -> pd.DataFrame:
    """Return stars and returns by product, where the data measure them."""
    return _satisfaction(model_key(state), state)


def past(state: PageState, strategy: str, guardrails: Guardrails) -> PastVerdict:
    """Return what past offers say about a strategy."""
    return _past(key(state), strategy, repr(guardrails), state, guardrails)


def warm(state: PageState) -> None:
    """Ask the models about moved competitors before anyone moves them; the page is complete by then."""
    _moves(model_key(state), None, True, state)


def products(state: PageState) -> pd.DataFrame:
    """Return the products of the recent offers, the most offered first."""
    return _products(key(state), state)


def gains(state: PageState, strategy: str, guardrails: Guardrails) -> pd.DataFrame:
    """Return what the strategy's prices would add to each product's profit in four weeks at the recent pace."""
    return _gains(key(state), strategy, repr(guardrails), state, guardrails)


@st.cache_resource(max_entries=4, show_spinner="Reading the last weeks …")
def _weekly(root: str, dataset_id: str, stamp: str, _state: PageState) -> pd.DataFrame:
    from pricing_core.workflows.aggregates import weekly_overview

    return weekly_overview(_state.ws, dataset_id, lambda: cache.dataset(_state.ws, dataset_id))


def _weekly_of(state: PageState, dataset_id: str) -> pd.DataFrame:
    return _weekly(str(state.ws.root), dataset_id, cache.stamp(state.ws, dataset_id), state)


@st.cache_resource(max_entries=8, show_spinner="Computing the prices …")
def _prices(stamp: str, strategy: str, rules: str, _state: PageState, _guardrails: Guardrails) -> PricedTable:
    from pricing_core import workflows

    return workflows.price(_state.ws, strategy, guardrails=_guardrails, run_id=_state.run_id)


@st.cache_resource(max_entries=12, show_spinner="Simulating the strategies …")
def _simulation(
    stamp: str, strategies: tuple[str, ...], scene: str, rules: str, _state: PageState, _scenario: Scenario,
    _guardrails: Guardrails,
) -> SimulationResult:  # fmt: skip
    from pricing_core import workflows

    return workflows.simulate(
        _state.ws, list(strategies), scenario=_scenario, guardrails=_guardrails, run_id=_state.run_id
    )


@st.cache_resource(max_entries=4, show_spinner="Comparing the products …")
def _products(stamp: str, _state: PageState) -> pd.DataFrame:
    return product_overview_data(_state.run.rows)


@st.cache_resource(max_entries=8, show_spinner="Comparing the products …")
def _gains(stamp: str, strategy: str, rules: str, _state: PageState, _guardrails: Guardrails) -> pd.DataFrame:
    priced = prices(_state, strategy, _guardrails)
    offers = offers_per_week(_state) * GAIN_WEEKS
    return product_gain_data(priced.rows, priced.prices.price, n_offers=offers)


@st.cache_resource(max_entries=48, show_spinner=False)
def _answer(
    stamp: str, strategies: tuple[str, ...], scene: str, rules: str, _state: PageState, _scenario: Scenario,
    _guardrails: Guardrails,
) -> Answer:  # fmt: skip
    surface = _surface(stamp, strategies, rules, _state, _guardrails)
    if _scenario.asks_models:
        every = bool(_scenario.competitor_change_rate or _scenario.competitor_reaction_rate)
        with st.spinner("Asking the model about other markets (once per model) …"):
            surface = replace(surface, moves=_moves(model_key(_state), _scenario.season_week, every, _state))
    return surface.answer(_scenario)


@st.cache_resource(max_entries=8, show_spinner="Simulating the strategies …")
def _surface(
    stamp: str, strategies: tuple[str, ...], rules: str, _state: PageState, _guardrails: Guardrails
) -> ResponseSurface:
    from pricing_core.workflows.what_if import what_if

    return what_if(_state.ws, strategies, base=base_case(_state), guardrails=_guardrails, run_id=_state.run_id)


@st.cache_resource(max_entries=8, show_spinner=False)
def _moves(stamp: str, week: int | None, every: bool, _state: PageState) -> CompetitorMoves:
    from pricing_core.workflows.what_if import competitor_moves

    return competitor_moves(_state.run, season_week=week, every=every)


@st.cache_resource(max_entries=4, show_spinner=False)
def _knowledge(stamp: str, _state: PageState) -> tuple[bool, bool, bool]:
    from pricing_core.workflows.what_if import market_knowledge

    return market_knowledge(_state.run)


@st.cache_resource(max_entries=4, show_spinner=False)
def _satisfaction(stamp: str, _state: PageState) -> pd.DataFrame:
    from pricing_core.workflows.what_if import measured_satisfaction

    return measured_satisfaction(_state.run.dataset)


@st.cache_resource(max_entries=12, show_spinner="Looking for past offers at such prices …")
def _past(stamp: str, strategy: str, rules: str, _state: PageState, _guardrails: Guardrails) -> PastVerdict:
    from pricing_core.workflows.off_policy import judge_on_past

    return judge_on_past(_state.ws, strategy, guardrails=_guardrails, run_id=_state.run_id)
