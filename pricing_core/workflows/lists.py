"""Make a price list of a strategy and keep it in the workspace."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pricing_core.data.dataset import Dataset
from pricing_core.guardrails.rules import Guardrails
from pricing_core.optimize.strategies import price_strategy
from pricing_core.pricelist.build import ListFacts, build_price_list
from pricing_core.pricelist.summary import summary_sentence
from pricing_core.progress import Progress, SilentProgress
from pricing_core.simulate.scenario import Scenario
from pricing_core.simulate.strategies import simulate_strategies
from pricing_core.store import datasets, pricelists
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.pricing import rows_for, rules_for
from pricing_core.workflows.runs import load_run


def make_price_list(
    ws: Workspace,
    strategy: str,
    *,
    guardrails: Guardrails | None = None,
    scenario: Scenario | None = None,
    run_id: str | None = None,
    progress: Progress | None = None,
) -> str:
    """Price the recent offers under a strategy, judge the effect, store the list, and return its id."""
    progress = progress or SilentProgress()
    run = load_run(ws, run_id)
    rules = rules_for(run, guardrails)
    progress.stage("Pricing", 0.1, "Computing the prices")
    rows, _ = rows_for(run, scenario=scenario)
    changed = (scenario or Scenario()).apply(rows)
    prices = price_strategy(strategy, changed, rules)
    facts = ListFacts(strategy, run.manifest["currency"], run.run_id, lowest_recent_prices(run.dataset))
    frame = build_price_list(changed, prices, facts)
    progress.stage("Simulation", 0.5, "Judging the expected effect")
    result = simulate_strategies(rows, ["status_quo", strategy], guardrails=rules, scenario=scenario)
    effect = result.row(strategy)
    progress.stage("Storing", 0.9, "Keeping the price list")
    summary = {
        "sentence": summary_sentence(frame, effect),
        "guardrails": rules.to_toml(),
        "scenario": (scenario or Scenario()).to_dict(),
        "profit_uplift_rate": float(effect["profit_uplift_rate"]),
        "profit_uplift_low": float(effect["profit_uplift_rate_low"]),
        "profit_uplift_high": float(effect["profit_uplift_rate_high"]),
        "cost_assumed": bool(rows.cost_assumed.any()),
        "margin_assumption": datasets.load_manifest(ws, run.dataset_id).margin_assumption,
    }
    price_list_id = pricelists.save_price_list(
        ws, frame, strategy=strategy, run_id=run.run_id, dataset_id=run.dataset_id, summary=summary
    )
    progress.stage("Done", 1.0, f"Price list {price_list_id} is ready for review")
    return price_list_id


def lowest_recent_prices(dataset: Dataset, days: int = 30) -> dict[str, float]:
    """Lowest logged price of each product in the last ``days`` of the log."""
    offers = dataset.offers
    recent = offers[offers["offered_at"] > offers["offered_at"].max() - pd.Timedelta(days=days)]
    lowest = recent.groupby(recent["product_id"].astype(str))["price"].min()
    return {str(product): float(price) for product, price in lowest.items()}


def price_list_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`make_price_list`."""
    rules = params.get("guardrails")
    guardrails = Guardrails.from_toml(rules) if isinstance(rules, str) else Guardrails(**rules) if rules else None
    scenario = Scenario.from_mapping(params["scenario"]) if params.get("scenario") else None
    price_list_id = make_price_list(
        ws,
        params.get("strategy", "personalized_discount"),
        guardrails=guardrails,
        scenario=scenario,
        run_id=params.get("run_id"),
        progress=progress,
    )
    return {"price_list_id": price_list_id}
