"""Why this price: one recommendation taken apart, or many written to a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pricing_core.errors import ConfigError
from pricing_core.explain.lime import LimeConfig, LimeResult, lime_explanation
from pricing_core.explain.price_steps import PriceLadder, price_ladder
from pricing_core.explain.shapley import ShapResult, shap_outcomes
from pricing_core.features import EncodedBatch
from pricing_core.guardrails.money import minor_unit_digits
from pricing_core.guardrails.rules import Guardrails
from pricing_core.models.shop_model import EncodedOffers
from pricing_core.optimize.posterior import maximize_posterior_profit
from pricing_core.optimize.settings import PERSONAL
from pricing_core.optimize.strategies import StrategyPrices, price_strategy
from pricing_core.progress import Progress, SilentProgress
from pricing_core.response.price_response import PriceResponse
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.store.workspace import Workspace
from pricing_core.workflows.outcomes import OUTCOMES, outcome_function, outcomes_function
from pricing_core.workflows.pricing import priced_columns, rows_for, rules_for
from pricing_core.workflows.runs import TrainedRun, load_run
from pricing_core.workflows.targets import prepare_targets

Floats = NDArray[np.float64]

BACKGROUND_ROWS = 40
# Many rows at once: a tenth of the work each, with somewhat larger sampling errors.
_FEW_BACKGROUND_ROWS = 15
_BRIEF_LIME = {"n_samples": 200, "n_replacements": 6, "n_seeds": 2}
_LADDER = (("product", ("product",)), ("market", ("product", "market")))
_BLOCK_OF = {"product_code": "product", "sequence": "customer", "expected_price": "customer"}


@dataclass(frozen=True)
class RowExplanation:
    """One recommendation explained.

    Attributes
    ----------
    row
        The offer, one row.
    price
        Recommended price, status, binding guardrail and reason, one row.
    shap
        Shapley values by outcome: ``probability`` at the recommended price, ``sensitivity`` and ``taste``.
    lime
        Local line for the probability at the recommended price.
    ladder
        Price steps that add up to the recommended price.
    """

    row: PricingRows
    price: StrategyPrices
    shap: dict[str, ShapResult]
    lime: LimeResult
    ladder: PriceLadder


def explain_row(
    run: TrainedRun,
    index: int,
    *,
    strategy: str = "personalized_discount",
    guardrails: Guardrails | None = None,
    seed: int = 0,
) -> RowExplanation:
    """Explain the recommendation for one of the run's recent offers (row ``index`` of ``run.targets``).

    The other rows are priced too, since a uniform or product price depends on all of them.
    """
    if not 0 <= index < run.rows.n:
        raise ConfigError(f"Recommendation {index} is not there; the run has {run.rows.n} recent offers.")
    prices = price_strategy(strategy, run.rows, rules_for(run, guardrails))
    pick = background_rows(run.rows.n, index, seed)
    offers = run.targets.iloc[[index, *pick]].reset_index(drop=True)
    encoded = run.model.encode(run.dataset, offers)
    return _explain(run, encoded, run.rows.take(np.array([index])), take_prices(prices, np.array([index])), seed)


def explain(
    ws: Workspace,
    targets: pd.DataFrame,
    *,
    strategy: str = "personalized_discount",
    guardrails: Guardrails | None = None,
    run_id: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Explain the recommendation for every target.

    Returns
    -------
    DataFrame
        The targets' rows, in order, with the price and its expected effect, the price steps (``step: …``, money),
        Shapley values on the chance of a purchase at the new price (``probability: …``) and on the price sensitivity
        (``sensitivity: …``) with their base values and additivity errors, and the fidelity of LIME.
    """
    progress = progress or SilentProgress()
    run = load_run(ws, run_id)
    prepared = prepare_targets(ws, run.dataset, targets)
    rows, encoded = rows_for(run, prepared)
    assert encoded is not None  # given targets are always encoded
    prices = price_strategy(strategy, rows, rules_for(run, guardrails))
    pick = background_rows(run.rows.n, None, seed, _FEW_BACKGROUND_ROWS)
    background = run.model.encode(run.dataset, run.targets.iloc[pick].reset_index(drop=True)).batch
    columns = []
    for index in range(rows.n):
        progress.stage("Explaining", index / rows.n, f"Recommendation {index + 1} of {rows.n}")
        at = np.array([index])
        found = _parts(
            run, encoded.batch.take(at), background, rows.take(at), take_prices(prices, at), encoded, index, seed, True
        )
        columns.append(_flat(found))
    shown = targets.reset_index(drop=True).assign(**priced_columns(rows, prices))
    return pd.concat([shown, pd.DataFrame(columns)], axis=1)


def background_rows(n: int, index: int | None, seed: int, size: int = BACKGROUND_ROWS) -> NDArray[np.int64]:
    """Random rows that stand for "a typical offer", without the one to be explained."""
    order = np.random.default_rng(seed).permutation(n)
    return order[order != (-1 if index is None else index)][:size]


def take_prices(prices: StrategyPrices, rows: NDArray[np.int64]) -> StrategyPrices:
    """Some rows of a strategy's prices."""
    return prices.take(rows)


