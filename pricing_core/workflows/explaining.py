"""Why this price: one recommendation taken apart, or many written to a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.drafts import draft_path
from pricing_core.errors import ConfigError
from pricing_core.explain.agreement import Agreement, agreement
from pricing_core.explain.events import EventEffects, event_effects
from pricing_core.explain.lime import LimeConfig, LimeResult, lime_outcomes
from pricing_core.explain.price_steps import PriceLadder
from pricing_core.explain.shapley import ShapResult
from pricing_core.guardrails.rules import Guardrails
from pricing_core.models.surface import CostedBatch
from pricing_core.optimize.objectives import Objective
from pricing_core.optimize.strategies import StrategyPrices, price_strategy
from pricing_core.progress import Progress, SilentProgress
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.attribution import attributed, method_of
from pricing_core.workflows.explained_offers import (
    ReadyOffers,
    background_of,
    ready_offers,
    recent_offers,
    surface,
)
from pricing_core.workflows.objectives import chosen_objective
from pricing_core.workflows.outcomes import outcome_function
from pricing_core.workflows.pricing import priced_columns, rows_for, rules_for
from pricing_core.workflows.reasoning import list_reasons
from pricing_core.workflows.runs import TrainedRun, load_run
from pricing_core.workflows.steps import ladder_of
from pricing_core.workflows.strategies import settings_for, settings_for_targets
from pricing_core.workflows.targets import prepare_targets

Ints = NDArray[np.int64]

_BACKGROUND_ROWS, _POINTS = 40, 12
# Many rows at once: a tenth of the work each, with somewhat larger errors.
_FEW_BACKGROUND_ROWS, _FEW_POINTS = 16, 6
_BRIEF_LIME = {"n_samples": 250, "n_replacements": 8, "n_seeds": 2}


@dataclass(frozen=True)
class RowExplanation:
    """One recommendation explained.

    Attributes
    ----------
    row
        The offer, one row.
    price
        Recommended price, status, binding guardrail and reason, one row.
    shap, lime
        Shapley values and local line by outcome: ``probability`` at the recommended price, ``sensitivity``, ``taste``,
        and ``price``, the price that earns most before any limit, in money.
    agreement
        Where the two disagree, by outcome.
    ladder
        Price steps that add up to the recommended price.
    events
        Which recent events moved the probability.
    method
        By which the Shapley values were found: ``expected gradients`` or ``permutations``.
    """

    row: PricingRows
    price: StrategyPrices
    shap: dict[str, ShapResult]
    lime: dict[str, LimeResult]
    agreement: dict[str, Agreement]
    ladder: PriceLadder
    events: EventEffects
    method: str


def explain_row(
    run: TrainedRun,
    index: int,
    *,
    strategy: str = "personalized_discount",
    guardrails: Guardrails | None = None,
    prices: StrategyPrices | None = None,
    objective: Objective | None = None,
    seed: int = 0,
) -> RowExplanation:
    """Explain the recommendation for one of the run's recent offers (row ``index`` of ``run.targets``).

    The other rows are priced too unless ``prices`` of all of them are given, since a uniform or product price depends
    on all of them.
    """
    if not 0 <= index < run.rows.n:
        raise ConfigError(f"Recommendation {index} is not there; the run has {run.rows.n} recent offers.")
    aim, rules = objective or chosen_objective(run.ws), rules_for(run, guardrails)
    if prices is None:
        prices = price_strategy(strategy, run.rows, rules, settings=settings_for(run, [strategy]), objective=aim)
    ready = recent_offers(run)
    background = ready.batch.take(background_of(ready, without=index, seed=seed, size=_BACKGROUND_ROWS))
    return _taken_apart(ready, index, background, prices, rules, aim, seed)


def explain(
    ws: Workspace,
    targets: pd.DataFrame,
    *,
    strategy: str = "personalized_discount",
    guardrails: Guardrails | None = None,
    run_id: str | None = None,
    languages: tuple[str, ...] = ("en", "zh"),
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Explain the recommendation for every target.

    Returns
    -------
    DataFrame
        The targets' rows, in order, with the price and its expected effect, the price steps (``step: …``, money),
        Shapley values on the chance of a purchase at the new price (``probability: …``) and on the price sensitivity
        (``sensitivity: …``) with their base values and additivity errors, the fidelity of LIME, and a reason in plain
        words by language (``reason_en``, ``reason_zh``).
    """
    progress = progress or SilentProgress()
    run = load_run(ws, run_id)
    prepared = prepare_targets(ws, run.dataset, targets)
    rows, encoded = rows_for(run, prepared)
    assert encoded is not None  # given targets are always encoded
    rules = rules_for(run, guardrails)
    aim = chosen_objective(ws)
    chosen = settings_for_targets(run, strategy, None, guardrails=rules, objective=aim)
    prices = price_strategy(strategy, rows, rules, settings=chosen, objective=aim)
    ready, recent = ready_offers(run, encoded, rows), recent_offers(run)
    background = recent.batch.take(background_of(recent, seed=seed, size=_FEW_BACKGROUND_ROWS))
    columns = []
    for index in range(rows.n):
        progress.stage("Explaining", index / rows.n, f"Recommendation {index + 1} of {rows.n}")
        columns.append(_flat(_taken_apart(ready, index, background, prices, rules, aim, seed, brief=True)))
    shown = targets.reset_index(drop=True).assign(**priced_columns(rows, prices))
    reasons = list_reasons(ready, np.arange(rows.n), prices, rules, background, objective=aim, languages=languages)
    return pd.concat([shown, pd.DataFrame(columns), reasons], axis=1)


