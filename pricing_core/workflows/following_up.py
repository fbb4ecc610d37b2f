"""What came of past decisions: the backtest of a model, and the ledger of a price list."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from pricing_core.data.dataset import Dataset
from pricing_core.errors import PricingError
from pricing_core.evaluate.backtest import Backtest, weekly_backtest
from pricing_core.evaluate.ledger import Ledger, realized_against_predicted
from pricing_core.evaluate.logged_offers import LoggedOffers
from pricing_core.evaluate.policy_value import PolicyValueConfig
from pricing_core.evaluate.sales import WEEK, complete_weeks, monday, sales_log
from pricing_core.guardrails.rules import Guardrails
from pricing_core.models.quantity import FILE as QUANTITY_FILE
from pricing_core.optimize.strategies import price_strategy
from pricing_core.progress import Progress, SilentProgress
from pricing_core.store import datasets, measurements, pricelists, runs
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.objectives import chosen_objective
from pricing_core.workflows.pricing import rules_for
from pricing_core.workflows.runs import TrainedRun, load_run, usual_prices
from pricing_core.workflows.strategies import own_strategies, settings_for

MOST_OFFERS: Final = 40_000
SEEN: Final = "learned from"
UNSEEN: Final = "not seen"


def backtest(
    ws: Workspace,
    strategy: str,
    *,
    weeks: int = 12,
    guardrails: Guardrails | None = None,
    run_id: str | None = None,
    most_offers: int = MOST_OFFERS,
    progress: Progress | None = None,
) -> str:
    """Judge a run and a strategy's prices on the latest complete weeks, keep the result, and return its id.

    Nothing is trained: weeks that the run learned from are marked as such, since a model looks better there than on
    weeks it has not seen. Of more than ``most_offers`` offers a random part is used.
    """
    progress = progress or SilentProgress()
    progress.stage("Loading", 0.05, "Opening the model and the data")
    run = load_run(ws, run_id)
    dataset = datasets.load_dataset(ws)
    offers, n_all = _recent_offers(dataset, weeks, most_offers)
    progress.stage("Past weeks", 0.2, f"Asking the model about {len(offers):,} past offers")
    logged = _logged(run, dataset, offers, strategy, rules_for(run, guardrails))
    progress.stage("Judging", 0.7, "Comparing with what happened")
    result = weekly_backtest(logged, monday(offers["offered_at"]), config=PolicyValueConfig(n_bootstrap=200))
    table = _with_seen(result.table, run)
    record = {
        **result.to_dict(),
        "sentence": backtest_sentence(result, table),
        "strategy": strategy,
        "run_id": run.run_id,
        "dataset_id": str(datasets.latest_dataset_id(ws)),
        "log_to": run.manifest["log_to"],
        "guardrails": rules_for(run, guardrails).to_toml(),
        "offers": len(offers),
        "offers_there": n_all,
    }
    name = f"{run.run_id} · {strategy}"
    measurement_id = measurements.save_measurement(ws, "backtest", name, record, table)
    progress.stage("Done", 1.0, "The backtest is ready")
    return measurement_id


def backtest_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`backtest`."""
    rules = params.get("guardrails")
    guardrails = Guardrails.from_mapping(rules) if rules else None
    measurement_id = backtest(
        ws,
        params.get("strategy", "product"),
        weeks=int(params.get("weeks", 12)),
        guardrails=guardrails,
        run_id=params.get("run_id"),
        progress=progress,
    )
    return {"measurement_id": measurement_id}


def backtest_sentence(result: Backtest, table: pd.DataFrame) -> str:
    """The backtest in one sentence."""
    figures = result.to_dict()
    seen = int((table["seen"] == SEEN).sum())
    text = (
        f"Over {len(table)} past weeks the model expected {figures['predicted_rate']:.1%} conversion and "
        f"{figures['observed_rate']:.1%} came; in {result.n_covered} of them it was within the 90% range"
    )
    if seen == len(table):
        return text + " (it had learned from all of these weeks, so this is its easy side)."
    return text + (f" ({len(table) - seen} of the weeks were new to it)." if seen else " (all were new to it).")


def held_out_weeks(run: TrainedRun) -> pd.DataFrame:
    """Weeks that the run's earlier model had not seen when it was judged; no rows in runs that did not keep them."""
    kept = pd.DataFrame(run.metrics.get("held_out_weeks") or {})
    return kept.assign(week=pd.to_datetime(kept["week"], utc=True), seen=UNSEEN) if len(kept) else kept


def ledger(ws: Workspace, price_list_id: str, *, source: str | None = None) -> Ledger:
    """Compare a price list's predictions with what came after it took effect.

    Parameters
    ----------
    source
        Id of a stored readout whose outcomes count; default: the newest data set.
    """
    stored = pricelists.load_price_list(ws, price_list_id)
    dataset = datasets.load_dataset(ws, whole=True)
    offers = None if source is None else measurements.load_measurement(ws, source).frame
    outcomes = sales_log(dataset, offers, usual_price=usual_prices(dataset))
    return realized_against_predicted(stored.current, outcomes, count_units=counts_units(ws, stored.current))


def counts_units(ws: Workspace, price_list: pd.DataFrame) -> bool:
    """Whether the run behind a price list knew how many units a purchase has."""
    run_id = str(price_list["model_version"].iloc[0]) if len(price_list) else ""
    try:
        return bool(run_id) and (runs.run_dir(ws, run_id) / QUANTITY_FILE).exists()
    except PricingError:  # the run was deleted
        return False


def _recent_offers(dataset: Dataset, weeks: int, most: int) -> tuple[pd.DataFrame, int]:
    offers = dataset.offers.reset_index(drop=True)
    times = pd.DataFrame({"offered_at": offers["offered_at"], "week": monday(offers["offered_at"])})
    full = complete_weeks(times)
    chosen = offers.loc[full.index[full["week"] > full["week"].max() - weeks * WEEK]]
    if len(chosen) <= most:
        return chosen.reset_index(drop=True), len(chosen)
    rng = np.random.default_rng(0)
    pick = np.sort(rng.choice(len(chosen), most, replace=False))
    return chosen.iloc[pick].reset_index(drop=True), len(chosen)


def _logged(run: TrainedRun, dataset: Dataset, offers: pd.DataFrame, strategy: str, rules: Guardrails) -> LoggedOffers:
    """Past offers with the model's answers; targets do not look at the price that was then charged."""
    encoded = run.model.encode(dataset, offers)
    going = encoded.going
    rows = run.with_margin(run.model.rows(dataset, encoded))
    blind = replace(rows, current_price=going.reference * going.expected)
    price = offers["price"].to_numpy(dtype=float)
    own_strategies(run.ws)
    target = price_strategy(
        strategy, blind, rules, settings=settings_for(run, [strategy]), objective=chosen_objective(run.ws)
    ).price
    return LoggedOffers(
        price=price,
        target_price=target,
        unit_cost=rows.unit_cost,
        reference_price=going.reference,
        purchased=offers["purchased"].to_numpy(dtype=float),
        logged_density=run.model.pricing.density(going, price / going.reference),
        probability_logged=rows.response.probability(price),
        probability_target=rows.response.probability(target),
        customer_id=rows.customer_id,
    )


def _with_seen(table: pd.DataFrame, run: TrainedRun) -> pd.DataFrame:
    """Mark the weeks that begin after the log that the run learned from."""
    log_to = pd.Timestamp(run.manifest["log_to"])
    return table.assign(seen=np.where(table["week"] > log_to, UNSEEN, SEEN))