def _explain(
    run: TrainedRun, encoded: EncodedOffers, row: PricingRows, price: StrategyPrices, seed: int
) -> RowExplanation:
    batch = encoded.batch.take(np.array([0]))
    background = encoded.batch.take(np.arange(1, encoded.batch.n))
    return _parts(run, batch, background, row, price, encoded, 0, seed)


def _parts(
    run: TrainedRun,
    batch: EncodedBatch,
    background: EncodedBatch,
    row: PricingRows,
    price: StrategyPrices,
    encoded: EncodedOffers,
    index: int,
    seed: int,
    brief: bool = False,
) -> RowExplanation:
    behavior = run.model.behavior
    relative = float(price.price[0] / row.response.reference_price[0])
    displayed = displayed_values(encoded, index)
    shap = shap_outcomes(
        outcomes_function(behavior, relative),
        batch,
        background,
        outcomes=OUTCOMES,
        n_permutations=1 if brief else 4,
        random_state=seed,
        displayed=displayed,
    )
    config = LimeConfig(random_state=seed, **(_BRIEF_LIME if brief else {}))
    lime = lime_explanation(outcome_function(behavior, "probability", relative), batch, background, config)
    return RowExplanation(row, price, shap, lime, _ladder(run, batch, background, row, price))


def displayed_values(encoded: EncodedOffers, index: int) -> pd.DataFrame:
    """Feature values of one row as a person reads them, one column per feature of the batch."""
    frame = encoded.table.frame.iloc[[index]].reset_index(drop=True)
    events = int(encoded.batch.sequence_mask[index].sum())
    frame["product identity"] = str(encoded.table.offers["product_id"].iloc[index])
    frame["recent events"] = f"{events} events"
    frame["usual price here"] = float(encoded.going.reference[index] * encoded.going.expected[index])
    return frame.reindex(columns=list(encoded.batch.feature_names))


def _ladder(
    run: TrainedRun, batch: EncodedBatch, background: EncodedBatch, row: PricingRows, price: StrategyPrices
) -> PriceLadder:
    """Best prices with successively more known: product, market, customer; then guardrails and ending."""
    reference = float(row.response.reference_price[0])
    final = float(price.price[0])
    cost, low, high = row.unit_cost, row.support_low, row.support_high
    steps: dict[str, Any] = {"reference": reference}
    digits = minor_unit_digits(run.manifest["currency"])
    own = batch.take(np.zeros(background.n, dtype=np.int64))
    for name, blocks in _LADDER:
        known = np.array([_BLOCK_OF.get(block, block) in blocks for _, block, _ in batch.groups])
        mixed = own.mix(background, np.tile(known, (background.n, 1)))
        response = run.model.behavior.respond(mixed, np.full(background.n, reference))
        steps[name] = _best(_as_draws(response), cost, low, high)
        if price.strategy not in PERSONAL:  # one price for many: what is known of this customer plays no part
            return price_ladder(steps | {"final": final}, minor_units=digits)
    steps["customer"] = _best(row.response, cost, low, high)
    if not price.held[0]:
        steps["guardrail"] = _best(row.response, cost, price.low, price.high)
        steps["ending"] = final
    return price_ladder(steps | {"final": final}, minor_units=digits)


def _as_draws(response: PriceResponse) -> PriceResponse:
    """One row whose draws are those of all rows: a customer of whom nothing is known."""
    return PriceResponse(
        reference_price=response.reference_price[:1],
        intercept=response.intercept.reshape(1, -1),
        sensitivity=response.sensitivity.reshape(1, -1),
        draw_fold=np.tile(response.draw_fold, response.n),
        draw_member=np.tile(response.draw_member, response.n),
    )


def _best(response: PriceResponse, cost: Floats, low: Floats, high: Floats) -> float:
    return float(maximize_posterior_profit(response, cost, low, high)[0])


def _flat(found: RowExplanation) -> dict[str, Any]:
    first, *later = found.ladder.steps
    flat: dict[str, Any] = {f"step: {first.name}": first.price}
    flat |= {f"step: {step.name}": step.change for step in later}
    for outcome in ("probability", "sensitivity"):
        each = found.shap[outcome]
        flat[f"{outcome}: base value"] = each.base_value
        flat |= {f"{outcome}: {n}": v for n, v in zip(each.feature_names, each.values[0], strict=True)}
        flat[f"{outcome}: additivity error"] = each.additivity_error
    return flat | {"lime fidelity": found.lime.r2, "lime stability": found.lime.stability}


def explain_job(ws: Workspace, params: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Background form of :func:`explain` for the first ``limit`` recent offers; writes a CSV among the exports."""
    run = load_run(ws, params.get("run_id"))
    targets = run.targets.head(int(params.get("limit", 100)))
    frame = explain(
        ws, targets, strategy=params.get("strategy", "personalized_discount"), run_id=run.run_id, progress=progress
    )
    path = ws.exports_dir / f"explanations_{run.run_id}.csv"
    draft = path.with_suffix(".part")
    frame.to_csv(draft, index=False)
    draft.replace(path)
    return {"path": str(path), "rows": len(frame)}
