"""Make a price list of a strategy and keep it in the workspace."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from pricing_core.engines.working_sample import lowest_prices
from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.strategies import price_strategy
from pricing_core.pricelist import history
from pricing_core.pricelist.build import ListFacts, build_with_effects
from pricing_core.pricelist.products import product_facts
from pricing_core.pricelist.summary import summary_sentence
from pricing_core.progress import Progress, SilentProgress
from pricing_core.simulate.scenario import Scenario
from pricing_core.simulate.strategies import simulate_strategies
from pricing_core.store import datasets, list_states, pricelists, scenarios
from pricing_core.store.workspace import Workspace
from pricing_core.trust.access import Actor, require, self_declared
from pricing_core.workflows.objectives import chosen_objective
from pricing_core.workflows.pricing import rows_for, rules_for
from pricing_core.workflows.runs import load_run
from pricing_core.workflows.strategies import settings_for


def make_price_list(
    ws: Workspace,
    strategy: str,
    *,
    guardrails: Guardrails | None = None,
    scenario: Scenario | None = None,
    run_id: str | None = None,
    actor: Actor | None = None,
    progress: Progress | None = None,
) -> str:
    """Price the recent offers under a strategy, judge the effect, store the list as a draft, and return its id."""
    progress = progress or SilentProgress()
    actor = actor or self_declared("")
    require(actor, "edit")
    run = load_run(ws, run_id)
    rules = rules_for(run, guardrails)
    progress.stage("Pricing", 0.1, "Computing the prices")
    rows, _ = rows_for(run, scenario=scenario)
    changed = (scenario or Scenario()).apply(rows)
    settings = settings_for(run, [strategy])
    aim = chosen_objective(ws)
    prices = price_strategy(strategy, changed, rules, settings=settings, objective=aim)
    known = prior_prices(ws, run.dataset_id, _tomorrow())
    facts = ListFacts(
        strategy, run.manifest["currency"], run.run_id, {str(product): float(price) for product, price in known.items()}
    )
    frame, effects = build_with_effects(changed, prices, facts)
    progress.stage("Simulation", 0.5, "Judging the expected effect")
    result = simulate_strategies(
        rows, ["status_quo", strategy], guardrails=rules, scenario=scenario, settings=settings, objective=aim
    )
    effect = result.row(strategy)
    progress.stage("Storing", 0.9, "Keeping the price list")
    summary = {
        "sentence": summary_sentence(frame, effect),
        "guardrails": rules.to_toml(),
        "objective": aim.to_mapping(),
        "scenario": (scenario or Scenario()).to_dict(),
        "profit_uplift_rate": float(effect["profit_uplift_rate"]),
        "profit_uplift_low": float(effect["profit_uplift_rate_low"]),
        "profit_uplift_high": float(effect["profit_uplift_rate_high"]),
        "cost_assumed": bool(rows.cost_assumed.any()),
        "margin_assumption": datasets.load_manifest(ws, run.dataset_id).margin_assumption,
    }
    price_list_id = pricelists.save_price_list(
        ws, frame, strategy=strategy, run_id=run.run_id, dataset_id=run.dataset_id, summary=summary, actor=actor,
        products=product_facts(run.dataset.offers, run.dataset.products), effects=effects,
    )  # fmt: skip
    progress.stage("Done", 1.0, f"Price list {price_list_id} is ready for review")
    return price_list_id


def make_list_from_scenario(
    ws: Workspace,
    scenario_id: str,
    strategy: str,
    *,
    guardrails: Guardrails | None = None,
    run_id: str | None = None,
    actor: Actor | None = None,
    progress: Progress | None = None,
) -> str:
    """Make a price list of a strategy under the assumptions of a saved scenario, and return its id."""
    saved = scenarios.load_scenario(ws, scenario_id)
    known = {field.name for field in fields(Scenario)}
    assumed = Scenario.from_mapping({key: value for key, value in saved.spec.items() if key in known})
    return make_price_list(
        ws, strategy, guardrails=guardrails, scenario=assumed, run_id=run_id, actor=actor, progress=progress
    )


def prior_prices(ws: Workspace, dataset_id: str | None, start: datetime) -> pd.Series:
    """Lowest price of each product in the thirty days before ``start``: from the log and from earlier lists.

    The log is that of all customers, however many they are.
    """
    begin = pd.Timestamp(start)
    folder = datasets.folder_of(ws, dataset_id)
    since = begin - timedelta(days=history.DAYS)
    log = lowest_prices(folder, since=since, before=begin, days=history.DAYS, spill=ws.temp_dir)
    return history.prior_prices(log, list_states.price_memory(ws), start)


def price_list_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`make_price_list`, and with ``scenario_id`` of :func:`make_list_from_scenario`."""
    rules = params.get("guardrails")
    guardrails = None
    if rules:
        guardrails = Guardrails.from_toml(rules) if isinstance(rules, str) else Guardrails.from_mapping(rules)
    strategy = params.get("strategy", "personalized_discount")
    shared: dict[str, Any] = {"guardrails": guardrails, "run_id": params.get("run_id"), "progress": progress}
    shared["actor"] = Actor(**params["actor"]) if params.get("actor") else None
    if params.get("scenario_id"):
        return {"price_list_id": make_list_from_scenario(ws, params["scenario_id"], strategy, **shared)}
    scenario = Scenario.from_mapping(params["scenario"]) if params.get("scenario") else None
    return {"price_list_id": make_price_list(ws, strategy, scenario=scenario, **shared)}


def _tomorrow() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