def _taken_apart(
    ready: ReadyOffers,
    index: int,
    background: CostedBatch,
    prices: StrategyPrices,
    rules: Guardrails,
    aim: Objective,
    seed: int,
    *,
    brief: bool = False,
) -> RowExplanation:
    at = np.array([index])
    row, price, batch = ready.rows.take(at), prices.take(at), ready.batch.take(at)
    reference = float(row.response.reference_price[0])
    asked = surface(ready.run, relative_price=float(price.price[0]) / reference)
    points = _FEW_POINTS if brief else _POINTS
    shap = attributed(asked, batch, background, n_points=points, displayed=ready.written(at), seed=seed)
    config = LimeConfig(random_state=seed, **(_BRIEF_LIME if brief else {}))
    lime = lime_outcomes(asked.answers, batch, background, outcomes=asked.outcomes, config=config)
    shap["price"], lime["price"] = shap["price"].scaled(reference), lime["price"].scaled(reference)
    chance = outcome_function(ready.run.model.behavior, "probability", asked.relative_price)
    return RowExplanation(
        row=row,
        price=price,
        shap=shap,
        lime=lime,
        agreement={name: agreement(shap[name], lime[name]) for name in shap},
        ladder=ladder_of(ready, index, background, prices, rules, aim),
        events=event_effects(chance, ready.encoded.batch.take(at), ready.run.model.encoder.products_),
        method=method_of(ready.run.model.behavior.family),
    )


def _flat(found: RowExplanation) -> dict[str, Any]:
    first, *later = found.ladder.steps
    flat: dict[str, Any] = {f"step: {first.name}": first.price}
    flat |= {f"step: {step.name}": step.change for step in later}
    for outcome in ("probability", "sensitivity"):
        each = found.shap[outcome]
        flat[f"{outcome}: base value"] = each.base_value
        flat |= {f"{outcome}: {n}": v for n, v in zip(each.feature_names, each.values[0], strict=True)}
        flat[f"{outcome}: additivity error"] = each.additivity_error
    line = found.lime["probability"]
    return flat | {"lime fidelity": line.r2, "lime stability": line.stability}


def explain_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`explain` for the first ``limit`` recent offers; writes a CSV among the exports."""
    run = load_run(ws, params.get("run_id"))
    targets = run.targets.head(int(params.get("limit", 100)))
    frame = explain(
        ws, targets, strategy=params.get("strategy", "personalized_discount"), run_id=run.run_id, progress=progress
    )
    path = ws.exports_dir / f"explanations_{run.run_id}.csv"
    draft = draft_path(path)
    frame.to_csv(draft, index=False)
    draft.replace(path)
    return {"path": str(path), "rows": len(frame)}
