"""Judge a training on later data, and find what drives it: composition of evaluate and explain."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

from pricing_core.data.dataset import Dataset
from pricing_core.errors import DataError
from pricing_core.evaluate.backtest import weekly_backtest
from pricing_core.evaluate.band_forecasts import Shared, band_forecasts
from pricing_core.evaluate.calibration import calibration_table, price_band_calibration
from pricing_core.evaluate.logged_offers import LoggedOffers
from pricing_core.evaluate.metrics import evaluate_probabilities
from pricing_core.evaluate.policy_value import PolicyValueConfig, policy_value
from pricing_core.evaluate.sales import monday
from pricing_core.explain.shapley import shap_outcomes
from pricing_core.guardrails.rules import NO_GUARDRAILS
from pricing_core.models.choice import uncontested
from pricing_core.models.held_out import HeldOut
from pricing_core.models.shop_model import EncodedOffers, ShopModel
from pricing_core.models.training import TrainingConfig, TrainingResult
from pricing_core.optimize.strategies import price_strategy
from pricing_core.response.pricing_rows import PricingRows
from pricing_core.workflows.identifying import endogeneity_figures
from pricing_core.workflows.outcomes import OUTCOMES, outcomes_function
from pricing_core.workflows.runs import usual_prices, with_margin

JUDGED_STRATEGIES = ("uniform", "product", "personalized")


def evaluate_run(dataset: Dataset, result: TrainingResult, config: TrainingConfig) -> dict[str, Any]:
    """Figures on held-out time for the behavior model, the baselines and the pricing model; JSON-able."""
    held = result.held_out
    figures: dict[str, Any] = asdict(evaluate_probabilities(held.purchased, held.probability, held.weight))
    relative = held.price / held.encoded.going.reference
    bands = price_band_calibration(relative, held.purchased, held.probability, held.weight)
    figures["baselines"] = {
        name: asdict(evaluate_probabilities(held.purchased, p, held.weight)) for name, p in held.baselines.items()
    }
    figures["calibration"] = calibration_table(held.purchased, held.probability, held.weight).to_dict("list")
    rows = _rows_to_price(dataset, held)
    figures["price_bands"] = bands.table.join(_ranges(held, rows)).to_dict("list")
    figures["price_band_slope"] = [bands.slope, bands.slope_low, bands.slope_high]
    figures["pricing_model"] = result.model.pricing.metrics_
    judged = _judged_offers(held, rows)
    settings = PolicyValueConfig(random_state=config.seed)
    figures["policy_value"] = {name: policy_value(logged, settings).to_dict() for name, logged in judged.items()}
    figures["held_out_weeks"] = _weeks(judged[JUDGED_STRATEGIES[-1]], held.encoded.table.offers["offered_at"])
    figures["held_out_from"] = held.encoded.table.offers["offered_at"].min().isoformat()
    figures["held_out_offers"] = len(held.price)
    if result.choice is not None:
        figures["leaderboard"], figures["choice_reason"] = result.choice.leaderboard, result.choice.reason
        if len(result.choice.leaderboard) == 1:
            figures["choice_reason"] = uncontested(config.family, result.choice.family, quick=config.quick)
    if result.model.quantity is not None:
        figures["quantity"] = result.model.quantity.to_dict()
    figures["endogeneity"] = endogeneity_figures(dataset, result, config.seed)
    return figures


def _ranges(held: HeldOut, rows: PricingRows) -> pd.DataFrame:
    """90% range of what is observed in each price band, with what earlier offers say that offers share."""
    offers = held.encoded.table.offers
    shared = None if held.past is None else Shared(offers["customer_id"], offers["offered_at"], held.past)
    response = rows.response  # unless its curves were turned: then it does not forecast sales at the shop's own prices
    if held.pricer is not None:
        response = held.model.behavior.respond(held.encoded.batch, held.encoded.going.reference)
    found = band_forecasts(response, held.price, held.purchased, held.weight, shared=shared)
    return found[["low", "high"]].add_prefix("forecast_")


def _weeks(logged: LoggedOffers, offered_at: pd.Series) -> dict[str, Any]:
    """Held-out weeks as judged by a model that learned from earlier ones only; empty where no week is full enough."""
    try:
        table = weekly_backtest(logged, monday(offered_at)).table
    except DataError:
        return {}
    kept = table.assign(week=table["week"].dt.strftime("%Y-%m-%d"))
    return {str(name): values for name, values in kept.to_dict("list").items()}


def _rows_to_price(dataset: Dataset, held: HeldOut) -> PricingRows:
    """Return the later offers as the earlier model would price them."""
    going = held.encoded.going
    # A target may not depend on the price that was then charged: "today's price" is what the habit would have set.
    rows = replace(held.pricing_model.rows(dataset, held.encoded), current_price=going.reference * going.expected)
    return with_margin(rows, dataset.manifest.margin_assumption, usual_prices(dataset))


def _judged_offers(held: HeldOut, rows: PricingRows) -> dict[str, LoggedOffers]:
    """Later offers with the prices that the earlier model would have set, by strategy."""
    going = held.encoded.going
    density = held.model.pricing.density(going, held.price / going.reference)
    # Both forecasts of an offer must come from one model, and where curves were turned that did not forecast sales.
    logged = held.probability if held.pricer is None else rows.response.probability(held.price)
    found = {}
    for name in JUDGED_STRATEGIES:
        target = price_strategy(name, rows, NO_GUARDRAILS).price
        found[name] = LoggedOffers(
            price=held.price,
            target_price=target,
            unit_cost=rows.unit_cost,
            reference_price=going.reference,
            purchased=held.purchased,
            logged_density=density,
            probability_logged=logged,
            probability_target=rows.response.probability(target),
            customer_id=rows.customer_id,
            weight=held.weight,
        )
    return found


def global_importance(model: ShopModel, encoded: EncodedOffers, config: TrainingConfig) -> pd.DataFrame:
    """Importance of each feature for each outcome over a sample of recent offers.

    Returns
    -------
    DataFrame
        ``outcome, feature, mean_abs, mean, share, additivity_error``, the outcomes' largest first.
    """
    rng = np.random.default_rng(config.seed)
    n_rows, n_background = (40, 10) if config.quick else (150, 15)
    pick = rng.permutation(encoded.batch.n)[: n_rows + n_background]
    split = min(n_rows, max(1, len(pick) // 2))
    found = shap_outcomes(
        outcomes_function(model.behavior),
        encoded.batch.take(pick[:split]),
        encoded.batch.take(pick[split:]),
        outcomes=OUTCOMES,
        n_permutations=1,
        random_state=config.seed,
    )
    parts = [
        each.importance().assign(outcome=outcome, additivity_error=each.additivity_error)
        for outcome, each in found.items()
    ]
    return pd.concat(parts, ignore_index=True)
